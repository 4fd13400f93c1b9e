"""A folder of scenes: every good scene is mapped as alone, bad ones are told, and a second run does what is left."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import geopandas as gpd
import numpy as np
import pystac
import pystac.validation
import pytest
import rasterio
import shapely
from rasterio.shutil import copy

from auxlens.engine import jobs
from auxlens.engine.executors import map as single
from auxlens.engine.executors.mapfolder import run
from auxlens.engine.mapping.folder import catalog, lock, tasks
from auxlens.models import parts
from auxlens.models.errors import Canceled, DeviceError, EngineError, JobError, ModelFileError, SceneError

BANDS = ("B2", "B3", "B4")
LAYERS = jobs.MAP_OUTPUTS
PATTERNS = {
    "input_patterns": "s2=s2.tif",
    "auxiliary_patterns": "s1=s1.tif",
    "reference_pattern": "label.tif",
}


@pytest.fixture
def make_scene(write, rng):
    """Writes a scene into ``in/<name>`` and gives its folder."""

    def make(name, height=70, width=64, **options):
        values = rng.integers(1, 250, (3, height, width)).astype("uint16")
        values[:, :3] = 0
        radar = rng.normal(-14, 3, (2, height, width)).astype("float32")
        truth = rng.choice(np.array([2, 5, 7], "uint8"), (1, height, width))
        write(f"in/{name}/s2.tif", values, BANDS, nodata=0, **options)
        write(f"in/{name}/s1.tif", radar, ("VV", "VH"), **options)
        return Path(write(f"in/{name}/label.tif", truth, nodata=0, **options)).parent

    return make


@pytest.fixture
def job(untrained, tmp_path):
    return jobs.MapFolderJob(
        untrained(),
        str(tmp_path / "in"),
        str(tmp_path / "out"),
        **PATTERNS,
        layers=LAYERS,
        precision="float32",
        output_table=str(tmp_path / "table.csv"),
        output_report=str(tmp_path / "report.html"),
    )


def table(job):
    with open(job.output_table, encoding="utf-8") as file:
        return {row["scene"]: row for row in csv.DictReader(file)}


def pixels(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def test_each_scene_is_mapped_as_alone(job, make_scene, quiet, tmp_path):
    sizes = {"a": (70, 64), "b": (70, 64), "c": (150, 130), "d": (1, 9)}
    for name, size in sizes.items():
        make_scene(name, *size)
    progress = quiet()
    result = run(job, progress)
    assert result["figures"] | {"seconds": 0} == {
        "scenes": 4, "mapped": 4, "kept": 0, "failed": 0, "pixels": sum(h * w for h, w in sizes.values()), "seconds": 0,
    }  # fmt: skip
    assert "incomplete" not in result
    assert progress.reports[-1] == (1.0, "4 of 4 scenes")
    for name in sizes:
        there = tmp_path / "in" / name
        alone = {f"output_{layer}": str(tmp_path / f"{layer}.tif") for layer in LAYERS}
        inputs, radar, truth = (str(there / f"{x}.tif") for x in ("s2", "s1", "label"))
        single.run(jobs.MapJob(job.model, (inputs,), (radar,), truth, precision="float32", **alone), quiet())
        for layer in LAYERS:
            made = tmp_path / "out" / name / f"{layer}.tif"
            # Windows that share a batch are rounded otherwise in the last bit of float32.
            np.testing.assert_allclose(pixels(made), pixels(tmp_path / f"{layer}.tif"), 1e-5, 1e-5, err_msg=layer)
            assert made.with_suffix(".qml").read_text() == (tmp_path / f"{layer}.qml").read_text()
    left = {p.name for p in (tmp_path / "out").iterdir()}
    assert left == {*sizes, "catalog.json", "model.json"}


def test_the_table_counts_what_the_layers_show(job, make_scene, quiet, tmp_path):
    make_scene("a")
    run(job, quiet())
    row, out = table(job)["a"], tmp_path / "out" / "a"
    classes = pixels(out / "map.tif")
    for value, name in ((2, "water"), (5, "wood"), (7, "town")):
        count = int((classes == value).sum())
        assert int(row[f"{name}_px"]) == count and float(row[f"{name}_ha"]) == pytest.approx(count * 0.01)
    assert float(row["mean_uncertainty"]) == pytest.approx(np.nanmean(pixels(out / "uncertainty.tif")), rel=1e-5)
    error = pixels(out / "reconstruction_error.tif")
    for band, name in enumerate(("VV", "VH")):
        found = float(row[f"mean_reconstruction_error_s1:{name}"])
        assert found == pytest.approx(np.nanmean(np.abs(error[band])), rel=1e-5)
    wrong = pixels(out / "main_error.tif")
    assert float(row["mean_main_error"]) == pytest.approx(wrong[wrong != 255].mean(), rel=1e-5)
    probability = pixels(out / "error_probability.tif")
    assert float(row["mean_error_probability"]) == pytest.approx(np.nanmean(probability), rel=1e-5)
    assert (row["status"], row["pixels"], row["message"]) == ("mapped", "4480", "")
    assert int(row["valid_px"]) == (classes != 255).sum() < 4480


def test_scenes_without_any_value_are_named(job, make_scene, quiet, caplog, monkeypatch):
    for name in ("a", "b"):
        make_scene(name)
    with rasterio.open(Path(job.scenes, "b", "s2.tif"), "r+") as scene:
        scene.write(np.zeros((3, 70, 64), scene.dtypes[0]))
    for layers in (("map", "uncertainty"), ("main_error",)):
        caplog.clear()
        run(replace(job, layers=layers), quiet())
        empty = "b: no pixel has a value in every input band, so all outputs are empty."
        assert (empty in caplog.messages) == (layers != ("main_error",))
    run(replace(job, layers=("map", "uncertainty")), quiet())
    assert table(job)["b"]["message"] in empty and table(job)["a"]["message"] == ""


def test_areas_in_degrees_are_those_of_the_ellipsoid(job, make_scene, quiet):
    make_scene("a", gsd=0.0001, origin=(10.0, 60.0), crs="EPSG:4326")
    run(replace(job, layers=("map",)), quiet())
    row = table(job)["a"]
    count, area = (sum(float(row[f"{name}_{x}"]) for name in ("water", "wood", "town")) for x in ("px", "ha"))
    assert area / count == pytest.approx(111_412 * 55_800 * 1e-8 / 1e4, rel=2e-3)  # m a degree at 60° north


def test_bad_scenes_do_not_stop_the_others(job, make_scene, write, rng, quiet, tmp_path):
    for name in "abcdef":
        make_scene(name)
    (tmp_path / "in/b/s2.tif").write_bytes(b"no raster")
    cut = tmp_path / "in/c/s2.tif"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    write("in/d/s2.tif", rng.integers(1, 9, (2, 70, 64)).astype("uint8"), ("red", "blue"))
    write("in/e/s1.tif", np.ones((2, 70, 64), "float32"), ("VV", "VH"), origin=(900_000.0, 5_000_000.0))
    (tmp_path / "in/g").mkdir()  # no scene at all
    result = run(job, quiet())
    rows = table(job)
    assert {name: row["status"] for name, row in rows.items()} == {
        "a": "mapped", "b": "failed", "c": "failed", "d": "failed", "e": "failed", "f": "mapped",
    }  # fmt: skip
    assert "is not a raster that can be read" in rows["b"]["message"]
    assert "damaged or cut short" in rows["c"]["message"] or "not a raster" in rows["c"]["message"]
    assert "The bands do not fit" in rows["d"]["message"]
    assert "does not overlap with the scene" in rows["e"]["message"]
    assert result["incomplete"].startswith("4 of 6 scenes failed (b, c, d …); the others are mapped. Why is in")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a", "f", "catalog.json", "model.json"}
    page = Path(job.output_report).read_text(encoding="utf-8")
    assert all(f"<b>{name}</b>" in page for name in "bcde") and 'src="out/a/thumbnail.png"' in page
    (tmp_path / "in/b/s2.tif").unlink()
    shutil.copy(tmp_path / "in/a/s2.tif", tmp_path / "in/b/s2.tif")
    again = run(job, quiet())["figures"]
    assert (again["mapped"], again["kept"], again["failed"]) == (1, 2, 3)


def test_what_is_missing_or_ambiguous_is_told(job, make_scene, quiet, tmp_path, caplog):
    make_scene("a")
    for name in ("b", "c", "d"):
        shutil.copytree(tmp_path / "in/a", tmp_path / "in" / name)
    for name in "abcd":
        (tmp_path / "in" / name / "s2.tif").rename(tmp_path / "in" / name / "B2.tif")
        for other in ("B3", "B4"):
            shutil.copy(tmp_path / "in" / name / "B2.tif", tmp_path / "in" / name / f"{other}.tif")
    (tmp_path / "in/b/B3.tif").unlink()
    shutil.copy(tmp_path / "in/c/B4.tif", tmp_path / "in/c/B4_old.tif")
    with caplog.at_level("INFO", "auxlens"):
        run(replace(job, input_patterns="s2=B2.tif,B3.tif,B4*.tif", layers=("map",)), quiet())
    rows = table(job)
    assert rows["b"]["message"] == "No file matches s2=B3.tif."
    assert "The pattern “B4*.tif” of s2 matches 2 files" in rows["c"]["message"]
    assert "Found 4 scenes, 2 with problems." in caplog.text and "  d: B2.tif, B3.tif, B4.tif" in caplog.text
    assert "The bands do not fit" in rows["a"]["message"]  # each file has three bands of the same names


def test_classes_of_other_names_are_told(job, make_scene, quiet, tmp_path, monkeypatch):
    said = []  # the cluster silences the root's handlers
    monkeypatch.setattr(single.log, "warning", lambda text, *values: said.append(text % values))
    make_scene("a")
    boxes = [shapely.box(500_000 + x, 5_399_000, 500_300 + x, 5_400_000) for x in (0, 300)]
    covers = gpd.GeoDataFrame({"cover": ["wood", "ice"]}, geometry=boxes, crs="EPSG:32632")
    covers.to_file(tmp_path / "in/a/truth.gpkg")
    run(replace(job, reference_pattern="truth.gpkg", reference_field="cover", layers=("main_error",)), quiet())
    assert len(said) == 1 and "does not know (names other than water, wood, town);" in said[0]


def test_a_pattern_that_matches_a_band_twice(job, make_scene, quiet, tmp_path):
    for name in "ab":
        make_scene(name)
    shutil.copy(tmp_path / "in/b/s2.tif", tmp_path / "in/b/s2_old.tif")
    run(replace(job, input_patterns="s2=s2*.tif", layers=("map",)), quiet())
    rows = table(job)
    assert (rows["a"]["status"], rows["b"]["status"]) == ("mapped", "failed")
    assert "The band B2 is given twice, by s2.tif and s2_old.tif: leave one out." in rows["b"]["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_may_not_be_read_is_told(job, make_scene, quiet, tmp_path):
    for name in "abc":
        make_scene(name)
    (tmp_path / "in/a").chmod(0o000)
    (tmp_path / "in/b/s2.tif").chmod(0o000)
    run(replace(job, layers=("map",)), quiet())
    (tmp_path / "in/a").chmod(0o700)
    rows = table(job)
    assert "cannot be read; check its permissions" in rows["a"]["message"]
    assert "s2.tif” cannot be read: you have no permission" in rows["b"]["message"]
    assert rows["c"]["status"] == "mapped"


def test_all_scenes_fail(job, make_scene, quiet, tmp_path):
    (make_scene("a") / "s2.tif").write_bytes(b"no raster")
    assert run(job, quiet())["incomplete"].startswith("All scenes failed (a). Why is in")
    said = run(replace(job, output_table="", output_report=""), quiet())["incomplete"]
    assert "The first one: “" in said and "is not a raster" in said


def test_a_model_that_cannot_be_read_ends_the_run(job, make_scene, quiet, tmp_path):
    for name in "ab":
        make_scene(name)
    content = Path(job.model).read_bytes()
    Path(job.model).write_bytes(content.replace(b"encoder", b"decoded"))
    with pytest.raises(ModelFileError, match="do not fit the network"):
        run(job, quiet())
    assert not list((tmp_path / "out").glob("*/*"))


def test_layers_that_a_scene_cannot_have_are_left_out(job, make_scene, quiet, tmp_path):
    for name in "ab":
        make_scene(name)
    (tmp_path / "in/b/s1.tif").unlink()
    (tmp_path / "in/b/label.tif").unlink()
    run(job, quiet())
    rows = table(job)
    assert rows["b"]["status"] == "mapped"
    assert rows["b"]["message"] == "left out, because the scene lacks the files: reconstruction error, main error"
    assert not (tmp_path / "out/b/main_error.tif").exists() and (tmp_path / "out/a/main_error.tif").exists()
    assert rows["b"]["mean_main_error"] == ""


def test_a_scene_that_can_have_no_layer_at_all_does_not_stop_the_others(job, make_scene, quiet, tmp_path):
    for name in "abc":
        make_scene(name)
    (tmp_path / "in/b/label.tif").unlink()
    (tmp_path / "in/c/s1.tif").unlink()
    result = run(replace(job, layers=("main_error",)), quiet())
    rows = table(job)
    assert {name: row["status"] for name, row in rows.items()} == {"a": "mapped", "b": "failed", "c": "mapped"}
    assert rows["b"]["message"] == "Lacks the files for main error."
    assert result["incomplete"].startswith("1 of 3 scenes failed (b)")
    (tmp_path / "in/c/label.tif").unlink()
    shutil.copytree(tmp_path / "in/b", (alone := tmp_path / "alone") / "b")
    run(replace(job, layers=("main_error", "reconstruction_error")), quiet())
    rows = table(job)
    assert (rows["b"]["status"], rows["c"]["status"]) == ("mapped", "failed")
    assert rows["c"]["message"] == "Lacks the files for main error, reconstruction error."
    said = run(replace(job, scenes=str(alone), layers=("main_error",)), quiet())["incomplete"]
    assert said.startswith("All scenes failed (b). Why is in")


def test_a_second_run_does_what_is_left(job, make_scene, quiet, tmp_path):
    for name in "abcd":
        make_scene(name)
    out = tmp_path / "out"
    run(job, quiet())
    before = files(out)
    assert run(job, quiet())["figures"]["kept"] == 4
    assert {k: v for k, v in files(out).items() if not k.endswith(".json")} == {
        k: v for k, v in before.items() if not k.endswith(".json")
    }
    os.utime(tmp_path / "in/a/s1.tif", (1, 1))  # another input
    (out / "b/map.tif").unlink()  # an output is gone
    (out / "c/map.tif").write_bytes(b"")  # or is something else
    (out / "d/d.json").unlink()  # or was not finished
    figures = run(job, quiet())["figures"]
    assert (figures["mapped"], figures["kept"]) == (4, 0)
    assert {k: v for k, v in files(out).items() if k.endswith(".tif")} == {
        k: v for k, v in before.items() if k.endswith(".tif")
    }
    assert run(replace(job, tile_size=64), quiet())["figures"]["mapped"] == 4
    assert run(replace(job, tile_size=64, batch_size=3), quiet())["figures"]["mapped"] == 0  # the same values


def test_another_model_or_other_layers_replace_all(job, make_scene, untrained, quiet, tmp_path):
    make_scene("a")
    run(job, quiet())
    run(replace(job, layers=("map",)), quiet())
    assert {p.name for p in (tmp_path / "out/a").iterdir()} == {
        "a.json", "map.tif", "map.qml", "map.tif.aux.xml", "thumbnail.png",
    }  # fmt: skip
    assert run(replace(job, layers=("map",), model=untrained(seed=1)), quiet())["figures"]["mapped"] == 1


def test_cancel_keeps_what_is_done(job, make_scene, quiet, tmp_path):
    for i in range(12):
        make_scene(f"s{i:02d}", 300, 300)
    with pytest.raises(Canceled, match=r"of 12 scenes are mapped\. They are kept"):
        run(job, quiet(stop_after=6))
    assert not [p for p in (tmp_path / "out").rglob("*") if ".part" in p.name or p.name.startswith(".auxlens")]
    assert all(list(folder.iterdir()) for folder in (tmp_path / "out").iterdir() if folder.is_dir())
    done = len(list((tmp_path / "out").glob("*/*.json")))
    figures = run(job, quiet())["figures"]
    assert (figures["kept"], figures["mapped"]) == (done, 12 - done)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 600 KiB, and a function that makes it larger."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "auxlens-test", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk is not allowed here")
    yield place, lambda: subprocess.run(["mount", "-o", "remount,size=100m", str(place)], check=True)
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_stops_the_run_and_the_next_goes_on(job, make_scene, quiet, small_disk):
    for i in range(30):
        make_scene(f"s{i:02d}", 90, 90)
    place, enlarge = small_disk
    layers = ("map", "uncertainty", "reconstruction_error", "main_error", "error_probability")
    job = replace(job, layers=layers, output_folder=str(place / "out"))
    with pytest.raises(
        SceneError, match=r"(the disk is full|MiB).* (\d+) of 30 scenes are mapped\. They are kept"
    ) as error:
        run(job, quiet())
    done = len(list(place.glob("out/*/[!.]*.json")))
    assert 0 < done < 30 and f" {done} of 30 scenes" in str(error.value)
    assert not list(place.rglob(".*"))
    enlarge()
    figures = run(job, quiet())["figures"]
    assert (figures["kept"], figures["mapped"]) == (done, 30 - done)


def test_a_regression_and_scenes_without_crs(untrained, make_scene, quiet, tmp_path):
    make_scene("a", crs=None)
    job = jobs.MapFolderJob(
        untrained("regression"), str(tmp_path / "in"), str(tmp_path / "out"), "s2=s2.tif",
        layers=("map", "uncertainty"), precision="float32", output_table=str(tmp_path / "t.csv"),
    )  # fmt: skip
    run(job, quiet())
    assert float(table(job)["a"]["mean_map"]) == pytest.approx(np.nanmean(pixels(tmp_path / "out/a/map.tif")), rel=1e-4)
    item = pystac.Item.from_file(str(tmp_path / "out/a/a.json"))
    assert item.geometry is None and item.bbox is None


def test_a_crs_without_a_place_on_the_earth(job, make_scene, quiet, tmp_path):
    make_scene("a", crs='LOCAL_CS["site",UNIT["metre",1]]')
    job = replace(job, layers=("map",))
    figures = run(job, quiet())["figures"]
    assert (figures["mapped"], figures["failed"]) == (1, 0)
    item = pystac.Item.from_file(str(tmp_path / "out/a/a.json"))
    assert item.geometry is None and item.bbox is None
    assert not [name for name in item.properties["auxlens:figures"] if name.endswith(" ha")]
    assert int(table(job)["a"]["water_px"]) and not table(job)["a"].get("water_ha")
    assert run(job, quiet())["figures"]["kept"] == 1


def test_a_scene_across_the_date_line_has_an_outline_on_either_side(job, make_scene, quiet, tmp_path):
    make_scene("a", crs="EPSG:32601", origin=(355_700.0, 7_156_000.0))
    run(replace(job, layers=("map",)), quiet())
    item = pystac.Item.from_file(str(tmp_path / "out/a/a.json"))
    west, south, east, north = item.bbox
    assert 179.9 < west < 180 and -180 < east < -179.9 and 64 < south < north < 65
    found = shapely.geometry.shape(item.geometry)
    assert found.geom_type == "MultiPolygon" and found.is_valid
    assert [part.bounds for part in found.geoms] == [(west, south, 180, north), (-180, south, east, north)]


def test_the_catalog_says_what_there_is(job, make_scene, quiet, tmp_path):
    make_scene("T32_20200601T103031")
    make_scene("b")
    run(job, quiet())
    found = pystac.Catalog.from_file(str(tmp_path / "out/catalog.json"))
    items = {item.id: item for item in found.get_items()}
    assert sorted(items) == ["T32_20200601T103031", "auxlens-model", "b"]
    item = items["T32_20200601T103031"]
    assert item.datetime.isoformat() == "2020-06-01T10:30:31+00:00"
    assert item.properties["proj:code"] == "EPSG:32632" and item.properties["proj:shape"] == [70, 64]
    assert item.bbox == pytest.approx([9.0, 48.7, 9.01, 48.76], abs=0.05)
    asset = item.assets["map"]
    assert Path(asset.get_absolute_href()).is_file() and asset.roles == ["data", "map"]
    classes = asset.extra_fields["classification:classes"]
    assert (classes[0]["value"], classes[0]["name"], classes[0]["color_hint"]) == (2, "water", "0000FF")
    assert item.assets["reconstruction_error"].extra_fields["raster:bands"][0]["unit"] == "dB"
    assert [link.get_absolute_href() for link in item.links if link.rel == "derived_from"] == [
        str(tmp_path / "out/model.json")
    ]
    model = items["auxlens-model"]
    assert model.properties["mlm:name"] == "tiny" and Path(model.assets["weights"].href).is_file()
    described = [band["name"] for band in model.assets["weights"].extra_fields["raster:bands"]]
    assert described == [band["name"] for band in model.properties["mlm:input"][0]["bands"]]


def test_links_of_the_catalog_lead_to_scenes_of_any_name(job, make_scene, quiet, tmp_path):
    names = ["Köln Süd (Mai)", "a&b #1 100%", "scene [2]", "x=y;z", "plain.1"]
    for name in names:
        make_scene(name)
    model = Path(job.model).rename(tmp_path / "50 % #2.safetensors")
    job = replace(job, layers=("map",), model=str(model))
    run(job, quiet())
    for item in (items := list(pystac.Catalog.from_file(str(tmp_path / "out/catalog.json")).get_items())):
        hrefs = [thing.href for thing in (*item.links, *item.assets.values())]
        assert not [href for href in hrefs if re.search(r"[#?]|%(?![0-9A-F]{2})", href)]
        assert all(Path(unquote(asset.get_absolute_href())).is_file() for asset in item.assets.values())
    assert sorted(item.id for item in items) == sorted([*names, "auxlens-model"])
    assert sorted(table(job)) == sorted(names)
    assert run(job, quiet())["figures"]["kept"] == len(names)
    assert len(re.findall('<img src="[^"]', (tmp_path / "report.html").read_text())) == len(names)


def test_scenes_that_would_share_a_folder(job, make_scene, quiet, tmp_path):
    for name in ("a#b", "a_b"):
        make_scene(name)
    run(replace(job, layers=("map",)), quiet())
    rows = table(job)
    assert [rows[name]["status"] for name in ("a#b", "a_b")] == ["mapped", "failed"]
    assert rows["a_b"]["message"] == "The scene “a#b” has the same folder; rename one of the two."


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Flut 2020", "Flut 2020"), ("höhe_2", "hohe_2"), ("demo (3)", "demo _3"), ("2024", "model 2024"), ("…", "model")],
)
def test_model_names_become_what_mlm_allows(name, expected):
    found = catalog.mlm_name(name)
    assert found == expected and re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]", found)


def test_the_catalog_validates(job, make_scene, quiet, tmp_path):
    """Against the core's schemas, which pystac brings along; those of extensions would have to be fetched."""
    pytest.importorskip("jsonschema")
    make_scene("a")
    run(job, quiet())
    for path in ("catalog.json", "model.json", "a/a.json"):
        thing = json.loads((tmp_path / "out" / path).read_text())
        thing["stac_extensions"] = []
        pystac.validation.validate_dict(thing)


