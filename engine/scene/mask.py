"""Masks: where a scene is to be mapped, from a raster or from polygons."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray

from ...models.errors import SceneError
from .grid import Grid
from .placing import place
from .reference import RasterReference, is_raster
from .vectors import read_layer
from .window import Window

MaskReader = Callable[[Window], NDArray[np.bool_]]


def open_mask(path: str, grid: Grid, stack: ExitStack) -> MaskReader:
    """A function that reads a window of a mask: true where the raster is neither 0 nor nodata, or inside a polygon.

    Raises:
        SceneError: neither a raster nor a vector file, or away from the scene.
    """
    if is_raster(path):
        raster = RasterReference(path, grid, "mask")
        stack.callback(raster.close)
        return lambda window: np.nan_to_num(raster.read(window)) != 0
    frame = read_layer(path, "mask", "neither a raster nor a vector file")
    shapes = place(frame.geometry.to_numpy(), frame.crs or grid.crs, grid)[0]
    tree = shapely.STRtree(shapes)
    if not len(tree.query(shapely.box(*grid.bounds))):
        raise SceneError(f"No polygon of the mask “{path}” lies on the scene; check its CRS.")

    def read(window: Window) -> NDArray[np.bool_]:
        hits = tree.query(shapely.box(*grid.bounds_of(window)))
        if not len(hits):
            return np.zeros((window.height, window.width), np.bool_)
        inside: NDArray[np.bool_] = rasterio.features.geometry_mask(
            shapes[hits], (window.height, window.width), grid.transform_of(window), invert=True
        )
        return inside

    return read
