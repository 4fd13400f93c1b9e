"""References: rasters and vectors give the same truth, and each mistake is told in a sentence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from shapely.geometry import LineString, Point, box

from auxlens.engine.scene.classes import PALETTE, find_classes, to_indices
from auxlens.engine.scene.features import UNKNOWN
from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.reference import open_reference
from auxlens.engine.scene.window import Window
from auxlens.models.card import LandClass
from auxlens.models.errors import SceneError

UTM = "EPSG:32632"
WEST, NORTH = 500_000.0, 5_400_000.0
GRID = Grid(CRS.from_string(UTM), Affine(10, 0, WEST, 0, -10, NORTH), 20, 30)
WHOLE = GRID.whole
CLASSES = (LandClass(1, "water", "#0000ff"), LandClass(2, "wood", "#00aa00"))


def cells(row, col, height, width):
    """The rectangle of some pixels."""
    return box(WEST + 10 * col, NORTH - 10 * (row + height), WEST + 10 * (col + width), NORTH - 10 * row)


LEFT, RIGHT = cells(0, 0, 20, 10), cells(0, 20, 20, 10)


@pytest.fixture
def features(tmp_path: Path):
    """Writes features to a GeoPackage and gives its path."""

    def make(geometries, values, name="truth.gpkg", layer=None, crs=UTM, field="kind") -> str:
        columns = {} if values is None else {field: values}
        frame = gpd.GeoDataFrame(columns, geometry=list(geometries), crs=crs)
        path = tmp_path / name
        frame.to_file(path, **({"layer": layer} if layer else {}))
        return str(path)

    return make


def read(path, field="kind", grid=GRID, classes=CLASSES, window=None):
    reference = open_reference(path, field, grid, classes)
    chip = reference.read(window or grid.whole)
    reference.close()
    return chip


def summary(classes):
    return [(c.value, c.name, c.color) for c in classes]


def test_polygons(features):
    chip = read(features([LEFT, RIGHT], [1, 2]))
    assert chip.dtype == np.float32 and chip.shape == (20, 30)
    assert (chip[:, :10] == 1).all() and (chip[:, 20:] == 2).all() and np.isnan(chip[:, 10:20]).all()


def test_points_mark_their_pixel(features):
    points = [Point(WEST + 35, NORTH - 25), Point(WEST + 299, NORTH - 199)]
    chip = read(features(points, [1, 2]))
    assert {tuple(at) for at in np.argwhere(np.isfinite(chip)).tolist()} == {(2, 3), (19, 29)}
    assert (chip[2, 3], chip[19, 29]) == (1, 2)


def test_lines_mark_the_pixels_they_cross(features):
    chip = read(features([LineString([(WEST + 5, NORTH - 45), (WEST + 105, NORTH - 45)])], [2]))
    assert (chip[4, :11] == 2).all() and np.isfinite(chip).sum() == 11


def test_windows_are_cuts_of_the_whole(features):
    path = features([LEFT, RIGHT, cells(5, 5, 7, 13)], [1, 2, 1])
    whole = read(path)
    for window in (Window(0, 0, 7, 9), Window(3, 8, 10, 22), Window(12, 12, 5, 5)):
        assert np.array_equal(read(path, window=window), whole[window.slices], equal_nan=True)


def test_later_features_lie_above_earlier_ones(features):
    chip = read(features([cells(0, 0, 20, 30), LEFT], [1, 2]))
    assert (chip[:, :10] == 2).all() and (chip[:, 10:] == 1).all()


def test_another_crs_is_warped(features):
    geometries = gpd.GeoSeries([LEFT.buffer(-4), RIGHT.buffer(-4)], crs=UTM).to_crs("EPSG:4326")
    chip = read(features(geometries, [1, 2], crs="EPSG:4326"))
    assert (chip[:, :10] == 1).all() and (chip[:, 20:] == 2).all()


@pytest.mark.parametrize("shape", [box(-180, -90, 180, 90), box(-60, 0, 90, 80), box(5, 40, 130, 60)])
def test_features_that_reach_far_round_the_earth(features, shape):
    assert (read(features([shape], [2], crs="EPSG:4326")) == 2).all()


def test_a_line_that_begins_where_the_scene_cannot_be_reached(features):
    meridian = LineString([(9.002, -90), (9.002, 90)])
    chip = read(features([meridian], [2], crs="EPSG:4326"))
    assert (chip[:, 14] == 2).all() and np.isfinite(chip).sum() == 20


def test_without_any_crs_coordinates_are_taken_as_they_are(features):
    plain = Grid(None, GRID.transform, 20, 30)
    chip = read(features([LEFT], [1], crs=None), grid=plain)
    assert (chip[:, :10] == 1).all() and np.isnan(chip[:, 10:]).all()


def test_a_reference_without_crs_for_a_scene_with_one(features):
    with pytest.raises(SceneError, match="has no CRS, the scene has one; set the reference's CRS"):
        read(features([LEFT], [1], crs=None))


def test_numbers_of_a_regression(features):
    chip = read(features([LEFT, RIGHT, cells(0, 12, 3, 3)], [-1.5, 20.25, None]), classes=())
    assert (chip[:, :10] == -1.5).all() and (chip[:, 20:] == 20.25).all() and np.isnan(chip[:3, 12:15]).all()


def test_text_of_a_regression(features):
    with pytest.raises(SceneError, match=r"field “kind”, \(1\.5, high\) are not all numbers, which a regression needs"):
        read(features([LEFT, RIGHT], ["1.5", "high"]), classes=())


def test_the_sign_that_layers_are_chosen_by_in_the_name_of_a_folder(write, features, tmp_path):
    truth = write("a|b/truth.tif", np.full((1, 20, 30), 3, "uint8"))
    assert (read(truth) == 3).all()
    path = shutil.copy(features([LEFT], [2], layer="x"), tmp_path / "a|b" / "truth.gpkg")
    for chosen in (str(path), f"{path}|layername=x"):
        assert (read(chosen)[:, :10] == 2).all()


def test_raster_is_taken_by_its_nearest_pixel(write):
    coarse = np.array([[[1, 2, 1]]], "uint8")
    chip = read(write("truth.tif", coarse, gsd=100.0))
    assert np.array_equal(chip[:10], np.repeat([[1.0, 2.0, 1.0]], 10, axis=0).repeat(10, axis=1))
    assert np.isnan(chip[10:]).all()


@pytest.mark.parametrize("gsd", [4.0, 17.0, 30.0])
def test_classes_of_a_raster_on_another_grid_are_never_blended(write, rng, gsd):
    values = rng.choice([1, 7, 200], (1, 90, 90)).astype("uint8")
    chip = read(write("truth.tif", values, gsd=gsd, origin=(WEST - 5, NORTH + 3)))
    assert np.isfinite(chip).any() and set(np.unique(chip[np.isfinite(chip)])) == {1, 7, 200}


def test_numbers_of_a_finer_raster_are_averaged(write, rng):
    values = rng.random((1, 200, 300)).astype("float32")
    reference = open_reference(write("height.tif", values, gsd=1.0), "", GRID, categorical=False)
    means = values[0].reshape(20, 10, 30, 10).mean(axis=(1, 3))
    assert np.allclose(reference.read(WHOLE), means, atol=1e-5)


def test_a_raster_of_the_same_grid(write, rng):
    values = rng.integers(0, 4, (1, 20, 30)).astype("uint8")
    chip = read(write("truth.tif", values, nodata=0))
    assert np.array_equal(chip, np.where(values[0] == 0, np.nan, values[0]), equal_nan=True)


def test_text_classes_become_numbers_by_name(features):
    path = features([LEFT, RIGHT, cells(0, 12, 2, 2), cells(4, 12, 2, 2)], ["wood", "water", None, ""])
    classes = find_classes([(path, GRID)], "kind")
    assert summary(classes) == [(1, "water", PALETTE[0]), (2, "wood", PALETTE[1])]
    chip = read(path, classes=classes)
    assert (chip[:, :10] == 2).all() and (chip[:, 20:] == 1).all()
    assert np.isnan(chip[:, 10:20]).all()  # no value is no reference


def test_text_that_looks_partly_like_numbers_stays_text(features):
    path = features([LEFT, RIGHT, cells(0, 12, 3, 3)], ["10", "2", "2a"])
    classes = find_classes([(path, GRID)], "kind")
    assert [(c.value, c.name) for c in classes] == [(1, "10"), (2, "2"), (3, "2a")]
    chip = read(path, classes=classes)
    assert (chip[5, 0], chip[5, 25], chip[1, 13]) == (1, 2, 3)


def test_numbers_as_text_are_numbers(features):
    path = features([LEFT, RIGHT], ["10", "2"])
    classes = find_classes([(path, GRID)], "kind")
    assert [(c.value, c.name) for c in classes] == [(2, "class 2"), (10, "class 10")]
    assert read(path, classes=classes)[5, 0] == 10


def test_names_that_were_meant_to_be_one_are_said(features, caplog):
    path = features([LEFT, RIGHT, cells(0, 12, 3, 3)], ["Water", "water ", "wood"])
    assert len(find_classes([(path, GRID)], "kind")) == 3
    assert caplog.messages == [
        "“Water” and “water ” differ in case or blanks only, and are different classes; correct the reference."
    ]


def test_codes_that_look_like_numbers_stay_text(features):
    path = features([LEFT, RIGHT, cells(0, 12, 3, 3), cells(9, 12, 3, 3)], ["3260", "6210", "6510", "91F0"])
    classes = find_classes([(path, GRID)], "kind")
    assert [(c.value, c.name) for c in classes] == [(1, "3260"), (2, "6210"), (3, "6510"), (4, "91F0")]
    later = features([LEFT, RIGHT], ["3260", "6210"], name="later.gpkg")
    chip = read(later, classes=classes)
    assert (chip[:, :10] == 1).all() and (chip[:, 20:] == 2).all()
    both = [(later, GRID), (path, GRID)]  # the file with the codes that look like numbers alone
    assert find_classes(both, "kind") == find_classes(both[::-1], "kind") == classes


@pytest.mark.parametrize("codes", [("001", "01", "1"), ("91E0", "91.0", "91"), ("1e3", "1000", "+1000")])
def test_codes_are_not_merged_as_numbers(features, codes):
    path = features([LEFT, RIGHT, cells(0, 12, 3, 3)], codes)
    classes = find_classes([(path, GRID)], "kind")
    assert sorted(codes) == [c.name for c in classes]
    chip = read(path, classes=classes)
    assert {chip[5, 0], chip[5, 25], chip[1, 13]} == {1, 2, 3}


def test_a_code_is_no_number_that_the_model_has(features):
    classes = (LandClass(91, "class 91", "#0000ff"), LandClass(92, "class 92", "#00aa00"))
    with pytest.raises(SceneError, match=r"\(91E0\) are not among the model's classes \(class 91, class 92\)"):
        read(features([LEFT], ["91E0"]), classes=classes)
    assert read(features([LEFT], ["91"], name="plain.gpkg"), classes=classes)[5, 0] == 91


def test_text_is_numbers_in_a_regression(features):
    chip = read(features([LEFT, RIGHT], ["007.5", "1e1"]), classes=())
    assert (chip[:, :10] == 7.5).all() and (chip[:, 20:] == 10).all()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (("001", "01", "1"), [(1, "001"), (2, "01"), (3, "1")]),
        (("91E0", "9110", ""), [(1, "9110"), (2, "91E0")]),
        (("3", " 5", ""), [(3, "class 3"), (5, "class 5")]),
        (("3.0", "5.0", ""), [(3, "class 3"), (5, "class 5")]),  # as programs write them beside a gap
    ],
)
def test_classes_of_a_table(tmp_path, column, expected):
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["scene,kind", *(f"s{i},{text}" for i, text in enumerate(column))]) + "\n")
    classes = find_classes([(str(table), GRID)], "kind")
    assert [(c.value, c.name) for c in classes] == expected


def test_without_a_field_layers_are_the_classes(features):
    features([LEFT], None, layer="water")
    path = features([RIGHT], None, layer="wood")
    classes = find_classes([(path, GRID)], "")
    assert [(c.value, c.name) for c in classes] == [(1, "water"), (2, "wood")]
    chip = read(path, "", classes=classes)
    assert (chip[:, :10] == 1).all() and (chip[:, 20:] == 2).all()


def test_one_of_several_layers(features):
    features([LEFT], [1], layer="old")
    path = features([RIGHT], [2], layer="new")
    chip = read(f"{path}|layername=new")
    assert np.isnan(chip[:, :10]).all() and (chip[:, 20:] == 2).all()
    with pytest.raises(SceneError, match="no layer “newer”; its layers are: old, new"):
        read(f"{path}|layername=newer")


def test_a_field_that_is_not_there(features):
    path = features([LEFT], [1])
    with pytest.raises(SceneError, match="has no field “class”; its fields are: kind"):
        read(path, "class")
    with pytest.raises(SceneError, match="has no field “class”; its fields are: kind"):
        find_classes([(path, GRID)], "class")
    with pytest.raises(SceneError, match=r"Choose the field of the reference .* \(kind\)"):
        read(path, "")


@pytest.mark.parametrize(("content", "message"), [(None, "does not exist"), ("text", "neither a raster nor a vector")])
def test_a_file_that_is_no_reference(tmp_path, content, message):
    path = tmp_path / "truth.gpkg"
    if content:
        path.write_text(content)
    with pytest.raises(SceneError, match=f"{message}.*check the"):
        read(str(path))


def test_an_empty_file(features):
    with pytest.raises(SceneError, match="has no features; give one with polygons, lines or points"):
        read(features([], []))


def test_classes_of_a_raster_with_names_and_colours(write):
    values = np.zeros((1, 20, 30), "uint8")
    values[0, :5], values[0, 5:9], values[0, 9:12] = 4, 7, 9
    path = write("truth.tif", values, nodata=0)
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {4: (1, 2, 255, 255), 7: (16, 32, 48, 255), 9: (0, 0, 0, 255)})
    Path(f"{path}.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><CategoryNames>"
        + "".join(f"<Category>{name}</Category>" for name in ("", "", "", "", "lake", "", "", "oak wood"))
        + "</CategoryNames></PAMRasterBand></PAMDataset>"
    )
    expected = [(4, "lake", "#0102ff"), (7, "oak wood", "#102030"), (9, "class 9", "#000000")]
    assert summary(find_classes([(path, GRID)], "")) == expected


def test_a_damaged_sidecar_is_left_out(write):
    path = write("truth.tif", np.arange(1, 601, dtype="uint16").reshape(1, 20, 30) % 3)
    Path(f"{path}.aux.xml").write_text("<PAMDataset>")
    assert [c.name for c in find_classes([(path, GRID)], "")] == ["class 0", "class 1", "class 2"]


def test_classes_of_all_references_together(write, features):
    values = np.full((1, 20, 30), -1, "int16")
    values[0, :4] = 3
    raster = write("truth.tif", values)
    vector = features([LEFT, RIGHT], [5, 3])
    assert [c.value for c in find_classes([(raster, GRID), (vector, GRID)], "kind")] == [3, 5]


def test_negative_values_are_no_reference(write, features):
    values = np.full((1, 20, 30), -9999, "int16")
    values[0, :4], values[0, 4:8] = 0, 1
    assert [c.value for c in find_classes([(write("truth.tif", values), GRID)], "")] == [0, 1]
    path = features([LEFT, RIGHT, cells(0, 12, 5, 5)], [1, 2, -1])
    classes = find_classes([(path, GRID)], "kind")
    assert [c.value for c in classes] == [1, 2]
    assert to_indices(read(path, classes=classes), classes)[2, 13] == -1


def test_classes_of_features_away_from_every_scene_are_not_the_models(features):
    """Layers of a whole country: numbers, names, more of them than a model can have, and places that have no UTM."""
    east = Grid(GRID.crs, Affine(10, 0, WEST + 5000, 0, -10, NORTH), 20, 30)
    far = [cells(-400, 900 + i, 5, 1) for i in range(300)]
    there = box(WEST + 5010, NORTH - 50, WEST + 5020, NORTH - 40)
    path = features([LEFT, RIGHT, there, *far], [4, 2, 9, *range(1000, 1300)])
    assert [c.value for c in find_classes([(path, GRID)], "kind")] == [2, 4]
    assert [c.value for c in find_classes([(path, GRID), (path, east)], "kind")] == [2, 4, 9]
    # A number on the scene stays a name where the file has names elsewhere.
    path = features([LEFT, RIGHT, *far], ["10", "wood", *(f"plant {i}" for i in range(300))], name="names.gpkg")
    classes = find_classes([(path, GRID)], "kind")
    assert [(c.value, c.name) for c in classes] == [(1, "10"), (2, "wood")]
    assert (read(path, classes=classes)[:, :10] == 1).all() and (read(path, classes=classes)[:, 20:] == 2).all()
    path = features([LEFT, RIGHT, far[0]], ["10", "2", "plant"], name="both.gpkg")
    classes = find_classes([(path, GRID)], "kind")
    assert [(c.value, c.name) for c in classes] == [(1, "10"), (2, "2")] and read(path, classes=classes)[0, 0] == 1
    degrees = gpd.GeoSeries([LEFT, RIGHT], crs=UTM).to_crs("EPSG:4326").tolist()
    path = features([*degrees, box(87, 0, 88, 1)], [1, 2, 3], name="world.gpkg", crs="EPSG:4326")
    assert [c.value for c in find_classes([(path, GRID)], "kind")] == [1, 2]
    with pytest.raises(SceneError, match=r"found: none.* that it lies on the scene"):
        find_classes([(features(far, range(300), name="far.gpkg"), GRID)], "kind")


def test_one_class_only(write, features):
    message = r"needs references of two classes or more; found: (class )?7"
    with pytest.raises(SceneError, match=message):
        find_classes([(write("truth.tif", np.full((1, 20, 30), 7, "uint8")), GRID)], "")
    with pytest.raises(SceneError, match=message):
        find_classes([(features([LEFT, RIGHT], [7, 7]), GRID)], "kind")
    with pytest.raises(SceneError, match="found: none"):
        find_classes([(features([LEFT], [None], name="none.gpkg"), GRID)], "kind")


def test_too_many_values(write, features):
    values = np.arange(600, dtype="uint16").reshape(1, 20, 30)
    with pytest.raises(SceneError, match="more than 255 different values; choose the task “regression”"):
        find_classes([(write("truth.tif", values), GRID)], "")
    path = features([LEFT] * 300, list(range(300)))
    with pytest.raises(SceneError, match="more than 255 different values"):
        find_classes([(path, GRID)], "kind")


def test_fractions_are_no_classes(write, features):
    values = np.full((1, 20, 30), 1.5, "float32")
    with pytest.raises(SceneError, match=r"holds 1\.5, which is no class; choose the task “regression”"):
        find_classes([(write("truth.tif", values), GRID)], "")
    with pytest.raises(SceneError, match=r"holds 2\.5, which is no class"):
        find_classes([(features([LEFT, RIGHT], [1.0, 2.5]), GRID)], "kind")


def test_a_class_that_no_map_can_hold(features):
    with pytest.raises(SceneError, match="holds the class 70000; a map's classes are 0 to 65534"):
        find_classes([(features([LEFT, RIGHT], [1, 70_000]), GRID)], "kind")


def test_numbers_in_one_file_and_names_in_another(features):
    paths = [features([LEFT], [4], name="a.gpkg"), features([LEFT], ["wood"], name="b.gpkg")]
    with pytest.raises(SceneError, match=r"as numbers \(4\), others as names \(wood\); give all of them in one way"):
        find_classes([(path, GRID) for path in paths], "kind")


def test_a_raster_away_from_the_scene(write):
    path = write("truth.tif", np.ones((1, 20, 30), "uint8"), origin=(700_000.0, 5_000_000.0))
    for use in (lambda: read(path), lambda: find_classes([(path, GRID)], "")):
        with pytest.raises(SceneError, match=r"truth\.tif” \(reference\) does not overlap with the scene"):
            use()


def test_features_away_from_the_scene_cover_nothing(features):
    chip = read(features([box(0, 0, 10, 10)], [1]))
    assert np.isnan(chip).all()


def test_names_that_the_model_does_not_know(features):
    chip = read(features([LEFT, RIGHT], ["wood", "ice"]))
    assert (chip[:, :10] == 2).all() and (chip[:, 20:] == UNKNOWN).all()
    assert (to_indices(chip, CLASSES)[:, 20:] == -1).all()
    path = features([LEFT, RIGHT], ["ice", "sand"], name="other.gpkg")
    with pytest.raises(SceneError, match=r"\(ice, sand\) are not among the model's classes \(water, wood\)"):
        read(path)


def test_indices_are_channels_and_unknown_values_are_ignored():
    classes = (LandClass(7, "a", "#000000"), LandClass(2, "b", "#000000"), LandClass(200, "c", "#000000"))
    values = np.array([[2, 7, 200, 3, 0, 255, -1, np.nan]], "float32")
    assert to_indices(values, classes).tolist() == [[1, 0, 2, -1, -1, -1, -1, -1]]


def test_a_file_that_was_edited_is_read_again(features):
    path = features([LEFT], [1])
    assert read(path)[0, 0] == 1
    Path(path).unlink()
    features([LEFT], [2])
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert read(path)[0, 0] == 2