def test_one_run_at_a_time(job, make_scene, quiet, tmp_path):
    make_scene("a")
    with lock.locked(job.output_folder) as token:
        assert lock.is_running(job.output_folder, token) and not lock.is_running(job.output_folder, "other")
        with pytest.raises(
            JobError, match=rf"Another run of AuxLens is writing to .*process {os.getpid()} on .* since"
        ):
            run(job, quiet())
    assert run(job, quiet())["figures"]["mapped"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="removes no open file")
def test_a_run_that_begins_as_another_ends_keeps_its_lock(tmp_path, monkeypatch):
    release, begun = lock.FileLock.release, []

    def then_another_begins(ended, *args, **options):
        release(ended, *args, **options)
        if not begun:
            begun.append(lock.FileLock(tmp_path / lock._LOCK))
            begun[0].acquire()

    with monkeypatch.context() as patched:
        patched.setattr(lock.FileLock, "release", then_another_begins)
        with lock.locked(str(tmp_path)):
            pass
    with pytest.raises(JobError, match="Another run of AuxLens"), lock.locked(str(tmp_path)):
        pass
    begun[0].release()


def test_what_a_killed_run_left_is_removed(job, make_scene, quiet, tmp_path, caplog):
    make_scene("a")
    code = (
        "import os, sys; from auxlens.engine.mapping.folder import lock\n"
        "with lock.locked(sys.argv[1]):\n"
        "    open(os.path.join(sys.argv[1], '.map.1.part.tif'), 'w').close(); print('locked', flush=True)\n"
        "    os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).resolve().parents[2]
    start = f"import sys; sys.path.insert(0, {str(root)!r}); import conftest\n{code}"
    done = subprocess.run([sys.executable, "-c", start, job.output_folder], capture_output=True, text=True)
    assert done.returncode == -9 and "locked" in done.stdout, done.stderr
    assert {".auxlens.lock", ".auxlens.run", ".map.1.part.tif"} <= {p.name for p in Path(job.output_folder).iterdir()}
    with caplog.at_level("WARNING", "auxlens"):
        run(job, quiet())
    assert "was ended from outside (process" in caplog.text
    assert {p.name for p in Path(job.output_folder).iterdir()} == {"a", "catalog.json", "model.json"}


def test_hidden_files_of_others_stay(tmp_path):
    folder = tmp_path / "out" / "a"
    folder.mkdir(parents=True)
    others = {".notes.partner.md", ".cfg.part1.rar", ".film.1.parts.txt", "map.1.part.tif"}
    strip = parts.strip_path(folder / "map.tif", "0123456789abcdef0123", 0, 512).name
    beside = [f"{part}{suffix}" for part in (".map.7.part.tif", strip) for suffix in ("", ".aux.xml")]
    for place in (folder, folder.parent):
        (place / ".x.partitions").mkdir()
        (place / ".map.8.part.tif").mkdir()
        for name in (*others, *beside, parts.part_path(folder / "item.json").name, ".p.7.part.gpkg-wal"):
            (place / name).write_text("mine")
    with lock.locked(str(folder.parent)):
        pass
    for place in (folder, folder.parent):
        assert {path.name for path in place.iterdir() if path.is_file()} == others


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"scenes": "/no/such"}, SceneError, "“/no/such” does not exist"),
        ({"layers": ()}, JobError, "No layer is asked for"),
        ({"layers": ("colour",)}, JobError, "Unknown layer “colour”; choose one of map, probability"),
        ({"input_patterns": ""}, JobError, "No pattern is given for the input modality “s2”"),
        ({"input_patterns": "x=s2.tif"}, JobError, "has no modality “x” there; it has s2"),
        ({"input_patterns": "s2=nothing.tif"}, SceneError, "s2=nothing.tif matched 0 files in sub-folders"),
        ({"auxiliary_patterns": ""}, JobError, "“reconstruction error” compares with auxiliary rasters"),
        ({"reference_pattern": ""}, JobError, "“main error” compares with a reference"),
        ({"scheduler": "localhost"}, JobError, "“localhost” is no address of a Dask scheduler"),
        ({"precision": "double"}, JobError, "Unknown precision"),
        ({"device": "cuda:99"}, DeviceError, "“cuda:99” is not in this machine"),
        ({"output_table": "/no/such/t.csv"}, SceneError, "does not exist or cannot be written"),
    ],
)
def test_jobs_that_are_wrong(job, make_scene, quiet, tmp_path, changes, error, message):
    make_scene("a")
    with pytest.raises(error, match=message):
        run(replace(job, **changes), quiet())
    assert not (tmp_path / "out").exists()


