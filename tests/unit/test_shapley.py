"""Attributions: they sum to the score, and learning them leads to the Shapley values."""

from __future__ import annotations

from itertools import combinations, pairwise, product, repeat
from math import factorial

import lightning_fabric
import numpy as np
import pytest
import torch

from auxlens.engine.training import options
from auxlens.engine.training.attribution import fit_attributions, share_told
from auxlens.engine.training.chips import Batch
from auxlens.models.config import ATTRIBUTION, MAIN, NetworkConfig, TaskConfig
from auxlens.models.network import Network
from auxlens.models.shapley import Absence, coalitions

PLAYERS = ((0,), (1, 2), (3,))
FABRIC = lightning_fabric.Fabric(accelerator="cpu", devices=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    tasks = {MAIN: TaskConfig("score", 3), "s1": TaskConfig("density", 1, (0.0,), (1.0,))}
    network = Network(NetworkConfig((8, 12), (0.0,) * 4, (1.0,) * 4, tasks, PLAYERS)).eval()
    network.heads[MAIN].layer.weight.data.mul_(10)
    for change in network.absence.changes:  # as after a training: absent is not the same as average
        torch.nn.init.normal_(change.weight, std=0.2)
    return network


@torch.no_grad()
def worth(network, x, members):
    present = torch.tensor([[player in members for player in range(len(PLAYERS))]])
    return network.head(MAIN).score(network(x, [MAIN], present.expand(len(x), -1))[MAIN])


def exact_shapley(network, x):
    """``(B, players, classes, H, W)`` by the definition (Shapley 1953)."""
    n = len(PLAYERS)
    values = []
    for player in range(n):
        others = [p for p in range(n) if p != player]
        total = 0.0
        for size in range(n):
            share = factorial(size) * factorial(n - size - 1) / factorial(n)
            for s in combinations(others, size):
                total = total + share * (worth(network, x, {*s, player}) - worth(network, x, set(s)))
        values.append(total)
    return torch.stack(values, dim=1)


@torch.no_grad()
def learned(network, x):
    raw = network(x, [MAIN, ATTRIBUTION])
    return network.explainer.attributions(raw[ATTRIBUTION], network.head(MAIN).score(raw[MAIN]))


def test_sizes_of_coalitions_follow_the_shapley_kernel():
    drawn = coalitions(5, 20_000, torch.Generator().manual_seed(0))
    assert drawn.shape == (40_000, 5) and (drawn[0::2] ^ drawn[1::2]).all()
    sizes = torch.bincount(drawn[0::2].sum(dim=1), minlength=6) / 20_000
    kernel = np.array([0, 1 / 4, 1 / 6, 1 / 6, 1 / 4, 0])
    assert np.allclose(sizes, kernel / kernel.sum(), atol=0.01)
    assert np.allclose(drawn.float().mean(dim=0), 0.5, atol=0.01)


def test_with_all_players_present_nothing_changes(network):
    x = torch.randn(2, 4, 19, 24)
    everybody = torch.ones(2, 3, dtype=torch.bool)
    assert torch.equal(network(x)[MAIN], network(x, present=everybody)[MAIN])


def test_what_is_absent_has_no_influence(network):
    x, other = torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16)
    mixed = torch.cat([x[:, :1], other[:, 1:3], x[:, 3:]], dim=1)
    present = torch.tensor([[True, False, True]])
    assert torch.equal(network(x, present=present)["s1"], network(mixed, present=present)["s1"])
    assert not torch.equal(network(x)["s1"], network(mixed)["s1"])


def test_what_is_told_is_a_matter_of_the_coalition():
    """Of two players that tell the same, something is missing when both are absent: no sum of vectors says so."""
    torch.manual_seed(0)
    absence = Absence(PLAYERS, 4, (1,))
    present = torch.tensor(list(product((False, True), repeat=3)))
    wanted = 1.0 - (present[:, 0] | present[:, 1]).float()
    optimizer = torch.optim.Adam(absence.parameters(), lr=0.03)
    for _ in range(300):
        told = absence.tell(0, torch.zeros(8, 1, 1, 1), present).flatten()
        optimizer.zero_grad()
        (told - wanted).square().sum().backward()
        optimizer.step()
    assert torch.allclose(told, wanted, atol=0.02)


