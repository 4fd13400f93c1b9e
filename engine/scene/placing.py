"""Placing: geometries of any CRS, however far they reach, brought onto a scene's grid."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS

from ...models.errors import SceneError
from .grid import Grid, transformed, turns
from .validity import enclosed

Shapes = NDArray[np.object_]
_MARGIN = 0.05  # of the scene's size, by which it is enlarged where geometries are cut off
_LONGEST_EDGE_PX = 50  # of an edge before it is transformed: straight in one CRS is not straight in another
_PROBES = 21  # places along each side of a scene, to see whether its outline in another CRS holds it


def place(shapes: Shapes, crs: Any, grid: Grid) -> tuple[Shapes, NDArray[np.float64], NDArray[np.float64]]:
    """Bring geometries into a grid's CRS.

    Args:
        shapes: ``(n,)`` geometries or ``None``.
        crs: Theirs; of no meaning where the grid has none.
        grid: The scene's grid.

    Returns:
        ``(n,)`` geometries without what lies far off the grid, where its CRS may not be defined, ``None`` where
        nothing is left; longitudes are moved by a turn to where the grid has them. ``(n,)`` their areas in the grid's
        CRS, each place counted once, and ``(n,)`` the share of the whole area that these are.

    Raises:
        SceneError: there is no way from one CRS to the other.
    """
    shapes, within = np.array(shapes, dtype=object), np.ones(len(shapes))
    if grid.crs is None:
        return shapes, shapely.area(shapes), within
    if CRS.from_user_input(crs) != grid.crs:
        outline = _outline(grid, crs)
        if outline is not None:
            shapes, within = _clipped(shapes, outline)
            shapes = shapely.segmentize(shapes, _longest_edge(grid, crs))
        shapes = _moved(shapes, crs, grid.crs)
    return _turned(shapes, grid), shapely.area(shapes), within


def _outline(grid: Grid, crs: Any) -> shapely.Geometry | None:
    """The grid's place in another CRS, with a margin; ``None`` where that CRS does not hold all of it."""
    own = CRS.from_user_input(crs)
    try:
        west, south, east, north = transformed(grid.bounds, grid.crs, own)
    except SceneError:
        return None
    wide, high = _MARGIN * (east - west), _MARGIN * (north - south)
    box = shapely.box(west - wide, south - high, east + wide, north + high)
    outline = shapely.union_all([_shifted(box, turn) for turn in turns(own)])
    steps = np.linspace(0, 1, _PROBES)
    points = [grid.transform @ (x * grid.width, y * grid.height) for x in steps for y in steps]
    probes = _moved(shapely.points(points), grid.crs, own)
    return outline if shapely.contains_properly(outline, probes).all() else None


def _clipped(shapes: Shapes, outline: shapely.Geometry) -> tuple[Shapes, NDArray[np.float64]]:
    """Shapes within an outline, and the share that is left of their areas."""
    shapely.prepare(outline)
    here = shapely.intersects(outline, shapes)
    across = here & ~shapely.contains_properly(outline, shapes)
    within = np.ones(len(shapes))
    shapes[~here] = None
    if across.any():
        whole = enclosed(shapes[across])
        shapes[across] = shapely.intersection(whole, outline)
        areas = shapely.area(whole)
        share = np.divide(shapely.area(shapes[across]), areas, out=np.ones(len(whole)), where=areas > 0)
        within[across] = np.where(share > 0, share, 1.0)
    return shapes, within


def _longest_edge(grid: Grid, crs: Any) -> float:
    west, south, east, north = transformed(grid.bounds, grid.crs, CRS.from_user_input(crs))
    edge: float = _LONGEST_EDGE_PX * min((east - west) / grid.width, (north - south) / grid.height)
    return edge


def _moved(shapes: Shapes, source: Any, target: CRS) -> Shapes:
    """Shapes in another CRS; those parts whole that lie across the date line."""
    try:
        moved = _transformed(shapes, source, target)
    except RuntimeError as error:  # PROJ's, of which pyproj's errors are
        raise SceneError("The vectors cannot be brought into the CRS of the scene; give them in that CRS.") from error
    if not target.is_geographic:
        return moved
    xy, own = shapely.get_coordinates(moved), shapely.get_coordinates(shapes)
    if CRS.from_user_input(source).is_geographic:
        near = own[:, 0]
    else:
        parts = shapely.get_parts(shapes)
        west, south, east, north = shapely.bounds(parts).T
        middles = _transformed(shapely.points((west + east) / 2, (south + north) / 2), source, target)
        near = np.repeat(shapely.get_x(middles), shapely.get_num_coordinates(parts))
    turn = 360 * np.round((near - xy[:, 0]) / 360)
    xy[:, 0] += np.where(np.isfinite(turn), turn, 0.0)
    return np.asarray(shapely.set_coordinates(moved, xy))


def _transformed(shapes: Shapes, source: Any, target: CRS) -> Shapes:
    placed = gpd.GeoSeries(shapes, crs=CRS.from_user_input(source).to_wkt()).to_crs(target.to_wkt())
    return np.array(placed.to_numpy(), dtype=object)


def _turned(shapes: Shapes, grid: Grid) -> Shapes:
    """Shapes with their parts where a grid in degrees has them, be it at several longitudes."""
    if len(turns(grid.crs)) == 1:
        return shapes
    parts, of = shapely.get_parts(shapes, return_index=True)
    west, _, east, _ = shapely.bounds(parts).T
    bounds = grid.bounds
    here = {turn: (west + turn < bounds.right) & (east + turn > bounds.left) for turn in turns(grid.crs)}
    shapes = shapes.copy()
    for number in np.unique(of[here[-360.0] | here[360.0]]):
        own = np.flatnonzero(of == number)
        pieces = [_shifted(parts[i], turn) for turn, touching in here.items() for i in own if touching[i]]
        shapes[number] = pieces[0] if len(pieces) == 1 else shapely.union_all(enclosed(np.array(pieces, dtype=object)))
    return shapes


def _shifted(shape: shapely.Geometry, turn: float) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: np.add(xy, (turn, 0.0))) if turn else shape
