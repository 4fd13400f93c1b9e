"""Attributions to image patches: they sum to an object's score, and learning them leads to the Shapley values."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import lightning_fabric
import pytest
import torch

from auxlens.engine.checks import check_players, patches_of
from auxlens.engine.jobs import TrainFolderJob
from auxlens.engine.training import options
from auxlens.engine.training.attribution import fit_attributions
from auxlens.engine.training.chips import Batch
from auxlens.models.config import ATTRIBUTION, MAIN, NetworkConfig, TaskConfig
from auxlens.models.errors import JobError
from auxlens.models.network import Network
from auxlens.models.patches import spread

FABRIC = lightning_fabric.Fabric(accelerator="cpu", devices=1)
PATCH, ALONG = 4, 3  # 3 × 3 patches of 4 px, which are 2 × 2 cells
SIDE = PATCH * ALONG


@pytest.fixture
def network():
    torch.manual_seed(0)
    tasks = {MAIN: TaskConfig("score", 3, pooled=True), "s1": TaskConfig("density", 1, (0.0,), (1.0,))}
    network = Network(NetworkConfig((8, 12), (0.0,) * 4, (1.0,) * 4, tasks, patch_px=PATCH, patches=ALONG)).eval()
    network.heads[MAIN].layer.weight.data.mul_(10)
    for vectors in (*network.absence.gains, *network.absence.shifts):
        torch.nn.init.normal_(vectors, std=0.2)
    return network


@torch.no_grad()
def worth(network, x, members):
    """Scores of cells, shown the patches with some numbers."""
    present = torch.tensor([patch in members for patch in range(ALONG**2)]).view(1, ALONG, ALONG)
    return network.scores_of_cells(network(x, [MAIN], present.expand(len(x), -1, -1))[MAIN])


def exact_shapley(network, x):
    """``(B, patches, classes, h, w)`` by the definition (Shapley 1953)."""
    n = ALONG**2
    known = {frozenset(s): worth(network, x, s) for size in range(n + 1) for s in combinations(range(n), size)}
    values = []
    for player in range(n):
        others = [s for s in known if player not in s]
        share = [factorial(len(s)) * factorial(n - len(s) - 1) / factorial(n) for s in others]
        values.append(sum(w * (known[s | {player}] - known[s]) for w, s in zip(share, others, strict=True)))
    return torch.stack(values, dim=1)


@torch.no_grad()
def learned(network, x):
    raw = network(x, [MAIN, ATTRIBUTION])
    return network.patch_explainer.attributions(raw[ATTRIBUTION], network.scores_of_cells(raw[MAIN]))


def of_patches(network, found, weights):
    """``(B, classes, patches)`` of an object, without those outside of the chip."""
    reach = network.patch_explainer.reach
    inner = slice(reach, reach + ALONG)
    return network.patch_explainer.of_objects(found, weights)[..., inner, inner].flatten(2)


def test_with_all_patches_present_nothing_changes(network):
    x = torch.randn(2, 4, 19, 24)
    everything = torch.ones(2, 5, 6, dtype=torch.bool)
    assert torch.equal(network(x)[MAIN], network(x, present=everything)[MAIN])


def test_what_is_absent_has_no_influence(network):
    x, other = torch.randn(1, 4, SIDE, SIDE), torch.randn(1, 4, SIDE, SIDE)
    present = torch.tensor([[True, False, True], [False, True, False], [True, True, False]])[None]
    mixed = torch.where(spread(present, PATCH)[:, None], x, other)
    assert torch.equal(network(x, present=present)[MAIN], network(mixed, present=present)[MAIN])
    assert not torch.equal(network(x)[MAIN], network(mixed)[MAIN])


def test_the_score_of_nothing_shown_is_the_same_everywhere(network):
    found = worth(network, torch.randn(1, 4, SIDE, SIDE), ())
    assert (found - found[..., :1, :1]).abs().max() < 1e-6


@pytest.mark.parametrize("size", [(SIDE, SIDE), (21, 18), (5, 40)])
def test_attributions_sum_to_the_score_whatever_was_learned(network, size):
    x = torch.randn(2, 4, *size)
    explainer = network.patch_explainer
    torch.nn.init.normal_(explainer.out.weight)
    explainer.bias.copy_(torch.tensor([0.3, -0.5, 0.2]))
    score, found = network.scores_of_cells(network(x)[MAIN]), learned(network, x)
    bias = explainer.bias.view(1, -1, 1, 1)
    assert found.shape == (2, len(explainer.offsets), 3, -(-size[0] // 2), -(-size[1] // 2))
    assert (found.sum(dim=1) + bias - score).abs().max() <= 1e-4
    weights = torch.rand(score[:, 0].shape)
    weights /= weights.sum(dim=(1, 2), keepdim=True)
    of_object = explainer.of_objects(found, weights)
    expected = (score * weights[:, None]).sum(dim=(2, 3)) - explainer.bias
    assert torch.allclose(of_object.sum(dim=(2, 3)), expected, atol=1e-4)


def test_attributions_stand_where_their_patches_are(network):
    """Without an explainer's say, a place speaks for itself: a patch contributes the share that its cells have."""
    x = torch.randn(1, 4, SIDE, SIDE)
    above = (network.scores_of_cells(network(x)[MAIN]) - network.patch_explainer.bias.view(1, -1, 1, 1))[0]
    weights = torch.zeros(1, 6, 6)
    weights[0, 3, 4], weights[0, 0, 1] = 0.75, 0.25
    found = of_patches(network, learned(network, x), weights)[0]
    expected = torch.zeros(3, ALONG**2)
    expected[:, 5], expected[:, 0] = 0.75 * above[:, 3, 4], 0.25 * above[:, 0, 1]  # second row, third column; first
    assert torch.allclose(found, expected, atol=1e-5)


