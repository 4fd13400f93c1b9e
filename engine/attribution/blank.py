"""A network that has learned nothing: what a control holds a model's attributions against."""

from __future__ import annotations

import torch
from torch import nn

from ...models.network import Network
from ..training.attribution import set_bias


def blank(network: Network, seed: int) -> Network:
    """A network of the same build that has learned nothing, ready to predict.

    All its weights are random, so its attributions should have nothing to do with the real ones (Adebayo et al.
    2018). Statistics of bands and targets are the same: they are part of the build.

    Args:
        network: With players or patches.
        seed: Of the weights; torch's own random numbers stay as they are.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        found = Network(network.config).eval()
        for layer in found.modules():
            if isinstance(layer, nn.Conv2d) and not layer.weight.any():  # one that begins at 0 would explain nothing
                layer.reset_parameters()
        if network.config.patch_px:  # nor may it begin with knowing that a place mostly speaks for itself
            own = found.patch_explainer.own
            nn.init.normal_(own, std=len(own) ** -0.5)  # as large as it is
    set_bias(found)
    return found
