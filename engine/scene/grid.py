"""Grids: CRS, transform and size of a scene's rasters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import rasterio
import rasterio.warp
import shapely
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.coords import BoundingBox
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError

from ...models.errors import SceneError
from .window import Window

_WGS84 = CRS.from_epsg(4326)
_METRES_PER_DEGREE = 111_320.0  # of latitude, on the sphere
_BARE = Affine(1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


@dataclass(frozen=True)
class Grid:
    """The pixels of a scene. ``crs`` is ``None`` for rasters without georeference."""

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    @property
    def whole(self) -> Window:
        """The window of all pixels."""
        return Window(0, 0, self.height, self.width)

    @property
    def bounds(self) -> BoundingBox:
        return self.bounds_of(self.whole)

    @property
    def gsd_m(self) -> float | None:
        """Ground sampling distance in metres, taken in the middle of the grid; ``None`` without a CRS."""
        if self.crs is None:
            return None
        dx, dy = math.hypot(self.transform.a, self.transform.d), math.hypot(self.transform.b, self.transform.e)
        if self.crs.is_geographic:
            latitude = (self.transform @ (self.width / 2, self.height / 2))[1]
            return float(math.sqrt(dx * dy * abs(math.cos(math.radians(latitude)))) * _METRES_PER_DEGREE)
        try:
            return float(math.sqrt(dx * dy) * self.crs.linear_units_factor[1])
        except CRSError:  # a local CRS without a known unit
            return None

    def bounds_of(self, window: Window) -> BoundingBox:
        """Smallest rectangle in the grid's CRS that holds a window: west, south, east, north."""
        corners = [(c, r) for c in (window.col, window.col_end) for r in (window.row, window.row_end)]
        xs, ys = zip(*(self.transform @ corner for corner in corners), strict=True)
        return BoundingBox(min(xs), min(ys), max(xs), max(ys))

    def outline_of(self, window: Window) -> shapely.Polygon:
        """A window's border in the grid's CRS."""
        rows, cols = (window.row, window.row_end), (window.col, window.col_end)
        corners = ((cols[0], rows[0]), (cols[1], rows[0]), (cols[1], rows[1]), (cols[0], rows[1]))
        return shapely.Polygon([self.transform @ corner for corner in corners])

    def transform_of(self, window: Window) -> Affine:
        return self.transform @ Affine.translation(window.col, window.row)

    def around(self, extent: tuple[float, float, float, float]) -> Window:
        """Pixels that an extent (west, south, east, north in the grid's CRS) touches, in the grid and beyond it."""
        west, south, east, north = extent
        corners = [~self.transform @ (x, y) for x in (west, east) for y in (south, north)]
        cols, rows = zip(*corners, strict=True)
        row, col = math.floor(min(rows) + 1e-6), math.floor(min(cols) + 1e-6)
        height, width = math.ceil(max(rows) - 1e-6) - row, math.ceil(max(cols) - 1e-6) - col
        return Window(row, col, max(1, height), max(1, width))  # a point has its pixel

    def touched_by(self, extent: tuple[float, float, float, float]) -> Window | None:
        """Pixels of the grid that an extent touches; ``None`` outside."""
        window = self.around(extent).intersection(self.whole)
        return window if window.height and window.width else None

    def window_of(self, extent: tuple[float, float, float, float]) -> Window:
        """Pixels that an extent touches, cut off at the border; its longitudes may be a turn off.

        Raises:
            SceneError: the extent lies outside of the grid.
        """
        for turn in turns(self.crs):
            window = self.touched_by(_turned(extent, turn))
            if window is not None:
                return window
        raise SceneError(
            f"The extent {extent} lies outside of the scene {tuple(self.bounds)}; "
            "choose an extent inside, in the scene's CRS."
        )

    def cropped(self, window: Window) -> Grid:
        return Grid(self.crs, self.transform_of(window), window.height, window.width)

    def aligned_with(self, other: Grid) -> bool:
        """Whether pixels coincide: the same size, CRS and corners within a hundredth of a pixel."""
        if (self.height, self.width) != (other.height, other.width) or self.crs != other.crs:
            return False
        tolerance = 0.01 * math.hypot(self.transform.a, self.transform.d)
        corners = ((0, 0), (self.width, 0), (0, self.height))
        return all(math.dist(self.transform @ c, other.transform @ c) <= tolerance for c in corners)


