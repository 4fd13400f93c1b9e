"""Sensitivity: changes are those of the network without the bands, by class and pixel; ranks and bad input."""

from __future__ import annotations

import base64
import csv
import re
import weakref
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch

from auxlens.engine import jobs
from auxlens.engine.executors import sensitivity as executor
from auxlens.engine.reports.sensitivity import render_sensitivity_report
from auxlens.engine.run import run
from auxlens.engine.sensitivity.occlusion import Occlusion, Sums
from auxlens.engine.sensitivity.results import Sensitivity, agreement, condensed, to_csv
from auxlens.models import file
from auxlens.models.errors import Canceled, JobError, SceneError

BANDS = ("B2", "B3", "B4")


@pytest.fixture
def scene(write, rng):
    values = rng.integers(1, 250, (3, 90, 110)).astype("uint16")
    values[:, :, :9] = 0
    return write("s2.tif", values, BANDS, nodata=0), np.where(values == 0, np.nan, values).astype("float32")


def sensitivity(model, path, folder, quiet, **values):
    names = {"report": "r.html", "table": "t.csv", "sensitivity": "s.tif"}
    outputs = {f"output_{kind}": str(folder / name) for kind, name in names.items()}
    job = jobs.SensitivityJob(model, (path,), **{"precision": "float32", **outputs, **values})
    result = run(job, quiet())
    with rasterio.open(folder / "s.tif") as made:
        raster, bands = made.read(), made.descriptions
    with open(folder / "t.csv", encoding="utf-8") as text:
        rows = {(r["group"], r["player"], r["task"]): r for r in csv.DictReader(text)}
    return result, raster, bands, rows


def test_changes_are_those_of_the_network_without_a_band(untrained, scene, tmp_path, quiet, monkeypatch):
    path, values = scene
    model = untrained(players=False)
    monkeypatch.setattr(executor, "_TILE_PX", 48)
    result, raster, bands, rows = sensitivity(model, path, tmp_path, quiet)
    network, card = file.load(model)
    assert bands == (*card.input_bands, "most influential player")  # trained without players: each band is one
    valid = np.isfinite(values).all(axis=0)
    with torch.inference_mode():
        whole = network(torch.from_numpy(values)[None])
        without = values.copy()
        without[1] = np.nan  # the network takes the mean
        part = network(torch.from_numpy(without)[None])
    p, q = (torch.softmax(raw["main"][0], dim=0).numpy() for raw in (whole, part))
    change = 0.5 * np.abs(p - q).sum(axis=0)
    assert np.allclose(raster[1][valid], change[valid], atol=1e-4) and np.isnan(raster[:, ~valid]).all()
    assert (raster[3][valid] == raster[:3].argmax(axis=0)[valid] + 1).all()
    assert np.isclose(float(rows["all", "s2:B3", "class"]["mean_change"]), change[valid].mean(), atol=1e-4)
    assert np.isclose(result["figures"]["change without s2:B3"], change[valid].mean(), atol=1e-4)
    head = network.head("s1")
    a, b = (head.physical(raw["s1"])[0][0].numpy() for raw in (whole, part))
    wood = valid & (p.argmax(axis=0) == 1)
    expected = (np.abs(a - b)[0] / 3.0)[wood].mean()
    assert np.isclose(float(rows["wood", "s2:B3", "s1:VV"]["mean_change"]), expected, rtol=1e-3)
    assert int(rows["wood", "s2:B3", "s1:VV"]["pixels"]) == wood.sum()


@pytest.mark.parametrize("removal", ["blur", "noise"])
def test_other_removals_change_other_amounts(untrained, scene, tmp_path, quiet, removal):
    model = untrained("regression", players=False)
    mean = sensitivity(model, scene[0], tmp_path, quiet)[0]["figures"]
    other = sensitivity(model, scene[0], tmp_path, quiet, removal=removal)[0]["figures"]
    keys = [key for key in mean if key.startswith("change")]
    assert len(keys) == 3 and all(other[key] > 0 and not np.isclose(other[key], mean[key]) for key in keys)


def test_a_network_with_players_is_told_who_is_absent(untrained, scene, tmp_path, quiet):
    path, values = scene
    model = untrained()
    _, raster, bands, _ = sensitivity(model, path, tmp_path, quiet)
    network, card = file.load(model)
    assert bands[:-1] == tuple(player.name for player in card.players)
    present = torch.ones(1, len(card.players), dtype=torch.bool)
    present[0, 0] = False
    with torch.inference_mode():
        x = torch.from_numpy(values)[None]
        p, q = (torch.softmax(network(x, ["main"], who)["main"][0], dim=0).numpy() for who in (None, present))
    valid = np.isfinite(values).all(axis=0)
    assert np.allclose(raster[0][valid], 0.5 * np.abs(p - q).sum(axis=0)[valid], atol=1e-4)


def test_a_network_that_never_learned_who_is_absent_is_not_told(untrained, scene, tmp_path, quiet):
    """Its training was canceled before; its players' bands are only at their mean."""
    model = untrained()
    network, card = file.load(model)
    for ended, told in (("canceled", False), ("all epochs done", True)):
        file.save(model, network, replace(card, training={"ended": ended, "attribution": {}}))
        sensitivity(model, scene[0], tmp_path, quiet)
        report = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert "their mean" in report and ("the network is told" in report) == told


