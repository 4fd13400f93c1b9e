"""The job on explained errors: right answers on planted ones, yes and no, and bad input."""

from __future__ import annotations

import csv
import tracemalloc
from contextlib import ExitStack

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from scipy import ndimage
from torchmetrics.functional.classification import binary_calibration_error

from auxlens.engine import jobs
from auxlens.engine.explain import findings, mapped
from auxlens.engine.explain.mapped import SceneLayers, find_layers, thinned
from auxlens.engine.explain.moving import local_correlation, write_correlation
from auxlens.engine.explain.scores import condensed
from auxlens.engine.explain.verdict import verdict
from auxlens.engine.run import run
from auxlens.engine.scene.reading import ModalityReader
from auxlens.models.errors import Canceled, JobError, SceneError

SIZE = 160


def write_layer(folder, kind, values, bands=(), tag=True, origin=0.0):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}.tif"
    values = np.atleast_3d(values.T).T
    whole = values.dtype == np.uint8
    profile = {"driver": "GTiff", "count": len(values), "dtype": values.dtype, "height": SIZE, "width": SIZE}
    transform = Affine(10, 0, 500_000 + origin, 0, -10, 5_400_000)
    place = {"crs": "EPSG:32632", "transform": transform, "nodata": 255 if whole else np.nan}
    with rasterio.open(path, "w", **profile, **place) as d:
        d.write(values)
        if bands:
            d.descriptions = bands
        if tag:
            d.update_tags(AUXLENS_OUTPUT=kind)
    return str(path)


