"""Training: tiny real trainings, from files to a model that maps."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.features
import safetensors.torch
import torch
from affine import Affine
from shapely.geometry import Point
from tiny_scenes import (
    FAST,
    SIZE,
    landscape,
    layers,
    mapped,
    patterns,
    read,
    weights,
    write,
    write_polygons,
    write_scene,
)

from auxlens.engine import jobs
from auxlens.engine.executors.train import run
from auxlens.engine.scene.hashing import sha256
from auxlens.engine.scene.window import Window
from auxlens.engine.training import chips, learn as learning, options
from auxlens.engine.training.loop import Outcome
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.engine.training.split import TEST, TRAIN, UNLABELLED, VALIDATION
from auxlens.models import file
from auxlens.models.card import read_card
from auxlens.models.config import NetworkConfig
from auxlens.models.errors import JobError, SceneError
from auxlens.models.network import Network


def test_train_on_layers_and_map_another_scene(folder, tmp_path, quiet, monkeypatch):
    """The smallest network on offer, as it is."""
    monkeypatch.setattr(options, "CHIPS_AN_EPOCH", (96, 96))
    model, report = tmp_path / "easy.safetensors", tmp_path / "easy.html"
    progress = quiet()
    result = run(layers(folder, model, output_report=str(report), seed=3), progress)
    assert result["outputs"] == {"model": str(model), "report": str(report)}
    assert all(result["figures"][split]["overall_accuracy"] > 0.8 for split in ("validation", "test"))
    assert [f for f, _ in progress.reports] == sorted(f for f, _ in progress.reports)

    card = read_card(str(model))
    assert [(c.value, c.name) for c in card.main.classes] == [(1, "class 1"), (2, "class 2"), (3, "class 3")]
    assert (card.name, card.strategy, card.margin_px) == ("easy", "multitask", card.margin_px)
    assert [(m.name, m.bands) for m in (*card.inputs, *card.auxiliary)] == [
        ("s2", ("B2", "B3", "B4")),
        ("s1", ("VV", "VH")),
    ]
    values = read(folder / "scene_0" / "s2.tif").astype(float)
    assert np.allclose(card.inputs[0].mean, values.mean(axis=(1, 2)), rtol=0.02)
    assert np.allclose(card.inputs[0].std, values.std(axis=(1, 2)), rtol=0.05)
    assert (card.inputs[0].dtype, card.inputs[0].gsd_m, card.auxiliary[0].dtype) == ("uint16", 10.0, "float32")

    manifest = card.training
    assert manifest["job"]["seed"] == 3 and manifest["job"]["job"] == "train"
    assert manifest["split_unit"] == "block" and set(manifest["versions"]) >= {"torch", "numpy", "rasterio", "python"}
    (scene,) = manifest["scenes"]
    west, south, east, north = scene["bounds"]  # in degrees
    assert west == 9.0 and east - west == pytest.approx(1280 / 73_000, rel=0.01)  # at 48.7° north
    assert south < 48.75 < north and north - south == pytest.approx(1280 / 111_200, rel=0.01)
    assert sum(scene["blocks"].values()) == 16 and set(scene["blocks"]) == {TRAIN, VALIDATION, TEST}
    assert scene["sha256"] == {
        str(folder / "scene_0" / name): sha256(str(folder / "scene_0" / name))
        for name in ("s2.tif", "s1.tif", "label.tif")
    }
    assert manifest["figures"] == result["figures"] and manifest["ended"] == "all epochs done"
    assert set(manifest["auxiliary_rmse"]) == {"s1:VV", "s1:VH"}
    assert manifest["auxiliary_figures"]["s1:VV"]["r2"] > 0.3

    text = report.read_text(encoding="utf-8")
    assert "data:image/" in text and "class 3" in text
    assert f"{result['figures']['test']['mean_iou']:.3f}"[:4] in text

    outputs = [name for name in jobs.MAP_OUTPUTS if name != "error_probability" or card.error_models]
    arrays = mapped(model, folder, outputs, auxiliary=(str(folder / "scene_1" / "s1.tif"),))
    truth = read(folder / "scene_1" / "label.tif")
    assert (arrays["map"] == truth).mean() > 0.8
    assert ((arrays["map"] != truth) == arrays["main_error"]).all()
    assert np.allclose(arrays["probability"].sum(axis=0), 1, atol=1e-5)
    radar = read(folder / "scene_1" / "s1.tif")
    error = arrays["reconstruction"] - radar
    assert np.allclose(arrays["reconstruction_error"], error, atol=1e-4)
    assert np.abs(error).mean() < 0.6 * np.abs(radar - radar.mean(axis=(1, 2), keepdims=True)).mean()
    assert (arrays["expected_error"] > 0).all()


def test_train_on_a_folder_with_polygons(small, folder, tmp_path, quiet):
    """Text classes of a file beside the scenes; one scene lacks the radar."""
    model = tmp_path / "folder.safetensors"
    job = patterns(
        folder,
        model,
        input_patterns="s2 = s2.tif",
        reference_pattern="../../classes.gpkg",
        reference_field="cover",
        epochs=5,
    )
    result = run(job, quiet())
    assert result["figures"]["test"]["overall_accuracy"] > 0.7
    card = read_card(str(model))
    assert [(c.value, c.name) for c in card.main.classes] == [(1, "town"), (2, "water"), (3, "wood")]
    assert [m.pattern for m in (*card.inputs, *card.auxiliary)] == ["s2.tif", "s1.tif"]
    assert card.reference_pattern == "../../classes.gpkg"
    scenes = card.training["scenes"]
    assert [scene["name"] for scene in scenes] == ["scene_0", "scene_1", "scene_2"]
    assert [len(scene["sha256"]) for scene in scenes] == [3, 3, 2]
    town = mapped(model, folder, ["map"])["map"] == 1
    assert (town == (read(folder / "scene_1" / "label.tif") == 3)).mean() > 0.75


def test_train_a_regression(small, folder, tmp_path, quiet):
    model = tmp_path / "height.safetensors"
    job = patterns(folder, model, task="regression", reference_pattern="height.tif", epochs=5)
    result = run(replace(job, output_report=str(tmp_path / "r.html")), quiet())
    assert result["figures"]["test"]["r2"] > 0.5
    card = read_card(str(model))
    assert (card.main.kind, card.main.name, card.main.classes) == ("regression", "reference", ())
    truth = read(folder / "scene_1" / "height.tif")
    assert np.isclose(card.main.mean, 5, atol=0.5) and np.isclose(card.main.std, truth.std(), rtol=0.1)
    tolerances = {model.tolerance for model in card.error_models.values()}
    assert tolerances <= {result["figures"]["validation"]["rmse"]}
    arrays = mapped(model, folder, ["map", "uncertainty", "main_error"], "height.tif")
    assert 1 - ((arrays["map"] - truth) ** 2).mean() / truth.var() > 0.5
    assert (arrays["uncertainty"] > 0).all()
    held = card.intervals
    assert held and held.levels[:2] == (0.5, 0.8) and len(held.coverage) == len(held.levels)
    known = np.isfinite(truth)
    for factor, share in zip(held.factors, held.coverage, strict=True):
        inside = (np.abs(arrays["map"] - truth) <= factor * arrays["uncertainty"])[known]
        assert inside.mean() == pytest.approx(share, abs=0.15)  # of a scene of which two thirds were trained on
    assert np.allclose(arrays["main_error"], arrays["map"] - truth, atol=1e-4)
    assert (tmp_path / "r.html").stat().st_size > 10_000


def test_train_a_regression_on_points(small, folder, tmp_path, quiet):
    heights = read(folder / "scene_0" / "height.tif")[0]
    rng = np.random.default_rng(0)
    rows, cols = rng.integers(0, SIZE, (2, 300))
    points = [Point(500_005 + 10 * c, 5_399_995 - 10 * r) for r, c in zip(rows, cols, strict=True)]
    frame = gpd.GeoDataFrame({"m": heights[rows, cols]}, geometry=points, crs="EPSG:32632")
    frame.to_file(tmp_path / "points.gpkg")
    job = layers(
        folder,
        tmp_path / "m.safetensors",
        task="regression",
        reference=str(tmp_path / "points.gpkg"),
        reference_field="m",
        epochs=8,
    )
    result = run(job, quiet())
    assert result["figures"]["test"]["r2"] > 0.3 and 20 < result["figures"]["test"]["pixels"] < 150
    assert read_card(job.output_model).main.name == "m"


def test_strategy_single_has_the_main_task_alone(small, folder, tmp_path, quiet, caplog):
    model = tmp_path / "single.safetensors"
    run(layers(folder, model, strategy="single", epochs=1), quiet())
    network, card = file.load(str(model))
    assert (card.strategy, card.auxiliary, list(network.config.tasks)) == ("single", (), ["main"])
    assert "No auxiliary raster" not in caplog.text
    assert [len(scene["sha256"]) for scene in card.training["scenes"]] == [2]  # radar is not read
    assert mapped(model, folder, ["map"])["map"].shape == (1, SIZE, SIZE)


def test_multitask_without_auxiliary_rasters_is_warned_of(small, folder, tmp_path, quiet, caplog):
    run(layers(folder, tmp_path / "m.safetensors", auxiliary=(), epochs=1), quiet())
    assert "No auxiliary raster is given; the network learns the main task alone" in caplog.text


def test_strategy_multimodal_takes_the_auxiliary_modalities_as_inputs(small, folder, tmp_path, quiet, caplog):
    """The third scene lacks the radar and is left out; the model then maps with both, and only with both."""
    model = tmp_path / "both.safetensors"
    run(patterns(folder, model, strategy="multimodal", epochs=2), quiet())
    assert "1 of 3 scenes lack an auxiliary modality and are left out" in caplog.text
    network, card = file.load(str(model))
    assert (card.strategy, card.auxiliary, list(network.config.tasks)) == ("multimodal", (), ["main"])
    assert [(m.name, m.bands, m.pattern) for m in card.inputs] == [
        ("s2", ("B2", "B3", "B4"), "s2.tif"),
        ("s1", ("VV", "VH"), "s1.tif"),
    ]
    assert [scene["name"] for scene in card.training["scenes"]] == ["scene_0", "scene_1"]
    with pytest.raises(SceneError, match="The bands do not fit"):
        mapped(model, folder, ["map"])
    scene = folder / "scene_1"
    both = mapped(model, folder, ["map"], inputs=(str(scene / "s2.tif"), str(scene / "s1.tif")))["map"]
    assert both.shape == (1, SIZE, SIZE) and len(np.unique(both)) > 1


def test_strategy_shuffled_learns_the_radar_of_other_chips(small, folder, tmp_path, quiet):
    """The control has every task of multitask, learns the main task, and nothing of the radar."""
    figures = {}
    for strategy in ("multitask", "shuffled"):
        model = tmp_path / f"{strategy}.safetensors"
        figures[strategy] = run(layers(folder, model, strategy=strategy, epochs=12), quiet())["figures"]["test"]
        card = read_card(str(model))
        figures[strategy]["vv"] = card.training["auxiliary_figures"]["s1:VV"]["r2"]
        assert (card.strategy, [m.name for m in card.auxiliary]) == (strategy, ["s1"])
    assert figures["shuffled"]["overall_accuracy"] > 0.7
    assert figures["multitask"]["vv"] > 0.6 > 0.2 > figures["shuffled"]["vv"]


def test_seeds(small, folder, tmp_path, quiet):
    made = {}
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        run(layers(folder, tmp_path / f"{name}.safetensors", seed=seed, epochs=2), quiet())
        made[name] = weights(tmp_path / f"{name}.safetensors")
    assert all(torch.equal(made["again"][key], value) for key, value in made["first"].items())
    assert not any(
        torch.equal(made["other"][key], value) for key, value in made["first"].items() if key.endswith("conv.weight")
    )
    assert not torch.equal(made["other"]["heads.main.layer.weight"], made["first"]["heads.main.layer.weight"])


def test_the_manifest_in_the_card_trains_the_same_model_again(small, folder, tmp_path, quiet):
    first = tmp_path / "first.safetensors"
    run(patterns(folder, first, epochs=2), quiet())
    job = jobs.from_json(json.dumps(read_card(str(first)).training["job"]))
    assert job == patterns(folder, first, epochs=2)
    run(replace(job, output_model=str(tmp_path / "again.safetensors")), quiet())
    again = weights(tmp_path / "again.safetensors")
    assert all(torch.equal(again[key], value) for key, value in weights(first).items())


def test_players_change_nothing_but_the_attributions(folder, tmp_path, quiet):
    with_players, without = tmp_path / "with.safetensors", tmp_path / "without.safetensors"
    run(patterns(folder, with_players, seed=3), quiet())
    run(patterns(folder, without, seed=3, players="none"), quiet())
    first, second = (safetensors.torch.load_file(path) for path in (with_players, without))
    assert all(name.startswith(("absence.", "explainer.")) for name in first.keys() - second.keys())
    assert second and all(torch.equal(first[name], values) for name, values in second.items())


@pytest.mark.parametrize("minutes", [0.0, 60.0])
def test_progress_goes_on_while_attributions_are_learned(small, folder, tmp_path, quiet, monkeypatch, minutes):
    """Each has its part: of a limited time, or of the batches, which are those of eight steps of a quarter for one."""
    monkeypatch.setattr(options, "EXPLAINER_STEPS", (40, 6400))
    progress = quiet()
    run(layers(folder, tmp_path / "m.safetensors", time_limit=minutes), progress)
    shares = [share for share, _ in progress.reports]
    assert shares == sorted(shares) and shares[-1] == 1.0
    trained, explained = (
        [share for share, message in progress.reports if message.startswith(words)]
        for words in ("Epoch ", "Learning attributions")
    )
    steps = 3 * 64 // 8
    assert len(trained) == steps and len(explained) == 8 * steps
    assert trained[-1] == pytest.approx(0.97 * (0.75 if minutes else 1 / 3))
    assert explained[-1] == pytest.approx(0.97) and np.ptp(np.diff(explained)) < 1e-9


def test_coarser_auxiliary_rasters_are_learned_by_their_means(tmp_path, quiet):
    for number in range(4):
        write_scene(tmp_path / "scenes" / f"scene_{number}", number)
        coarse = landscape(number)[::3, ::3].astype("float32")[None]
        path = write(tmp_path / "scenes" / f"scene_{number}" / "dem.tif", coarse)
        with rasterio.open(path, "r+") as dataset:
            dataset.transform = Affine(30, 0, 500_000, 0, -30, 5_400_000)
    job = jobs.TrainFolderJob(
        str(tmp_path / "m.safetensors"),
        scenes=str(tmp_path / "scenes"),
        input_patterns="s2=s2.tif",
        auxiliary_patterns="s1=s1.tif;dem=dem.tif",
        reference_pattern="label.tif",
        **FAST,
    )
    setup = Setup(job, scenes_of(job), quiet())
    tasks, card = setup.config.tasks, setup.card(Outcome({}))
    assert {name: task.coarseness for name, task in tasks.items()} == {"main": 1, "s1": 1, "dem": 3}
    assert {m.name: m.gsd_m for m in (*card.inputs, *card.auxiliary)} == {"s2": 10.0, "s1": 10.0, "dem": 30.0}
    assert Network(NetworkConfig((4, 6), (0.0,) * 3, (1.0,) * 3, tasks)).head("dem").coarseness == 3


def test_scenes_kept_for_testing_teach_nothing(folder, tmp_path, quiet):
    """Neither their references nor the distribution of their values."""
    for name, scale in (("near", 1), ("far", 30)):
        scene = tmp_path / "test" / name
        optical = (read(folder / "scene_2" / "s2.tif") * scale).astype("uint16")
        write(scene / "s2.tif", optical, ("B2", "B3", "B4"))
        write(scene / "label.tif", read(folder / "scene_2" / "label.tif"), nodata=0)
    job = patterns(folder, tmp_path / "m.safetensors", test_scenes=str(tmp_path / "test"))
    setup = Setup(job, scenes_of(job), quiet())
    assert [scene.name for scene in setup.scenes if scene.for_test] == ["far", "near"]
    assert {block.scene for block, split in zip(setup.blocks, setup.splits, strict=True) if split == TEST} == {3, 4}
    alone = Setup(replace(job, test_scenes=""), scenes_of(replace(job, test_scenes="")), quiet())
    assert np.allclose(setup.statistics["s2"], alone.statistics["s2"], rtol=0.02)
    with pytest.raises(SceneError, match="none” does not exist; check the path"):
        scenes_of(replace(job, test_scenes=str(tmp_path / "none")))


def test_scenes_kept_for_testing_are_not_trained_on(folder, tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "lake").symlink_to(folder / "scene_1")
    for place, names in ((folder, "scene_0, scene_1, scene_2"), (tmp_path / "test", "lake")):
        with pytest.raises(JobError, match=f"The test scenes {names} are trained on too"):
            scenes_of(patterns(folder, tmp_path / "m.safetensors", test_scenes=str(place)))


def test_scenes_without_a_reference_teach_the_auxiliary_tasks(folder, tmp_path, quiet, caplog):
    for number in range(3):
        scene = tmp_path / "scenes" / f"scene_{number}"
        scene.mkdir(parents=True)
        for name in ("s2", "s1", "label")[: 2 if number == 1 else 3]:
            if (folder / f"scene_{number}" / f"{name}.tif").exists():
                (scene / f"{name}.tif").symlink_to(folder / f"scene_{number}" / f"{name}.tif")
    job = patterns(tmp_path / "scenes", tmp_path / "m.safetensors")
    with caplog.at_level("INFO"):
        setup = Setup(job, scenes_of(job), quiet())
    assert "1 scene(s) have no reference and teach the auxiliary tasks alone" in caplog.text
    assert {b.scene for b, s in zip(setup.blocks, setup.splits, strict=True) if s == UNLABELLED} == {1}
    samples = learning._training_chips(setup, 32, 300, np.random.default_rng(0))
    assert len(samples) == 300 and sum(sample.scene == 1 for sample in samples) == 100
    chip = setup.reader(TRAIN).read(chips.Sample(1, Window(0, 0, SIZE, SIZE), 0))
    assert np.isfinite(chip["s1"]).all() and np.isnan(chip["main"]).all()
    single = replace(job, strategy="single")
    alone = Setup(single, scenes_of(single), quiet())
    assert {sample.scene for sample in learning._training_chips(alone, 32, 300, np.random.default_rng(0))} == {0, 2}


def test_a_scene_in_which_the_reference_of_all_holds_nothing_is_one_without(folder, tmp_path, quiet):
    polygons = write_polygons(tmp_path / "some.gpkg", [(landscape(0), 500_000.0), (landscape(2), 504_000.0)])
    job = patterns(folder, tmp_path / "m.safetensors", reference_pattern=polygons, reference_field="cover")
    setup = Setup(job, scenes_of(job), quiet())
    assert {b.scene for b, s in zip(setup.blocks, setup.splits, strict=True) if s == UNLABELLED} == {1}


def test_bands_in_another_order_are_put_in_order(tmp_path, rng):
    values = rng.integers(1, 99, (3, SIZE, SIZE)).astype("uint8")
    write(tmp_path / "a" / "s2.tif", values, ("B2", "B3", "B4"))
    write(tmp_path / "a" / "label.tif", values[:1] % 3)
    write(tmp_path / "b" / "s2.tif", values, ("B4", "b02", "B3"))
    scenes = scenes_of(patterns(tmp_path, tmp_path / "m.safetensors", auxiliary_patterns=""))
    assert [[band.number for band in scene.inputs[0].bands] for scene in scenes] == [[1, 2, 3], [2, 3, 1]]


def test_names_of_files_with_dots(small, folder, tmp_path, quiet):
    radar = write(tmp_path / "S1A.v1.0.tif", read(folder / "scene_0" / "s1.tif"))
    run(layers(folder, tmp_path / "m.safetensors", auxiliary=(radar,), epochs=1), quiet())
    assert [m.name for m in read_card(str(tmp_path / "m.safetensors")).auxiliary] == ["S1A_v1_0"]


def test_a_scene_without_crs(small, tmp_path, quiet):
    truth = landscape(1)
    optical = write(tmp_path / "s2.tif", np.stack([truth, 2 - truth]).astype("uint8"), crs=None)
    label = write(tmp_path / "label.tif", truth[None].astype("uint8"), crs=None)
    job = jobs.TrainJob(str(tmp_path / "m.safetensors"), inputs=(optical,), reference=label, **{**FAST, "epochs": 8})
    assert run(job, quiet())["figures"]["test"]["overall_accuracy"] > 0.7
    card = read_card(job.output_model)
    assert card.inputs[0].gsd_m is None and [c.value for c in card.main.classes] == [0, 1, 2]
    assert json.loads(card.to_json())["tile_px"] == card.tile_px
