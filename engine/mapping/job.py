"""The map job: map one scene and explain the map."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.crs import CRS

from ...models.card import Card
from ...models.ensemble import load
from ...models.errors import SceneError
from ...models.network import Network
from ..checks import check_map
from ..devices import choose_device, choose_precision
from ..explain.surroundings import BLOCK_PX
from ..jobs import MapJob, Progress, outputs_of
from ..progress import Part
from ..scene.bands import ModalitySource, match, match_some
from ..scene.grid import Grid, transformed
from ..scene.mask import MaskReader, open_mask
from ..scene.polygons import Polygons, polygons_of, tiles_of
from ..scene.reading import ModalityReader, scene_grid
from ..scene.reference import UNKNOWN, ReferenceReader, VectorReference, is_raster, open_reference
from ..scene.window import Tile, Window, plan
from ..scene.writing import LayerWriter, check_room, check_writable
from .object_attributions import ObjectAttributions, attribution_tiles, read_around
from .object_outputs import map_objects, write_polygons
from .object_products import ObjectProducts
from .outputs import layers_of, tags_of
from .products import Arrays, ObjectPart, Observations, Products
from .stream import Chip, Engine, stream

log = logging.getLogger("auxlens")

_WINDOW_PX = 1024  # computed at once by a scene-level model, whatever the size of its tiles


def run(job: MapJob, progress: Progress) -> dict[str, Any]:
    """Map one scene.

    Returns:
        ``outputs``: the files written, by name; ``figures``: pixels, seconds and what they were computed with.

    Raises:
        AuxLensError: the model, the rasters or the device do not fit the job; before anything is written.
    """
    started = time.perf_counter()
    network, card = load(job.model)
    check_map(job, card)
    check_writable([job.output_polygons] if job.output_polygons else [])
    with ExitStack() as stack:
        scene = SceneReader(job, card, stack)
        grid = scene.grid.cropped(scene.area)
        device = choose_device(job.device)
        network = network.to(device)
        products = _products(job, card, network, scene)
        layers = layers_of(job, card, products)
        check_room(list(layers.values()), grid)
        engine = engine_of(job, network, device, products)
        tile_px = window_px(job, card)
        margin_px = margin_of(job, card)
        tiles = tiles_of_scene(scene, margin_px, tile_px, network, products)
        writers = {name: stack.enter_context(LayerWriter(layer, grid, tile_px)) for name, layer in layers.items()}

        def write(arrays: Arrays, window: Any) -> None:
            for name, values in arrays.items():
                writers[name].write(values, window.relative_to(scene.area))

        if isinstance(products, ObjectProducts):
            first = Part(progress, 0.0, 0.5) if job.output_attribution else progress
            map_objects(tiles, scene.read, engine, products, write, first)
            if job.output_attribution:
                attributions = ObjectAttributions(network, products, job.attribution_class)
                again = attribution_tiles(scene.area, scene.grid.whole, tile_px, margin_px, network.config)
                read = partial(read_around, scene.read, products.polygons, scene.area, network.config)
                explaining = replace(engine, tasks=attributions.tasks)
                stream(again, read, explaining, attributions, write, Part(progress, 0.5, 0.5))
                products.explained = attributions.of_objects()
                products.largest_residual = attributions.largest_residual
            if job.output_polygons:
                write_polygons(job.output_polygons, products, tags_of(job, card, products))
        else:
            stream(tiles, scene.read, engine, products, write, progress)
        for writer in writers.values():
            writer.commit()
    warn_of_unknown_classes(products, job.reference)
    seconds = time.perf_counter() - started
    log.info("Mapped %d × %d pixels in %.1f s.", grid.height, grid.width, seconds)
    figures = {
        "pixels": grid.height * grid.width,
        "seconds": round(seconds, 3),
        "device": str(device),
        "precision": str(engine.dtype).removeprefix("torch."),
        "error_probability": products.error_form,
    }
    if job.output_attribution:
        figures["efficiency_residual"] = products.largest_residual
    if isinstance(products, ObjectProducts):
        figures["polygons"] = int((products.pixels > 0).sum())
    return {"outputs": dict(outputs_of(job)), "figures": figures}


class SceneReader:
    """Reads the chips of a job's scene: inputs, and the references and mask that are given."""

    def __init__(self, job: MapJob, card: Card, stack: ExitStack) -> None:
        """Open all files on ``stack``.

        Raises:
            SceneError: bands do not fit the model, rasters do not overlap, or files are not readable.
        """
        inputs = match([(m.name, m.bands) for m in card.inputs], job.inputs)
        self.grid: Grid = scene_grid(inputs)
        self._inputs = [stack.enter_context(ModalityReader(source, self.grid)) for source in inputs]
        wanted = job.outputs
        self._auxiliary: list[ModalityReader | None] = []
        observing = "reconstruction_error" in wanted or "error_probability" in wanted or job.output_polygons
        if card.auxiliary and job.auxiliary and observing:
            self._auxiliary = [
                stack.enter_context(ModalityReader(source, self.grid)) if source else None
                for source in _auxiliary(job, card)
            ]
        self._counts = [len(m.bands) for m in card.auxiliary]
        self._reference: ReferenceReader | None = None
        if "main_error" in wanted:
            self._reference = open_reference(
                job.reference, job.reference_field, self.grid, card.main.classes, bool(card.main.classes)
            )
            stack.callback(self._reference.close)
            if isinstance(self._reference, VectorReference) and self._reference.is_empty:
                raise SceneError(
                    f"No feature of the reference “{job.reference}” lies on the scene; check its place and CRS."
                )
        self._mask: MaskReader | None = open_mask(job.mask, self.grid, stack) if job.mask else None
        self.area = _area(job, self.grid)
        self.polygons: Polygons | None = None
        if card.main.is_scene_level:
            tiled = partial(tiles_of, tile_px=job.tile_size or card.tile_px)
            self.polygons = (
                polygons_of(job.polygons, self.grid, self.area) if job.polygons else tiled(self.grid, self.area)
            )

    @property
    def observes(self) -> bool:
        """Whether every auxiliary modality is given."""
        return bool(self._auxiliary) and all(self._auxiliary)

    def read(self, tile: Tile) -> Chip:
        """Read the chip of one tile."""
        parts = [reader.read(tile.chip) for reader in self._inputs]
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        core = tile.core.relative_to(tile.chip).slices
        valid: NDArray[np.bool_] = np.isfinite(values[(slice(None), *core)].sum(axis=0))
        if self._mask is not None:
            valid &= self._mask(tile.core)
        seen = Observations(self._read_auxiliary(tile), self._read_reference(tile), self._objects(tile, valid))
        return Chip(tile, values, valid, seen)

    def _objects(self, tile: Tile, valid: NDArray[np.bool_]) -> tuple[ObjectPart, ...]:
        if self.polygons is None:
            return ()
        parts = ((n, window.relative_to(tile.core), mask) for n, window, mask in self.polygons.parts(tile.core))
        return tuple(ObjectPart(n, window, mask & valid[window.slices]) for n, window, mask in parts)

    def _read_auxiliary(self, tile: Tile) -> NDArray[np.float32] | None:
        if not self._auxiliary:
            return None
        size = (tile.chip.height, tile.chip.width)
        return np.concatenate(
            [
                reader.read(tile.chip) if reader else np.full((count, *size), np.nan, np.float32)
                for reader, count in zip(self._auxiliary, self._counts, strict=True)
            ]
        )

    def _read_reference(self, tile: Tile) -> NDArray[np.float32] | None:
        return None if self._reference is None else self._reference.read(tile.chip)


