"""Grids across the date line: where they lie on the Earth, and which extents and polygons lie on them."""

from __future__ import annotations

from contextlib import ExitStack

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import MultiPolygon, box

from auxlens.engine.scene.grid import Grid, bounds_on_earth, overlaps, transformed
from auxlens.engine.scene.mask import open_mask
from auxlens.engine.scene.objects import open_objects
from auxlens.engine.scene.polygons import polygons_of
from auxlens.engine.scene.reference import open_reference
from auxlens.engine.scene.window import Window
from auxlens.engine.zones.polygons import read_zones
from auxlens.models.errors import SceneError

UTM_1 = CRS.from_epsg(32601)
ACROSS = Grid(UTM_1, Affine(100, 0, 300_000, 0, -100, 7_200_000), 600, 600)


def in_degrees(west, width, north=60):
    """A grid of half a degree, ten degrees high."""
    return Grid(CRS.from_epsg(4326), Affine(0.5, 0, west, 0, -0.5, north), 20, int(width * 2))


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        (ACROSS, (178.778, 64.327, -179.900, 64.895)),
        (in_degrees(178, 5), (178, 50, -177, 60)),
        (in_degrees(-183, 5), (177, 50, -178, 60)),
        (in_degrees(190, 10), (-170, 50, -160, 60)),
        (in_degrees(170, 10), (170, 50, 180, 60)),
        (in_degrees(-180, 10), (-180, 50, -170, 60)),
        (in_degrees(180, 10), (-180, 50, -170, 60)),
        (in_degrees(8.5, 1), (8.5, 50, 9.5, 60)),
        (in_degrees(-180, 360), (-180, 50, 180, 60)),
        (in_degrees(0, 360), (-180, 50, 180, 60)),
        (in_degrees(-180.25, 361), (-180, 50, 180, 60)),
        (in_degrees(0, 359.5), (0, 50, -0.5, 60)),
    ],
)
def test_bounds_on_earth_are_longitudes_as_geojson_has_them(grid, expected):
    assert bounds_on_earth(grid) == pytest.approx(expected, abs=1e-3)


def test_a_rectangle_across_the_date_line_ends_beyond_it():
    west, _, east, _ = transformed(ACROSS.bounds, UTM_1, CRS.from_epsg(4326))
    assert (west, east) == pytest.approx((178.778, 180.100), abs=1e-3)
    assert transformed(ACROSS.bounds, UTM_1, CRS.from_epsg(32660)).left < 1e6  # metres have no turns


@pytest.mark.parametrize(("west", "width"), [(170, 10), (-180, 10), (180, 10), (-180, 360), (0, 360)])
def test_rasters_in_degrees_overlap_on_either_side(west, width):
    assert overlaps(ACROSS, in_degrees(west, width, north=66))
    assert not overlaps(ACROSS, in_degrees(west, width, north=60))
    assert not overlaps(ACROSS, in_degrees(-170, 300, north=66))


def test_extents_may_be_a_turn_off():
    grid = in_degrees(-180, 10)
    assert grid.window_of((178, 50, 181, 51)) == Window(18, 0, 2, 2)
    assert grid.window_of((-179, 50, -178, 51)) == Window(18, 2, 2, 2)
    assert in_degrees(175, 10).window_of((-179, 50, -178, 51)) == Window(18, 12, 2, 2)
    with pytest.raises(SceneError, match="lies outside of the scene"):
        grid.window_of((-160, 50, -150, 51))
    with pytest.raises(SceneError, match="lies outside of the scene"):
        ACROSS.window_of((300_360, 7_100_000, 300_460, 7_100_100))


TURNED = {
    "beyond 180": (4326, box(179.9, -16.8, 180.1, -16.2)),
    "two halves": (4326, MultiPolygon([box(179.9, -16.8, 180, -16.2), box(-180, -16.8, -179.9, -16.2)])),
    "metres": (32760, gpd.GeoSeries([box(179.9, -16.8, 180.1, -16.2)], crs=4326).to_crs(32760)[0]),
    "Mercator": (3832, gpd.GeoSeries([box(179.9, -16.8, 180.1, -16.2)], crs=4326).to_crs(3832)[0]),
}


@pytest.mark.parametrize("west", [179.5, -180.5])
@pytest.mark.parametrize("written", TURNED)
def test_vectors_across_the_date_line_on_a_grid_in_degrees(tmp_path, west, written):
    grid = Grid(CRS.from_epsg(4326), Affine(0.01, 0, west, 0, -0.01, -16), 100, 100)
    crs, shape = TURNED[written]
    path = str(tmp_path / "p.gpkg")
    gpd.GeoDataFrame({"class": [7]}, geometry=[shape], crs=crs).to_file(path)
    expected = np.zeros((100, 100), bool)
    expected[20:80, 40:60] = True
    with ExitStack() as stack:
        assert (open_mask(path, grid, stack)(grid.whole) == expected).all()
    assert (np.isfinite(open_reference(path, "class", grid).read(grid.whole)) == expected).all()
    assert (open_objects(path, "class", grid, (), "").read(grid.whole) == 7).sum() == 1200
    assert ((polygons_of(path, grid, grid.whole).numbers(grid.whole) == 0) == expected).all()
    assert read_zones(path, grid).sizes == pytest.approx([1200], rel=1e-3)


@pytest.mark.parametrize("crs", [4326, 3857])
def test_a_polygon_round_the_earth_covers_any_grid(tmp_path, crs):
    world = box(-180, -85, 180, 85) if crs == 4326 else box(-20037508, -19e6, 20037508, 19e6)
    gpd.GeoDataFrame(geometry=[world], crs=crs).to_file(tmp_path / "p.gpkg")
    utm = Grid(CRS.from_epsg(32632), Affine(10, 0, 5e5, 0, -10, 5.4e6), 64, 64)
    beside = (utm, *(in_degrees(*place) for place in ((178, 5), (-183, 5), (-180, 360), (0, 360))))
    for grid in (*beside, ACROSS) if crs == 4326 else beside:
        with ExitStack() as stack:
            assert open_mask(str(tmp_path / "p.gpkg"), grid, stack)(grid.whole).all()


def test_a_polygon_of_metres_lies_on_a_grid_of_the_whole_earth(tmp_path):
    place = gpd.GeoSeries([box(8, 51, 10, 55)], crs=4326).segmentize(0.01).to_crs(32632)
    place.to_file(tmp_path / "p.gpkg")
    grid = in_degrees(-180, 360)
    with ExitStack() as stack:
        found = open_mask(str(tmp_path / "p.gpkg"), grid, stack)(grid.whole)
    assert found[10:18, 376:380].all() and found.sum() == 32
    assert read_zones(str(tmp_path / "p.gpkg"), grid).sizes == pytest.approx([32], rel=1e-3)


def test_zones_on_both_sides_of_the_date_line(tmp_path):
    places = [box(300_500, 7_190_000, 310_500, 7_195_000), box(356_500, 7_140_500, 359_500, 7_145_500)]
    gpd.GeoDataFrame(geometry=places, crs=UTM_1).to_crs(4326).to_file(tmp_path / "p.gpkg")
    found = read_zones(str(tmp_path / "p.gpkg"), ACROSS)
    assert found.frame.total_bounds[[0, 2]] == pytest.approx((-179.98, 179.0), abs=0.1)
    assert np.allclose(found.sizes, [100 * 50, 30 * 50], rtol=0.01)
