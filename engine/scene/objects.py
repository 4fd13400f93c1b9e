"""Objects of scene-level tasks: polygons, or scenes as a whole, that have one label or number each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import geopandas as gpd
import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import SceneError
from .features import is_table, numbers_of, placed, read_features, read_table
from .grid import Grid
from .reference import VectorReference, is_raster
from .vectors import file_stamp
from .window import Window, plan

_PART_PX = 1024  # width and height of what is searched at once for a pixel of a large object


def check_objects(path: str, field: str, scenes: Sequence[str]) -> None:
    """Check that a reference can hold objects of scenes with some names.

    Raises:
        SceneError: it is a raster, or a table that names none of the scenes.
    """
    if is_table(path):
        named = read_table(path, field)["scene"]
        if not named.isin(scenes).any():
            raise SceneError(
                f"The table “{path}” names none of the scenes: its first column holds {', '.join(named[:3])}, …, the "
                f"scenes are {', '.join(scenes[:3])}, …. Put the scenes' names into its first column."
            )
    if is_raster(path):
        raise SceneError(
            f"The reference “{path}” is a raster; a scene-level task needs polygons with a field, or a CSV table with "
            "a line a scene. Give one of these, or choose the task segmentation or regression."
        )


def open_objects(path: str, field: str, grid: Grid, classes: tuple[LandClass, ...], scene: str) -> VectorReference:
    """The objects that lie on a scene and have a value.

    Args:
        path: Polygons; or a CSV table with the scenes' names in its first column, where the object is the scene.
        field: Attribute, or column, with the label or number.
        grid: The scene's grid.
        classes: For labels given as text, the names in use.
        scene: The scene's name.

    Raises:
        SceneError: unreadable, without the field, not polygons, or not a number where one is needed.
    """
    return _opened(path, field, grid, classes, scene if is_table(path) else "", file_stamp(path))


@lru_cache(maxsize=256)
def _opened(
    path: str,
    field: str,
    grid: Grid,
    classes: tuple[LandClass, ...],
    scene: str,
    stamp: tuple[tuple[str, int, int], ...],
) -> VectorReference:
    """The objects, kept for the other threads and splits of a job; ``stamp`` tells when the file has changed."""
    if scene:
        frame = read_table(path, field)
        frame = gpd.GeoDataFrame(frame, geometry=[grid.outline_of(grid.whole)] * len(frame))
        values = numbers_of(frame["value"], classes, path, field)
        known = np.isfinite(values) & (frame["scene"] == scene).to_numpy()
    else:
        frame = read_features(path, field)
        check_polygons(frame, path)
        frame = placed(frame, grid, path)
        values = numbers_of(frame["value"], classes, path, field)
        known = np.isfinite(values)
    known &= lie_on(frame.geometry.to_numpy(), grid, grid.whole)
    geometries = frame.geometry.to_numpy()[known]
    return VectorReference(geometries, values[known], shapely.STRtree(geometries), grid)


def check_polygons(frame: gpd.GeoDataFrame, path: str) -> None:
    """Check that all features are polygons.

    Raises:
        SceneError: some are points or lines.
    """
    kinds = sorted(set(frame.geom_type) - {"Polygon", "MultiPolygon"})
    if kinds:
        raise SceneError(
            f"“{path}” holds features of type {', '.join(kinds)}; a scene-level task needs polygons. Buffer them, or "
            "draw the polygons that the values belong to."
        )


def lie_on(geometries: NDArray[np.object_], grid: Grid, window: Window) -> NDArray[np.bool_]:
    """``(n,)``: which geometries in the grid's CRS touch a window; none that this CRS cannot hold."""
    here: NDArray[np.bool_] = np.isfinite(shapely.bounds(geometries)).all(axis=-1)
    here[here] = shapely.intersects(geometries[here], grid.outline_of(window))
    return here


def mask_of(geometry: shapely.Geometry, grid: Grid, window: Window) -> NDArray[np.bool_]:
    """``(H, W)``: the pixels of a window whose middle lies in a polygon; all it touches if it holds no pixel's middle.

    Which pixels are an object's does not depend on the window, so that windows can be put together.
    """
    inside = _burned(geometry, grid, window)
    if not inside.any() and not _holds_a_middle(geometry, grid):
        inside = _burned(geometry, grid, window, all_touched=True)
    return inside


@lru_cache(maxsize=4096)
def _holds_a_middle(geometry: shapely.Geometry, grid: Grid) -> bool:
    """Whether the middle of a pixel, of the grid or beyond it, lies in a polygon; looked for part by part."""
    whole = grid.around(geometry.bounds)
    parts = (tile.core for tile in plan(whole, whole, _PART_PX, 0))
    return any(_burned(geometry, grid, part).any() for part in parts if geometry.intersects(grid.outline_of(part)))


def _burned(geometry: shapely.Geometry, grid: Grid, window: Window, all_touched: bool = False) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = rasterio.features.geometry_mask(
        [geometry], (window.height, window.width), grid.transform_of(window), all_touched, invert=True
    )
    return inside
