"""Zonal explanation: figures against exact geometry and plain numpy, whatever the polygons are."""

from __future__ import annotations

import sqlite3
import warnings
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from auxlens.engine.assess.areas import pixel_areas_m2
from auxlens.engine.executors.zonalexplanation import run
from auxlens.engine.jobs import Canceled, JobError, SceneError, ZonalJob
from auxlens.engine.scene.window import Window
from auxlens.engine.zones import gather as gathering
from auxlens.engine.zones.coverage import coverage
from auxlens.engine.zones.layers import Layers
from auxlens.engine.zones.statistics import StreamedQuantiles, moments, quantiles, tally

HEIGHT, WIDTH = 60, 80
UTM = Affine(10, 0, 500_000, 0, -10, 5_400_000)
NAMES = {2: "water", 5: "coniferous wood", 7: "built-up"}
AUXILIARY = ("s1:VV", "s1:VH", "dem:z")
BANDS = {
    "map": ("class",),
    "probability": tuple(NAMES.values()),
    "uncertainty": ("uncertainty",),
    "expected_error": AUXILIARY,
    "reconstruction_error": AUXILIARY,
    "error_probability": ("error probability",),
    "attribution": ("visible", "SWIR", "dominant player"),
}


def write_layers(folder: Path, transform: Affine = UTM, crs: str | None = "EPSG:32632", **tags: str) -> dict[str, str]:
    """A scene's layers with random values; every tenth pixel has none."""
    rng = np.random.default_rng(5)
    hole = rng.random((HEIGHT, WIDTH)) < 0.1
    paths = {}
    for number, (output, bands) in enumerate(BANDS.items()):
        shape = (len(bands), HEIGHT, WIDTH)
        values = rng.normal(size=shape)
        if output in ("probability", "uncertainty", "error_probability", "expected_error"):
            values = rng.random(shape)
        if output == "attribution":
            values[-1] = np.abs(values[:-1]).argmax(axis=0) + 1
        dtype, nodata = "float32", np.nan
        if output == "map":
            values, dtype, nodata = rng.choice(list(NAMES), shape), "uint8", 255
        values = values.astype(dtype)
        values[:, hole] = nodata
        paths[output] = str(folder / f"layer_{number}.tif")  # names say nothing
        profile = {"driver": "GTiff", "count": len(bands), "height": HEIGHT, "width": WIDTH, "dtype": dtype}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(paths[output], "w", **profile, crs=crs, transform=transform, nodata=nodata) as dataset:
                dataset.write(values)
                dataset.descriptions = bands
                dataset.update_tags(
                    **{"AUXLENS_OUTPUT": output, "AUXLENS_MODEL": "m", "AUXLENS_MODEL_SHA256": "0", **tags}
                )
    categories = "".join(f"<Category>{NAMES.get(i, '')}</Category>" for i in range(8))
    names = (
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{categories}</CategoryNames></PAMRasterBand></PAMDataset>'
    )
    Path(f"{paths['map']}.aux.xml").write_text(names, encoding="utf-8")
    return paths


def some_polygons() -> list[shapely.Geometry]:
    """In pixels, rows upwards from the last: overlapping, with holes and parts, on and over the border, outside."""
    star = shapely.Polygon([(20.3, 10.1), (31.7, 14.9), (40.2, 9.3), (36.6, 22.8), (44.1, 33.3), (30.4, 27.7)])
    return [
        star,
        shapely.affinity.translate(star, 3.3, 2.2),
        shapely.Point(60.5, 40.5).buffer(12.3).difference(shapely.Point(61.0, 41.0).buffer(5.2)),
        shapely.MultiPolygon([shapely.box(2.25, 2.5, 9.75, 8.125), shapely.box(70.1, 50.2, 75.9, 55.3)]),
        shapely.box(-15.5, 50.5, 10.5, 75.5),
        shapely.box(34.1, 33.2, 34.4, 33.3),
        shapely.box(-100, -100, 200, 200),
        shapely.box(300, 300, 310, 310),
    ]