def _auxiliary(job: MapJob, card: Card) -> tuple[ModalitySource | None, ...]:
    """A source for each auxiliary modality of the card that is given; at least one must be."""
    wanted = [(m.name, m.bands) for m in card.auxiliary]
    try:
        return match(wanted, job.auxiliary)
    except SceneError:
        found = match_some(wanted, job.auxiliary)
        if not any(found):
            raise
        missing = [name for (name, _), source in zip(wanted, found, strict=True) if source is None]
        log.warning("No auxiliary raster fits %s; its errors are left out.", ", ".join(missing))
        return found


def _area(job: MapJob, grid: Grid) -> Window:
    """The part of the scene that is mapped.

    Raises:
        SceneError: the extent lies outside of the scene, or its CRS is not known.
    """
    if job.extent is None:
        return grid.whole
    if not job.extent_crs or grid.crs is None:
        return grid.window_of(job.extent)
    try:
        crs = CRS.from_user_input(job.extent_crs)
    except ValueError as error:  # CRSError is one
        raise SceneError(
            f"The CRS of the extent, “{job.extent_crs}”, is not known; give it as WKT or like EPSG:4326."
        ) from error
    return grid.window_of(transformed(job.extent, crs, grid.crs))


def window_px(job: MapJob, card: Card) -> int:
    """Width and height of the windows that are computed at once."""
    return _WINDOW_PX if card.main.is_scene_level else job.tile_size or card.tile_px


def tiles_of_scene(
    scene: SceneReader, margin_px: int, tile_px: int, network: Network, products: Products
) -> list[Tile]:
    """The window plan of a scene: windows of ``tile_px`` with the context that network and products need."""
    margin, stride = margin_px + products.context_px, max(network.config.stride, BLOCK_PX)
    return list(plan(scene.area, scene.grid.whole, tile_px, margin, stride))


def margin_of(job: MapJob, card: Card) -> int:
    """Context in pixels around each window; warns where it is less than the receptive field."""
    if 0 <= job.overlap < card.margin_px:
        log.warning(
            "An overlap of %d px is less than the model's receptive field (%d px): seams may be visible.",
            job.overlap,
            card.margin_px,
        )
    return card.margin_px if job.overlap < 0 else job.overlap


def warn_of_unknown_classes(products: Products, reference: str) -> None:
    """Warn of classes that were found in a reference, and that the model does not know.

    Args:
        products: Those of the map.
        reference: Its path, or that of one of several.
    """
    if not products.unknown_classes:
        return
    named = UNKNOWN if not is_raster(reference) else None  # stands for all classes of other names
    others = f"names other than {', '.join(c.name for c in products.card.main.classes)}"
    log.warning(
        "The reference has classes that the model does not know (%s); the map counts as wrong there.",
        ", ".join(others if value == named else f"{value:g}" for value in sorted(products.unknown_classes)),
    )


def _products(job: MapJob, card: Card, network: Network, scene: SceneReader) -> Products:
    if scene.polygons is None:
        return Products(network, card, tuple(job.outputs), scene.observes, job.attribution_class)
    return ObjectProducts(
        network, card, tuple(job.outputs), scene.observes, scene.polygons, described=bool(job.output_polygons)
    )


def engine_of(job: MapJob, network: Network, device: torch.device, products: Products) -> Engine:
    """The network made ready for a job: precision and windows a batch as the job or the device wants them."""
    batch = job.batch_size or (1 if device.type == "cpu" else 4)
    return Engine(network, device, choose_precision(job.precision, device), products.tasks, batch)
