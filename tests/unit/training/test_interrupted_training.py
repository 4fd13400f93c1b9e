"""Trainings that are stopped, die, or run out of time: what is kept, and how they go on."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import replace

import lightning_fabric
import numpy as np
import pytest
import torch
from tiny_scenes import Crash, CrashAt, StopAt, layers, mapped, train_in_two, weights

from auxlens.engine.executors.train import run
from auxlens.engine.training import chips, manifest, options
from auxlens.engine.training.loop import Budget, train
from auxlens.engine.training.validation import Validation
from auxlens.models.card import read_card
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.errors import Canceled, DeviceError, JobError
from auxlens.models.network import Network


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
    if words.startswith("Epoch"):
        with pytest.raises(JobError, match="was canceled before it learned attributions; run it again to its end, or"):
            mapped(model, folder, ["attribution"])


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


def test_another_training_begins_anew_and_says_so(small, folder, tmp_path, quiet, caplog):
    job = layers(folder, tmp_path / "m.safetensors", epochs=3, players="none")
    with pytest.raises(Crash):
        run(job, CrashAt("Epoch 2, step 11"))
    progress = quiet()
    run(replace(job, seed=9), progress)
    assert "had other settings or files" in caplog.text
    assert [m for _, m in progress.reports if m.startswith("Epoch 1, step")]


def test_another_auxlens_begins_anew(small, folder, tmp_path, quiet, monkeypatch):
    job = layers(folder, tmp_path / "m.safetensors", epochs=2, players="none")
    with pytest.raises(Crash):
        run(job, CrashAt("Epoch 2, step 11"))
    monkeypatch.setattr(manifest, "plugin_version", lambda: "99.0.0")
    progress = quiet()
    run(job, progress)
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
    with pytest.raises(DeviceError, match="choose the precision float32, or, if it is that, look for wild values"):
        train(network, fabric, lambda epoch: [batch], lambda average: Validation(0.0, 0.0), Budget(1, 1, 0), quiet())