def test_table_and_report_may_lie_in_an_output_folder_that_is_not_there_yet(job, make_scene, quiet, tmp_path):
    make_scene("a")
    inside = {name: str(tmp_path / "new" / "out" / name) for name in ("table.csv", "report.html")}
    job = replace(job, output_folder=str(tmp_path / "new" / "out"), layers=("map",))
    run(replace(job, output_table=inside["table.csv"], output_report=inside["report.html"]), quiet())
    assert all(os.path.isfile(path) for path in inside.values())


def test_outputs_stay_apart_from_the_scenes(job, make_scene, quiet, tmp_path):
    make_scene("a")
    with pytest.raises(JobError, match="The output folder is the folder of scenes"):
        run(replace(job, output_folder=job.scenes), quiet())


def test_a_scene_never_replaces_what_it_reads(job, make_scene, quiet, tmp_path):
    label, kept = make_scene("a") / "label.tif", tmp_path / "out" / "a" / "map.tif"
    make_scene("b")
    kept.parent.mkdir(parents=True)
    before = label.read_bytes()
    label.replace(kept)
    label.symlink_to(kept)
    run(job, quiet())
    rows = table(job)
    assert (rows["a"]["status"], rows["b"]["status"]) == ("failed", "mapped")
    assert "“map” has the path of an input" in rows["a"]["message"]
    assert kept.read_bytes() == before