def write_polygons(path: Path, shapes: list[shapely.Geometry], crs: str | None = "EPSG:32632", to: str = "") -> str:
    """Pixels as units → the scene's metres, or what ``to`` says."""
    placed = [shapely.affinity.affine_transform(s, (10, 0, 0, 10, UTM.c, UTM.f - 10 * HEIGHT)) for s in shapes]
    frame = gpd.GeoDataFrame({"parcel": [f"P{i}" for i in range(len(shapes))]}, geometry=placed, crs=crs)
    if to:
        frame["geometry"] = shapely.segmentize(frame.geometry.to_numpy(), 5.0)
        frame = frame.to_crs(to)
    frame.to_file(path)
    return str(path)


def brute_force(paths: dict[str, str], shape: shapely.Geometry, pixel_ha: np.ndarray) -> dict[str, float]:
    """Every pixel cut with the polygon by GEOS, and numpy's own weighted means and quantiles."""
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    pixels = shapely.box(cols, HEIGHT - 1 - rows, cols + 1, HEIGHT - rows)
    shares = shapely.area(shapely.intersection(pixels, shape))
    found: dict[str, float] = {}
    for output, bands in BANDS.items():
        with rasterio.open(paths[output]) as dataset:
            values = np.ma.filled(dataset.read(masked=True).astype("float64"), np.nan)
        for name, band in zip(bands, values, strict=True):
            known = np.isfinite(band) & (shares > 0)
            own, weights = band[known], shares[known]
            plain = name.replace(":", "_").replace("-", "_").replace(" ", "_")
            if output == "map":
                areas = {c: float((weights * pixel_ha[known])[own == c].sum()) for c in NAMES}
                found.update({f"{NAMES[c].replace('-', '_').replace(' ', '_')}_ha": a for c, a in areas.items()})
                found["area_ha"] = sum(areas.values())
                found["mapped_share"] = weights.sum() / shape.area
            elif output in ("probability", "attribution"):
                if name != "dominant player":
                    found[f"{output}_{plain}"] = np.average(own, weights=weights)
            else:
                column = output if output in ("uncertainty", "error_probability") else f"{output}_{plain}"
                found[f"{column}_mean"] = np.average(own, weights=weights)
                levels = np.quantile(own, (0.1, 0.5, 0.9), method="inverted_cdf", weights=weights)
                found.update({f"{column}_p{p}": v for p, v in zip((10, 50, 90), levels, strict=True)})
    return found


def job(paths: dict[str, str], polygons: str, folder: Path, **changes: str) -> ZonalJob:
    return replace(
        ZonalJob(tuple(paths.values()), polygons, str(folder / "zones.gpkg"), str(folder / "zones.csv")), **changes
    )


@pytest.mark.parametrize("to", ["", "EPSG:4326", "EPSG:32631"])
@pytest.mark.parametrize("large", [False, True])
def test_figures_are_those_of_brute_force(tmp_path, quiet, monkeypatch, to, large):
    if large:  # everything in parts, and percentiles in two passes
        monkeypatch.setattr(gathering, "_BLOCK_BYTES", 0)
        monkeypatch.setattr(gathering, "_SMALLEST_PX", 16)
    paths = write_layers(tmp_path)
    shapes = some_polygons()
    run(job(paths, write_polygons(tmp_path / "parcels.gpkg", shapes, to=to), tmp_path), quiet())
    table = pd.read_csv(tmp_path / "zones.csv")
    assert table["fid"].tolist() == list(range(1, 9)) and table["parcel"].tolist() == [f"P{i}" for i in range(8)]
    for number, shape in enumerate(shapes[:-1]):
        expected = brute_force(paths, shape, np.full((HEIGHT, WIDTH), 0.01))
        for name, value in expected.items():
            # what lies outside of the scene is measured in the polygons' own CRS
            close = 0.01 if to and name == "mapped_share" else 1e-6
            assert table[name][number] == pytest.approx(value, rel=close, abs=1e-12), (number, name)
    outside = table.iloc[-1]
    assert outside["mapped_share"] == 0 and outside.drop(["fid", "parcel", "sentence", "mapped_share"]).isna().all()
    assert outside["sentence"] == "Nothing of it is mapped."