def make_scene(folder, seed=0, explained=True):
    """Layers in which errors follow (or do not follow) the radar's reconstruction error; never elevation's."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 6)
    level = smooth / smooth.std()
    other = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 6)
    chance = 1 / (1 + np.exp(3 - 2.5 * (level if explained else np.zeros_like(level))))
    wrong = (rng.random((SIZE, SIZE)) < chance).astype("uint8")
    wrong[:10] = 255
    sign = np.where(rng.random((SIZE, SIZE)) < 0.5, -1, 1)
    radar = sign * np.exp(level) + rng.normal(0, 0.2, (SIZE, SIZE))
    bands = ("s1:VV", "dem:elevation")
    return {
        "main_error": write_layer(folder, "main_error", wrong),
        "reconstruction_error": write_layer(
            folder, "reconstruction_error", np.stack([radar, other * 30]).astype("float32"), bands
        ),
        "uncertainty": write_layer(folder, "uncertainty", rng.random((SIZE, SIZE)).astype("float32")),
        "error_probability": write_layer(folder, "error_probability", chance.astype("float32")),
    }


def explain(folder, quiet, **values):
    outputs = {"output_report": str(folder / "r.html"), "output_table": str(folder / "t.csv")}
    result = run(jobs.ExplainErrorsJob(**{**outputs, **values}), quiet())
    with open(folder / "t.csv", encoding="utf-8") as file:
        rows = {(r["figure"], r["of"], r["group"]): r for r in csv.DictReader(file)}
    return result, rows, (folder / "r.html").read_text(encoding="utf-8")


def test_a_planted_relation_is_found_and_its_absence_too(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    _, rows, report = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    radar = rows["pearson", "s1:VV (absolute)", "all"]
    assert float(radar["low"]) > 0.2 and float(radar["p_value"]) < 1e-3
    assert float(radar["effective_size"]) < 0.2 * float(radar["pixels"])
    assert int(radar["pixels"]) == (SIZE - 10) * SIZE
    assert abs(float(rows["pearson", "s1:VV (signed)", "all"]["value"])) < 0.1
    assert float(rows["pearson, shifted at random", "s1:VV (absolute)", "all"]["p_value"]) == 0.005
    assert float(rows["pearson, shifted at random", "dem:elevation (absolute)", "all"]["p_value"]) > 0.02
    gain = rows["auroc gain over uncertainty", "reconstruction error", "all"]
    assert float(gain["low"]) > 0 and "Yes," in report and "s1:VV" in report
    assert "better than the uncertainty alone" in report and report.count("data:image/png") >= 1
    _, rows, report = explain(tmp_path, quiet, inputs=tuple(make_scene(tmp_path / "b", explained=False).values()))
    assert "No: the main errors are not explained" in report
    gain = rows["auroc gain over uncertainty", "reconstruction error", "all"]
    assert float(gain["low"]) < 0 < float(gain["high"])


def test_many_bands_neither_hide_a_relation_nor_make_one_up(tmp_path, quiet):
    """The best of many correlations is compared with the best that chance makes of as many."""
    for name, explained in (("a", True), ("b", False)):
        layers = make_scene(tmp_path / name, explained=explained)
        with rasterio.open(layers["reconstruction_error"]) as dataset:
            radar = dataset.read(1)
        rng = np.random.default_rng(5)
        others = [ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 6) for _ in range(12)]
        bands = ("s1:VV", *(f"hsi:{n}" for n in range(12)))
        values = np.stack([radar, *others]).astype("float32")
        layers["reconstruction_error"] = write_layer(tmp_path / name, "reconstruction_error", values, bands)
        _, rows, report = explain(tmp_path, quiet, inputs=tuple(layers.values()))
        alone, of_all = (
            [float(row["p_value"]) for (figure, _, _), row in rows.items() if figure == name]
            for name in (findings.SHIFTED, findings.SHIFTED_ANY)
        )
        assert len(alone) == len(of_all) == 13 and all(one <= best for one, best in zip(alone, of_all, strict=True))
        if explained:
            assert "Yes," in report and "(s1:VV; strongest" in report and alone[0] == of_all[0] == 0.005
        else:
            assert "No: the main errors are not explained" in report and min(of_all) > 0.05


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([("VV", 0.12, 0.005), ("VH", -0.55, 0.005)], ["Yes, a little:", "(s1:VV; strongest r = 0.12 for s1:VV)",
            "But where those of s1:VH are large, the map is wrong less often", "(strongest r = -0.55 for s1:VH)"]),
        ([("VV", 0.12, 0.005), ("VH", -0.55, 0.4)], ["Yes, a little:", "strongest r = 0.12 for s1:VV)."]),
        ([("VV", 0.01, 0.9), ("VH", -0.55, 0.005)], ["No: the main errors are not explained", "The other way round:",
            "(strongest r = -0.55 for s1:VH)"]),
        ([("VV", 0.01, 0.9), ("VH", -0.1, 0.2)], ["No:", "(s1:VH, r = -0.10) is what shifting", "by chance"]),
    ],
)  # fmt: skip
def test_the_verdict_goes_by_what_is_beyond_chance_and_by_its_sign(lines, words):
    """A strong negative correlation is no reason to call errors explained, nor is it chance."""
    found = findings.Findings(
        tuple(findings.Line(findings.SHIFTED_ANY, f"s1:{b} (absolute)", "all", r, p=p) for b, r, p in lines),
        {}, {}, None, 0.0, 0.1, 1000, "block", 64, (),
    )  # fmt: skip
    told = verdict(found)[0]
    assert all(word in told for word in words)
    assert ("by chance" in told) == all(p >= 0.05 for _, _, p in lines)
    assert ("VH" in told) == (lines[1][2] < 0.05 or lines[0][2] >= 0.05)


def many_bands(folder, count=40):
    """A scene in which a modality of many bands has the radar's errors in each, at its own scale and sign."""
    layers = make_scene(folder)
    with rasterio.open(layers["reconstruction_error"]) as dataset:
        radar, elevation = dataset.read()
    rng = np.random.default_rng(7)
    hyper = [10.0 ** rng.uniform(-3, 3) * (-1) ** n * radar for n in range(count)]
    bands = ("dem:elevation", *(f"hsi:{n}" for n in range(count)))
    values = np.stack([elevation, *hyper]).astype("float32")
    layers["reconstruction_error"] = write_layer(folder, "reconstruction_error", values, bands)
    layers["expected_error"] = write_layer(folder, "expected_error", np.abs(values), bands)
    return layers, radar