def test_attributions_sum_to_the_score_whatever_was_learned(network):
    x = torch.randn(2, 4, 21, 18)
    network.explainer.bias.copy_(torch.tensor([0.3, -0.5, 0.2]))
    score = network.head(MAIN).score(network(x)[MAIN])
    found = learned(network, x)
    assert found.shape == (2, 3, 3, 21, 18)
    total = found.sum(dim=1) + network.explainer.bias.view(1, -1, 1, 1)
    assert (total - score).abs().max() <= 1e-4


def batches(x: torch.Tensor):
    target = torch.randint(0, 3, (len(x), 1, *x.shape[2:]), generator=torch.Generator().manual_seed(2)).float()
    while True:
        yield Batch(x, {MAIN: target})


def test_fitting_leads_to_the_shapley_values_and_changes_nothing_else(network, quiet, monkeypatch):
    monkeypatch.setattr(options, "EXPLAINER_RATE", 1e-2)
    monkeypatch.setattr(options, "ABSENCE_RATE", 0.0)  # the worth of coalitions stays as it is
    x = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    before = network(x)
    fit = fit_attributions(network, FABRIC, batches(x.expand(4, -1, -1, -1)), 1200, float("inf"), quiet())
    after, found, truth = network(x), learned(network, x), exact_shapley(network, x)
    bias = worth(network, torch.full((1, 4, 64, 64), torch.nan), set())[0, :, 32, 32]
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert torch.allclose(network.explainer.bias, bias, atol=1e-6)
    equal_shares = (network.head(MAIN).score(after[MAIN]) - bias.view(1, -1, 1, 1))[:, None] / len(PLAYERS)
    inner = (..., slice(6, 10), slice(6, 10))  # the empty set's score is the bias only where the border is not seen
    assert ((found - truth)[inner] ** 2).mean() < 0.1 * (truth[inner] ** 2).mean()
    assert ((found - truth) ** 2).mean() < 0.3 * ((equal_shares - truth) ** 2).mean()
    assert found.sum(dim=2).abs().max() < 1e-4  # contributions to what all classes share decide nothing
    assert 0 < fit.unexplained < 1 and fit.reach == pytest.approx(2 * float((found**2).mean()) ** 0.5, rel=0.2)


def test_the_reach_is_in_the_targets_unit(quiet):
    """As the attributions are; of targets with five times the deviation it is five times as far."""
    reaches = []
    for std in (1.0, 5.0):
        torch.manual_seed(0)
        tasks = {MAIN: TaskConfig("density", 1, (0.0,), (std,))}
        network = Network(NetworkConfig((8, 12), (0.0,) * 4, (1.0,) * 4, tasks, PLAYERS)).eval()
        x = torch.randn(4, 4, 16, 16)
        chips = repeat(Batch(x, {MAIN: std * x[:, :1]}))
        reaches.append(fit_attributions(network, FABRIC, chips, 12, float("inf"), quiet()).reach)
    assert reaches[0] > 0 and reaches[1] == pytest.approx(5 * reaches[0], rel=1e-3)


def test_the_network_learns_to_be_told_of_absent_players(network, quiet):
    x = torch.randn(4, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    target = next(batches(x)).targets[MAIN]
    present = coalitions(len(PLAYERS), 4, torch.Generator().manual_seed(3))[:4]

    def loss() -> float:
        with torch.no_grad():
            return float(network.head(MAIN).loss(network(x, [MAIN], present)[MAIN], target))

    before = loss()
    fit_attributions(network, FABRIC, batches(x), 120, float("inf"), quiet())
    assert loss() < 0.7 * before


@pytest.mark.parametrize(
    ("steps", "told"),
    [(6400, 1600), (5120, 1280), (3200, 1280), (2000, 1000), (300, 150)],
)
def test_a_short_fit_gives_more_of_itself_to_what_is_told_of_absent_players(steps, told):
    learned = [share_told(step / steps, step) for step in range(steps)]
    assert all(first <= second for first, second in pairwise(learned)) and learned[0] == 0
    assert next(step for step, share in enumerate(learned) if share >= 1) == told


def test_a_stop_or_a_limit_ends_fitting_at_once(network, quiet):
    chips = batches(torch.randn(2, 4, 16, 16))
    assert fit_attributions(network, FABRIC, chips, 50, float("inf"), quiet(stop_after=0)).unexplained == 1.0
    assert fit_attributions(network, FABRIC, chips, 50, 1e-9, quiet()).unexplained == 1.0