def test_areas_in_degrees_follow_the_ellipsoid(tmp_path, quiet):
    transform = Affine(0.001, 0, 7.0, 0, -0.001, 50.0)
    paths = write_layers(tmp_path, transform, "EPSG:4326")
    shape = shapely.Polygon([(10.2, 3.1), (70.3, 20.4), (40.4, 55.5)])
    placed = shapely.affinity.affine_transform(shape, (0.001, 0, 0, 0.001, 7.0, 50.0 - 0.06))
    gpd.GeoDataFrame(geometry=[placed], crs=4326).to_file(tmp_path / "p.gpkg")
    run(job(paths, str(tmp_path / "p.gpkg"), tmp_path), quiet())
    rows = pixel_areas_m2(50.0 - 0.001 * (np.arange(HEIGHT) + 0.5), 1e-6) / 1e4
    expected = brute_force(paths, shape, np.broadcast_to(rows[:, None], (HEIGHT, WIDTH)))
    table = pd.read_csv(tmp_path / "zones.csv")
    for name, value in expected.items():
        assert table[name][0] == pytest.approx(value, rel=1e-6), name


def test_without_a_crs_pixels_are_counted(tmp_path, quiet):
    paths = write_layers(tmp_path, Affine(1, 0, 0, 0, -1, HEIGHT), None)
    gpd.GeoDataFrame(geometry=[shapely.box(10, 10, 20.5, 20)]).to_file(tmp_path / "p.gpkg")
    run(job({"map": paths["map"]}, str(tmp_path / "p.gpkg"), tmp_path), quiet())
    table = pd.read_csv(tmp_path / "zones.csv")
    assert table["area_px"][0] == pytest.approx(105 * table["mapped_share"][0])
    assert table.filter(like="_px").iloc[0, 1:].sum() == pytest.approx(table["area_px"][0])


def test_classes_players_and_deviations(tmp_path, quiet):
    paths = write_layers(tmp_path)
    shape = some_polygons()[0]
    run(job(paths, write_polygons(tmp_path / "p.gpkg", [shape]), tmp_path), quiet())
    line = pd.read_csv(tmp_path / "zones.csv").iloc[0]
    areas = {name: line[f"{name.replace('-', '_').replace(' ', '_')}_ha"] for name in NAMES.values()}
    assert line["class"] == max(areas, key=areas.get)
    assert line["class_share"] == pytest.approx(max(areas.values()) / line["area_ha"])
    rows, cols = np.mgrid[:HEIGHT, :WIDTH]
    shares = shapely.area(shapely.intersection(shapely.box(cols, 59 - rows, cols + 1, 60 - rows), shape))
    with rasterio.open(paths["attribution"]) as dataset:
        dominant = dataset.read(3)
    sizes = [shares[dominant == number].sum() for number in (1, 2)]
    assert line["dominant_player"] == ("visible", "SWIR")[int(np.argmax(sizes))]
    assert line["dominant_share"] == pytest.approx(max(sizes) / sum(sizes))
    ratios = []
    with rasterio.open(paths["reconstruction_error"]) as errors, rasterio.open(paths["expected_error"]) as expected:
        for band in (1, 2):
            error, scale = errors.read(band), expected.read(band)
            known = np.isfinite(error)
            squares = [np.average(np.square(v[known].astype("float64")), weights=shares[known]) for v in (error, scale)]
            ratios.append(squares[0] / (2 * squares[1]))
    assert line["deviation_s1"] == pytest.approx(np.sqrt(np.mean(ratios)), rel=1e-6)


def test_classes_whose_names_differ_in_signs_alone_are_all_there(tmp_path, quiet, monkeypatch):
    polygons = write_polygons(tmp_path / "p.gpkg", some_polygons()[:4])
    run(job(write_layers(tmp_path), polygons, tmp_path), quiet())
    plain = pd.read_csv(tmp_path / "zones.csv")
    for value, name in ((2, "A+"), (5, "A-"), (7, "area")):
        monkeypatch.setitem(NAMES, value, name)
    monkeypatch.setitem(BANDS, "probability", ("A+", "A-", "area"))
    run(job(write_layers(tmp_path), polygons, tmp_path), quiet())
    signs = pd.read_csv(tmp_path / "zones.csv")
    as_before = {"water": "A", "coniferous_wood": "A", "built_up": "area"}
    numbered = {
        "coniferous_wood_ha": "A_ha_2",
        "built_up_ha": "area_ha_2",
        "probability_coniferous_wood": "probability_A_2",
    }
    expected = {c: next((c.replace(a, b) for a, b in as_before.items() if a in c), c) for c in plain} | numbered
    assert list(signs) == [expected[column] for column in plain]
    for before, now in expected.items():
        if before not in ("class", "sentence"):
            pd.testing.assert_series_equal(signs[now], plain[before], check_names=False)


