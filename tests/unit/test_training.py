"""Training: tiny real trainings, from files to a model that maps; and every mistake is told before they begin."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import lightning_fabric
import numpy as np
import pytest
import rasterio
import rasterio.features
import safetensors.torch
import torch
from affine import Affine
from shapely.geometry import Point, shape

from auxlens.engine import jobs
from auxlens.engine.mapping.job import run as run_map
from auxlens.engine.publish.training import run
from auxlens.engine.scene.hashing import sha256
from auxlens.engine.scene.window import Window
from auxlens.engine.training import chips, learn as learning, masking, options
from auxlens.engine.training.loop import Budget, Outcome, train
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.engine.training.split import TEST, TRAIN, UNLABELLED, VALIDATION
from auxlens.engine.training.survey import BandStatistics, Block
from auxlens.engine.training.validation import Validation
from auxlens.engine.training.weighting import TotalLoss
from auxlens.models import file, network as networks
from auxlens.models.card import read_card
from auxlens.models.errors import Canceled, DeviceError, JobError, SceneError
from auxlens.models.network import Network, NetworkConfig, TaskConfig

SIZE = 128
FAST = {"epochs": 3, "chip_size": 32, "batch_size": 8, "precision": "float32"}
CLASSES = {1: "water", 2: "wood", 3: "town"}


def landscape(seed: int) -> np.ndarray:
    """Three smooth classes, 0 to 2."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:SIZE, :SIZE] / SIZE * 2 * np.pi
    waves = sum(np.sin(rng.integers(1, 4) * rows + rng.integers(1, 4) * cols + rng.uniform(0, 6)) for _ in range(4))
    return np.digitize(waves, np.quantile(waves, [1 / 3, 2 / 3]))


def write(path: Path, values: np.ndarray, bands=(), nodata=None, crs="EPSG:32632", west=500_000.0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
    transform = Affine(10, 0, west, 0, -10, 5_400_000)
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform, nodata=nodata) as dataset:
        dataset.write(values)
        dataset.descriptions = bands or dataset.descriptions
    return str(path)


def write_scene(folder: Path, seed: int, s1: bool = True, west: float = 500_000.0) -> np.ndarray:
    """A scene whose classes, radar and height are easily told from its three optical bands."""
    truth, rng = landscape(seed), np.random.default_rng(seed)
    optical = np.stack([1000 + 700 * truth, 3000 - 800 * truth, 800 + 500 * (truth == 1)])
    optical = (optical + rng.normal(0, 150, optical.shape)).astype("uint16")
    write(folder / "s2.tif", optical, ("B2", "B3", "B4"), west=west)
    if s1:
        radar = np.stack([-8 - 4 * truth, -15 + 2 * truth]) + rng.normal(0, 1, (2, SIZE, SIZE))
        write(folder / "s1.tif", radar.astype("float32"), ("VV", "VH"), west=west)
    write(folder / "label.tif", (truth[None] + 1).astype("uint8"), nodata=0, west=west)
    write(folder / "height.tif", (5.0 * truth[None] + rng.normal(0, 0.5, (1, SIZE, SIZE))).astype("float32"), west=west)
    return truth


