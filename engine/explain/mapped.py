"""Mapped scenes: layers that ``map`` made, recognised by their tags, read together on one thinned grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import SceneError
from ..scene.bands import ModalitySource, bands_of
from ..scene.classes import PALETTE, legend
from ..scene.grid import Grid
from ..scene.mapped import Mapped, mapped_raster, of_one_scene
from ..scene.reading import ModalityReader
from ..scene.reference import ReferenceReader, open_reference
from ..scene.tags import MODEL, MODEL_SHA256, TOLERANCE
from ..scene.window import Window

Plane = NDArray[np.float32]
_TILE_PX = 512
_BANDS_AT_ONCE = 32  # then it is asked whether to go on
LAYERS = (
    "map", "main_error", "reconstruction", "reconstruction_error", "expected_error", "uncertainty", "probability",
    "error_probability",
)  # fmt: skip
REFERENCE = "reference"
_USED = tuple(kind for kind in LAYERS if kind != "reconstruction")  # for statistics; the other is to look at


@dataclass(frozen=True)
class MappedScene:
    """The layers of one scene: path by output, all on ``grid``; ``classes`` are empty for a regression.

    ``tolerance`` is the absolute error from which on its error probability calls a regression wrong, if it says so;
    ``model`` and ``model_sha256`` tell what mapped it.
    """

    name: str
    layers: Mapping[str, str]
    grid: Grid
    bands: tuple[str, ...]
    classes: tuple[LandClass, ...]
    tolerance: float | None = None
    model: str = ""
    model_sha256: str = ""


@dataclass(frozen=True)
class Thinned:
    """Every ``step``-th pixel of a scene, each plane ``(H, W)`` with NaN where there is no value.

    Attributes:
        scene: Where it is from.
        step: Pixels of the scene from one to the next.
        error: Main error: 0 or 1, or estimate − reference.
        mapped: Value of the mapped class (regression: the estimate, if given).
        auxiliary: Reconstruction error of each band, signed.
        expected: Expected error of each band.
        scores: Scores that shall tell errors, higher where more likely, by name.
        sizes: Sizes of reconstruction errors that stand for many bands; of the others they are the absolute values.
    """

    scene: MappedScene
    step: int
    error: Plane
    mapped: Plane
    auxiliary: Mapping[str, Plane] = field(default_factory=dict)
    expected: Mapping[str, Plane] = field(default_factory=dict)
    scores: Mapping[str, Plane] = field(default_factory=dict)
    sizes: Mapping[str, Plane] = field(default_factory=dict)

    def size(self, band: str) -> Plane:
        """Size of a band's reconstruction error, ``(H, W)``."""
        return self.sizes[band] if band in self.sizes else np.abs(self.auxiliary[band])


def find_layers(paths: Sequence[str]) -> MappedScene:
    """The scene whose layers are given.

    Raises:
        SceneError: a raster that ``map`` has not made, two of a kind, or layers of different grids or models.
    """
    rasters = []
    for path in paths:
        raster = mapped_raster(path)
        if raster is None:
            raise SceneError(f"“{path}” does not say that AuxLens made it as a map's layer; give layers from “map”.")
        rasters.append(raster)
    return _scene(Path(paths[0]).resolve().parent.name, of_one_scene(rasters))


