"""A scene as a map job sees it: its inputs, and the references and mask that are given, read chip by chip."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from ...models.card import Card
from ...models.errors import SceneError
from ..jobs import MapJob
from ..scene.bands import ModalitySource, match, match_some
from ..scene.features import UNKNOWN
from ..scene.grid import Grid, transformed
from ..scene.mask import MaskReader, open_mask
from ..scene.polygons import Polygons, polygons_of, tiles_of
from ..scene.reading import ModalityReader, complete, scene_grid
from ..scene.reference import ReferenceReader, VectorReference, is_raster, open_reference
from ..scene.window import Tile, Window
from .products import ObjectPart, Observations, Products
from .stream import Chip

log = logging.getLogger("auxlens")


class SceneReader:
    """Reads the chips of a job's scene: inputs, and the references and mask that are given.

    Attributes:
        has_data: Whether a pixel to map was valid in what has been read.
    """

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
        self.has_data = False
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
        valid = complete(values[(slice(None), *core)])
        if self._mask is not None:
            valid &= self._mask(tile.core)
        self.has_data |= bool(valid.any())
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