def test_the_sentence_says_what_the_figures_say(tmp_path, quiet):
    paths = write_layers(tmp_path)
    run(job(paths, write_polygons(tmp_path / "p.gpkg", some_polygons()), tmp_path), quiet())
    for _, line in pd.read_csv(tmp_path / "zones.csv").iloc[:-1].iterrows():
        text = line["sentence"]
        assert text.startswith(f"Mapped as {line['class']}") and text.endswith(".")
        assert f"{100 * line['error_probability_mean']:.0f} % likely to be wrong" in text
        player, mean = line["dominant_player"], line[f"attribution_{line['dominant_player']}"]
        reasons = {
            f"; {player} matters most over most of it": " %) and " in text,
            f", mostly because of {player}": " %) and " not in text and mean > 0,
            f", although {player}, which matters most, speaks against it": " %) and " not in text and mean <= 0,
        }
        assert {reason: reason in text for reason in reasons} == reasons
        worst = "s1" if line["deviation_s1"] > line["deviation_dem"] else "dem"
        assert f"{worst} reconstruction is {line[f'deviation_{worst}']:.1f} standard deviations off" in text
        assert (f"only {100 * line['mapped_share']:.0f} % of it is mapped" in text) == (line["mapped_share"] < 0.995)
    of_one_class = write_layers(tmp_path, AUXLENS_JOB='{"attribution_class": "water"}')
    run(job(of_one_class, str(tmp_path / "p.gpkg"), tmp_path), quiet())
    assert not pd.read_csv(tmp_path / "zones.csv")["sentence"].str.contains("because|although").any()


def test_regressions_have_means_and_percentiles(tmp_path, quiet, write):
    values = np.random.default_rng(0).normal(20, 5, (1, 30, 30)).astype("float32")
    path = write("height.tif", values, ("height",))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(AUXLENS_OUTPUT="map")
        dataset.units = ("m",)
    gpd.GeoDataFrame(geometry=[shapely.box(500_050, 5_399_800, 500_250, 5_399_900)], crs=32632).to_file(
        tmp_path / "p.gpkg"
    )
    run(job({"map": path}, str(tmp_path / "p.gpkg"), tmp_path), quiet())
    line = pd.read_csv(tmp_path / "zones.csv").iloc[0]
    inside = values[0, 10:20, 5:25]
    assert line["map_mean"] == pytest.approx(inside.mean(), rel=1e-6)
    assert line["map_p50"] == pytest.approx(np.quantile(inside, 0.5, method="inverted_cdf"))
    assert line["sentence"] == f"{inside.mean():.3g} m on average."
    assert "class" not in line


def test_modalities_of_many_bands_are_summarised(tmp_path, quiet, write):
    values = np.random.default_rng(0).normal(size=(20, 30, 30)).astype("float32")
    path = write("hsi.tif", values, tuple(f"hsi:{i}" for i in range(20)))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(AUXLENS_OUTPUT="reconstruction_error")
    gpd.GeoDataFrame(geometry=[shapely.box(500_000, 5_399_900, 500_100, 5_400_000)], crs=32632).to_file(
        tmp_path / "p.gpkg"
    )
    run(job({"r": path}, str(tmp_path / "p.gpkg"), tmp_path), quiet())
    line = pd.read_csv(tmp_path / "zones.csv").iloc[0]
    assert line["reconstruction_error_hsi_mean"] == pytest.approx(values[:, :10, :10].mean(), rel=1e-5)
    assert "reconstruction_error_hsi_0_mean" not in line