def test_a_modality_of_very_many_bands_is_told_as_one(tmp_path, quiet):
    layers, radar = many_bands(tmp_path / "a")
    _, rows, report = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    assert {of for figure, of, _ in rows if figure == findings.SHIFTED} == {
        f"{band} (absolute)" for band in ("dem:elevation", "hsi:all bands")
    }
    assert "hsi:7" not in report and "(hsi:all bands; strongest" in report
    with rasterio.open(layers["main_error"]) as dataset:
        wrong = dataset.read(1)
    known = wrong != 255
    # sizes do not cancel as errors of both signs do, and no band outweighs the others by its scale
    expected = np.corrcoef(np.abs(radar)[known], wrong[known])[0, 1]
    assert np.isclose(float(rows["pearson", "hsi:all bands (absolute)", "all"]["value"]), expected, atol=1e-4)
    with ExitStack() as stack:
        (scene,) = condensed([thinned(opened(layers, stack), 1)])
    median = np.median(np.abs(radar[np.isfinite(radar)]))
    assert np.allclose(scene.size("hsi:all bands"), np.abs(radar) / median, rtol=1e-4)
    assert np.allclose(scene.expected["hsi:all bands"], np.abs(radar) / median, rtol=1e-4)
    assert list(scene.auxiliary) == list(scene.expected) == ["dem:elevation", "hsi:all bands"]


def test_a_job_on_many_bands_can_be_canceled_band_by_band(tmp_path, quiet):
    layers, _ = many_bands(tmp_path / "a")
    job = jobs.ExplainErrorsJob(
        inputs=tuple(layers.values()), output_table=str(tmp_path / "t.csv"), output_correlation=str(tmp_path / "c.tif")
    )
    progress = quiet()
    run(job, progress)
    said = [message for _, message in progress.reports]
    fractions = [fraction for fraction, _ in progress.reports]
    assert fractions == sorted(fractions)
    assert said.count("Putting bands together") == 2 * 40 and said.count("Computing statistics") > 2 * 10
    assert said.count("Correlating in windows: 1 of 1") == 41
    (tmp_path / "t.csv").unlink()
    (tmp_path / "c.tif").unlink()
    for step in ("Putting bands together", "Computing statistics", "Correlating in windows: 1 of 1"):
        with pytest.raises(Canceled):
            run(job, quiet(stop_after=2 + said.index(step)))
    assert not (tmp_path / "t.csv").exists() and not (tmp_path / "c.tif").exists()


def test_calibration_error_is_torchmetrics(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    _, rows, _ = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    with rasterio.open(layers["error_probability"]) as p, rasterio.open(layers["main_error"]) as e:
        probability, wrong = p.read(1), e.read(1)
    known = wrong != 255
    expected = binary_calibration_error(
        torch.from_numpy(probability[known]), torch.from_numpy(wrong[known].astype(int)), n_bins=15
    )
    assert np.isclose(float(rows["ece", "error probability", "all"]["value"]), float(expected), atol=1e-6)


def test_a_folder_of_scenes_is_told_apart_by_scene(tmp_path, quiet):
    for number in range(9):
        make_scene(tmp_path / "mapped" / f"scene_{number}", seed=number)
    _, rows, report = explain(tmp_path, quiet, scenes=str(tmp_path / "mapped"))
    assert ("pearson", "s1:VV (absolute)", "scene scene_8") in rows
    assert "9 scenes drawn with replacement" in report
    assert float(rows["auroc", "error probability", "all"]["low"]) > 0.6


def test_unfinished_files_are_no_layers(tmp_path, quiet):
    make_scene(tmp_path / "mapped" / "scene_0")
    (tmp_path / "mapped" / "scene_0" / ".map.123.part.tif").write_bytes(b"II")
    assert explain(tmp_path, quiet, scenes=str(tmp_path / "mapped"))[1]


def opened(layers, stack):
    return SceneLayers(find_layers(tuple(layers.values())), "", "", stack)


def test_pixels_are_every_nth_and_no_others_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "_TILE_PX", 32)
    layers, bands = make_scene(tmp_path / "a"), tuple(f"hsi:{n}" for n in range(24))
    errors = np.random.default_rng(0).random((24, SIZE, SIZE)).astype("float32")
    layers["reconstruction_error"] = write_layer(tmp_path / "a", "reconstruction_error", errors, bands)
    with ExitStack() as stack:
        scene = opened(layers, stack)
        for step in (1, 7, 33, 700):  # also more than a tile's side
            found = thinned(scene, step)
            assert np.array_equal(found.auxiliary["hsi:23"], errors[23, ::step, ::step])
        tracemalloc.start()
        try:
            kept = thinned(scene, 8)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(kept.auxiliary) == 24 and peak < 0.25 * errors.nbytes