def find_scenes(folder: str) -> list[MappedScene]:
    """The mapped scenes in a folder: its sub-folders, or itself, that hold layers from ``map``.

    Raises:
        SceneError: there is none.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SceneError(f"The folder “{folder}” does not exist; check the path.")
    scenes = []
    for place in [root, *sorted(path for path in root.iterdir() if path.is_dir())]:
        paths = sorted(path for path in place.glob("*.tif") if not path.name.startswith("."))  # those are not finished
        rasters = [raster for path in paths if (raster := mapped_raster(str(path))) is not None]
        if rasters:
            scenes.append(_scene(place.name, of_one_scene(rasters)))
    if not scenes:
        raise SceneError(f"“{folder}” holds no layers from “map”; give the folder that “mapfolder” wrote.")
    return scenes


def _scene(name: str, rasters: Mapping[str, Mapped]) -> MappedScene:
    layers = {output: raster.path for output, raster in rasters.items()}
    models = {raster.tags.get(MODEL_SHA256, ""): raster for raster in rasters.values()}
    if len(models) > 1:
        paths = " and ".join(f"“{raster.path}”" for raster in list(models.values())[:2])
        raise SceneError(f"{paths} were made with different models; give layers of one run of “map”.")
    of_bands = next((layers[k] for k in ("reconstruction_error", "expected_error") if k in layers), None)
    if of_bands is None:
        raise SceneError(
            f"“{name}” has neither reconstruction errors nor expected errors; map it with one of these layers."
        )
    bands = tuple(band.name for band in bands_of(of_bands))
    grid = next(iter(rasters.values())).grid
    tolerance = rasters["error_probability"].tags.get(TOLERANCE) if "error_probability" in rasters else None
    ((sha256, one),) = models.items()
    return MappedScene(
        name,
        layers,
        grid,
        bands,
        _classes(layers.get("map")),
        float(tolerance) if tolerance else None,
        one.tags.get(MODEL, ""),
        sha256,
    )


def _classes(path: str | None) -> tuple[LandClass, ...]:
    if path is None:
        return ()
    names, colors = legend(path)
    return tuple(
        LandClass(value, names[value], colors.get(value, PALETTE[i % len(PALETTE)]))
        for i, value in enumerate(sorted(v for v, name in names.items() if name))
    )


class SceneLayers:
    """Open layers of one scene and the reference, read by window."""

    def __init__(self, scene: MappedScene, reference: str, field: str, stack: ExitStack) -> None:
        """Open.

        Raises:
            SceneError: there is no main error and no map with a reference to make one.
        """
        self.scene = scene
        self.readers: dict[str, list[ModalityReader]] = {}
        for kind, path in scene.layers.items():
            if kind in LAYERS:
                bands = bands_of(path)
                self.readers[kind] = [
                    stack.enter_context(ModalityReader(ModalitySource(kind, part), scene.grid))
                    for part in (bands[at : at + _BANDS_AT_ONCE] for at in range(0, len(bands), _BANDS_AT_ONCE))
                ]
        self._reference: ReferenceReader | None = None
        if reference:
            self._reference = open_reference(reference, field, scene.grid, scene.classes, bool(scene.classes))
            stack.callback(self._reference.close)
        if "main_error" not in self.readers and ("map" not in self.readers or self._reference is None):
            raise SceneError(f"“{scene.name}” has no main error, and no map with a reference; give one of them.")

    def read(
        self, window: Window, kinds: Collection[str], go_on: Callable[[], None] = lambda: None
    ) -> dict[str, Plane]:
        """Layers of some kinds in a window, each ``(bands, H, W)``, of those that are given.

        ``main_error`` is made of map and reference where it is not given. ``go_on`` is asked every few bands.
        """
        is_made = "main_error" in kinds and "main_error" not in self.readers
        needed = {*kinds, "map", REFERENCE} if is_made else {*kinds}
        found = {}
        for kind in (kind for kind in self.readers if kind in needed):
            parts = []
            for reader in self.readers[kind]:
                go_on()
                parts.append(reader.read(window))
            found[kind] = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if self._reference is not None and REFERENCE in needed:
            truth = self._reference.read(window)
            found[REFERENCE] = np.where(truth < 0, np.nan, truth)[None] if self.scene.classes else truth[None]
        if is_made:
            difference = found["map"][0] - found[REFERENCE][0]
            wrong = (difference != 0).astype(np.float32) if self.scene.classes else difference
            found["main_error"] = np.where(np.isfinite(difference), wrong, np.nan)[None].astype(np.float32)
        return {kind: values for kind, values in found.items() if kind in kinds}


def thinned(layers: SceneLayers, step: int, on_share: Callable[[float], None] = lambda share: None) -> Thinned:
    """Read every ``step``-th pixel of a scene, tile by tile; ``on_share`` is told which share of them is read."""
    grid = layers.scene.grid
    height, width = (-(-size // step) for size in (grid.height, grid.width))
    side = max(1, _TILE_PX // step)
    tiles = [(row, col) for row in range(0, height, side) for col in range(0, width, side)]
    planes: dict[str, Plane] = {}
    for number, (row, col) in enumerate(tiles):
        tell = partial(on_share, number / len(tiles))
        window = Window(row * step, col * step, side * step, side * step).intersection(grid.whole)
        for kind, values in layers.read(window, _USED, tell).items():
            if kind not in planes:
                planes[kind] = np.empty((len(values), height, width), np.float32)
            for at in range(0, len(values), _BANDS_AT_ONCE):
                tell()
                part = slice(at, at + _BANDS_AT_ONCE)
                planes[kind][part, row : row + side, col : col + side] = values[part, ::step, ::step]
    bands = layers.scene.bands
    by_band = {
        kind: dict(zip(bands, planes[kind], strict=True)) if kind in planes else {}
        for kind in ("reconstruction_error", "expected_error")
    }
    error = planes["main_error"][0]
    mapped = planes["map"][0] if "map" in planes else np.full_like(error, np.nan)
    return Thinned(
        layers.scene, step, error, mapped, by_band["reconstruction_error"], by_band["expected_error"], _scores(planes)
    )


def _scores(planes: Mapping[str, Plane]) -> dict[str, Plane]:
    """Scores of single pixels; those over auxiliary bands are put together when all scenes are known."""
    found = {}
    if "uncertainty" in planes:
        found["uncertainty"] = planes["uncertainty"][0]
    if "probability" in planes and len(planes["probability"]) > 1:
        ordered = np.sort(planes["probability"], axis=0)
        found["maximum probability"] = 1.0 - ordered[-1]
        found["margin"] = 1.0 - (ordered[-1] - ordered[-2])
    if "error_probability" in planes:
        found["error probability"] = planes["error_probability"][0]
    return found


def step_for(scenes: Sequence[MappedScene], most: int) -> int:
    """How far apart pixels are taken, so that there are ``most`` of them at the most."""
    return max(1, math.ceil(math.sqrt(sum(s.grid.height * s.grid.width for s in scenes) / most)))
