"""Reading: values, validity and warping of modalities, whatever the window."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.warp import transform, transform_bounds

from auxlens.engine.scene import reading, warped
from auxlens.engine.scene.bands import modalities_from_layers
from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.reading import ModalityReader, scene_grid
from auxlens.engine.scene.warped import WarpedBlocks
from auxlens.engine.scene.window import Window, plan
from auxlens.models.errors import SceneError


def reader_of(paths, grid=None, grouped=True, **options):
    source = modalities_from_layers(paths, grouped)[0]
    return ModalityReader(source, grid or scene_grid([source]), **options)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_values_and_nodata_of_every_type(write, rng, dtype):
    values = rng.integers(1, 100, (2, 30, 40)).astype(dtype)
    values[:, :5] = 0
    with reader_of([write("a.tif", values, nodata=0)]) as reader:
        chip = reader.read(Window(2, 3, 10, 20))
    assert chip.dtype == np.float32
    assert np.isnan(chip[:, :3]).all()
    assert (chip[:, 3:] == values[:, 5:12, 3:23]).all()


def test_nan_and_file_masks_are_not_valid(write, rng):
    values = rng.random((1, 20, 20)).astype("float32")
    values[0, 3, 4] = np.nan
    path = write("a.tif", values)
    with rasterio.open(path, "r+") as dataset:
        mask = np.full((20, 20), 255, "uint8")
        mask[10:] = 0
        dataset.write_mask(mask)
    with reader_of([path]) as reader:
        chip = reader.read(Window(0, 0, 20, 20))
    assert np.isnan(chip[0, 3, 4]) and np.isnan(chip[0, 10:]).all()
    assert np.isfinite(chip[0, :10]).sum() == 199


@pytest.mark.parametrize("count", [1, 3, 10])
def test_an_alpha_band_says_where_the_others_are_valid(write, rng, count):
    values = rng.integers(1, 100, (count + 1, 20, 20)).astype("uint8")
    values[-1] = 255
    values[-1, 10:] = 0
    path = write("a.tif", values)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [*[ColorInterp.gray, *[ColorInterp.undefined] * (count - 1)], ColorInterp.alpha]
    with reader_of([path]) as reader:
        chip = reader.read(Window(0, 0, 20, 20))
    assert len(chip) == count
    assert np.isnan(chip[:, 10:]).all() and (chip[:, :10] == values[:-1, :10]).all()


def test_nodata_in_a_tag_has_fewer_digits_than_in_pixels(write):
    values = np.ones((1, 4, 4), "float32")
    values[0, 0] = -3.4028235e38
    with reader_of([write("a.tif", values, nodata=-3.40282306074e38)]) as reader:
        chip = reader.read(Window(0, 0, 4, 4))
    assert np.isnan(chip[0, 0]).all() and (chip[0, 1:] == 1).all()


def test_a_raster_placed_by_control_points_alone_is_refused(write):
    path = write("radar.tif", np.ones((1, 4, 4), "uint8"))
    with rasterio.open(path, "r+") as dataset:
        corners = [GroundControlPoint(row, col, 10.0 + col, 50.0 - row) for row in (0, 4) for col in (0, 4)]
        dataset.gcps = corners, CRS.from_epsg(4326)
    with pytest.raises(SceneError, match="placed by ground control points and has no grid; warp it first"):
        reader_of([path])


def test_files_of_mixed_resolution_share_the_finest_grid(write):
    fine, coarse = np.arange(144, dtype="uint16").reshape(1, 12, 12), np.arange(4, dtype="uint16").reshape(1, 2, 2)
    paths = [write("B02.tif", fine), write("B01.tif", coarse, gsd=60.0)]
    source = modalities_from_layers(paths, grouped=True)[0]
    assert [band.name for band in source.bands] == ["B02", "B01"]
    grid = scene_grid([source])
    assert (grid.height, grid.width, grid.gsd_m) == (12, 12, 10.0)
    with ModalityReader(source, grid) as reader:
        chip = reader.read(grid.whole)
    assert (chip[0] == fine[0]).all()
    assert chip[1, 0, 0] == 0 and chip[1, -1, -1] == 3  # corners keep the coarse pixels' values
    assert np.isclose(chip[1].mean(), 1.5)


def test_coarsening_averages(write, rng):
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 6, 6), "uint8"))], True))
    fine = rng.random((1, 60, 60)).astype("float32")
    with reader_of([write("fine.tif", fine, gsd=1.0)], grid) as reader:
        chip = reader.read(grid.whole)
    assert np.allclose(chip[0], fine[0].reshape(6, 10, 6, 10).mean(axis=(1, 3)), atol=1e-5)


def test_a_much_finer_raster_is_read_in_small_pieces(tmp_path: Path):
    """Orthophotos of 10 cm under pixels of 10 m: whole blocks of them would be gigabytes."""
    path, grid = tmp_path / "fine.tif", Grid(CRS.from_epsg(32632), Affine(10, 0, 5e5, 0, -10, 5.4e6), 256, 256)
    profile = {"driver": "GTiff", "count": 3, "height": 25_600, "width": 25_600, "dtype": "uint8", "nodata": 0}
    place = {"crs": grid.crs, "transform": Affine(0.1, 0, 5e5, 0, -0.1, 5.4e6)}
    with rasterio.open(path, "w", **profile, **place, sparse_ok=True, tiled=True) as dataset:
        for row in range(0, 1000, 100):
            values = np.full((3, 100, 2500), 1 + row // 100, "uint8")
            dataset.write(values, window=Window(row, 0, 100, 2500).rasterio)
    with reader_of([str(path)], grid) as reader:
        tracemalloc.start()
        chip = reader.read(Window(0, 0, 10, 25))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100e6
        assert np.allclose(chip, np.arange(1, 11)[None, :, None], atol=0.01)  # every row is averaged from its own
        assert np.array_equal(reader.read(Window(3, 7, 5, 9)), chip[:, 3:8, 7:16])


def test_warped_values_do_not_depend_on_the_window(write, rng):
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 300, 280), "uint8"))], True))
    west, south, east, north = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds)
    step = (east - west) / 150
    size = (1, int((north - south) / step) - 10, 140)  # does not cover the whole grid
    other = write("dem.tif", rng.random(size).astype("float32"), gsd=step, origin=(west, north), crs="EPSG:4326")
    with reader_of([other], grid) as reader:
        whole = reader.read(grid.whole)
        for tile in plan(grid.whole, grid.whole, 77, 0):
            assert np.array_equal(reader.read(tile.core), whole[(slice(None), *tile.core.slices)], equal_nan=True)
    assert np.isnan(whole).any() and np.isfinite(whole).any()


def test_rasters_without_georeference_of_equal_size_are_one_grid(write, rng):
    values = rng.integers(0, 9, (1, 8, 9)).astype("uint8")
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 8, 9), "uint8"))], True))
    with reader_of([write("plain.tif", values, crs=None)], grid) as reader:
        assert (reader.read(grid.whole)[0] == values[0]).all()


@pytest.mark.parametrize("name", ["plain.tif", "plain.png"])
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_a_raster_without_georeference_lies_where_qgis_shows_it(tmp_path: Path, name):
    values = np.arange(72, dtype="uint8").reshape(1, 8, 9)
    profile = {"driver": "PNG" if name.endswith("png") else "GTiff", "count": 1, "height": 8, "width": 9}
    with rasterio.open(tmp_path / name, "w", **profile, dtype="uint8") as dataset:
        dataset.write(values)
    with reader_of([str(tmp_path / name)]) as reader:
        assert reader.grid.bounds == (0, -8, 9, 0)
        assert reader.grid.window_of((0, -2, 9, 0)) == Window(0, 0, 2, 9)  # the first rows are on top
        assert (reader.read(reader.grid.whole) == values).all()


def test_rasters_apart_are_an_error_that_names_both_places(write):
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 8, 8), "uint8"))], True))
    far = write("far.tif", np.ones((1, 8, 8), "uint8"), origin=(700_000.0, 5_000_000.0))
    with pytest.raises(SceneError, match=r"far\.tif.*does not overlap.*check their CRS"):
        reader_of([far], grid)


def test_missing_text_and_truncated_files_are_errors(write, rng, tmp_path: Path):
    with pytest.raises(SceneError, match="does not exist"):
        modalities_from_layers([str(tmp_path / "none.tif")], True)
    text = tmp_path / "text.tif"
    text.write_text("no raster")
    with pytest.raises(SceneError, match="not a raster"):
        modalities_from_layers([str(text)], True)
    whole = Path(write("whole.tif", rng.integers(0, 999, (3, 200, 200)).astype("uint16")))
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(SceneError, match="damaged or cut short"), reader_of([str(cut)]) as reader:
        reader.read(Window(0, 0, 200, 200))


@pytest.mark.parametrize("gsd", [10.0, 7.0])
@pytest.mark.parametrize("filler", [np.inf, np.finfo("float32").max])
def test_infinite_values_and_undeclared_fillers_are_not_valid(write, gsd, filler):
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 30, 30), "uint8"))], True))
    values = np.full((1, 50, 50), -12.0, "float32")
    values[0, 4, 4], values[0, 9, 9] = -filler, filler
    with reader_of([write("s1.tif", values[:, : int(300 / gsd), : int(300 / gsd)], gsd=gsd)], grid) as reader:
        chip = reader.read(grid.whole)[0, :25, :25]
    assert not np.isinf(chip).any()
    assert np.isfinite(chip).sum() >= 25 * 25 - 8 and np.allclose(chip[np.isfinite(chip)], -12)
    if gsd == 10.0:
        assert np.isnan(chip[4, 4]) and np.isnan(chip[9, 9])


def test_rasters_stored_from_south_to_north_are_turned(write, rng):
    values = rng.integers(1, 99, (1, 8, 9)).astype("uint8")
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 8, 9), "uint8"))], True))
    path = write("south.tif", values[:, ::-1])
    with rasterio.open(path, "r+") as dataset:
        bottom = grid.transform.f + 8 * grid.transform.e
        dataset.transform = Affine(10.0, 0.0, grid.transform.c, 0.0, 10.0, bottom)
    with reader_of([path], grid) as reader:
        assert (reader.read(grid.whole)[0] == values[0]).all()


def test_a_global_raster_overlaps_with_a_scene_in_a_national_grid(write):
    scene = write("in.tif", np.ones((1, 8, 8), "uint8"), crs="EPSG:27700", origin=(500_000.0, 300_000.0))
    grid = scene_grid(modalities_from_layers([scene], True))
    world = write("world.tif", np.full((1, 180, 360), 7, "uint8"), gsd=1.0, origin=(-180.0, 90.0), crs="EPSG:4326")
    with reader_of([world], grid) as reader:
        assert (reader.read(grid.whole) == 7).all()


ACROSS = {"crs": "EPSG:32601", "origin": (300_000.0, 7_200_000.0), "gsd": 200.0}  # 178.8° E to 179.9° W


def eastwards(grid):
    """Longitude of each pixel's middle, counted eastwards from 0 to 360, and its latitude."""
    rows, cols = (np.indices((grid.height, grid.width)) + 0.5).reshape(2, -1)
    xs, ys = grid.transform @ (cols, rows)
    lon, lat = transform(grid.crs, "EPSG:4326", xs, ys)
    return (np.array(lon) % 360).reshape(grid.height, -1), np.array(lat).reshape(grid.height, -1)


