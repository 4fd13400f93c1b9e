"""Figures of a scene against brute force on its arrays; places; numbers in words."""

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsSingleBandGrayRenderer
from qgis.PyQt.QtGui import QColor

from auxlens.models.card import LandClass
from auxlens.plugin import pictures
from auxlens.plugin.cards import card_of, classes_of
from auxlens.plugin.places import look, relative_errors
from auxlens.plugin.renderers import as_classes
from auxlens.plugin.report.statistics import LEVELS, auroc, measure, pixel_areas
from auxlens.plugin.restyle import restyle
from auxlens.plugin.scenes import scenes_in_folder
from auxlens.plugin.words import coordinates, figure, percent

pytestmark = pytest.mark.usefixtures("qgis_app")


def read(folder, name):
    array = gdal.Open(str(folder / f"{name}.tif")).ReadAsArray().astype("float64")
    return np.where(array == 255, np.nan, array)


def measured(folder, **options):
    ((scene,), _) = scenes_in_folder(str(folder))
    return scene, measure(scene, options.get("is_classes", True), lambda fraction: True)


@pytest.mark.parametrize("size", [(40, 56), (1100, 30)])  # the second takes several strips
def test_figures_against_brute_force(mapped, size):
    folder = mapped(size=size)
    _, figures = measured(folder)
    classes, risk, wrong = (read(folder, name) for name in ("map", "error_probability", "main_error"))
    assert figures.pixels == size[0] * size[1]
    assert figures.valid == np.isfinite(classes).sum()
    assert figures.area == pytest.approx(figures.valid * 0.01)
    assert figures.classes == pytest.approx({v: (classes == v).sum() * 0.01 for v in (1, 2, 3)})
    known = np.isfinite(risk)
    assert figures.mean("error_probability") == pytest.approx(risk[known].mean(), rel=1e-6)
    for level, low, high in zip(figures.levels, LEVELS, LEVELS[1:]):
        here = known & (risk >= np.float32(low)) & ((risk < np.float32(high)) | (high == 1))
        assert level.pixels == here.sum()
        assert level.wrong == wrong[here].sum()
        assert level.expected == pytest.approx(risk[here].sum(), rel=1e-5)
    pairs = np.subtract.outer(risk[known & (wrong == 1)], risk[known & (wrong == 0)]) if size[0] < 100 else None
    if pairs is not None:
        assert figures.auroc == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2, abs=2e-3)
    error, expected = read(folder, "reconstruction_error"), read(folder, "expected_error")
    vh = figures.moments["reconstruction_error"]["s1:VH"]
    assert vh.mean == pytest.approx(np.nanmean(error[1]), rel=1e-5)
    assert vh.rms == pytest.approx(np.sqrt(np.nanmean(error[1] ** 2)), rel=1e-5)
    assert figures.moments["expected_error"]["s1:VV"].mean == pytest.approx(np.nanmean(expected[0]), rel=1e-5)
    attribution = read(folder, "attribution")
    assert figures.dominant == pytest.approx(
        {name: (attribution[3] == at).sum() * 0.01 for at, name in enumerate(("visible", "infrared", "radar"), 1)}
    )
    assert figures.attributed["radar"] == pytest.approx(np.nanmean(np.abs(attribution[2])), rel=1e-5)
    row, column = figures.places["doubtful"]
    assert risk[row, column] == np.nanmax(risk)
    row, column = figures.places["certain"]
    assert risk[row, column] == np.nanmin(risk)
    row, column = figures.places["median"]
    assert abs((risk[known] < risk[row, column]).mean() - 0.5) < 0.1


def test_auroc_of_histograms():
    assert auroc(np.array([3, 0]), np.array([0, 2])) == 1
    assert auroc(np.array([1, 1]), np.array([1, 1])) == 0.5
    assert np.isnan(auroc(np.array([1]), np.array([0])))


