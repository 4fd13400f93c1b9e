"""By rows: the same maps, whether rows are computed together or a few at a time."""

from __future__ import annotations

import pytest
import torch

from auxlens.models import rows
from auxlens.models.network import ATTRIBUTION, Network, NetworkConfig, TaskConfig


def network_of() -> Network:
    torch.manual_seed(0)
    tasks = {"main": TaskConfig("score", 3), "dem": TaskConfig("density", 1, (200.0,), (50.0,))}
    return Network(NetworkConfig((6, 8, 10), (5.0, 5.0), (2.0, 2.0), tasks, ((0,), (1,)))).eval()


@pytest.mark.parametrize("size", [(95, 33), (64, 16), (17, 40)])
def test_strips_are_the_whole(size, monkeypatch):
    network, x = network_of(), torch.randn(2, 2, *size)
    wanted = ["main", "dem", ATTRIBUTION]
    with torch.inference_mode():
        whole = network(x, wanted)
        monkeypatch.setattr(rows, "_STRIP_PX", 1)
        parts = network(x, wanted)
    for name in wanted:
        assert parts[name].shape == whole[name].shape
        assert torch.allclose(parts[name], whole[name], atol=1e-6)


def test_one_strip_where_a_gradient_is_wanted(monkeypatch):
    monkeypatch.setattr(rows, "_STRIP_PX", 1)
    seen = []

    def of_rows(part):
        seen.append(part)
        return [torch.zeros(1, 1, part.stop - part.start, 4)]

    x = torch.zeros(1, 2, 40, 4)
    rows.by_rows(x, of_rows)
    assert seen == [slice(0, 40)]
    with torch.no_grad():
        assert rows.by_rows(x, of_rows)[0].shape == (1, 1, 40, 4)
    assert seen[1:] == [slice(0, 16), slice(16, 32), slice(32, 40)]