def test_every_band_that_is_read_counts_for_the_memory(tmp_path, quiet, write, monkeypatch):
    """Of a summarised modality, too: windows are as small as those of a layer with as many bands."""
    values = np.zeros((40, 300, 300), "float32")
    path = write("hsi.tif", values, tuple(f"hsi:{i}" for i in range(40)))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(AUXLENS_OUTPUT="reconstruction_error")
    boxes = [shapely.box(500_000 + x, 5_397_100, 500_800 + x, 5_399_900) for x in (100, 1200)]
    gpd.GeoDataFrame(geometry=boxes, crs=32632).to_file(tmp_path / "p.gpkg")
    monkeypatch.setattr(gathering, "_SMALLEST_PX", 16)
    monkeypatch.setattr(gathering, "_BLOCK_BYTES", 40 * 4 * 50**2)
    read, sizes = Layers.read, []
    monkeypatch.setattr(Layers, "read", lambda own, window: (sizes.append(window), read(own, window))[1])
    run(job({"r": path}, str(tmp_path / "p.gpkg"), tmp_path), quiet())
    assert sizes and max(40 * 4 * window.height * window.width for window in sizes) <= gathering._BLOCK_BYTES


def test_the_geopackage_keeps_the_polygons_and_is_styled(tmp_path, quiet):
    paths = write_layers(tmp_path)
    polygons = write_polygons(tmp_path / "parcels.gpkg", some_polygons(), to="EPSG:4326")
    given = gpd.read_file(polygons)
    given["FID"] = "mine"
    given["class"] = "theirs"
    given.to_file(tmp_path / "parcels.geojson")
    run(job(paths, str(tmp_path / "parcels.geojson"), tmp_path), quiet())
    zones = gpd.read_file(tmp_path / "zones.gpkg", layer="zones")
    assert zones.crs == given.crs and len(zones) == 8
    assert shapely.equals(
        zones.geometry.to_numpy(), gpd.read_file(tmp_path / "parcels.geojson").geometry.to_numpy()
    ).all()
    assert (zones["class"] == "theirs").all() and (zones["FID_2"] == "mine").all() and "class_2" in zones
    with sqlite3.connect(tmp_path / "zones.gpkg") as database:
        (name, text, default) = database.execute(
            "SELECT f_table_name, styleQML, useAsDefault FROM layer_styles"
        ).fetchone()
    assert (name, default) == ("zones", 1) and "error_probability_mean" in text and "% likely wrong" in text
    assert not list(tmp_path.glob(".*part*"))


def test_its_own_geopackage_is_read_again_without_a_warning(tmp_path, quiet, recwarn):
    paths = write_layers(tmp_path)
    run(job(paths, write_polygons(tmp_path / "p.gpkg", some_polygons()[:2]), tmp_path), quiet())
    again = {"output_zones": str(tmp_path / "again.gpkg"), "output_table": ""}
    run(job(paths, str(tmp_path / "zones.gpkg"), tmp_path, **again), quiet())
    assert len(gpd.read_file(again["output_zones"], layer="zones")) == 2
    assert not [warning for warning in recwarn if "layer" in str(warning.message)]


@pytest.mark.parametrize(
    ("outputs", "shown"),
    [
        (("map", "error_probability"), "error_probability_mean_2"),
        (("map",), "class_2"),
        (("uncertainty",), "mapped_share_2"),
    ],
)
def test_polygons_with_figures_are_styled_by_the_new_ones(tmp_path, quiet, outputs, shown):
    paths = {name: path for name, path in write_layers(tmp_path).items() if name in outputs}
    run(job(paths, write_polygons(tmp_path / "p.gpkg", some_polygons()[:2]), tmp_path), quiet())
    again = {"output_zones": str(tmp_path / "again.gpkg"), "output_table": ""}
    run(job(paths, str(tmp_path / "zones.gpkg"), tmp_path, **again), quiet())
    with sqlite3.connect(again["output_zones"]) as database:
        (text,) = database.execute("SELECT styleQML FROM layer_styles").fetchone()
    style = ElementTree.fromstring(text)
    filters = {rule.get("filter") for rule in style.iter("rule")} - {"ELSE", None}
    assert filters and all(text.startswith(f'"{shown}" ') for text in filters)
    assert style.findtext("mapTip") == '[% "sentence_2" %]'
    assert {shown, "sentence_2"} <= set(gpd.read_file(again["output_zones"], layer="zones"))


