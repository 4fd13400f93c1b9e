"""Objects of scene-level tasks: which of them lie on a scene, and which pixels are theirs."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from auxlens.engine.scene import objects
from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.objects import mask_of, open_objects
from auxlens.engine.scene.polygons import polygons_of
from auxlens.engine.scene.window import Window, plan
from auxlens.engine.training.objects import find_objects

WEST, NORTH = 500_000.0, 5_500_000.0
GRID = Grid(CRS.from_epsg(32630), Affine(10, 0, WEST, 0, -10, NORTH), 256, 256)
HERE = box(-2.99, 49.63, -2.98, 49.64)
BEYOND = box(87, 0, 88, 1)  # UTM zone 30 has no such place


@pytest.fixture
def layer(tmp_path: Path):
    """Writes polygons in degrees, numbered from 1 in the field ``height``; gives the path."""

    def make(*shapes) -> str:
        path = tmp_path / "crowns.gpkg"
        gpd.GeoDataFrame({"height": range(1, len(shapes) + 1)}, geometry=list(shapes), crs=4326).to_file(path)
        return str(path)

    return make


@pytest.mark.parametrize(
    "other",
    [
        BEYOND,
        box(-180, -90, 180, -60),
        Point(-3.1, 49.6).buffer(0.01),
    ],
)
def test_polygons_that_the_scenes_crs_cannot_hold_are_left_out(layer, other):
    path = layer(other, HERE)
    found = find_objects(0, open_objects(path, "height", GRID, (), "scene"), ())
    assert [item.value for item in found] == [2] and found[0].window.width in range(70, 76)
    given = polygons_of(path, GRID, GRID.whole)
    assert given.frame["height"].tolist() == [2] and len(given.geometries) == 1
    assert [number for number, _, _ in given.parts(GRID.whole)] == [0]


@pytest.mark.parametrize(
    "far",
    [
        MultiPolygon([box(-2.97, 49.63, -2.96, 49.64), BEYOND]),
        Polygon([(-2.97, 49.63), (-2.96, 49.63), (87, 0)]),
        box(-180, -90, 180, 90),
    ],
)
def test_polygons_count_where_they_lie_on_the_scene_however_far_they_reach(layer, far):
    path = layer(far, HERE)
    found = find_objects(0, open_objects(path, "height", GRID, (), "scene"), ())
    assert [item.value for item in found] == [1, 2] and found[1].window.width in range(70, 76)
    given = polygons_of(path, GRID, GRID.whole)
    assert given.frame.geometry[0].equals(far)  # as it came
    assert [number for number, _, _ in given.parts(GRID.whole)] == [0, 1]


def test_an_extent_has_the_pixels_that_it_touches():
    assert GRID.touched_by((WEST + 15, NORTH - 41, WEST + 30, NORTH - 9)) == Window(0, 1, 5, 2)
    assert GRID.touched_by((WEST - 99, NORTH - 10, WEST + 10, NORTH + 99)) == Window(0, 0, 1, 1)
    assert GRID.touched_by((WEST + 20, NORTH - 20, WEST + 20, NORTH - 20)) == Window(2, 2, 1, 1)
    assert GRID.touched_by((WEST - 99, NORTH - 99, WEST, NORTH)) is None


def place(col, row, col_end, row_end):
    """The rectangle between two places, in pixels."""
    return box(WEST + 10 * col, NORTH - 10 * row_end, WEST + 10 * col_end, NORTH - 10 * row)


def pixels(mask):
    return [tuple(at) for at in np.argwhere(mask).tolist()]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (place(1.6, 5, 1.9, 30), [(row, 1) for row in range(5, 30)]),  # 7.5 px, between the middles of two columns
        (place(3.1, 3.1, 3.3, 3.3), [(3, 3)]),
        (place(7.7, 2.7, 8.3, 3.3), [(2, 7), (2, 8), (3, 7), (3, 8)]),
        (place(4.4, 4.4, 5.4, 4.6), [(4, 4)]),  # holds one middle, though it is small and touches two pixels
        (place(-3, 9.1, 0.2, 9.6), []),  # its middles lie beyond the scene
        (place(-0.3, 9.1, 0.2, 9.4), [(9, 0)]),
    ],
)
def test_a_polygon_without_the_middle_of_a_pixel_has_those_it_touches(shape, expected):
    assert pixels(mask_of(shape, GRID, GRID.whole)) == expected


@pytest.mark.parametrize("part_px", [16, 1024])
def test_which_pixels_are_an_objects_does_not_depend_on_the_window(monkeypatch, rng, part_px):
    """Of thin strips in all directions, some of which hold a few middles, anywhere along them."""
    monkeypatch.setattr(objects, "_PART_PX", part_px)
    empty = 0
    for number in range(60):
        start, turn = rng.uniform(50, 200, 2), rng.uniform(0, 2 * np.pi)
        end = start + rng.uniform(2, 60) * np.array([np.cos(turn), np.sin(turn)]) * (number % 4 > 0)
        end += 12 * (number % 4 == 0) * np.eye(2)[number // 4 % 2]  # along a row or column
        line = LineString([(WEST + 10 * col, NORTH - 10 * row) for col, row in (start, end)])
        strip = line.buffer(rng.uniform(0.05, 2), cap_style="flat")
        objects._holds_a_middle.cache_clear()
        whole = mask_of(strip, GRID, GRID.whole)
        rows, cols = np.indices(whole.shape) + 0.5
        middles = shapely.contains_xy(strip, WEST + 10 * cols, NORTH - 10 * rows)
        assert whole.any() and (not middles.any() or (whole == middles).all())
        empty += not middles.any()
        for tile in plan(GRID.whole, GRID.whole, 37, 0):
            assert (mask_of(strip, GRID, tile.core) == whole[tile.core.slices]).all()
    assert 10 < empty < 50
