"""Validation during training: scores of all chips together, and which epoch is kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from auxlens.engine.training import chips
from auxlens.engine.training.evaluation import Task
from auxlens.engine.training.validation import Validation, validate
from auxlens.models.card import LandClass
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.network import Network


def test_the_last_epoch_that_validation_cannot_tell_from_the_best_is_kept():
    draws = np.random.default_rng(0).normal(0.6, 0.05, 200)  # chips differ much, and most of it is common to epochs

    def at(score, own=0.01):
        others = draws + np.random.default_rng(1).normal(0, own, 200)
        return Validation(1.0, score, tuple(others + score - 0.6))

    best = Validation(1.0, 0.6, tuple(draws))
    assert at(0.595).no_worse_than(best) and at(0.65).no_worse_than(best)
    assert not at(0.58).no_worse_than(best)
    assert at(0.58, own=0.04).no_worse_than(best)
    assert not Validation(1.0, 0.59).no_worse_than(Validation(1.0, 0.6))  # one chip: nothing is drawn
    assert not at(math.nan).no_worse_than(best) and at(0.1).no_worse_than(Validation(1.0, -math.inf))


def test_validation_scores_all_chips_together(rng):
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), {"main": TaskConfig("score", 2)})).eval()
    x = torch.randn(5, 1, 16, 16)
    truth = torch.from_numpy(rng.integers(-1, 2, (5, 1, 16, 16)).astype("float32"))
    task = Task((LandClass(0, "a", "#000000"), LandClass(1, "b", "#ffffff")), {}, torch.device("cpu"), torch.float32)
    batches = [chips.Batch(x[:3], {"main": truth[:3]}), chips.Batch(x[3:], {"main": truth[3:]})]
    found = validate(network, batches, task)
    with torch.inference_mode():
        mapped = network(x)["main"].argmax(dim=1).numpy()
    index = truth[:, 0].numpy()
    ious = [
        ((index == c) & (mapped == c)).sum() / ((index >= 0) & ((index == c) | (mapped == c))).sum() for c in (0, 1)
    ]
    assert found.score == pytest.approx(np.mean(ious))
    assert len(found.draws) == 200 and np.std(found.draws) > 0
    assert found == validate(network, batches, task)  # the same draws
