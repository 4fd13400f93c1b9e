"""Novelty: how unlike the training scenes an input is, which a network that is sure of itself does not tell.

Haze, shadow and surfaces that training had not are unlikely under the density of its inputs (``input_density.py``);
nothing but the inputs is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...models.card import InputDensity

LARGEST = 10.0


def novelty(density: InputDensity, blocks: Tensor) -> Tensor:
    """How unusual inputs are: 0 for the training scenes' median, ``asinh`` of the distance from it in spreads.

    Args:
        density: The mixture.
        blocks: ``(bands, h, w)`` means over blocks, physical values.

    Returns:
        ``(h, w)``, −10 to 10.
    """

    def column(values: object) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=blocks.device)

    floor = column(density.floor)[:, None]
    values = blocks.flatten(1)
    values = torch.where(floor > 0, torch.log(torch.maximum(values, floor.clamp(min=1e-30))), values)
    standard = (values - column(density.mean)[:, None]) / column(density.std)[:, None]
    likelihoods = torch.stack(
        [
            -(c + 0.5 * (column(p) @ standard - column(o)[:, None]).square().sum(dim=0))
            for p, o, c in zip(density.projections, density.offsets, density.constants, strict=True)
        ]
    )
    unlikely = -torch.logsumexp(likelihoods, dim=0)
    scaled = torch.asinh((unlikely - density.typical) / density.spread).clamp(-LARGEST, LARGEST)
    return scaled.reshape(blocks.shape[1:])