def grid_of(dataset: rasterio.DatasetReader) -> Grid:
    """Grid of an open raster; one without any georeference lies where QGIS shows it, at 0 ≥ y ≥ −height.

    Raises:
        SceneError: it is placed by ground control points alone, as radar scenes are before they are projected.
    """
    if dataset.crs is None and dataset.gcps[0]:
        raise SceneError(
            f"“{dataset.name}” is placed by ground control points and has no grid; warp it first (in QGIS: Raster, "
            "Projections, Warp)."
        )
    bare = dataset.crs is None and dataset.transform == Affine.identity() and dataset.rpcs is None
    return Grid(dataset.crs or None, _BARE if bare else dataset.transform, dataset.height, dataset.width)


def overlaps(a: Grid, b: Grid) -> bool:
    """Whether a scene's grid ``a`` and a raster's ``b`` share ground; two grids without CRS share one plane.

    Raises:
        SceneError: the CRS of one cannot be brought into that of the other.
    """
    if a.crs is None or b.crs is None:
        same_size = (a.height, a.width) == (b.height, b.width)
        return same_size if (a.crs is None) != (b.crs is None) else _intersect(a.bounds, b.bounds)
    # The scene's bounds in the other's CRS, not the other way: a global raster has no bounds in a local CRS.
    bounds = bounds_in(a, b.crs)
    return any(_intersect(_turned(bounds, turn), b.bounds) for turn in turns(b.crs))


def turns(crs: CRS | None) -> tuple[float, ...]:
    """What x may be moved by and tell the same place: a turn of the Earth either way, if it is a longitude."""
    return (0.0, -360.0, 360.0) if crs is not None and crs.is_geographic else (0.0,)


def _turned(bounds: tuple[float, float, float, float], turn: float) -> BoundingBox:
    west, south, east, north = bounds
    return BoundingBox(west + turn, south, east + turn, north)


def bounds_in(grid: Grid, crs: CRS) -> BoundingBox:
    """Bounds of a grid in another CRS; see ``transformed``."""
    if grid.crs == crs:
        return grid.bounds
    return transformed(grid.bounds, grid.crs, crs)


def bounds_on_earth(grid: Grid) -> BoundingBox | None:
    """West, south, east, north in degrees (EPSG:4326); ``None`` for a grid that has no place on the Earth.

    West is greater than east where it lies across the date line.
    """
    if grid.crs is None:
        return None
    try:
        west, south, east, north = bounds_in(grid, _WGS84)
    except SceneError:  # a plane of its own
        return None
    if east - west >= 360:
        return BoundingBox(-180.0, south, 180.0, north)
    west -= 360 * math.floor((west + 180) / 360)
    east -= 360 * (math.ceil((east + 180) / 360) - 1)
    return BoundingBox(west, south, east, north)


def transformed(bounds: tuple[float, float, float, float], source: CRS, target: CRS) -> BoundingBox:
    """Smallest rectangle in another CRS that holds a rectangle; across the date line, its east is beyond 180 degrees.

    Raises:
        SceneError: there is no way from one CRS to the other.
    """
    try:
        found = BoundingBox(*rasterio.warp.transform_bounds(source, target, *bounds, densify_pts=21))
    except (RasterioError, CRSError, CPLE_BaseError) as error:
        raise SceneError(
            f"{_short(source)} cannot be brought into {_short(target)}; give rasters in the scene's CRS."
        ) from error
    if not all(map(math.isfinite, found)):
        raise SceneError(f"The scene lies outside of where {_short(target)} is defined; check the CRS of the rasters.")
    across = target.is_geographic and found.left > found.right
    return found._replace(right=found.right + 360) if across else found


def _short(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt().split('"')[1])


def _intersect(a: BoundingBox, b: BoundingBox) -> bool:
    return bool(a.left < b.right and b.left < a.right and a.bottom < b.top and b.bottom < a.top)