def test_a_disk_that_is_full_before_the_style_is_written(tmp_path, quiet, monkeypatch):
    paths = write_layers(tmp_path)
    polygons = write_polygons(tmp_path / "p.gpkg", some_polygons())
    connect, opened = sqlite3.connect, []

    def without_room(path):
        opened.append(connect(path))
        opened[0].execute("PRAGMA max_page_count = 1")  # none beyond those that there are
        return opened[0]

    monkeypatch.setattr(sqlite3, "connect", without_room)
    with pytest.raises(SceneError, match=r"cannot be written \(database or disk is full\); choose a folder with room"):
        run(job(paths, polygons, tmp_path), quiet())
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
    assert not list(tmp_path.glob("zones*")) and not list(tmp_path.glob(".*part*"))


def test_a_polygon_that_crosses_itself_is_counted_once(tmp_path, quiet):
    paths = write_layers(tmp_path)
    bow = shapely.Polygon([(10, 10), (20, 20), (20, 10), (10, 20)])
    twice = shapely.MultiPolygon([shapely.box(30, 10, 40, 20), shapely.box(35, 10, 45, 20)])
    run(job(paths, write_polygons(tmp_path / "p.gpkg", [bow, twice]), tmp_path), quiet())
    table = pd.read_csv(tmp_path / "zones.csv")
    for number, area in enumerate((50, 150)):
        assert table["area_ha"][number] == pytest.approx(table["mapped_share"][number] * area / 100)
        assert 0.8 < table["mapped_share"][number] <= 1


def test_layers_that_are_not_ours_are_left_out(tmp_path, quiet, write, caplog):
    paths = write_layers(tmp_path)
    foreign = write("foreign.tif", np.ones((1, 5, 5), "float32"))
    polygons = write_polygons(tmp_path / "p.gpkg", some_polygons())
    run(job({**paths, "foreign": foreign}, polygons, tmp_path), quiet())
    assert "foreign.tif” is no layer that “map” made" in caplog.text
    with pytest.raises(SceneError, match="None of the layers was made by AuxLens"):
        run(job({"foreign": foreign}, polygons, tmp_path), quiet())


def test_layers_of_different_models_are_told(tmp_path, quiet, caplog):
    paths = write_layers(tmp_path)
    with rasterio.open(paths["map"], "r+") as dataset:
        dataset.update_tags(AUXLENS_MODEL="other", AUXLENS_MODEL_SHA256="1")
    run(job(paths, write_polygons(tmp_path / "p.gpkg", some_polygons()), tmp_path), quiet())
    assert "different models (other, m)" in caplog.text


def bad_jobs(folder: Path, paths: dict[str, str], polygons: str):
    """What is wrong, and what is said."""
    other = folder / "other"
    other.mkdir()
    elsewhere = write_layers(other, Affine(10, 0, 600_000, 0, -10, 5_400_000))
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=32632)
    lines.to_file(folder / "lines.gpkg")
    bare = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)])
    bare.to_file(folder / "bare.gpkg")
    far = gpd.GeoDataFrame(geometry=[shapely.box(100, 10, 101, 11)], crs=4326)
    far.to_file(folder / "far.gpkg")
    gpd.GeoDataFrame({"a": []}, geometry=[], crs=4326).to_file(folder / "empty.gpkg")
    (folder / "text.gpkg").write_text("no")
    some = {"map": paths["map"]}
    yield job(some, str(folder / "lines.gpkg"), folder), SceneError, "has no polygons"
    yield job(some, str(folder / "empty.gpkg"), folder), SceneError, "has no polygons"
    yield job(some, str(folder / "bare.gpkg"), folder), SceneError, "have no CRS"
    yield job(some, str(folder / "far.gpkg"), folder), SceneError, "None of the polygons .* lies on the layers"
    yield job(some, str(folder / "none.gpkg"), folder), SceneError, "do not exist"
    yield job(some, str(folder / "text.gpkg"), folder), SceneError, "no vector layer that can be read"
    yield job(some, f"{polygons}|layername=x", folder), SceneError, "no vector layer that can be read"
    yield job({"map": paths["map"], "u": elsewhere["uncertainty"]}, polygons, folder), SceneError, "not lie on one grid"
    yield job({"map": paths["map"], "m": elsewhere["map"]}, polygons, folder), SceneError, "both of the output “map”"
    yield job({"map": str(folder / "gone.tif")}, polygons, folder), SceneError, "does not exist"
    yield job({}, polygons, folder), JobError, "No layer is given"
    yield job(some, "", folder), JobError, "No polygons are given"
    yield job(some, polygons, folder, output_zones="", output_table=""), JobError, "No output is asked for"
    yield job(some, polygons, folder, output_zones=polygons), JobError, "path of an input"
    yield (
        job(some, polygons, folder, output_zones=str(folder / "no" / "z.gpkg")),
        SceneError,
        "does not exist or cannot",
    )


