"""References: the truth of the main task, from a raster or from vector features, by window."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from ...models.card import LandClass
from ..paths import split_options
from .bands import ModalitySource, bands_of
from .features import numbers_of, read_features
from .grid import Grid
from .reading import ModalityReader
from .vectors import file_stamp, split_layer
from .window import Window


class ReferenceReader(Protocol):
    """Reads windows of a reference as float32 values on the scene's grid, NaN where there is none."""

    def read(self, window: Window) -> NDArray[np.float32]:
        """``(window.height, window.width)`` float32: class values or numbers."""

    def disputed(self, window: Window) -> NDArray[np.bool_]:
        """``(window.height, window.width)``: where features of different values lie on one pixel."""

    def close(self) -> None:
        """Release the files."""


@dataclass(frozen=True)
class VectorReference:
    """Features in the scene's CRS with the number that each burns into the raster."""

    geometries: NDArray[np.object_]
    values: NDArray[np.float64]
    tree: shapely.STRtree
    grid: Grid

    @property
    def is_empty(self) -> bool:
        """Whether no feature touches the scene."""
        return not len(self.tree.query(shapely.box(*self.grid.bounds)))

    def read(self, window: Window) -> NDArray[np.float32]:
        """Of features that lie on one pixel the last one's."""
        return self._burned(window, self._hits(window))

    def disputed(self, window: Window) -> NDArray[np.bool_]:
        hits = self._hits(window)
        if len(np.unique(self.values[hits])) < 2:
            return np.zeros((window.height, window.width), np.bool_)
        last, first = self._burned(window, hits), self._burned(window, hits[::-1])
        disputed: NDArray[np.bool_] = (last != first) & np.isfinite(last)
        return disputed

    def _hits(self, window: Window) -> NDArray[np.int64]:
        """Numbers of the features in a window, in their order."""
        return np.sort(self.tree.query(shapely.box(*self.grid.bounds_of(window))))

    def _burned(self, window: Window, hits: NDArray[np.int64]) -> NDArray[np.float32]:
        chip = np.full((window.height, window.width), np.nan, np.float32)
        if len(hits):
            rasterio.features.rasterize(
                zip(self.geometries[hits], self.values[hits], strict=True),
                out=chip,
                transform=self.grid.transform_of(window),
            )
        return chip

    def close(self) -> None:
        pass


class RasterReference:
    """The first band of a raster. ``role`` is what messages call it; categories are never blended."""

    def __init__(self, path: str, grid: Grid, role: str = "reference", categorical: bool = True) -> None:
        band = bands_of(path)[0]
        self._reader = ModalityReader(ModalitySource(role, (band,)), grid, categorical)

    def read(self, window: Window) -> NDArray[np.float32]:
        chip: NDArray[np.float32] = self._reader.read(window)[0]
        return chip

    def disputed(self, window: Window) -> NDArray[np.bool_]:
        return np.zeros((window.height, window.width), np.bool_)

    def close(self) -> None:
        self._reader.close()


def is_raster(path: str) -> bool:
    """Whether a reference is a raster (else it is taken as vector features)."""
    if split_options(path)[1]:
        return False
    try:
        with rasterio.open(path) as dataset:
            return bool(dataset.count > 0)
    except RasterioError:
        return False


def is_vector(path: str) -> bool:
    """Whether a file is there and no raster."""
    return os.path.exists(split_layer(path)[0]) and not is_raster(path)


def open_reference(
    path: str, field: str, grid: Grid, classes: Sequence[LandClass] = (), categorical: bool = True
) -> ReferenceReader:
    """Open a reference on a scene's grid.

    Args:
        path: Raster, or vector file; ``file|layername=layer`` chooses a layer.
        field: Attribute of a vector reference; may be empty for a file whose layers are the classes.
        grid: The scene's grid.
        classes: For class references given as text, the names in use (their values are burned).
        categorical: Whether a raster's values are classes, taken from the nearest pixel; else they are numbers, which
            finer rasters are averaged to.

    Raises:
        SceneError: missing or unreadable, without the field, or not a number where one is needed.
    """
    if is_raster(path):
        return RasterReference(path, grid, categorical=categorical)
    return _vector(path, field, grid, tuple(classes), file_stamp(path))


@lru_cache(maxsize=64)
def _vector(
    path: str, field: str, grid: Grid, classes: tuple[LandClass, ...], stamp: tuple[tuple[str, int, int], ...]
) -> VectorReference:
    """The features, kept for the other threads and splits of a job; ``stamp`` tells when the file has changed."""
    frame = read_features(path, field, grid)
    values = numbers_of(frame["value"], classes, path, field)
    known = np.isfinite(values)
    geometries = frame.geometry.to_numpy()[known]
    return VectorReference(geometries, values[known], shapely.STRtree(geometries), grid)