@pytest.mark.parametrize(("west", "width"), [(-180.0, 360), (0.0, 360), (170.0, 10), (-180.0, 10), (175.0, 10)])
@pytest.mark.parametrize("degrees", ["", "EPSG:4326", "EPSG:4269"])
def test_a_scene_across_the_date_line(write, west, width, degrees):
    """With relief of the whole Earth, of either side, and of both; the scene in metres and in degrees."""
    place = {"crs": degrees, "origin": (178.75, 64.9), "gsd": 0.01} if degrees else ACROSS
    scene = write("in.tif", np.ones((1, 60, 300), "uint8"), **place)
    grid = scene_grid(modalities_from_layers([scene], True))
    lon = (west + (np.arange(width * 20) + 0.5) / 20) % 360
    lat = 66 - (np.arange(60) + 0.5) / 20
    relief = (100 * lon + 1000 * lat[:, None]).astype("float32")[None]
    with reader_of([write("dem.tif", relief, gsd=0.05, origin=(west, 66.0), crs="EPSG:4326")], grid) as reader:
        chip = reader.read(grid.whole)[0]
        assert reader._files[0]._ratio == pytest.approx(0.2 if degrees else 0.087, rel=0.2)
        for tile in plan(grid.whole, grid.whole, 77, 0):
            assert np.array_equal(reader.read(tile.core)[0], chip[tile.core.slices], equal_nan=True)
    lon, lat = eastwards(grid)
    covered = (lon - west) % 360 < width
    assert 0 < (lon > 180).mean() < 1 and (np.isfinite(chip) == covered).mean() > 0.999
    difference = np.abs(chip - (100 * lon + 1000 * lat))[np.isfinite(chip)]
    assert difference.max() < 3 and np.median(difference) < 1  # GDAL is an eighth of a pixel off, or at the border half


