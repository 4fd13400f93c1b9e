"""The polygons that a scene-level model maps: those of a layer, or the tiles of a regular grid."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from ...models.errors import SceneError
from .grid import Grid
from .objects import check_polygons, lie_on, mask_of
from .placing import place
from .vectors import read_layer
from .window import Window, plan

log = logging.getLogger("auxlens")


@dataclass(frozen=True)
class Polygons:
    """Polygons on a scene.

    Attributes:
        frame: With the attributes and the CRS that they came with.
        geometries: ``(n,)`` the same in the scene's CRS.
        tree: Of ``geometries``.
        grid: The scene's grid.
    """

    frame: gpd.GeoDataFrame
    geometries: NDArray[np.object_]
    tree: shapely.STRtree
    grid: Grid

    def parts(self, core: Window) -> Iterator[tuple[int, Window, NDArray[np.bool_]]]:
        """Number, window (of the grid) and mask of each polygon that has pixels in a window."""
        for number in self.touching(core):
            window = self.grid.touched_by(self.geometries[number].bounds)
            part = window.intersection(core) if window else None
            if part is not None and part.height and part.width:
                mask = mask_of(self.geometries[number], self.grid, part)
                if mask.any():
                    yield number, part, mask

    def touching(self, core: Window) -> list[int]:
        """Numbers of the polygons that may have pixels in a window, in order."""
        return [int(i) for i in np.sort(self.tree.query(shapely.box(*self.grid.bounds_of(core))))]

    def numbers(self, window: Window) -> NDArray[np.int64]:
        """``(H, W)``: the number of the polygon at each pixel, the last where several overlap; −1 for none."""
        found = np.full((window.height, window.width), -1, np.int64)
        for number, part, mask in self.parts(window):
            found[part.relative_to(window).slices][mask] = number
        return found


def polygons_of(path: str, grid: Grid, area: Window) -> Polygons:
    """The polygons of a layer that lie on a part of a scene.

    Raises:
        SceneError: unreadable, no polygons, without a CRS where the scene has one, or away from the scene.
    """
    frame = read_layer(path, "polygons")
    frame = frame[~(frame.geometry.is_empty | frame.geometry.isna())].reset_index(drop=True)
    check_polygons(frame, path)
    if grid.crs is not None and frame.crs is None:
        raise SceneError(f"The polygons “{path}” have no CRS, the scene has one; set it.")
    shapes = place(frame.geometry.to_numpy(), frame.crs, grid)[0]
    here = lie_on(shapes, grid, area)
    if not here.any():
        raise SceneError(f"None of the {len(frame)} polygons “{path}” lies on the scene; check their place and CRS.")
    if not here.all():
        log.info("%d of %d polygons lie on the scene; the others are left out.", here.sum(), len(here))
    geometries = shapes[here]
    return Polygons(frame[here].reset_index(drop=True), geometries, shapely.STRtree(geometries), grid)


def tiles_of(grid: Grid, area: Window, tile_px: int) -> Polygons:
    """The tiles of a regular grid over a part of a scene, with their row and column, counted from 1."""
    cores = [tile.core for tile in plan(area, area, tile_px, 0)]
    rows = [(core.row - area.row) // tile_px + 1 for core in cores]
    columns = [(core.col - area.col) // tile_px + 1 for core in cores]
    frame = gpd.GeoDataFrame(
        {"row": rows, "column": columns}, geometry=[grid.outline_of(core) for core in cores], crs=grid.crs
    )
    geometries = frame.geometry.to_numpy()
    return Polygons(frame, geometries, shapely.STRtree(geometries), grid)
