"""Heads of scene-level tasks: one label or number for all pixels of an object (a scene, a tile, a polygon).

The raw output stays dense (that of a cell of the coarsest level on each of its pixels), and an object's is the mean of
its pixels'. Mean and last layer are both linear, so this is the average pooling of features before a linear layer (Lin,
Chen & Yan 2014, arXiv 1312.4400); but sums over pixels can be gathered tile by tile, and each pixel's or patch's share
of the score is known.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .heads import IGNORE, DensityHead, ScoreHead


def inside_of(target: Tensor, absent: float) -> Tensor:
    """Bool, of the shape of ``target``: the pixels of each chip's object."""
    return target.isfinite() & (target != absent)


def pool(raw: Tensor, target: Tensor, absent: float) -> tuple[Tensor, Tensor]:
    """Each chip's object as one pixel.

    Args:
        raw: ``(B, C, H, W)`` dense raw output.
        target: ``(B, 1, H, W)`` the object's value on its pixels; NaN or ``absent`` elsewhere.
        absent: Value of a chip without a pixel of its object.

    Returns:
        Mean of the raw output over the object ``(B, C, 1, 1)`` float32, and its value ``(B, 1, 1, 1)``.
    """
    inside = inside_of(target, absent)
    count = inside.sum(dim=(2, 3), keepdim=True)
    mean = (raw.float() * inside).sum(dim=(2, 3), keepdim=True) / count.clamp(min=1)
    value = torch.where(inside, target, -torch.inf).amax(dim=(2, 3), keepdim=True)
    return mean, torch.where(count > 0, value, absent)


class PooledHead(nn.Module):
    """What the heads of scene-level tasks share: features of the coarsest level, and the loss of pooled chips."""

    absent: float

    def pooled(self, raw: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """``pool`` with this head's value for "no object"."""
        return pool(raw, target, self.absent)


class PooledScoreHead(PooledHead, ScoreHead):
    """Class scores of an object."""

    absent = float(IGNORE)

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of pooled scores; arguments as of ``pool``."""
        return super().loss(*self.pooled(raw, target))


class PooledDensityHead(PooledHead, DensityHead):
    """Mean and scale of a Laplace distribution of an object's number."""

    absent = float("nan")

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of the pooled mean and log scale; arguments as of ``pool``."""
        return super().loss(*self.pooled(raw, target))
