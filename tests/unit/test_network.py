"""The network: local, of any size, and honest about what it does not know."""

from __future__ import annotations

import math

import pytest
import torch

from auxlens.models.config import ENCODER_CONVS, PRESETS, NetworkConfig, TaskConfig, receptive_radius
from auxlens.models.decoders import DECODER_CONVS
from auxlens.models.heads import IGNORE, DensityHead
from auxlens.models.network import Network


def network_of(widths=(6, 8, 10)) -> Network:
    torch.manual_seed(0)
    tasks = {"main": TaskConfig("score", 3), "dem": TaskConfig("density", 1, (200.0,), (50.0,))}
    return Network(NetworkConfig(widths, (5.0, 5.0), (2.0, 2.0), tasks)).eval()


def reach(network: Network, task: str) -> int:
    """Largest distance, in rows, from an output pixel to an input pixel that has a gradient."""
    stride = network.config.stride
    middle = 12 * stride
    x = torch.randn(1, 2, 2 * middle, 2 * middle, dtype=torch.float64, requires_grad=True)
    reached = 0
    for pixel in range(middle, middle + stride):
        output = network(x, [task])[task][0, :, pixel, pixel].sum()
        rows = torch.nonzero(torch.autograd.grad(output, x)[0].abs().sum(dim=(0, 1, 3)))
        reached = max(reached, int((rows - pixel).abs().max()))
    return reached


@pytest.mark.parametrize("widths", [(6, 8), (6, 8, 10), (8, 8, 8, 8)])
def test_receptive_radius_is_what_gradients_reach(widths):
    network = network_of(widths).double()
    radius = receptive_radius(len(widths), ENCODER_CONVS, DECODER_CONVS)
    assert reach(network, "main") == radius == network.config.margin_px
    assert reach(network, "dem") <= radius


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (16, 16), (33, 5)])
def test_any_size_comes_back(size):
    raw = network_of()(torch.randn(2, 2, *size))
    assert raw["main"].shape == (2, 3, *size)
    assert raw["dem"].shape == (2, 2, *size)


def test_only_the_tasks_asked_for_are_decoded():
    assert set(network_of()(torch.randn(1, 2, 8, 8), ["main"])) == {"main"}


def test_invalid_pixels_count_as_the_mean():
    network = network_of()
    x = torch.randn(1, 2, 16, 16)
    holes, filled = x.clone(), x.clone()
    holes[0, :, 4:6], filled[0, :, 4:6] = math.nan, 5.0
    assert torch.equal(network(holes)["main"], network(filled)["main"])


def test_a_value_like_no_other_harms_only_what_sees_it():
    """The lowest of all float32 numbers, as a nodata value that nobody declared."""
    network, x = network_of(), torch.randn(1, 2, 16, 16)
    x[0, 0, 8, 8] = torch.finfo(torch.float32).min
    assert torch.isfinite(network(x)["main"]).all()


def test_a_pixel_does_not_depend_on_the_batch():
    network, x = network_of(), torch.randn(3, 2, 16, 16)
    assert torch.allclose(network(x)["main"][1], network(x[1:2])["main"][0], atol=1e-6)


def test_presets_build():
    for widths in PRESETS.values():
        assert NetworkConfig(widths, (0.0,), (1.0,), {"main": TaskConfig("score", 2)}).margin_px > 0


def test_score_loss_ignores_pixels_without_reference():
    head, raw = network_of().head("main"), torch.randn(1, 3, 4, 4)
    target = torch.randint(0, 3, (1, 1, 4, 4)).float()
    partly = target.clone()
    partly[0, 0, 0] = float(IGNORE)
    partly[0, 0, 1] = math.nan
    expected = torch.nn.functional.cross_entropy(raw[:, :, 2:], target[:, 0, 2:].long())
    assert torch.isclose(head.loss(raw, partly), expected)
    assert head.loss(raw, torch.full_like(target, math.nan)) == 0


def test_density_loss_is_the_laplace_likelihood():
    head, raw = network_of().head("dem"), torch.randn(1, 2, 4, 4)
    target = 200 + 50 * torch.randn(1, 1, 4, 4)
    laplace = torch.distributions.Laplace(raw[:, :1], raw[:, 1:].exp())
    expected = -laplace.log_prob((target - 200) / 50).mean()
    assert torch.isclose(head.loss(raw, target), expected, atol=1e-5)
    target[0, 0, 0, 0] = math.nan
    assert torch.isfinite(head.loss(raw, target))


def test_a_coarse_target_asks_for_means_over_its_pixels_and_no_detail():
    head = DensityHead(4, (0.0,), (1.0,), coarseness=2)
    raw, target = torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 4, 4)
    detailed = raw.clone()
    detailed[0, 0] = torch.tensor([1.0, -1.0]).repeat(4, 2)
    assert torch.isclose(head.loss(detailed, target), head.loss(raw, target))
    target[0, 0, :2, 0] = math.nan  # half of an area, of which the means are over the other half
    assert head.loss(detailed, target) > head.loss(raw, target)
    target[0, 0, 0, 1] = math.nan  # most of it: the area does not count
    assert torch.isclose(head.loss(detailed, target), head.loss(raw, target))


@pytest.mark.parametrize("coarseness", [4, 5, 100])
def test_a_target_coarser_than_the_chip_asks_for_its_mean(coarseness):
    head = DensityHead(4, (0.0,), (1.0,), coarseness)
    raw, target = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
    detailed = raw.clone()
    detailed[0, 0] = torch.tensor([1.0, -1.0]).repeat(4, 2)
    assert torch.isclose(head.loss(detailed, target), head.loss(raw, target))


def test_density_comes_back_in_physical_units():
    mean, scale = network_of().head("dem").physical(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    assert (float(mean), float(scale)) == (250.0, 50.0)