def test_a_raster_a_quarter_turn_away_does_not_overlap(write):
    scene = write("in.tif", np.ones((1, 60, 300), "uint8"), **ACROSS)
    grid = scene_grid(modalities_from_layers([scene], True))
    far = write("far.tif", np.ones((1, 60, 200), "uint8"), gsd=0.05, origin=(90.0, 66.0), crs="EPSG:4326")
    with pytest.raises(SceneError, match="does not overlap with the scene"):
        reader_of([far], grid)


def test_nodata_counts_beside_a_mask_and_packed_values_are_unpacked(write):
    path = write("a.tif", np.array([[[5, 1], [2, 3]]], "uint8"), nodata=5)
    with rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.array([[255, 255], [0, 255]], "uint8"))
        dataset.scales, dataset.offsets = (0.5,), (-1.0,)
    with reader_of([path]) as reader:
        chip = reader.read(Window(0, 0, 2, 2))[0]
    assert np.array_equal(chip, [[np.nan, -0.5], [np.nan, 0.5]], equal_nan=True)


def test_a_crs_that_cannot_be_reached_is_a_clear_error(write):
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    site = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 8, 8), "uint8"), crs=local)], True))
    assert site.gsd_m in (10.0, None)
    with pytest.raises(SceneError, match="cannot be brought into"):
        reader_of([write("utm.tif", np.ones((1, 8, 8), "uint8"))], site)


