"""Mapping: tiles fit together exactly, nodata and grids are exact, and nothing partial is left."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.shutil
import shapely
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from auxlens.engine import jobs
from auxlens.engine.executors.map import run
from auxlens.engine.mapping import products
from auxlens.models import file
from auxlens.models.card import ErrorModel, Intervals
from auxlens.models.config import ATTRIBUTION
from auxlens.models.errors import Canceled, DeviceError, JobError, SceneError

BANDS = ("B2", "B3", "B4")


@pytest.fixture
def scene(write, rng):
    """A scene of 150 × 170 px with a strip of nodata, and radar and a reference for it."""
    values = rng.integers(1, 250, (3, 150, 170)).astype("uint16")
    values[:, :, :9] = 0
    values[1, 40:44, 60] = 0  # one band is enough
    radar = rng.normal(-14, 3, (2, 150, 170)).astype("float32")
    radar[:, 100:110] = np.nan
    truth = rng.choice(np.array([2, 5, 7], "uint8"), (1, 150, 170))
    truth[0, :20] = 0
    return {
        "inputs": (write("s2.tif", values, BANDS, nodata=0),),
        "auxiliary": (write("s1.tif", radar, ("VV", "VH"), nodata=np.nan),),
        "reference": write("label.tif", truth, nodata=0),
        "values": values,
        "radar": radar,
        "truth": truth,
    }


def job_of(model, scene, folder, outputs=jobs.MAP_OUTPUTS, **options):
    paths = {f"output_{name}": str(folder / f"{name}.tif") for name in outputs}
    given = {key: scene[key] for key in ("inputs", "auxiliary", "reference") if key in scene}
    return jobs.MapJob(model, **{"precision": "float32", **given, **paths, **options})


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


def whole(model, values, tasks=None):
    """The network on the whole scene at once: the reference for everything."""
    network, card = file.load(model)
    with torch.inference_mode():
        x = torch.from_numpy(np.where(values == 0, np.nan, values).astype("float32"))[None]
        return network, card, network(x, tasks)


def test_every_output_has_its_values(untrained, scene, tmp_path, quiet):
    model = untrained()
    result = run(job_of(model, scene, tmp_path, tile_size=64), quiet())
    assert list(result["outputs"]) == list(jobs.MAP_OUTPUTS)
    network, card, raw = whole(model, scene["values"])
    valid = (scene["values"] != 0).all(axis=0)
    probability = torch.softmax(raw["main"][0], dim=0).numpy()
    classes = np.array([c.value for c in card.main.classes])
    best = classes[probability.argmax(axis=0)]
    mean, scale = (v[0].numpy() for v in network.head("s1").physical(raw["s1"]))
    entropy = -(probability * np.log(probability)).sum(axis=0) / np.log(3)
    wrong = np.where(scene["truth"][0] == 0, 255, best != scene["truth"][0])

    def check(name, expected, nodata, tolerance=1e-4):
        found = read(tmp_path / f"{name}.tif")
        assert found.shape == expected.shape, name
        hole = np.isnan(found) if np.isnan(nodata) else found == nodata
        assert hole[:, ~valid].all(), name
        seen = valid & np.isfinite(expected).all(axis=0)
        assert np.allclose(found[:, seen], expected[:, seen], atol=tolerance, rtol=1e-4), name

    check("map", best[None], 255)
    check("probability", probability, np.nan)
    check("uncertainty", entropy[None], np.nan)
    check("reconstruction", mean, np.nan, 1e-2)
    check("expected_error", scale, np.nan, 1e-2)
    check("reconstruction_error", mean - scene["radar"], np.nan, 1e-2)
    check("main_error", wrong[None], 255)
    error = read(tmp_path / "error_probability.tif")[0]
    assert np.isfinite(error[valid]).all() and error[valid].min() >= 0 and error[valid].max() <= 1
    assert np.isnan(read(tmp_path / "reconstruction_error.tif")[:, 105, 20:]).all()  # no reference, no error


def attributions(network, raw, chosen):
    """The definition: contributions of the chosen class, ``(players, H, W)``, and its score above the bias."""
    score = network.head("main").score(raw["main"])
    parts = network.explainer.attributions(raw[ATTRIBUTION], score)[0]
    above = score[0] - network.explainer.bias[:, None, None]
    index = torch.as_tensor(chosen).expand(score.shape[-2:])[None]
    return parts.gather(1, index.expand(len(parts), 1, *index.shape[1:]))[:, 0].numpy(), above.gather(0, index).numpy()


@pytest.mark.parametrize("chosen", ["", "town", "5"])
def test_attributions_sum_to_the_score(untrained, scene, tmp_path, quiet, chosen):
    model = untrained()
    job = job_of(model, scene, tmp_path, ["attribution"], tile_size=64, attribution_class=chosen)
    result = run(job, quiet())
    network, _card, raw = whole(model, scene["values"], ("main", ATTRIBUTION))
    classes = raw["main"][0].argmax(dim=0) if not chosen else {"town": 2, "5": 1}[chosen]
    expected, above = attributions(network, raw, classes)
    found = read(tmp_path / "attribution.tif")
    valid = (scene["values"] != 0).all(axis=0)
    assert found.shape == (3, 150, 170) and np.isnan(found[:, ~valid]).all()
    assert np.allclose(found[:2, valid], expected[:, valid], atol=1e-4)
    assert np.abs(found[:2].sum(axis=0) - above[0])[valid].max() <= 1e-4
    assert (found[2, valid] == 1 + np.abs(found[:2, valid]).argmax(axis=0)).all()
    assert 0 <= result["figures"]["efficiency_residual"] <= 1e-4
    with rasterio.open(tmp_path / "attribution.tif") as made:
        assert made.descriptions == ("player 1", "player 2", "dominant player")
        bias = json.loads(made.tags()["AUXLENS_ATTRIBUTION_BIAS"])
    assert list(bias) == ["2", "5", "7"]
    score = network.head("main").score(raw["main"])[0].gather(0, torch.as_tensor(classes).expand(1, 150, 170))[0]
    whole_score = found[:2].sum(axis=0) + np.array(list(bias.values()))[classes]
    assert np.abs(whole_score - score.numpy())[valid].max() <= 1e-4


def test_attributions_of_a_regression_are_in_its_unit(untrained, scene, tmp_path, quiet):
    model = untrained("regression")
    run(job_of(model, scene, tmp_path, ["map", "attribution"]), quiet())
    network = file.load(model)[0]
    nothing = network.head("main").standardise.physical(network.explainer.bias.view(1, 1, 1, 1)).item()
    found, valid = read(tmp_path / "attribution.tif"), (scene["values"] != 0).all(axis=0)
    estimate = read(tmp_path / "map.tif")[0]
    assert np.allclose(found[:2].sum(axis=0)[valid], (estimate - nothing)[valid], atol=1e-3)
    with rasterio.open(tmp_path / "attribution.tif") as made:
        assert float(made.tags()["AUXLENS_ATTRIBUTION_BIAS"]) == pytest.approx(nothing, rel=1e-5)


def test_attributions_that_the_model_cannot_give_are_refused(untrained, scene, tmp_path, quiet):
    with pytest.raises(JobError, match="without players and gives no attributions; train one with players"):
        run(job_of(untrained(players=False), scene, tmp_path, ["attribution"]), quiet())
    with pytest.raises(JobError, match="no class “lake” to attribute; choose one of water, wood, town"):
        run(job_of(untrained(), scene, tmp_path, ["attribution"], attribution_class="lake"), quiet())
    run(job_of(untrained(players=False), scene, tmp_path, ["map"]), quiet())
    assert [path.name for path in tmp_path.glob("*.tif") if path.stem in jobs.MAP_OUTPUTS] == ["map.tif"]


def test_error_probability_falls_back_where_references_end(untrained, scene, tmp_path, quiet):
    model = untrained()
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    seen = run(job_of(model, scene, tmp_path / "a", ["error_probability"]), quiet())
    blind = run(job_of(model, {**scene, "auxiliary": ()}, tmp_path / "b", ["error_probability"]), quiet())
    assert (seen["figures"]["error_probability"], blind["figures"]["error_probability"]) == ("observed", "expected")
    with_radar, without = (read(tmp_path / x / "error_probability.tif")[0] for x in "ab")
    assert np.allclose(with_radar[100:110, 20:], without[100:110, 20:])
    assert not np.allclose(with_radar[:100, 20:], without[:100, 20:], equal_nan=True)


def test_error_models_of_older_files_give_what_they_gave(untrained, scene, tmp_path, quiet):
    path = untrained()
    network, card = file.load(path)
    features = ("entropy", "margin", "expected s1:VV", "error s1:VV", "size s1:VH")
    weights = (1.0, -0.1, 0.5, 0.2, 2.0)
    forms = {
        "expected": ErrorModel(features[:3], (0.0,) * 3, (1.0,) * 3, weights[:3], -1.0),
        "observed": ErrorModel(features, (0.0,) * 5, (1.0,) * 5, weights, -1.0),
    }
    file.save(path, network, replace(card, error_models=forms, input_density=None))
    run(job_of(path, scene, tmp_path, ["error_probability"], tile_size=64), quiet())
    raw = whole(path, scene["values"])[2]
    log_p = torch.log_softmax(raw["main"][0], dim=0)
    first, second = log_p.sort(dim=0, descending=True).values[:2]
    location, scale = (v[0] for v in network.head("s1").physical(raw["s1"]))
    error = ((location - torch.from_numpy(scene["radar"])) / scale).clamp(-20, 20)
    values = (
        -(log_p.exp() * log_p).sum(dim=0) / np.log(3), (first - second).clamp(max=20),
        network.head("s1").log_scale(raw["s1"])[0, 0], error[0], torch.log1p(error[1].abs()),
    )  # fmt: skip
    expected = torch.sigmoid(sum(w * v for w, v in zip(weights, values, strict=True)) - 1.0).numpy()
    found = read(tmp_path / "error_probability.tif")[0]
    seen = (scene["values"] != 0).all(axis=0) & np.isfinite(expected)
    assert np.allclose(found[seen], expected[seen], atol=1e-4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tile=st.integers(46, 200), extra=st.integers(0, 9))
def test_tiles_of_any_size_fit_together(untrained, scene, tmp_path, quiet, tile, extra):
    model = untrained()
    _network, card, raw = whole(model, scene["values"])
    assert tile >= 2 * card.margin_px
    (tmp_path / "whole").mkdir(exist_ok=True)
    outputs = ["probability", "error_probability"]
    run(job_of(model, scene, tmp_path, outputs, tile_size=tile, overlap=card.margin_px + extra), quiet())
    run(job_of(model, scene, tmp_path / "whole", outputs, tile_size=512), quiet())
    error, in_one = (read(folder / "error_probability.tif") for folder in (tmp_path, tmp_path / "whole"))
    assert np.allclose(error, in_one, atol=1e-4, equal_nan=True) and np.nanstd(error) > 0.05
    found = read(tmp_path / "probability.tif")
    valid = (scene["values"] != 0).all(axis=0)
    expected = torch.softmax(raw["main"][0], dim=0).numpy()
    assert np.abs(found - expected)[:, valid].max() <= 1e-4
    assert np.isnan(found[:, ~valid]).all()


@pytest.mark.parametrize("size", [(95, 95), (96, 96), (97, 97), (1, 1), (1, 200), (200, 1)])
def test_small_and_odd_sizes(untrained, write, rng, tmp_path, quiet, size):
    path = write("s2.tif", rng.integers(1, 250, (3, *size)).astype("uint8"), BANDS)
    run(job_of(untrained(), {"inputs": (path,)}, tmp_path, ["map", "probability"]), quiet())
    assert read(tmp_path / "map.tif").shape == (1, *size)
    assert np.allclose(read(tmp_path / "probability.tif").sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_input_types_give_the_same_map(untrained, write, rng, tmp_path, quiet, dtype):
    model, values = untrained(), np.random.default_rng(0).integers(1, 120, (3, 40, 40))
    run(job_of(model, {"inputs": (write(f"{dtype}.tif", values.astype(dtype), BANDS),)}, tmp_path, ["map"]), quiet())
    raw = whole(model, values)[2]["main"][0].argmax(dim=0).numpy()
    assert (read(tmp_path / "map.tif")[0] == np.array([2, 5, 7])[raw]).all()


def test_grid_names_tags_colours_and_sidecars(untrained, scene, tmp_path, quiet):
    model = untrained()
    job = job_of(model, scene, tmp_path)
    run(job, quiet())
    with rasterio.open(scene["inputs"][0]) as given:
        for name in jobs.MAP_OUTPUTS:
            with rasterio.open(tmp_path / f"{name}.tif") as made:
                assert (made.crs, made.transform, made.shape) == (given.crs, given.transform, given.shape)
                assert made.profile["tiled"] and made.compression.name == "zstd"
                tags = made.tags()
                assert tags["AUXLENS_OUTPUT"] == name and len(tags["AUXLENS_MODEL_SHA256"]) == 64
                assert jobs.from_json(tags["AUXLENS_JOB"]) == job
            assert (tmp_path / f"{name}.qml").read_text().lstrip().startswith("<")
    names = {n: rasterio.open(tmp_path / f"{n}.tif").descriptions for n in ("probability", "reconstruction")}
    assert names == {"probability": ("water", "wood", "town"), "reconstruction": ("s1:VV", "s1:VH")}
    with rasterio.open(tmp_path / "map.tif") as made:
        assert made.colormap(1)[5] == (0, 170, 0, 255)
    assert "<Category>water</Category>" in (tmp_path / "map.tif.aux.xml").read_text()
    with rasterio.open(tmp_path / "expected_error.tif") as made:
        assert made.units == ("dB", "dB")


def test_regression(untrained, scene, tmp_path, quiet):
    model = untrained("regression")
    scene["reference"] = scene["inputs"][0]  # any numbers
    outputs = [name for name in jobs.MAP_OUTPUTS if name != "probability"]
    run(job_of(model, scene, tmp_path, outputs, tile_size=64), quiet())
    network, _, raw = whole(model, scene["values"])
    mean, scale = (v[0].numpy() for v in network.head("main").physical(raw["main"]))
    valid = (scene["values"] != 0).all(axis=0)
    assert np.allclose(read(tmp_path / "map.tif")[:, valid], mean[:, valid], atol=1e-3)
    assert np.allclose(read(tmp_path / "uncertainty.tif")[:, valid], scale[:, valid], atol=1e-3)
    error = mean[0] - scene["values"][0]
    assert np.allclose(read(tmp_path / "main_error.tif")[0, valid], error[valid], atol=1e-3)
    with rasterio.open(tmp_path / "uncertainty.tif") as made:  # the model was never calibrated
        assert not {"AUXLENS_INTERVAL_FACTORS", "AUXLENS_ERROR_FACTOR"} & set(made.tags())


def test_a_regression_says_what_makes_an_interval(untrained, scene, tmp_path, quiet):
    model = untrained("regression")
    network, card = file.load(model)
    file.save(model, network, replace(card, intervals=Intervals((0.5, 0.6826895, 0.9), (0.7, 1.0, 2.25), 1.1)))
    run(job_of(model, scene, tmp_path, ["map", "uncertainty"]), quiet())
    for name in ("map", "uncertainty"):
        with rasterio.open(tmp_path / f"{name}.tif") as made:
            assert json.loads(made.tags()["AUXLENS_INTERVAL_FACTORS"]) == {"0.5": 0.7, "0.6826895": 1.0, "0.9": 2.25}
            assert made.tags()["AUXLENS_ERROR_FACTOR"] == "1.1"


def test_extent_and_mask(untrained, scene, write, tmp_path, quiet):
    model = untrained()
    (tmp_path / "all").mkdir(), (tmp_path / "part").mkdir()
    run(job_of(model, scene, tmp_path / "all", ["map"]), quiet())
    mask = np.zeros((1, 150, 170), "uint8")
    mask[0, 50:80, 60:100] = 1
    extent = (500_450.0, 5_398_900.0, 501_203.0, 5_399_607.0)  # west, south, east, north
    part = job_of(model, scene, tmp_path / "part", ["map"], extent=extent, mask=write("mask.tif", mask))
    run(part, quiet())
    whole_map, cut = read(tmp_path / "all" / "map.tif")[0], read(tmp_path / "part" / "map.tif")[0]
    assert cut.shape == (71, 76)
    expected = np.where(mask[0] == 1, whole_map, 255)[39:110, 45:121]
    assert (cut == expected).all()
    with rasterio.open(tmp_path / "part" / "map.tif") as made:
        assert (made.bounds.left, made.bounds.top) == (500_450.0, 5_399_610.0)


def test_a_scene_of_nodata_gives_nodata(untrained, write, tmp_path, quiet, caplog):
    path = write("s2.tif", np.zeros((3, 50, 50), "uint16"), BANDS, nodata=0)
    run(job_of(untrained(), {"inputs": (path,)}, tmp_path, ["map", "probability", "reconstruction"]), quiet())
    assert (read(tmp_path / "map.tif") == 255).all()
    assert np.isnan(read(tmp_path / "probability.tif")).all() and np.isnan(read(tmp_path / "reconstruction.tif")).all()
    assert "all outputs are empty" in caplog.text


def test_cancel_leaves_nothing_and_keeps_what_was_there(untrained, scene, tmp_path, quiet):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "map.tif").write_text("older")
    with pytest.raises(Canceled):
        run(job_of(untrained(), scene, folder, tile_size=64), quiet(stop_after=2))
    assert [p.name for p in folder.iterdir()] == ["map.tif"] and (folder / "map.tif").read_text() == "older"


def test_damage_in_the_middle_leaves_nothing(untrained, write, rng, tmp_path, quiet):
    good = write("whole.tif", rng.integers(1, 999, (3, 400, 400)).astype("uint16"), BANDS)
    cut = tmp_path / "damaged.tif"
    rasterio.shutil.copy(good, cut, compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    middle = cut.stat().st_size // 2
    with cut.open("r+b") as raw:
        raw.seek(middle)
        raw.write(b"\xff" * 20_000)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(SceneError, match="damaged or cut short"):
        run(job_of(untrained(), {"inputs": (str(cut),)}, folder, ["map"]), quiet())
    assert not list(folder.iterdir())


def test_a_full_disk_is_told_before_any_work(untrained, scene, tmp_path, quiet, monkeypatch):
    usage = type("Usage", (), {"free": 10_000})()
    monkeypatch.setattr("auxlens.engine.scene.writing.shutil.disk_usage", lambda path: usage)
    with pytest.raises(SceneError, match=r"need about .* MiB .* are free; make room"):
        run(job_of(untrained(), scene, tmp_path), quiet())
    assert not list(tmp_path.glob("*.part*"))


def test_a_folder_that_does_not_exist(untrained, scene, tmp_path, quiet):
    with pytest.raises(SceneError, match="does not exist or cannot be written"):
        run(job_of(untrained(), scene, tmp_path / "none"), quiet())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_told(untrained, scene, tmp_path, quiet):
    (tmp_path / f".map.{os.getpid()}.part.tif").symlink_to("/dev/full")
    with pytest.raises(SceneError):
        run(job_of(untrained(), scene, tmp_path, ["map"]), quiet())
    assert not (tmp_path / "map.tif").exists()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"outputs": ()}, JobError, "No output"),
        ({"auxiliary": ()}, JobError, "compares with auxiliary rasters"),
        ({"reference": ""}, JobError, "compares with a reference"),
        ({"device": "gpu"}, DeviceError, "Unknown device"),
        ({"device": "cuda:9"}, DeviceError, "not in this machine"),
        ({"precision": "half"}, JobError, "Unknown precision"),
        ({"precision": "float16"}, DeviceError, "CPU computes in float32 or bfloat16"),
        ({"extent": (0.0, 0.0, 1.0, 1.0)}, SceneError, "outside of the scene"),
        ({"extent": (0.0, 0.0, 1.0, 1.0), "extent_crs": "mars"}, SceneError, "the extent, “mars”, is not known"),
        ({"extent": (0.0, 0.0, 1.0, 1.0), "extent_crs": "EPSG:utm"}, SceneError, "“EPSG:utm”, is not known; give"),
        ({"tile_size": -1}, JobError, "0 or more"),
    ],
)
def test_wrong_jobs_are_refused_before_anything_is_written(untrained, scene, tmp_path, quiet, change, error, message):
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(error, match=message):
        run(job_of(untrained(), scene, folder, **change), quiet())
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("values", "told"),
    [((2, 3, 9), "(3, 9)"), (("wood", "ice", "sand"), "(names other than water, wood, town)"), (("town",) * 3, "")],
)
def test_classes_that_the_model_does_not_know_are_told(untrained, scene, tmp_path, quiet, caplog, values, told):
    """A class by its number, as it stands in the reference; of names, which have none, what they are not."""
    model, truth = untrained(), tmp_path / "truth.gpkg"
    wests = [500_000.0 + 500 * number for number in range(3)]
    boxes = [shapely.box(west, 5_398_500, west + 500, 5_400_000) for west in wests]
    gpd.GeoDataFrame({"cover": list(values)}, geometry=boxes, crs="EPSG:32632").to_file(truth)
    run(job_of(model, {**scene, "reference": str(truth)}, tmp_path, ["main_error"], reference_field="cover"), quiet())
    said = [record.getMessage() for record in caplog.records if "classes that the model does not know" in record.msg]
    assert [told in message for message in said] == [True] * bool(told)


def test_less_overlap_than_the_receptive_field_is_warned_of(untrained, scene, tmp_path, quiet, caplog):
    run(job_of(untrained(), scene, tmp_path, ["map"], overlap=3), quiet())
    assert "seams may be visible" in caplog.text


def test_a_batch_that_does_not_fit_is_halved(untrained, scene, tmp_path, quiet, monkeypatch, caplog):
    model = untrained()
    from auxlens.engine.mapping import stream

    forward, sizes = stream._run, []

    def scarce(chips, engine):
        if len(chips) > 1:
            raise torch.OutOfMemoryError("scripted")
        sizes.append(len(chips))
        return forward(chips, engine)

    monkeypatch.setattr(stream, "_run", scarce)
    run(job_of(model, scene, tmp_path, ["map"], tile_size=40, batch_size=4), quiet())
    raw = whole(model, scene["values"])[2]["main"][0].argmax(dim=0).numpy()
    valid = (scene["values"] != 0).all(axis=0)
    assert (read(tmp_path / "map.tif")[0] == np.array([2, 5, 7])[raw])[valid].mean() > 0.999
    assert "going on with half" in caplog.text and set(sizes) == {1}


def test_the_job_in_the_tags_is_json(untrained, scene, tmp_path, quiet):
    run(job_of(untrained(), scene, tmp_path, ["map"]), quiet())
    with rasterio.open(tmp_path / "map.tif") as made:
        assert json.loads(made.tags()["AUXLENS_JOB"])["job"] == "map"


def test_the_largest_is_the_first_of_equals_also_without_numbers():
    values = torch.tensor([[1.0, 2.0, 3.0, math.nan], [1.0, 5.0, -1.0, math.nan], [0.0, 5.0, 2.0, math.nan]])
    assert products.largest(values)[:3].tolist() == [0, 1, 0]
    assert 0 <= products.largest(values)[3] < 3
    many = torch.randn(300, 50)
    assert torch.equal(products.largest(many), many.argmax(dim=0))
    assert torch.equal(products.largest(many[:200]), many[:200].argmax(dim=0))
