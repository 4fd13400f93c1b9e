"""The loss of all tasks: weights of classes, of tasks by hand, and learned ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tiny_scenes import two_tasks

from auxlens.engine.training import learn as learning, options
from auxlens.engine.training.weighting import TotalLoss
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.network import Network


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