def test_warped_blocks_have_one_bound_however_many_files_are_open(monkeypatch):
    blocks, warps = WarpedBlocks(), []
    monkeypatch.setattr(warped, "BUDGET", 3 * 4 * 8 * 8)
    first, second = Window(0, 0, 8, 8), Window(0, 8, 8, 8)

    def get(file, block):
        return blocks.get(file, block, lambda: warps.append((file, block)) or np.zeros((1, 8, 8), np.float32))

    for file, block in (("a", first), ("a", second), ("b", first), ("a", first)):
        assert get(file, block).shape == (1, 8, 8)
    assert len(warps) == 3  # the last was kept
    get("c", first)  # makes room: what was used longest ago goes
    get("a", first)
    assert len(warps) == 4
    get("a", second)
    assert len(warps) == 5
    blocks.forget("a")
    get("c", first)
    get("a", first)
    assert len(warps) == 6
    monkeypatch.setattr(warped, "BUDGET", 1)
    assert get("d", first) is get("d", first)  # a block larger than all is still warped once for its window


def test_a_closed_reader_leaves_no_warped_blocks(write, rng):
    grid = scene_grid(modalities_from_layers([write("in.tif", np.ones((1, 20, 20), "uint8"))], True))
    other = write("dem.tif", rng.random((1, 30, 30)).astype("float32"), gsd=7.0)
    with reader_of([other], grid) as reader:
        reader.read(grid.whole)
        assert reading._warped_blocks._bytes == 20 * 20 * 4
    assert not reading._warped_blocks._blocks and not reading._warped_blocks._bytes
