"""The polygons of a zonal job: read as they are, and brought into the pixels of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS

from ...models.errors import SceneError
from ..scene.grid import Grid, transformed
from ..scene.validity import valid_polygons
from ..scene.vectors import read_layer

_MARGIN = 0.05  # of the scene's size, by which it is enlarged where polygons are cut off
_LONGEST_EDGE_PX = 50  # of an edge before it is transformed: straight in one CRS is not straight in another
_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True)
class Zones:
    """Polygons in the pixels of a grid: x in columns, y in −rows.

    Attributes:
        frame: What was read: attributes, geometry and CRS, untouched.
        shapes: ``(n,)`` polygons or multipolygons in pixels, ``None`` for what is elsewhere or no polygon.
        sizes: ``(n,)`` areas of the whole polygons in pixels; NaN where there is no polygon.
    """

    frame: gpd.GeoDataFrame
    shapes: NDArray[np.object_]
    sizes: NDArray[np.float64]


def read_zones(path: str, grid: Grid) -> Zones:
    """Read polygons and bring them onto a grid.

    Raises:
        SceneError: unreadable, without any polygon, without a CRS where one is needed, or all outside of the grid.
    """
    frame = _read(path)
    shapes = np.array(shapely.force_2d(frame.geometry.to_numpy()), dtype=object)
    shapes = _polygons_only(valid_polygons(shapes, path))
    if not np.nan_to_num(shapely.area(shapes)).any():
        raise SceneError(f"“{path}” has no polygons; give a layer with areas, not points or lines.")
    within = np.ones(len(shapes))
    if grid.crs is not None:
        if frame.crs is None:
            raise SceneError(f"The polygons “{path}” have no CRS, the layers have one; set the polygons' CRS.")
        source = CRS.from_user_input(frame.crs)
        if source != grid.crs:
            shapes, within = _clipped(shapes, grid, source)
            shapes = _transformed(shapes, frame.crs, grid)
    shapes = _in_pixels(shapes, grid)
    sizes = shapely.area(shapes) / within
    left, bottom, right, top = shapely.bounds(shapes).T
    here = (left < grid.width) & (right > 0) & (top > -grid.height) & (bottom < 0)
    if not here.any():
        raise SceneError(
            f"None of the polygons “{path}” ({_box(frame)}) lies on the layers "
            f"({', '.join(f'{v:.8g}' for v in grid.bounds)}); check the place and the CRS."
        )
    shapes[~here] = None
    return Zones(frame, shapes, np.where(sizes > 0, sizes, np.nan))


def _read(path: str) -> gpd.GeoDataFrame:
    frame = read_layer(path, "polygons")
    if not len(frame):
        raise SceneError(f"“{path}” has no polygons; give a layer with areas.")
    return frame


def _polygons_only(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shapes without lines and points; ``None`` where nothing else is."""
    kinds = shapely.get_type_id(shapes)
    shapes = shapes.copy()
    for i in np.flatnonzero(~np.isin(kinds, _POLYGONAL)):
        parts = shapely.get_parts(shapely.get_parts(shapes[i])) if shapes[i] is not None else np.array([])
        areas = [part for part in parts if shapely.get_type_id(part) == shapely.GeometryType.POLYGON]
        shapes[i] = shapely.multipolygons(areas) if areas else None
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _clipped(shapes: NDArray[np.object_], grid: Grid, crs: CRS) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Shapes without what lies far off the grid, where its CRS may not be defined; and the share that is left."""
    frame = _scene_box(grid, crs)
    shapes = shapes.copy()
    within = np.ones(len(shapes))
    shapely.prepare(frame)
    outside = ~shapely.is_missing(shapes) & ~shapely.contains_properly(frame, shapes)
    whole = shapely.area(shapes[outside])
    shapes[outside] = shapely.intersection(shapes[outside], frame)
    shapes = _polygons_only(shapes)
    within[outside] = np.nan_to_num(shapely.area(shapes[outside])) / whole
    return shapes, np.where(within > 0, within, 1.0)


def _scene_box(grid: Grid, crs: CRS) -> Any:
    """The grid's place in another CRS, with a margin."""
    assert grid.crs is not None
    west, south, east, north = transformed(grid.bounds, grid.crs, crs)
    wide, high = _MARGIN * (east - west), _MARGIN * (north - south)
    if crs.is_geographic and west < 180 < east:  # across the date line
        past = east - 360 + wide
        boxes = [(west - wide, south - high, 180.0, north + high), (-180.0, south - high, past, north + high)]
        return shapely.union_all([shapely.box(*box) for box in boxes])
    return shapely.box(west - wide, south - high, east + wide, north + high)


def _transformed(shapes: NDArray[np.object_], crs: Any, grid: Grid) -> NDArray[np.object_]:
    """Shapes in the grid's CRS; long edges get points in between first."""
    west, south, east, north = transformed(grid.bounds, grid.crs, CRS.from_user_input(crs))
    pixel = min((east - west) / grid.width, (north - south) / grid.height)
    dense = shapely.segmentize(shapes, _LONGEST_EDGE_PX * pixel)
    moved = gpd.GeoSeries(dense, crs=crs).to_crs(grid.crs.to_wkt() if grid.crs else None)
    return np.array(moved.to_numpy(), dtype=object)


def _in_pixels(shapes: NDArray[np.object_], grid: Grid) -> NDArray[np.object_]:
    inverse = ~grid.transform

    def to_pixels(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points.T
        cols = inverse.a * x + inverse.b * y + inverse.c
        rows = inverse.d * x + inverse.e * y + inverse.f
        return np.stack([cols, -rows], axis=1)

    moved = shapely.transform(shapes, to_pixels)
    finite = np.isfinite(shapely.bounds(moved)).all(axis=1)
    moved[~finite] = None
    return np.array(moved, dtype=object)


def _box(frame: gpd.GeoDataFrame) -> str:
    bounds = ", ".join(f"{v:.8g}" for v in frame.total_bounds)
    return f"{bounds} in {frame.crs.to_string() if frame.crs else 'no CRS'}"
