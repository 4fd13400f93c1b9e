"""Heads of scene-level tasks: what is pooled, what it costs, and that a score is the sum of its patches."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.network import Network
from auxlens.models.pooled import PooledDensityHead, PooledScoreHead, pool

NAN = float("nan")


def network(task: TaskConfig) -> Network:
    torch.manual_seed(0)
    return Network(NetworkConfig((6, 8, 10), (0.0, 0.0), (1.0, 1.0), {"main": task})).eval()


def test_pool_takes_the_mean_over_the_objects_pixels_alone():
    raw = torch.arange(12.0).reshape(1, 2, 2, 3)
    target = torch.tensor([[[[NAN, 3.0, 3.0], [-1.0, NAN, -1.0]]]])
    mean, value = pool(raw, target, -1.0)
    assert mean.flatten().tolist() == [1.5, 7.5] and value.flatten().tolist() == [3.0]


@pytest.mark.parametrize("absent", [-1.0, NAN])
def test_a_chip_without_its_object_has_no_value(absent):
    mean, value = pool(torch.ones(1, 2, 2, 2), torch.full((1, 1, 2, 2), absent), absent)
    assert torch.isfinite(mean).all() and torch.allclose(value, torch.tensor(absent), equal_nan=True)


def test_class_loss_is_the_cross_entropy_of_pooled_scores():
    head = PooledScoreHead(4, 3)
    raw, target = torch.randn(2, 3, 4, 4), torch.full((2, 1, 4, 4), -1.0)
    target[0, 0, :2], target[1, 0, 1, 1] = 2.0, 0.0
    scores = torch.stack([raw[0, :, :2].mean(dim=(1, 2)), raw[1, :, 1, 1]])
    assert torch.isclose(head.loss(raw, target), F.cross_entropy(scores, torch.tensor([2, 0])))
    assert head.loss(raw, torch.full((2, 1, 4, 4), -1.0)) == 0


def test_number_loss_leaves_out_chips_without_an_object():
    head = PooledDensityHead(4, (10.0,), (2.0,))
    raw, target = torch.zeros(2, 2, 4, 4), torch.full((2, 1, 4, 4), NAN)
    target[1, 0, 2:, 2:] = 14.0  # two standard deviations off, at a scale of one
    assert torch.isclose(head.loss(raw, target), torch.tensor(2.0) + torch.log(torch.tensor(2.0)))


def test_the_score_of_an_object_is_the_sum_of_its_patches_shares():
    """Pooled features before the linear layer, and dense scores after it, are the same."""
    net = network(TaskConfig("score", 3, pooled=True))
    x = torch.randn(1, 2, 16, 24)
    dense = net(x)["main"]
    assert dense.shape == (1, 3, 16, 24)
    captured = {}
    net.heads["main"].register_forward_hook(lambda _module, inputs, _out: captured.update(features=inputs[0]))
    net(x)
    layer = net.heads["main"].layer
    score = F.linear(captured["features"].mean(dim=(2, 3)), layer.weight[:, :, 0, 0], layer.bias)
    patches = dense.unfold(2, 8, 8).unfold(3, 8, 8).sum(dim=(2, 3, 4, 5)) / (16 * 24)
    assert torch.allclose(patches, score, atol=1e-5)


def test_tiles_of_a_pooled_task_fit_together():
    net = network(TaskConfig("density", 1, (0.0,), (1.0,), pooled=True))
    margin, stride = net.config.margin_px, net.config.stride
    size = 2 * margin + 4 * stride
    x = torch.randn(1, 2, size, size)
    first = -(-margin // stride) * stride
    core = slice(first, first + stride)
    begin = core.start - first
    part = net(x[..., begin : core.stop + margin, begin : core.stop + margin])["main"]
    assert torch.allclose(net(x)["main"][..., core, core], part[..., core, core], atol=1e-5)