def test_bad_input(tmp_path, quiet):
    paths = write_layers(tmp_path)
    polygons = write_polygons(tmp_path / "p.gpkg", some_polygons())
    for wrong, kind, message in bad_jobs(tmp_path, paths, polygons):
        with pytest.raises(kind, match=message):
            run(wrong, quiet())
        assert not (tmp_path / "zones.gpkg").exists() and not (tmp_path / "zones.csv").exists()


def test_cancel_leaves_nothing(tmp_path, quiet):
    paths = write_layers(tmp_path)
    polygons = write_polygons(tmp_path / "p.gpkg", some_polygons())
    with pytest.raises(Canceled):
        run(job(paths, polygons, tmp_path), quiet(stop_after=1))
    assert not list(tmp_path.glob("zones*")) and not list(tmp_path.glob(".*part*"))


def test_coverage_of_a_window_is_a_part_of_the_whole():
    shape = shapely.Point(20.5, -30.5).buffer(14.2)
    ((cells, shares),) = coverage([shapely.to_wkb(shape)], Window(0, 0, 60, 80))
    assert shares.sum() == pytest.approx(shape.area)
    ((part, own),) = coverage([shapely.to_wkb(shape)], Window(25, 15, 20, 10))
    rows, cols = np.divmod(part, 10)
    whole = dict(zip(cells.tolist(), shares.tolist(), strict=True))
    assert [whole[(r + 25) * 80 + c + 15] for r, c in zip(rows, cols, strict=True)] == pytest.approx(own.tolist())
    assert coverage([shapely.to_wkb(shapely.box(100, 100, 110, 110))], Window(0, 0, 60, 80))[0][0].size == 0


floats = st.floats(-1e6, 1e6, width=32) | st.just(float("nan")) | st.just(-0.0)


@settings(max_examples=60, deadline=None)
@given(arrays("float32", st.tuples(st.just(2), st.integers(1, 40)), elements=floats), st.integers(0, 2**16))
def test_streamed_quantiles_are_the_same(values, seed):
    weights = np.random.default_rng(seed).random(values.shape[1]) + 1e-3
    levels = (0.1, 0.5, 0.9, 1.0)
    whole = quantiles(values, weights, levels)
    streamed = StreamedQuantiles(2, levels)
    parts = [slice(0, 7), slice(7, None)]
    for part in parts:
        streamed.first(values[:, part], weights[part])
    streamed.between()
    for part in parts:
        streamed.second(values[:, part], weights[part])
    np.testing.assert_array_equal(streamed.result(), whole)
    for line, found in zip(values, whole, strict=True):
        known = np.isfinite(line)
        if known.any():
            wanted = np.quantile(line[known], levels, method="inverted_cdf", weights=weights[known].astype("float64"))
            np.testing.assert_array_equal(found, wanted)
        else:
            assert np.isnan(found).all()


def test_moments_and_tallies_pass_over_what_is_no_value():
    values = np.array([[1.0, np.nan, 3.0, 3.0]], "float32")
    weights = np.array([0.5, 1.0, 1.0, 0.25])
    assert moments(values, weights)[:, 0].tolist() == [1.75, 4.25, 11.75]
    assert tally(values[0], weights) == {1: 0.5, 3: 1.25}
