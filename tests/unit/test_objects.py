"""Objects of scene-level tasks: which of them lie on a scene, whatever else their layer holds."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import MultiPolygon, Point, Polygon, box

from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.objects import open_objects
from auxlens.engine.scene.polygons import polygons_of
from auxlens.engine.scene.window import Window
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
        MultiPolygon([box(-2.97, 49.63, -2.96, 49.64), BEYOND]),
        Polygon([(-2.97, 49.63), (-2.96, 49.63), (87, 0)]),
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


def test_an_extent_has_the_pixels_that_it_touches():
    assert GRID.touched_by((WEST + 15, NORTH - 41, WEST + 30, NORTH - 9)) == Window(0, 1, 5, 2)
    assert GRID.touched_by((WEST - 99, NORTH - 10, WEST + 10, NORTH + 99)) == Window(0, 0, 1, 1)
    assert GRID.touched_by((WEST + 20, NORTH - 20, WEST + 20, NORTH - 20)) == Window(2, 2, 1, 1)
    assert GRID.touched_by((WEST - 99, NORTH - 99, WEST, NORTH)) is None