def test_one_players_changes_are_in_memory_at_a_time(untrained, scene, tmp_path, quiet, monkeypatch):
    """All bands of all players would be gigabytes where there are hundreds of auxiliary bands."""
    made, alive, sizes = [], [], set()
    difference = Occlusion._difference

    def watched(self, whole, part):
        alive.append(sum(old() is not None for old in made))
        change = difference(self, whole, part)
        made.append(weakref.ref(change))
        sizes.add(tuple(change.shape))
        return change

    monkeypatch.setattr(Occlusion, "_difference", watched)
    monkeypatch.setattr(executor, "_TILE_PX", 48)
    sensitivity(untrained(players=False), scene[0], tmp_path, quiet)
    assert len(made) == 3 * 6 and max(alive) <= 1
    assert sizes == {(3, 48, 48), (3, 48, 14), (3, 42, 48), (3, 42, 14)}  # cores, without their context


def test_ranks_agree_or_not():
    changes = np.array([[4.0, 40, 1], [3, 30, 2], [2, 20, 3], [1, 10, 4]])
    assert np.allclose(agreement(changes), [1.0, -1.0])
    assert np.isnan(agreement(changes[:3])).all()


def test_the_report_says_what_the_map_leans_on(untrained, scene, tmp_path, quiet):
    figures = sensitivity(untrained(), scene[0], tmp_path, quiet)[0]["figures"]
    ordered = sorted((key for key in figures if key.startswith("change")), key=lambda key: -figures[key])
    report = (tmp_path / "r.html").read_text(encoding="utf-8")
    first, last = (key.removeprefix("change without ") for key in (ordered[0], ordered[-1]))
    assert f"The map leans most on {first} and least on {last}." in report
    assert "The reconstruction of s1:VV leans most on" in report and "Mapped as wood" in report
    assert (tmp_path / "s.qml").exists()


def panels(page):
    """How many panels the chart has."""
    chart = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", page)[1]).decode()
    return chart.count('id="axes_')


def test_a_modality_of_very_many_bands_is_shown_as_their_mean():
    rng = np.random.default_rng(0)
    hyper = tuple(f"hsi:{n}" for n in range(369))
    sums = Sums(rng.random((1, 5, 372)), np.array([4]))
    found = Sensitivity("s", "m", "mean", True, tuple("abcde"), ("height", "s1:VV", *hyper, "s1:VH"), (), sums)
    shown = condensed(found)
    assert shown.tasks == ("height", "s1:VV", "s1:VH", "hsi:all bands")
    mean = found.overall[:, 2:371].mean(axis=1)
    assert np.allclose(shown.overall, np.column_stack([found.overall[:, [0, 1, 371]], mean]))
    page = render_sensitivity_report(found)
    assert "The reconstruction of hsi:all bands leans most on " + "abcde"[int(mean.argmax())] in page
    assert "hsi:0" not in page and page.count("The reconstruction of") == 3 and panels(page) == 4
    assert "hsi:368" in to_csv(found)


def test_the_chart_of_many_tasks_stays_readable_and_the_table_has_all():
    sums = Sums(np.random.default_rng(0).random((1, 5, 97)), np.array([4]))
    bands = tuple(f"m{modality}:b{band}" for modality in range(4) for band in range(24))
    found = Sensitivity("s", "m", "mean", True, tuple("abcde"), ("height", *bands), (), sums)
    assert condensed(found).tasks == found.tasks
    page = render_sensitivity_report(found)
    assert panels(page) == 24 and "the first 24 of 97 tasks" in page and "<th>m3:b23</th>" in page
    few = Sensitivity(
        "s", "m", "mean", True, tuple("abcde"), ("height", *bands[:2]), (), Sums(sums.changes[..., :3], sums.pixels)
    )
    assert panels(render_sensitivity_report(few)) == 3 and "the first 24" not in render_sensitivity_report(few)


def test_bad_input_is_refused_before_anything_is_written(untrained, write, scene, tmp_path, quiet):
    model, out = untrained(), tmp_path / "out"
    out.mkdir()
    small = write("small.tif", np.ones((3, 10, 10), "uint8"), BANDS)
    empty = write("empty.tif", np.zeros((3, 40, 40), "uint8"), BANDS, nodata=0)
    report = {"output_report": str(out / "r.html"), "output_sensitivity": str(out / "s.tif")}
    for inputs, values, error, message in (
        ((), report, JobError, "No input raster"),
        ((scene[0],), {}, JobError, "No output"),
        ((scene[0],), {**report, "removal": "zero"}, JobError, "Unknown removal"),
        ((scene[0],), {**report, "seed": -1}, JobError, "The seed is 0 or more"),
        ((scene[0],), {"output_sensitivity": scene[0]}, JobError, "path of an input"),
        ((small,), {**report, "removal": "blur"}, SceneError, "too small to blur"),
        ((empty,), report, SceneError, "no valid pixel"),
    ):
        with pytest.raises(error, match=message):
            run(jobs.SensitivityJob(model, inputs, **values), quiet())
    with pytest.raises(Canceled):
        run(jobs.SensitivityJob(model, (scene[0],), **report), quiet(stop_after=0))
    assert not list(out.iterdir())