def write_polygons(path: Path, truths: list[tuple[np.ndarray, float]]) -> str:
    """Polygons of some of the classes' areas, with their names."""
    found = []
    for truth, west in truths:
        transform = Affine(10, 0, west, 0, -10, 5_400_000)
        lattice = (np.indices(truth.shape) // 16).sum(axis=0) % 2 == 0  # half of the scene has no reference
        for geometry, value in rasterio.features.shapes(truth.astype("uint8"), lattice, transform=transform):
            found.append({"geometry": shape(geometry), "cover": CLASSES[int(value) + 1]})
    gpd.GeoDataFrame(found, crs="EPSG:32632").to_file(path)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three scenes beside each other; the last has no radar. Polygons lie one folder up."""
    root = tmp_path_factory.mktemp("training")
    wests = [500_000.0 + i * 2000 for i in range(3)]
    truths = [write_scene(root / "scenes" / f"scene_{i}", i, i < 2, west) for i, west in enumerate(wests)]
    write_polygons(root / "classes.gpkg", list(zip(truths, wests, strict=True)))
    return root / "scenes"


@pytest.fixture
def small(monkeypatch):
    """A network and epochs a few times smaller than the smallest on offer."""
    monkeypatch.setitem(networks.PRESETS, "small", (8, 16, 24))
    monkeypatch.setattr(options, "CHIPS_AN_EPOCH", (64, 64))


def layers(folder: Path, model: Path, **changes) -> jobs.TrainJob:
    scene = folder / "scene_0"
    given = {
        "inputs": (str(scene / "s2.tif"),),
        "auxiliary": (str(scene / "s1.tif"),),
        "reference": str(scene / "label.tif"),
    }
    return jobs.TrainJob(**{"output_model": str(model), **given, **FAST, **changes})


def patterns(folder: Path, model: Path, **changes) -> jobs.TrainFolderJob:
    given = {
        "scenes": str(folder),
        "input_patterns": "s2=s2.tif",
        "auxiliary_patterns": "s1=s1.tif",
        "reference_pattern": "label.tif",
    }
    return jobs.TrainFolderJob(str(model), **{**given, **FAST, **changes})


class StopAt:
    """A progress that is stopped once a message begins with some words."""

    def __init__(self, words: str) -> None:
        self.words, self.stopped, self.said = words, False, []

    def report(self, fraction: float, message: str) -> None:
        assert 0 <= fraction <= 1
        self.said.append(message)
        self.stopped |= message.startswith(self.words)

    def canceled(self) -> bool:
        return self.stopped


def read(path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def mapped(model: Path, folder: Path, outputs, reference="label.tif", **options) -> dict[str, np.ndarray]:
    """Maps the second scene with a model, and gives the arrays."""
    scene = folder / "scene_1"
    paths = {f"output_{name}": str(model.parent / f"{name}.tif") for name in outputs}
    given = {"inputs": (str(scene / "s2.tif"),), "reference": str(scene / reference), "precision": "float32"}
    result = run_map(jobs.MapJob(str(model), **{**given, **paths, **options}), StopAt("never"))
    return {name: read(path) for name, path in result["outputs"].items()}


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


def test_strategy_multimodal_needs_a_scene_with_everything(tmp_path, rng):
    for name, other in (("a", "s1"), ("b", "dem")):
        for file_name in ("s2", "label", other):
            write(tmp_path / name / f"{file_name}.tif", rng.integers(1, 3, (1, SIZE, SIZE)).astype("uint8"))
    job = patterns(
        tmp_path, tmp_path / "m.safetensors", strategy="multimodal", auxiliary_patterns="s1=s1.tif;dem=dem.tif"
    )
    with pytest.raises(SceneError, match="No scene has all of s1, dem, which the strategy multimodal takes as inputs"):
        scenes_of(job)


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


def test_targets_of_other_chips():
    inputs, main, radar = (torch.arange(3.0).reshape(3, 1, 1, 1) + start for start in (0, 10, 20))
    batch = chips.with_targets_of_others(chips.Batch(inputs, {"main": main, "s1": radar}))
    assert batch.inputs.flatten().tolist() == [0, 1, 2] and batch.targets["main"].flatten().tolist() == [10, 11, 12]
    assert batch.targets["s1"].flatten().tolist() == [22, 20, 21]


def weights(path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(str(path))


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


@pytest.mark.parametrize("words", ["Reading", "Surveying", "Epoch 1, step 3"])
def test_cancel_in_the_first_epoch_leaves_nothing(small, folder, tmp_path, words):
    progress = StopAt(words)
    with pytest.raises(Canceled, match="was canceled"):
        run(layers(folder, tmp_path / "m.safetensors"), progress)
    assert progress.stopped and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "epochs"),
    [
        ("Epoch 2, step 10", 1),  # in the middle of the second epoch
        ("Epoch 2, step 16", 1),  # before its validation
        ("Measuring on held-out references (validation)", 3),
    ],
)
def test_cancel_later_keeps_the_best_weights(small, folder, tmp_path, words, epochs):
    model = tmp_path / "m.safetensors"
    with pytest.raises(Canceled, match=r"best weights so far are in “.*m\.safetensors”"):
        run(layers(folder, model, output_report=str(tmp_path / "r.html")), StopAt(words))
    kept = {"m.safetensors", "m.training.csv", ".m.training.safetensors"}  # the last to go on from
    assert {p.name for p in tmp_path.iterdir()} == kept
    card = read_card(str(model))
    assert (card.training["ended"], card.training["epochs"]) == ("canceled", epochs)
    assert card.training["figures"] == {} and card.error_models == {}
    assert len(np.unique(mapped(model, folder, ["map"])["map"])) > 1


class Crash(RuntimeError):
    """What no code expects."""


class CrashAt(StopAt):
    def canceled(self) -> bool:
        if self.stopped:
            raise Crash
        return False


def train_in_two(job, words, quiet) -> list[str]:
    """A training that dies, and another that goes on; gives what the second said."""
    with pytest.raises(Crash):
        run(job, CrashAt(words))
    progress = quiet()
    run(job, progress)
    return [message for _, message in progress.reports]


@pytest.mark.parametrize("auxiliary_weight", [0.3, options.LEARNED])
def test_an_interrupted_training_goes_on_to_the_same_weights(small, folder, tmp_path, quiet, auxiliary_weight):
    """With players, whose coalitions have random numbers of their own; the log is that of one training."""
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = layers(folder, tmp_path / "whole" / "m.safetensors", epochs=4, auxiliary_weight=auxiliary_weight)
    run(whole, quiet())
    said = train_in_two(
        replace(whole, output_model=str(tmp_path / "parts" / "m.safetensors")), "Epoch 3, step 18", quiet
    )
    assert not [m for m in said if m.startswith(("Epoch 1", "Epoch 2"))] and [m for m in said if "Epoch 3, step" in m]
    first, second = (weights(tmp_path / name / "m.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(second[key], value) for key, value in first.items())
    assert sorted(p.name for p in (tmp_path / "parts").iterdir()) == ["m.safetensors", "m.training.csv"]
    logs = [list(csv.DictReader((tmp_path / n / "m.training.csv").open(encoding="utf-8"))) for n in ("whole", "parts")]
    assert [row["epoch"] for row in logs[1]] == ["1", "2", "3", "4"]
    for column in ("train_loss", "val_loss", "auxiliary_weight"):
        assert [row[column] for row in logs[0]] == [row[column] for row in logs[1]]
    learned = {float(row["auxiliary_weight"]) for row in logs[0]}
    assert learned == {0.3} if auxiliary_weight == 0.3 else len(learned) == 4 and min(learned) > 0
    assert not [name for name in first if "uncertainty" in name]  # of the training, not of the model


def test_another_training_begins_anew(small, folder, tmp_path, quiet):
    job = layers(folder, tmp_path / "m.safetensors", epochs=3, players="none")
    with pytest.raises(Crash):
        run(job, CrashAt("Epoch 2, step 11"))
    progress = quiet()
    run(replace(job, seed=9), progress)
    assert [m for _, m in progress.reports if m.startswith("Epoch 1, step")]


def test_a_state_that_is_cut_short_is_no_state(small, folder, tmp_path, quiet):
    job = layers(folder, tmp_path / "m.safetensors", epochs=2, players="none")
    with pytest.raises(Crash):
        run(job, CrashAt("Epoch 2, step 11"))
    state = tmp_path / ".m.training.safetensors"
    state.write_bytes(state.read_bytes()[:-100])
    progress = quiet()
    run(job, progress)
    assert [m for _, m in progress.reports if m.startswith("Epoch 1, step")] and not state.exists()


def test_the_manifest_in_the_card_trains_the_same_model_again(small, folder, tmp_path, quiet):
    first = tmp_path / "first.safetensors"
    run(patterns(folder, first, epochs=2), quiet())
    job = jobs.from_json(json.dumps(read_card(str(first)).training["job"]))
    assert job == patterns(folder, first, epochs=2)
    run(replace(job, output_model=str(tmp_path / "again.safetensors")), quiet())
    again = weights(tmp_path / "again.safetensors")
    assert all(torch.equal(again[key], value) for key, value in weights(first).items())


def test_a_time_limit_ends_training(small, folder, tmp_path, quiet):
    started = time.monotonic()
    run(layers(folder, tmp_path / "m.safetensors", epochs=100_000, time_limit=0.02), quiet())
    assert time.monotonic() - started < 60
    manifest = read_card(str(tmp_path / "m.safetensors")).training
    assert manifest["ended"] == "time limit" and manifest["figures"]["test"]["pixels"] > 0


def test_training_ends_when_validation_no_longer_improves(small, folder, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(options, "PATIENCE", 1)
    monkeypatch.setattr(options, "LEARNING_RATE", 0.0)
    run(layers(folder, tmp_path / "m.safetensors", epochs=50), quiet())
    manifest = read_card(str(tmp_path / "m.safetensors")).training
    assert (manifest["ended"], manifest["best_epoch"], manifest["epochs"]) == ("no better validation score", 2, 2)


def test_what_is_held_out_is_never_read_for_training(folder, tmp_path, quiet):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    assert {(b.scene, b.window.row, b.window.col) for b in setup.blocks} == {
        (scene, row, col) for scene in range(3) for row in range(0, SIZE, 32) for col in range(0, SIZE, 32)
    }
    for split in (TRAIN, VALIDATION, TEST):
        reader = setup.reader(split)
        for scene in range(3):
            chip = reader.read(chips.Sample(scene, Window(0, 0, SIZE, SIZE), 0))
            assert np.isfinite(chip["inputs"]).all()  # inputs are no secret
            truth = read(folder / f"scene_{scene}" / "label.tif")[0]
            for block, of in zip(setup.blocks, setup.splits, strict=True):
                if block.scene == scene:
                    seen = {name: values[(slice(None), *block.window.slices)] for name, values in chip.items()}
                    if of == split:
                        assert (seen["main"][0] == truth[block.window.slices] - 1).all()
                        assert np.isfinite(seen["s1"]).all() == (scene < 2)
                    else:
                        assert np.isnan(seen["main"]).all() and np.isnan(seen["s1"]).all()


def test_players_change_nothing_but_the_attributions(folder, tmp_path, quiet):
    with_players, without = tmp_path / "with.safetensors", tmp_path / "without.safetensors"
    run(patterns(folder, with_players, seed=3), quiet())
    run(patterns(folder, without, seed=3, players="none"), quiet())
    first, second = (safetensors.torch.load_file(path) for path in (with_players, without))
    assert all(name.startswith(("absence.", "explainer.")) for name in first.keys() - second.keys())
    assert second and all(torch.equal(first[name], values) for name, values in second.items())


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
    tasks = Setup(job, scenes_of(job), quiet()).config.tasks
    assert {name: task.coarseness for name, task in tasks.items()} == {"main": 1, "s1": 1, "dem": 3}
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


@pytest.fixture
def sparse(folder, tmp_path) -> Path:
    """The scenes; the second has inputs alone."""
    for number, names in enumerate((("s2", "s1", "label"), ("s2",), ("s2", "label"))):
        scene = tmp_path / "scenes" / f"scene_{number}"
        scene.mkdir(parents=True)
        for name in names:
            (scene / f"{name}.tif").symlink_to(folder / f"scene_{number}" / f"{name}.tif")
    return tmp_path / "scenes"


def test_masked_bands_of_chips_without_a_reference_are_targets(rng):
    inputs = torch.randn(400, 4, 2, 2)
    inputs[:, 3, 0, 0] = math.nan  # not valid
    main = torch.full((400, 1, 2, 2), math.nan)
    main[:200, :, 1] = 1.0
    batch = chips.Batch(inputs, {"main": main, "s1": torch.randn(400, 2, 2, 2)})
    found = masking.hidden(batch, 0.5, rng)
    absent = torch.isnan(found.inputs).all(dim=(2, 3))
    assert not absent[:200].any()
    assert 70 < absent.any(dim=1).sum() < 130 and absent[200:].sum(dim=1).unique().tolist() == [0, 1, 2, 3]
    targets, of = found.targets[options.MASKED], absent[:, :, None, None]
    assert torch.equal(torch.where(of, targets, found.inputs).nan_to_num(9.0), inputs.nan_to_num(9.0))
    assert torch.isnan(targets.masked_select(~of)).all()
    assert torch.equal(torch.isnan(found.targets["s1"]).all(dim=(1, 2, 3)), absent.any(dim=1))  # teaches nothing else
    assert torch.equal(found.targets["main"].nan_to_num(9.0), main.nan_to_num(9.0))
    untouched = masking.hidden(batch, 0.0, rng)
    assert torch.equal(untouched.inputs.nan_to_num(9.0), inputs.nan_to_num(9.0))
    assert torch.isnan(untouched.targets[options.MASKED]).all()


def test_masked_bands_need_scenes_without_a_reference(folder, tmp_path, quiet, caplog):
    job = patterns(folder, tmp_path / "m.safetensors", masked_share=0.5)
    Setup(job, scenes_of(job), quiet())
    assert "Every scene has a reference, so no bands are masked" in caplog.text


def test_scenes_with_inputs_alone_teach_by_masked_bands(small, sparse, tmp_path, quiet):
    """The model has no trace of it but other weights; what it gives is that of the network that learned."""
    job = patterns(sparse, tmp_path / "m.safetensors", masked_share=1.0)
    plain = replace(job, masked_share=0.0, output_model=str(tmp_path / "plain.safetensors"))
    for one, scenes in ((job, {0, 1, 2}), (plain, {0, 2})):
        setup = Setup(one, scenes_of(one), quiet())
        samples = learning._training_chips(setup, 32, 300, np.random.default_rng(0))
        assert {sample.scene for sample in samples} == scenes
        run(one, quiet())
    first, second = weights(tmp_path / "m.safetensors"), weights(tmp_path / "plain.safetensors")
    assert first.keys() == second.keys()
    assert not torch.equal(first["encoder.0.0.weight"], second["encoder.0.0.weight"])
    cards = [read_card(str(tmp_path / f"{name}.safetensors")) for name in ("m", "plain")]
    assert cards[0].network["tasks"].keys() == cards[1].network["tasks"].keys() == {"main", "s1"}
    assert [m.name for m in cards[0].auxiliary] == ["s1"]
    features = [{kind: model.features for kind, model in card.error_models.items()} for card in cards]
    assert features[0] == features[1]
    assert options.MASKED not in json.dumps(cards[0].training)


def test_masked_bands_are_the_same_after_an_interruption(small, sparse, tmp_path, quiet):
    whole = patterns(sparse, tmp_path / "whole.safetensors", masked_share=0.5, players="none")
    run(whole, quiet())
    train_in_two(replace(whole, output_model=str(tmp_path / "parts.safetensors")), "Epoch 2, step 10", quiet)
    first, second = (weights(tmp_path / f"{name}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(second[key], value) for key, value in first.items())


def test_class_weights_reach_the_network_that_learns_masked_bands_too(small, sparse, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(learning, "class_weights", lambda counts: np.arange(1.0, 1 + len(counts)))
    monkeypatch.setattr(learning, "train", lambda learner, *given: learners.append(learner) or Outcome({}))
    job, learners = patterns(sparse, tmp_path / "m.safetensors", masked_share=0.5, players="none"), []
    setup = Setup(job, scenes_of(job), quiet())
    network = Network(setup.config)
    learning.learn(job, network, setup, torch.device("cpu"), quiet())
    assert learners[0] is not network and options.MASKED in learners[0].config.tasks
    for one in (network, learners[0]):
        assert one.head("main").class_weights.tolist() == [1.0, 2.0, 3.0]


def test_the_network_is_exact_where_no_band_is_masked():
    torch.manual_seed(0)
    tasks = {"main": TaskConfig("score", 2), "a": TaskConfig("density", 1, (0.0,), (1.0,))}
    network = Network(NetworkConfig((4, 6), (3.0, 4.0), (1.0, 2.0), tasks, ((0,), (1,)))).eval()
    learner = masking.with_task(network).eval()
    x = torch.randn(2, 2, 16, 16)
    before, seen = network(x), learner(x)
    assert seen.keys() - before.keys() == {options.MASKED} and seen[options.MASKED].shape == (2, 4, 16, 16)
    assert all(torch.equal(seen[name], values) for name, values in before.items())
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(0.01)
    masking.without_task(learner, network)
    after, seen = network(x), learner(x)
    assert all(torch.equal(seen[name], values) for name, values in after.items())
    assert not torch.equal(after["main"], before["main"])


def test_masked_bands_weigh_as_much_as_all_modalities():
    network, raw, targets = two_tasks(TaskConfig("score", 2))
    raw[options.MASKED], targets[options.MASKED] = raw["a"], targets["b"]
    network.heads[options.MASKED] = network.head("a")
    main, a, b = (network.head(name).loss(raw[name], targets[name]) for name in ("main", "a", "b"))
    masked = network.head("a").loss(raw["a"], targets["b"])
    assert torch.isclose(TotalLoss(network, 0.3)(network, raw, targets), main + 0.3 * ((a + b) / 2 + masked))


def test_references_that_are_taken_out_are_hidden_but_not_the_radar(folder, tmp_path, quiet):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    setup.splits = [
        UNLABELLED if s == TRAIN and b.scene == 0 else s for b, s in zip(setup.blocks, setup.splits, strict=True)
    ]
    chip = setup.reader(TRAIN).read(chips.Sample(0, Window(0, 0, SIZE, SIZE), 0))
    for block, split in zip(setup.blocks, setup.splits, strict=True):
        if block.scene == 0:
            at = (slice(None), *block.window.slices)
            assert np.isnan(chip["main"][at]).all() and np.isfinite(chip["s1"][at]).all() == (split == UNLABELLED)


def test_chips_are_turned_together_and_padded(folder, tmp_path, quiet):
    job = layers(folder, tmp_path / "m.safetensors", reference=str(folder / "scene_0" / "height.tif"))
    job = replace(job, task="regression", auxiliary=(str(folder / "scene_0" / "height.tif"),))
    setup = Setup(job, scenes_of(job), quiet())
    reader = replace(setup.reader(TRAIN), splits=[TRAIN] * len(setup.blocks))
    window = Window(-5, SIZE - 20, 32, 32)
    seen = [reader.read(chips.Sample(0, window, turn)) for turn in range(8)]
    optical, height = read(folder / "scene_0" / "s2.tif"), read(folder / "scene_0" / "height.tif")
    assert (seen[0]["inputs"][:, 5:, :20] == optical[:, :27, -20:]).all()
    assert np.isnan(seen[0]["inputs"][:, :5]).all() and np.isnan(seen[0]["main"][:, :, 20:]).all()
    assert (seen[0]["main"][:, 5:, :20] == height[:, :27, -20:]).all()
    for chip in seen:
        assert np.array_equal(chip["main"], chip["height"], equal_nan=True)
        assert (np.isnan(chip["inputs"][:1]) == np.isnan(chip["main"])).all()
    assert len({chip["main"].tobytes() for chip in seen}) == 8


@pytest.mark.parametrize("chip_px", [16, 64])
def test_chips_hold_a_reference_pixel(chip_px):
    block = Block(0, Window(256, 512, 32, 32), np.array([1]), np.array([[260, 540], [287, 512]]))
    rng = np.random.default_rng(0)

    def holds(window, row, col):
        return window.row <= row < window.row_end and window.col <= col < window.col_end

    for sample in chips.draw([block] * 2, [TRAIN, TEST], chip_px, 200, rng):
        window = sample.window
        assert any(holds(window, row, col) for row, col in block.places)
        assert holds(block.window, window.row + chip_px // 2, window.col + chip_px // 2)
    for _ in range(50):
        window = chips.held_out(block, chip_px, rng).window
        assert any(holds(window, row, col) for row, col in block.places)
        inner, outer = (window, block.window) if chip_px < 32 else (block.window, window)
        assert inner.intersection(outer) == inner


def test_every_class_is_drawn():
    """A block of 1000 with a class of its own gets about half of what is drawn by class, and its share by area."""
    places = np.array([[0, 0]])
    common = [Block(0, Window(0, 32 * i, 32, 32), np.array([1024, 0]), places) for i in range(99)]
    rare = Block(1, Window(0, 0, 32, 32), np.array([0, 8]), places)
    rng = np.random.default_rng(0)
    drawn = chips.draw([*common, rare], [TRAIN] * 100, 16, 2000, rng)
    assert np.isclose(np.mean([sample.scene for sample in drawn]), 0.25, atol=0.04)


def test_batches_do_not_depend_on_the_number_of_readers(folder, tmp_path, quiet, monkeypatch):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    samples = learning._training_chips(setup, 32, 40, np.random.default_rng(0))
    made = []
    for readers in (1, 5):
        monkeypatch.setattr(chips, "_READERS", readers)
        monkeypatch.setattr(chips, "_BATCHES_AHEAD", readers + 1)
        made.append(list(chips.load(setup.reader(TRAIN), samples, 4)))
    assert len(made[0]) == len(made[1]) == 10
    for first, second in zip(*made, strict=True):
        pairs = [
            (first.inputs, second.inputs),
            *((first.targets[name], second.targets[name]) for name in first.targets),
        ]
        assert all(torch.equal(a.nan_to_num(-1e9), b.nan_to_num(-1e9)) for a, b in pairs)


def test_few_files_are_open_at_once(folder, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(chips, "_OPEN_FILES", 4)
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    opened = []

    def remember(number):
        opened.append(setup.open(number))
        return opened[-1]

    reader = replace(setup.reader(TRAIN), open_scene=remember)
    window = Window(0, 0, 8, 8)
    for scene in (0, 0, 1, 2, 0):
        assert np.isfinite(reader.read(chips.Sample(scene, window, 0))["inputs"]).all()
    assert len(opened) == 4
    closed = [scene._inputs[0]._files[0].dataset.closed for scene in opened]
    assert closed == [True, True, True, False]


def test_statistics_leave_wild_and_invalid_pixels_out(rng):
    values = rng.normal(100, 10, (2, 200, 200)).astype("float32")
    values[1] = -5 + values[1] / 10
    values[:, 0, :10], values[:, 1] = 1e9, np.nan
    statistics = BandStatistics()
    for part in np.split(values, 4, axis=2):
        statistics.add(part, rng)
    mean, std = statistics.result("s2")
    assert np.allclose(mean, [100, 5], atol=0.3) and np.allclose(std, [10, 1], rtol=0.06)


def test_only_rare_classes_weigh_more():
    found = learning.class_weights(np.array([1000.0, 4000.0, 260.0, 125.0, 40.0, 0.0, 3000.0]))
    assert np.allclose(found, [1, 1, 1, 1, math.sqrt(260 / 160), 4, 1])
    assert np.allclose(learning.class_weights(np.array([700.0, 300.0])), 1)


def test_the_loss_is_main_and_the_mean_of_the_others():
    torch.manual_seed(0)
    tasks = {
        "main": TaskConfig("score", 2),
        "a": TaskConfig("density", 1, (0.0,), (1.0,)),
        "b": TaskConfig("density", 2, (0.0, 0.0), (1.0, 1.0)),
    }
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), tasks))
    x = torch.randn(2, 1, 16, 16)
    raw = network(x)
    targets = {
        "main": torch.randint(0, 2, (2, 1, 16, 16)).float(),
        "a": torch.full((2, 1, 16, 16), math.nan),  # not there
        "b": torch.randn(2, 2, 16, 16),
    }
    losses = {name: network.head(name).loss(raw[name], targets[name]) for name in tasks}
    assert losses["a"] == 0
    expected = losses["main"] + 0.3 * (losses["a"] + losses["b"]) / 2
    by_hand = TotalLoss(network, 0.3)
    assert torch.isclose(by_hand(network, raw, targets), expected)
    assert not list(by_hand.parameters()) and by_hand.relative_weight(network) == 0.3
    alone = by_hand(network, {"main": raw["main"]}, targets)
    assert torch.isclose(alone, losses["main"])


def two_tasks(main: TaskConfig) -> tuple[Network, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    tasks = {"main": main, "a": TaskConfig("density", 1, (0.0,), (1.0,)), "b": TaskConfig("density", 1, (0.0,), (1.0,))}
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), tasks))
    targets = {name: torch.randn(2, 1, 16, 16) for name in ("a", "b")}
    targets["main"] = torch.randint(0, 2, (2, 1, 16, 16)).float()
    return network, network(torch.randn(2, 1, 16, 16)), targets


def test_learned_uncertainty_weighs_tasks():
    """``exp(−s) L + s`` for classes, whose derivative is ``1 − exp(−s) L``; densities bring their own uncertainty."""
    network, raw, targets = two_tasks(TaskConfig("score", 2))
    raw = {name: values.detach() for name, values in raw.items()}
    total = TotalLoss(network, options.LEARNED)
    ((name, s),) = total.named_parameters()
    assert name == "log_uncertainty.main"
    with torch.no_grad():
        s.fill_(-0.7)
    main, a, b = (network.head(name).loss(raw[name], targets[name]) for name in ("main", "a", "b"))
    found = total(network, raw, targets)
    assert torch.isclose(found, math.exp(0.7) * main - 0.7 + a + b)
    found.backward()
    assert torch.isclose(s.grad, 1 - math.exp(0.7) * main.detach())
    assert total.relative_weight(network) == pytest.approx(2 * math.exp(-0.7))
    s.grad = None
    total(network, raw, {**targets, "main": torch.full((2, 1, 16, 16), math.nan)}).backward()  # no reference
    assert s.grad == 0


def test_the_predicted_scale_of_densities_is_their_learned_uncertainty():
    """Of a density that predicts one scale, the loss and its derivative are those of ``exp(−s) L + s``."""
    network, _, targets = two_tasks(TaskConfig("density", 1, (0.0,), (1.0,)))
    total = TotalLoss(network, options.LEARNED)
    assert not list(total.parameters()) and total.relative_weight(network) == 2.0
    s = torch.tensor(0.4, requires_grad=True)
    raw = {name: torch.cat([torch.zeros(2, 1, 16, 16), s.expand(2, 1, 16, 16)], dim=1) for name in targets}
    found = total(network, raw, targets)
    sizes = sum(values.abs().mean() for values in targets.values())
    assert torch.isclose(found, math.exp(-0.4) * sizes + 3 * 0.4 + 3 * math.log(2))
    found.backward()
    assert torch.isclose(s.grad, 3 - math.exp(-0.4) * sizes)


@pytest.mark.parametrize("scores", [[math.nan, math.nan], [-math.inf, -math.inf], [math.nan, 0.5]])
def test_scores_that_are_no_numbers_do_not_throw_the_training_away(quiet, scores):
    torch.manual_seed(0)
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), {"main": TaskConfig("score", 2)}))
    before = {name: values.clone() for name, values in network.state_dict().items()}
    batch = chips.Batch(torch.randn(2, 1, 16, 16), {"main": torch.randint(0, 2, (2, 1, 16, 16)).float()})
    found = (Validation(1.0, score) for score in scores)
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1)
    outcome = train(network, fabric, lambda epoch: [batch] * 3, lambda average: next(found), Budget(2, 3, 0), quiet())
    assert outcome.best_epoch == 2
    assert not torch.equal(network.state_dict()["heads.main.layer.weight"], before["heads.main.layer.weight"])


def test_a_loss_that_is_no_number_ends_training(quiet):
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), {"main": TaskConfig("density", 1, (0.0,), (1.0,))}))
    with torch.no_grad():
        network.heads["main"].layer.bias.fill_(math.nan)
    batch = chips.Batch(torch.randn(2, 1, 16, 16), {"main": torch.randn(2, 1, 16, 16)})
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1)
    with pytest.raises(DeviceError, match="not a number any more; choose the precision float32"):
        train(network, fabric, lambda epoch: [batch], lambda average: Validation(0.0, 0.0), Budget(1, 1, 0), quiet())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"inputs": ()}, JobError, "No input raster is given; choose at least one"),
        ({"reference": ""}, JobError, "No reference is given or found; training needs"),
        ({"output_model": "{out}/model.pt"}, JobError, r"must end in \.safetensors"),
        ({"output_model": "{out}/none/m.safetensors"}, SceneError, "“.*none” does not exist or cannot be written"),
        ({"output_report": "{out}/none/r.html"}, SceneError, "“.*none” does not exist or cannot be written"),
        ({"output_report": "{out}"}, SceneError, "is a folder; give a file name in it"),
        ({"task": "detection"}, JobError, "Unknown task “detection”; choose one of segmentation, regression"),
        ({"strategy": "both"}, JobError, "Unknown strategy “both”; choose one of multitask, single, multimodal"),
        (
            {"strategy": "multimodal", "auxiliary": ()},
            JobError,
            "“multimodal” needs auxiliary rasters, but none is given",
        ),
        ({"strategy": "shuffled", "auxiliary": ()}, JobError, "“shuffled” needs auxiliary rasters, but none is given"),
        ({"strategy": "shuffled", "batch_size": 1}, JobError, "exchanges targets among the chips of a step; take 2"),
        ({"size": "tiny"}, JobError, "Unknown size “tiny”; choose one of small, base, large"),
        ({"precision": "double"}, JobError, "Unknown precision"),
        ({"device": "cuda:7"}, DeviceError, "“cuda:7” is not in this machine"),
        ({"chip_size": 16}, JobError, "at least 32 px wide; 16 is too small"),
        ({"epochs": 0}, JobError, "Epochs are 1 or more"),
        (
            {"auxiliary_weight": -2.0},
            JobError,
            "is 0 or more, or -1 to learn it; given: -2",
        ),
        ({"seed": -1}, JobError, "seed are 0 or more"),
        ({"inputs": ("{scene}/none.tif",)}, SceneError, "does not exist; check the path"),
        ({"inputs": ("a={scene}/s2.tif", "a={scene}/s1.tif")}, SceneError, "Two modalities are called “a”"),
        ({"auxiliary": ("s2={scene}/s1.tif",)}, JobError, "“s2” is used twice; give each modality its own name"),
        ({"auxiliary": ("main={scene}/s1.tif",)}, JobError, "cannot be called “main”; rename its file"),
        ({"auxiliary": ("values={scene}/s1.tif",)}, JobError, "cannot be called “values”; rename its file"),
        ({"auxiliary": ("{out}/constant.tif",)}, SceneError, r"Band 1 of constant is constant \(7\); leave it out"),
        ({"auxiliary": ("{out}/empty.tif",)}, SceneError, "Band 1 of empty has no valid pixel .* leave it out"),
        ({"auxiliary": ("{out}/far.tif",)}, SceneError, r"far\.tif” \(far\) does not overlap with the scene"),
        ({"inputs": ("{out}/constant.tif",)}, SceneError, r"Band 1 of constant is constant"),
        ({"reference": "{out}/constant.tif"}, SceneError, "two classes or more; found: 7"),
        ({"reference": "{out}/constant.tif", "task": "regression"}, SceneError, "reference is 7 everywhere; a regress"),
        ({"reference": "{out}/empty.tif"}, SceneError, "two classes or more; found: none"),
        ({"reference": "{out}/empty.tif", "task": "regression"}, SceneError, "cover no pixel of the scenes; check"),
        ({"reference": "{out}/corner.tif"}, SceneError, r"lie in 1 block\(s\) .* at least 3 are needed"),
        ({"reference": "{out}/far.tif"}, SceneError, r"\(reference\) does not overlap"),
        ({"reference": "{polygons}"}, SceneError, r"Choose the field of the reference .* \(cover\)"),
        ({"reference": "{polygons}", "reference_field": "kind"}, SceneError, "no field “kind”; its fields are: cover"),
        (
            {"reference": "{polygons}", "reference_field": "cover", "task": "regression"},
            SceneError,
            r"\(town, water, wood\) are not all numbers, which a regression needs",
        ),
    ],
)
def test_bad_input_is_told_before_training(folder, tmp_path, changes, error, message):
    write(tmp_path / "constant.tif", np.full((1, SIZE, SIZE), 7, "uint8"))
    write(tmp_path / "empty.tif", np.full((1, SIZE, SIZE), np.nan, "float32"))
    write(tmp_path / "far.tif", np.ones((1, SIZE, SIZE), "uint8"), west=900_000.0)
    corner = np.zeros((1, SIZE, SIZE), "uint8")
    corner[0, :4, :4], corner[0, 4:8, :8] = 1, 2
    write(tmp_path / "corner.tif", corner, nodata=0)
    places = {"out": tmp_path, "scene": folder / "scene_0", "polygons": folder.parent / "classes.gpkg"}

    def placed(value):
        if isinstance(value, tuple):
            return tuple(placed(item) for item in value)
        return value.format(**places) if isinstance(value, str) else value

    job = layers(folder, tmp_path / "m.safetensors", **{key: placed(value) for key, value in changes.items()})
    progress = StopAt("Epoch")
    with pytest.raises(error, match=message):
        run(job, progress)
    assert not progress.stopped and not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"scenes": "{out}/none"}, SceneError, "none” does not exist"),
        ({"input_patterns": ""}, SceneError, r"No input pattern is given; for example: s2=s2\.tif"),
        ({"input_patterns": "s2.tif"}, JobError, "is not of the form modality=pattern"),
        ({"input_patterns": "s2=s3.tif"}, SceneError, r"s2=s3\.tif matched 0 files in sub-folders"),
        ({"auxiliary_patterns": "s1=s1.tif;x=x.tif"}, SceneError, r"x=x\.tif matches files in none of the 3 scenes of"),
        ({"auxiliary_patterns": "s2=s1.tif"}, JobError, "“s2” is used twice"),
        ({"auxiliary_patterns": "s.1=s1.tif"}, JobError, r"cannot be called “s\.1”"),
        ({"reference_pattern": ""}, JobError, "No reference is given or found"),
        ({"reference_pattern": "truth.tif"}, JobError, "No reference is given or found"),
        ({"masked_share": 2.0}, JobError, "share of chips with masked bands is 0 to 1; given: 2"),
        ({"masked_share": 0.5, "task": "scene_regression"}, JobError, "which scene-level tasks do not use"),
        ({"masked_share": 0.5, "input_patterns": "h=height.tif"}, JobError, "but there is one input band"),
    ],
)
def test_bad_folders_are_told_before_training(folder, tmp_path, changes, error, message):
    changes = {key: value.format(out=tmp_path) if isinstance(value, str) else value for key, value in changes.items()}
    with pytest.raises(error, match=message):
        run(patterns(folder, tmp_path / "m.safetensors", **changes), StopAt("never"))


def test_scenes_with_different_bands(tmp_path, rng):
    values = rng.integers(1, 99, (3, SIZE, SIZE)).astype("uint8")
    write(tmp_path / "a" / "s2.tif", values, ("B2", "B3", "B4"))
    write(tmp_path / "a" / "label.tif", values[:1] % 3)
    write(tmp_path / "a" / "s1.tif", values[:2])
    write(tmp_path / "b" / "s2.tif", values[:2], ("B2", "B3"))
    job = patterns(tmp_path, tmp_path / "m.safetensors")
    with pytest.raises(SceneError, match="“a” and “b” have different bands of s2: B2, B3, B4 against B2, B3"):
        run(job, StopAt("never"))
    write(tmp_path / "b" / "s2.tif", values, ("B2", "B3", "B8"))
    with pytest.raises(SceneError, match="B2, B3, B4 against B2, B3, B8"):
        run(job, StopAt("never"))
    write(tmp_path / "b" / "s2.tif", values, ("B2", "B3", "B4"))
    write(tmp_path / "b" / "s1.tif", values[:1])
    with pytest.raises(SceneError, match="“a” and “b” have different bands of s1"):
        run(job, StopAt("never"))


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