def test_areas_in_degrees_and_without_crs(mapped):
    ((scene,), _) = scenes_in_folder(str(mapped(epsg=4326, corner=(10.0, 60.0))))
    areas, unit = pixel_areas(scene)
    assert unit == "ha"
    # One ten-thousandth of a degree at 60° north: 11.14 m × 5.58 m on WGS 84.
    assert areas[0] == pytest.approx(11.1412 * 5.5800 / 1e4, rel=1e-3)
    assert areas[-1] > areas[0]
    ((scene,), _) = scenes_in_folder(str(mapped("plain", epsg=0)))
    assert pixel_areas(scene)[1] == "px"
    folder = mapped("site")
    for path in folder.glob("*.tif"):
        gdal.Open(str(path), gdal.GA_Update).SetProjection('LOCAL_CS["site",UNIT["metre",1]]')
    ((scene,), _) = scenes_in_folder(str(folder))
    assert pixel_areas(scene)[1] == "px"  # as the engine has it


def test_stopped_measuring_gives_nothing(mapped):
    ((scene,), _) = scenes_in_folder(str(mapped()))
    assert measure(scene, True, lambda fraction: False) is None


def test_a_place_and_a_masked_one(mapped):
    folder = mapped()
    ((scene,), _) = scenes_in_folder(str(folder))
    card, _ = card_of(scene)
    classes = classes_of(scene, card)
    place = look(scene, classes, slice(7, 8), slice(9, 10), units={"s1": "dB"})
    assert place.mapped.value == read(folder, "map")[7, 9]
    assert [p for _, p in place.probabilities] == pytest.approx(read(folder, "probability")[:, 7, 9])
    assert place.values["error_probability"] == pytest.approx(read(folder, "error_probability")[7, 9])
    assert dict(place.attributions)["radar"] == pytest.approx(read(folder, "attribution")[2, 7, 9])
    assert place.dominant == ("visible", "infrared", "radar")[int(read(folder, "attribution")[3, 7, 9]) - 1]
    (sar,) = place.readings
    assert (sar.name, sar.bands, sar.unit) == ("s1", ("VV", "VH"), "dB")
    truth = read(folder, "reconstruction") - read(folder, "reconstruction_error")
    assert sar.observed == pytest.approx(truth[:, 7, 9], abs=1e-4)
    ratio = np.abs(read(folder, "reconstruction_error")) / read(folder, "expected_error")
    assert relative_errors(place) == pytest.approx({"s1": ratio[:, 7, 9].max()}, rel=1e-3)
    mask = np.zeros((4, 5), bool)
    mask[1, 2:] = True
    several = look(scene, classes, slice(4, 8), slice(10, 15), mask)
    assert several.pixels == 3
    assert several.values["uncertainty"] == pytest.approx(read(folder, "uncertainty")[5, 12:15].mean(), rel=1e-5)
    assert sum(share for _, share in several.shares) == pytest.approx(1)


def test_classes_that_nothing_names_are_called_by_their_numbers(mapped):
    folder = mapped()
    (folder / "map.qml").unlink()  # and so it is shown in grey
    ((scene,), _) = scenes_in_folder(str(folder))
    value = int(read(folder, "map")[7, 9])
    place = look(scene, classes_of(scene, None), slice(7, 8), slice(9, 10))
    assert (place.mapped.value, place.mapped.name) == (value, str(value))
    assert [c.name for c, _ in place.probabilities] == ["water", "forest <&>", "urban"]


def test_classes_are_those_of_the_file(mapped):
    folder = mapped()
    (folder / "map.qml").unlink()
    file, colors = gdal.Open(str(folder / "map.tif"), gdal.GA_Update), gdal.ColorTable()
    colors.SetColorEntry(3, (1, 2, 3, 255))
    file.GetRasterBand(1).SetColorTable(colors)
    file.GetRasterBand(1).SetCategoryNames(["", "", "", "harbour"])
    file = None
    ((scene,), _) = scenes_in_folder(str(folder))
    layer = scene.layers["map"]
    layer.setRenderer(QgsSingleBandGrayRenderer(layer.dataProvider(), 1))  # as the user may have chosen
    assert classes_of(scene, None) == [LandClass(3, "harbour", "#010203")]