def test_only_layers_that_are_used_are_read(tmp_path, quiet, monkeypatch):
    layers, read = make_scene(tmp_path / "a"), []
    values = np.zeros((2, SIZE, SIZE), "float32")
    layers["reconstruction"] = write_layer(tmp_path / "a", "reconstruction", values, ("s1:VV", "dem:elevation"))
    original = ModalityReader.read
    monkeypatch.setattr(ModalityReader, "read", lambda self, w: read.append(self.source.name) or original(self, w))
    with ExitStack() as stack:
        scene = opened(layers, stack)
        thinned(scene, 2)
        assert set(read) == set(layers) - {"reconstruction"}
        read.clear()
        write_correlation(scene, str(tmp_path / "c.tif"), 31, "{}", quiet())
        assert set(read) == {"main_error", "reconstruction_error"}


def test_map_and_reference_stand_in_for_the_main_error(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    with rasterio.open(layers["main_error"]) as d:
        wrong = d.read(1)
    truth = np.where(wrong == 255, 255, 1).astype("uint8")
    mapped = np.where(wrong == 1, 2, 1).astype("uint8")
    reference = write_layer(tmp_path / "truth", "label", truth, tag=False)
    _, direct, _ = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    inputs = (write_layer(tmp_path / "a", "map", mapped), *(p for k, p in layers.items() if k != "main_error"))
    _, made, _ = explain(tmp_path, quiet, inputs=inputs, reference=reference)
    key = ("pearson", "s1:VV (absolute)", "all")
    assert made[key]["value"] == direct[key]["value"]


def test_local_correlation_is_that_of_the_window(rng, tmp_path, quiet):
    x, y = rng.normal(size=(2, 60, 50)).astype("float32")
    x[20:24, 30] = np.nan
    found = local_correlation(x, y, 11)
    window = slice(17, 28), slice(25, 36)
    known = np.isfinite(x[window])
    assert np.isclose(found[22, 30], np.corrcoef(x[window][known], y[window][known])[0, 1], atol=1e-5)
    assert np.isnan(local_correlation(np.zeros_like(x), y, 11)).all()
    layers, path = make_scene(tmp_path / "a"), tmp_path / "c.tif"
    explain(tmp_path, quiet, inputs=tuple(layers.values()), output_correlation=str(path), window_size=31)
    with rasterio.open(path) as made, rasterio.open(layers["main_error"]) as given:
        assert made.descriptions == ("s1:VV", "dem:elevation") and made.transform == given.transform
        values = made.read()
        assert np.nanmin(values) >= -1 and np.nanmax(values) <= 1 and np.nanmedian(values[0]) > 0.1
    assert path.with_suffix(".qml").exists()


@pytest.mark.parametrize(("value", "word"), [(0, "right"), (1, "wrong")])
def test_nothing_to_tell_apart_is_said(tmp_path, quiet, value, word):
    layers = make_scene(tmp_path / "a")
    write_layer(tmp_path / "a", "main_error", np.full((SIZE, SIZE), value, "uint8"))
    _, rows, report = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    assert f"Every compared pixel is {word}" in report and not [k for k in rows if k[0] == "auroc"]


def test_a_constant_band_is_left_out_and_the_rest_kept(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    with rasterio.open(layers["reconstruction_error"], "r+") as d:
        d.write(np.full((SIZE, SIZE), 2.0, "float32"), 2)
    _, rows, report = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    assert "The reconstruction error of dem:elevation is the same everywhere" in report
    assert ("pearson", "s1:VV (absolute)", "all") in rows and ("pearson", "dem:elevation (absolute)", "all") not in rows


def test_bad_input_is_refused_before_anything_is_written(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    out = tmp_path / "out"
    out.mkdir()
    strange = write_layer(tmp_path / "b", "strange", np.zeros((SIZE, SIZE), "float32"), tag=False)
    elsewhere = write_layer(tmp_path / "c", "uncertainty", np.zeros((SIZE, SIZE), "float32"), origin=1000.0)
    other = write_layer(tmp_path / "d", "uncertainty", np.zeros((SIZE, SIZE), "float32"))
    with rasterio.open(other, "r+") as dataset:
        dataset.update_tags(AUXLENS_MODEL_SHA256="0" * 64)
    main, errors = layers["main_error"], layers["reconstruction_error"]
    report = {"output_report": str(out / "r.html")}
    for values, error, message in (
        ({}, JobError, "Give either the layers"),
        ({"inputs": (main,), "scenes": "x"}, JobError, "Give either the layers"),
        ({"inputs": (main,), "window_size": 4}, JobError, "odd number"),
        ({"inputs": (main, errors), "seed": -1}, JobError, "The seed is 0 or more"),
        ({"scenes": str(tmp_path / "none")}, SceneError, "does not exist"),
        ({"scenes": str(out)}, SceneError, "holds no layers"),
        ({"scenes": str(tmp_path), "output_correlation": str(out / "c.tif")}, JobError, "for one scene"),
        ({"inputs": (strange,)}, SceneError, "does not say that AuxLens made it"),
        ({"inputs": (main, main)}, SceneError, "both of the output “main error”"),
        ({"inputs": (main, layers["uncertainty"])}, SceneError, "neither reconstruction errors nor expected"),
        ({"inputs": (errors,)}, SceneError, "no main error, and no map with a reference"),
        ({"inputs": (main, errors, elsewhere)}, SceneError, "do not lie on one grid"),
        ({"inputs": (main, errors, other)}, SceneError, "made with different models"),
        ({"inputs": (main, errors), "output_report": main}, JobError, "path of an input"),
    ):
        with pytest.raises(error, match=message):
            run(jobs.ExplainErrorsJob(**{**report, **values}), quiet())
    with pytest.raises(JobError, match="No output"):
        run(jobs.ExplainErrorsJob((main, errors)), quiet())
    with pytest.raises(Canceled):
        run(jobs.ExplainErrorsJob((main, errors), **report), quiet(stop_after=1))
    assert not list(out.iterdir())


def test_a_regression_is_wrong_where_its_error_probability_calls_it_so(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    error = np.random.default_rng(3).normal(0, 2, (SIZE, SIZE)).astype("float32")
    layers["main_error"] = write_layer(tmp_path / "a", "main_error", error)
    rmse = float(np.sqrt((error.astype(float) ** 2).mean()))
    result, _, _ = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    assert result["figures"]["error rate"] == pytest.approx((np.abs(error) > rmse).mean())
    with rasterio.open(layers["error_probability"], "r+") as dataset:
        dataset.update_tags(AUXLENS_ERROR_TOLERANCE="1")
    result, _, _ = explain(tmp_path, quiet, inputs=tuple(layers.values()))
    assert result["figures"]["error rate"] == pytest.approx((np.abs(error) > 1).mean())


def test_layers_without_common_pixels(tmp_path, quiet):
    layers = make_scene(tmp_path / "a")
    write_layer(tmp_path / "a", "main_error", np.full((SIZE, SIZE), 255, "uint8"))
    with pytest.raises(SceneError, match="No pixel has both"):
        run(jobs.ExplainErrorsJob(tuple(layers.values()), output_table=str(tmp_path / "t.csv")), quiet())