def test_no_scheduler(job, make_scene, quiet, monkeypatch):
    make_scene("a")
    monkeypatch.setattr("auxlens.engine.executors.mapfolder.CONNECT_S", 1.0)
    with pytest.raises(EngineError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        run(replace(job, scheduler="tcp://127.0.0.1:1"), quiet())


def test_files_a_band_and_patterns_of_the_model(job, make_scene, write, rng, quiet, tmp_path):
    make_scene("a")
    values = pixels(tmp_path / "in/a/s2.tif")
    (tmp_path / "in/a/s2.tif").unlink()
    for band, plane in zip(BANDS, values, strict=True):
        write(f"in/a/{band}.tif", plane[None], nodata=0)
    run(replace(job, input_patterns="s2=B2.tif,B3.tif,B4.tif", layers=("map",)), quiet())
    first = pixels(tmp_path / "out/a/map.tif")
    write("in/a/s2.tif", values, BANDS, nodata=0)
    run(replace(job, layers=("map",)), quiet())
    np.testing.assert_array_equal(first, pixels(tmp_path / "out/a/map.tif"))


def test_keys_change_with_what_matters(job, make_scene, tmp_path):
    there = make_scene("a|b")
    one = jobs.MapJob(job.model, (f"s2={there / 's2.tif'}",), output_map=str(tmp_path / "map.tif"))
    key = tasks.with_key("a", one, "sha", "").key
    assert tasks.with_key("a", replace(one, output_map="elsewhere.tif", batch_size=9), "sha", "").key == key
    for change in ({"tile_size": 64}, {"precision": "bfloat16"}, {"output_uncertainty": "u.tif"}):
        assert tasks.with_key("a", replace(one, **change), "sha", "").key != key
    assert tasks.with_key("a", one, "other", "").key != key


@pytest.mark.parametrize("changed", ["far/s2.tif", "far/s2.tif.msk", "in/a/s1.tif.msk"])
def test_keys_change_with_what_rasters_are_made_of(job, make_scene, write, rng, tmp_path, changed):
    there = make_scene("a")
    write("far/s2.tif", rng.integers(1, 250, (3, 70, 64)).astype("uint16"), BANDS, nodata=0)
    copy(str(tmp_path / "far" / "s2.tif"), str(tmp_path / "far" / "s2.vrt"), driver="VRT")
    copy(str(tmp_path / "far" / "s2.vrt"), str(there / "of_vrt.vrt"), driver="VRT")
    one = jobs.MapJob(
        job.model, (f"s2={there / 'of_vrt.vrt'}",), (f"s1={there / 's1.tif'}",), output_map=str(tmp_path / "map.tif")
    )
    task = tasks.with_key("a", one, "sha", "")
    assert task.size > (tmp_path / "far" / "s2.tif").stat().st_size
    assert tasks.with_key("a", one, "sha", "") == task
    with open(tmp_path / changed, "ab") as file:
        file.write(b"1")
    assert tasks.with_key("a", one, "sha", "").key != task.key


@pytest.mark.parametrize("name", ["truth.shp", "truth.gpkg"])
def test_keys_change_with_every_file_of_a_reference(job, make_scene, tmp_path, name):
    there = make_scene("a")
    gpd.GeoDataFrame({"class": [2]}, geometry=[shapely.box(0, 0, 9, 9)], crs="EPSG:32632").to_file(tmp_path / name)
    one = jobs.MapJob(
        job.model, (f"s2={there / 's2.tif'}",), (), f"{tmp_path / name}|layername=truth", "class",
        output_main_error=str(tmp_path / "main_error.tif"),
    )  # fmt: skip
    key = tasks.with_key("a", one, "sha", "").key
    for beside in ("truth.qml", f"{name}-shm"):  # QGIS has opened it
        (tmp_path / beside).write_bytes(b"0")
    assert tasks.with_key("a", one, "sha", "").key == key
    attributes = tmp_path / ("truth.dbf" if name == "truth.shp" else "truth.gpkg-wal")
    with open(attributes, "ab") as file:
        file.write(b"1")
    assert tasks.with_key("a", one, "sha", "").key != key
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError):
        tasks.with_key("a", one, "sha", "")