@pytest.fixture
def wide(mapped):
    """A scene whose map holds classes above 254, as the file alone tells them: black ones are classes, too."""
    folder = mapped()
    (folder / "map.qml").unlink()
    path, old = str(folder / "map.tif"), gdal.Open(str(folder / "map.tif"))
    values = old.ReadAsArray().astype("uint16")
    file = gdal.GetDriverByName("GTiff").Create(path, *values.shape[::-1], 1, gdal.GDT_UInt16)
    file.SetGeoTransform(old.GetGeoTransform())
    file.SetProjection(old.GetProjection())
    file.SetMetadata(old.GetMetadata())
    colors = gdal.ColorTable()
    for value, color in ((1, (255, 0, 0)), (2, (0, 0, 0)), (3000, (0, 0, 255))):
        colors.SetColorEntry(value, (*color, 255))
    file.GetRasterBand(1).SetColorTable(colors)
    file.GetRasterBand(1).SetCategoryNames(["", "red", "soil", *[""] * 2997, "blue"])
    file.GetRasterBand(1).SetNoDataValue(65535)
    values[values == 3], values[values == 255] = 3000, 65535
    file.GetRasterBand(1).WriteArray(values)
    file = None
    return folder


def test_a_colour_table_is_no_list_of_classes(wide, monkeypatch):
    ((scene,), _) = scenes_in_folder(str(wide))
    layer = scene.layers["map"]
    assert len(layer.renderer().classes()) == 65536
    shown = []
    monkeypatch.setattr(pictures, "swatches", shown.append)
    pictures.legend(layer)
    assert [[(color.name(), label) for color, label in entries] for entries in shown] == [
        [("#ff0000", "red"), ("#000000", "soil"), ("#0000ff", "blue")]
    ]
    expected = [LandClass(1, "red", "#ff0000"), LandClass(2, "soil", "#000000"), LandClass(3000, "blue", "#0000ff")]
    assert classes_of(scene, None) == expected
    Path(scene.tags.job["model"]).unlink()  # whose card would tell
    restyle([scene], "", 2, [])
    assert [(c.value, c.label) for c in layer.renderer().classes()] == [(1, "red"), (2, "soil"), (3000, "blue")]
    layer.setRenderer(QgsSingleBandGrayRenderer(layer.dataProvider(), 1))
    assert classes_of(scene, None) == expected


def test_a_report_of_classes_above_254(run, wide, tmp_path):
    run("report", SCENES=str(wide), OUTPUT_REPORT=str(tmp_path / "r.html"))
    assert all(name in (tmp_path / "r.html").read_text(encoding="utf-8") for name in ("red", "soil", "blue"))


def test_of_a_table_that_is_coloured_throughout_classes_are_what_occurs(wide):
    ((scene,), _) = scenes_in_folder(str(wide))
    layer = scene.layers["map"]
    every = [(value, QColor(value % 255, 9, 9), str(value)) for value in range(65536)]
    layer.setRenderer(as_classes(layer.dataProvider(), 1, every))
    assert [c.value for c in classes_of(scene, None)] == [1, 2, 3000]


def test_a_place_without_values(mapped):
    ((scene,), _) = scenes_in_folder(str(mapped()))
    place = look(scene, classes_of(scene, None), slice(0, 1), slice(55, 56))
    assert place.pixels == 0
    assert place.mapped is None
    assert np.isnan(place.values["uncertainty"])
    assert place.dominant == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234567.0, "1\u202f234\u202f567"),
        (-3.14159, "−3.14"),
        (0.012345, "0.0123"),
        (float("nan"), "–"),
        (2e9, "2.00e+09"),
    ],
)
def test_figures_in_words(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.0001, "< 0.1 %"),
        (0.05, "5.0 %"),
        (0.314, "31 %"),
        (0.987, "98.7 %"),
        (0.9999, "> 99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_shares_in_words(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        (600095.0, 5199925.0, "600095, 5199925"),
        (4321055.0, 3209615.0, "4321055, 3209615"),  # Europe's equal-area grid
        (38500005.0, 4400005.0, "38500005, 4400005"),  # an easting that begins with its zone's number
        (-12345678.5, 5.0, "-12345678, 5"),  # Web Mercator
        (13.405123, -52.52, "13.405123, -52.52"),
    ],
)
def test_coordinates_have_no_powers_of_ten(x, y, text):
    assert coordinates(x, y) == text