def batches(x: torch.Tensor):
    target = torch.randint(0, 3, (len(x), 1, 1, 1), generator=torch.Generator().manual_seed(2))
    while True:
        yield Batch(x, {MAIN: target.expand(-1, -1, *x.shape[2:]).float()})


def test_fitting_leads_to_the_shapley_values_and_changes_nothing_else(network, quiet, monkeypatch):
    monkeypatch.setattr(options, "EXPLAINER_RATE", 1e-2)
    monkeypatch.setattr(options, "ABSENCE_RATE", 0.0)  # the worth of coalitions stays as it is
    x = torch.randn(1, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    before, own = network(x), learned(network, x)
    fit = fit_attributions(network, FABRIC, batches(x.expand(4, -1, -1, -1)), 500, float("inf"), quiet())
    after, found, truth = network(x), learned(network, x), exact_shapley(network, x)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert torch.allclose(network.patch_explainer.bias, worth(network, x, ())[0, :, 0, 0], atol=1e-6)
    weights = torch.full((1, 6, 6), 1 / 36)
    expected = truth.mean(dim=(3, 4)).transpose(1, 2)
    error = of_patches(network, found, weights) - expected
    unlearned = of_patches(network, own, weights) - expected
    assert (error**2).mean() < 0.1 * (expected**2).mean() and (error**2).mean() < 0.3 * (unlearned**2).mean()
    assert found.sum(dim=2).abs().max() < 1e-4  # contributions to what all classes share decide nothing
    size = 2 * float((of_patches(network, found, weights) ** 2).mean()) ** 0.5
    assert 0 < fit.unexplained < 1 and fit.reach == pytest.approx(size, rel=0.2)


def test_the_network_learns_to_be_told_of_absent_patches(network, quiet):
    network.absence.shifts[-1].data.mul_(20)  # at first, what is not shown speaks loudly
    x = torch.randn(4, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    target = next(batches(x)).targets[MAIN]
    present = torch.rand(4, ALONG, ALONG, generator=torch.Generator().manual_seed(3)) < 0.5

    def loss() -> float:
        with torch.no_grad():
            return float(network.head(MAIN).loss(network(x, [MAIN], present)[MAIN], target))

    before = loss()
    fit_attributions(network, FABRIC, batches(x), 480, float("inf"), quiet())
    assert loss() < 0.8 * before


def test_patches_of_a_job():
    assert [patches_of(text) for text in ("", " None ", "patches=4", "Patches = 8")] == [0, 0, 4, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patches=1", "2 to 8 patches along each side; patches=1 is given"),
        ("patches=99", "patches=99 is given"),
        ("patches=four", "write patches=4 for 4 × 4"),
        ("visible=B2;nir=B8", "image patches, not bands.*given: “visible=B2;nir=B8”"),
    ],
)
def test_players_that_are_no_patches(text, message):
    with pytest.raises(JobError, match=message):
        check_players(text, "scene_regression")


def test_patches_for_a_map_of_pixels():
    with pytest.raises(JobError, match="Image patches are the players of scene-level tasks; the task “segmentation”"):
        check_players("patches=4", "segmentation")


@pytest.mark.parametrize(
    ("size", "chip", "text", "message"),
    [
        ("small", 32, "patches=3", "32 px cannot be cut into 3 × 3 patches of whole multiples of 8 px; give .* of 48"),
        ("base", 32, "patches=4", "give a chip size of 64"),
    ],
)
def test_chips_that_do_not_divide(size, chip, text, message):
    job = TrainFolderJob("m.safetensors", task="scene_classification", size=size, chip_size=chip, players=text)
    with pytest.raises(JobError, match=message):
        options.check(job)


def test_a_configuration_survives_json(network):
    assert NetworkConfig.from_dict(network.config.to_dict()) == network.config
    old = {k: v for k, v in network.config.to_dict().items() if k not in ("patch_px", "patches")}
    assert NetworkConfig.from_dict(old).patch_px == 0 == NetworkConfig.from_dict(old).reach
