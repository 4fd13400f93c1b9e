"""The polygons of a zonal job: read as they are, and brought into the pixels of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from ...models.errors import SceneError
from ..scene.grid import Grid
from ..scene.placing import place
from ..scene.validity import valid_polygons
from ..scene.vectors import read_layer

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
    if grid.crs is not None and frame.crs is None:
        raise SceneError(f"The polygons “{path}” have no CRS, the layers have one; set the polygons' CRS.")
    shapes, areas, within = place(shapes, frame.crs, grid)
    shapes = _in_pixels(_polygons_only(shapes), grid)
    sizes = areas / abs(grid.transform.determinant) / within
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
