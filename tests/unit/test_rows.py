"""Rows: the same maps, whether they are computed whole, in strips, or down an image that is given bit by bit."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

from auxlens.models import network as networks
from auxlens.models.config import ATTRIBUTION, NetworkConfig, TaskConfig
from auxlens.models.network import Network
from auxlens.models.rows import Convolved, Given, Halved, Joined, Map, Pixelwise, Reader, Strips

WANTED = ("main", "dem", ATTRIBUTION)


def network_of(pooled: bool = False) -> Network:
    torch.manual_seed(0)
    tasks = {"main": TaskConfig("score", 3, pooled=pooled), "dem": TaskConfig("density", 1, (200.0,), (50.0,))}
    players = () if pooled else ((0,), (1,))
    return Network(NetworkConfig((6, 8, 10), (5.0, 5.0), (2.0, 2.0), tasks, players)).eval()


@pytest.mark.parametrize("size", [(95, 33), (64, 16), (17, 40)])
@pytest.mark.parametrize("pooled", [False, True])
def test_strips_are_the_whole(size, pooled, monkeypatch):
    network, x = network_of(pooled), torch.randn(2, 2, *size)
    wanted = WANTED[: 2 if pooled else 3]
    whole = network(x, wanted)  # a gradient is wanted
    monkeypatch.setattr(networks, "_STRIP_PX", 1)
    with torch.inference_mode():
        parts = network(x, wanted)
    for name in wanted:
        assert parts[name].shape == whole[name].shape
        assert torch.allclose(parts[name], whole[name], atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 90), st.integers(1, 40), st.integers(1, 40), st.integers(0, 9), st.integers(1, 30))
def test_rolling_is_the_whole(height, width, tile, context, step):
    """Whatever is given at once, asked for at once and asked for twice."""
    network = network_of()
    x, margin = torch.randn(1, 2, height, width), network.config.margin_px + context
    with torch.inference_mode():
        whole = network(x, WANTED)
        rolling = network.rolling(x[:, :, : tile + margin], height, WANTED)
        rolling._step = step
        for row in range(0, height, tile):
            top, first = max(0, row - margin), max(0, row - context)
            end = min(height, row + tile + context)
            again = end - max(0, row + tile - context)
            found = rolling.rows(
                x[:, :, top : row + tile + margin], offset=top, first=first, end=end, again=max(0, again)
            )
            for name in WANTED:
                assert torch.allclose(found[name], whole[name][:, :, first:end], atol=1e-5), name


def test_nothing_is_computed_twice_and_little_is_kept():
    seen: dict[str, list[int]] = {"fine": [], "coarse": []}

    def counted(name):
        def count(x):
            seen[name].append(x.shape[2])
            return x + 0.0

        return count

    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)]
    x = torch.randn(1, 3, 1024, 8)
    given_ = Given(x, lambda rows, _: rows, 1024)
    fine = Pixelwise(counted("fine"), Convolved(layers[0], given_, relu=True))
    coarse = Pixelwise(counted("coarse"), Convolved(layers[1], Halved(fine)))
    out = Convolved(layers[2], Joined(coarse, fine))
    with torch.inference_mode():
        strips = Strips({"out": out})
        parts = [strips.rows(row, row + 64, 16)["out"] for row in range(0, 1024, 64)]
        assert sum(seen["fine"]) == 1024 and sum(seen["coarse"]) == 512
        assert all(_kept(map_) < 200 for map_ in (given_, fine, coarse, out))
        features = torch.relu(layers[0](x))
        joined = torch.nn.functional.interpolate(layers[1](torch.nn.functional.max_pool2d(features, 2)), scale_factor=2)
        assert torch.allclose(torch.cat(parts, dim=2), layers[2](joined + features), atol=1e-6)


def _kept(map_: Map) -> int:
    assert map_._memory is not None
    return int(map_._memory.shape[2])


def test_a_whole_is_forgotten_when_all_have_read_it():
    source = Given(torch.ones(1, 1, 4, 4), lambda x, _: x, 4)
    readers = [Reader(source), Reader(source)]
    readers[0].whole()
    assert source._memory is not None
    readers[1].whole()
    assert source._memory is None
