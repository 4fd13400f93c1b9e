"""Masks: true where a scene is to be mapped, the same whatever the window."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import Polygon, box

from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.mask import open_mask
from auxlens.engine.scene.window import plan
from auxlens.models.errors import SceneError

UTM = "EPSG:32632"
WEST, NORTH = 500_000.0, 5_400_000.0
GRID = Grid(CRS.from_string(UTM), Affine(10, 0, WEST, 0, -10, NORTH), 40, 50)


@pytest.fixture
def polygons(tmp_path: Path):
    def make(*shapes, crs=UTM, layer="area", name="mask.gpkg") -> str:
        gpd.GeoDataFrame(geometry=list(shapes), crs=crs).to_file(tmp_path / name, layer=layer)
        return str(tmp_path / name)

    return make


def cells(row, col, height, width):
    return box(WEST + 10 * col, NORTH - 10 * (row + height), WEST + 10 * (col + width), NORTH - 10 * row)


def read(path, grid=GRID):
    with ExitStack() as stack:
        mask = open_mask(path, grid, stack)
        whole = mask(grid.whole)
        for tile in plan(grid.whole, grid.whole, 17, 0):
            assert np.array_equal(mask(tile.core), whole[tile.core.slices])
    assert whole.dtype == bool and whole.shape == (grid.height, grid.width)
    return whole


def test_a_raster_masks_where_it_is_0_or_nodata(write):
    values = np.zeros((1, 40, 50), "int16")
    values[0, 5:10], values[0, 20:30] = 3, -32768
    expected = np.zeros((40, 50), bool)
    expected[5:10] = True
    assert (read(write("mask.tif", values, nodata=-32768)) == expected).all()


def test_a_raster_that_covers_a_part_masks_the_rest(write):
    found = read(write("mask.tif", np.ones((1, 2, 2), "uint8"), gsd=100.0))
    assert found[:20, :20].all() and not found[20:].any() and not found[:, 20:].any()


def test_polygons(polygons):
    expected = np.zeros((40, 50), bool)
    expected[5:15, 10:30] = expected[10:35, 25:45] = True
    assert (read(polygons(cells(5, 10, 10, 20), cells(10, 25, 25, 20))) == expected).all()


def test_holes_stay_out(polygons):
    outer, inner = cells(5, 5, 30, 40), cells(10, 10, 10, 10)
    found = read(polygons(Polygon(outer.exterior, [inner.exterior])))
    assert found[5:10, 5:45].all() and not found[10:20, 10:20].any()


def test_polygons_in_another_crs(polygons):
    shape = gpd.GeoSeries([cells(5, 10, 10, 20).buffer(-3)], crs=UTM).to_crs("EPSG:4326")[0]
    found = read(polygons(shape, crs="EPSG:4326"))
    assert found[5:15, 10:30].all() and found.sum() == 200


def test_one_layer_of_several(polygons):
    polygons(cells(0, 0, 5, 5), layer="a")
    path = polygons(cells(10, 10, 5, 5), layer="b")
    assert read(f"{path}|layername=b")[10:15, 10:15].all()
    assert read(f"{path}|layername=b").sum() == 25


def test_the_first_layer_where_none_is_named(polygons, recwarn):
    polygons(cells(0, 0, 5, 5), layer="a")
    path = polygons(cells(10, 10, 5, 5), layer="b")
    assert read(path)[:5, :5].all()
    assert not recwarn


@pytest.mark.parametrize("name", ["mask.gpkg", "mask.tif"])
def test_masks_that_are_no_masks(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(SceneError, match=f"mask “.*{name}” does not exist; check the path"):
        read(str(path))
    path.write_text("text")
    with pytest.raises(SceneError, match=f"mask “.*{name}” is neither a raster nor a vector file"):
        read(str(path))


def test_masks_away_from_the_scene(polygons, write):
    with pytest.raises(SceneError, match=r"No polygon of the mask .* lies on the scene; check its CRS"):
        read(polygons(box(0, 0, 10, 10)))
    local = Grid(CRS.from_string('LOCAL_CS["site",UNIT["metre",1]]'), GRID.transform, 40, 50)
    with pytest.raises(SceneError, match="cannot be brought into the CRS of the scene"):
        read(polygons(cells(5, 10, 10, 20)), grid=local)
    far = write("far.tif", np.ones((1, 8, 8), "uint8"), origin=(700_000.0, 5_000_000.0))
    with pytest.raises(SceneError, match=r"far\.tif” \(mask\) does not overlap"):
        read(far)
