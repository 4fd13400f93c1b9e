"""Decoders: from the encoder's levels to features a pixel, for a task's last layer.

Each has two halves: what is made of all coarser levels, and what of some rows of the finest one (see ``rows.py``).

The main task's is the widest. Those beside it are narrow, because full resolution is where time goes: there they have
at most 1×1 convolutions, and what they cannot make of the encoder's features the encoder has to learn.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from .layers import convolutions

DECODER_CONVS = 1  # 3×3, a level


class Decoder(nn.Module):
    """From the coarsest level to the finest: project, double, add the encoder's features, convolve.

    Adding the encoder's features instead of concatenating them (Chaurasia & Culurciello 2017) halves the time.
    """

    halo = 2 * DECODER_CONVS  # rows that ``finish`` wants on either side: even, because they are doubled ones

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.projections = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for coarse, fine in pairs)
        self.stages = nn.ModuleList(convolutions(fine, fine, DECODER_CONVS, False) for _, fine in pairs)

    def coarser(self, levels: Sequence[Tensor]) -> Tensor:
        """Features of all levels, finest first → ``(B, widths[0], H / 2, W / 2)``, which ``finish`` goes on from."""
        x = levels[-1]
        for project, stage, skip in zip(self.projections[:-1], self.stages[:-1], levels[-2:0:-1], strict=True):
            x = stage(doubled(project(x)).add_(skip))
        projected: Tensor = self.projections[-1](x)
        return projected

    def finish(self, coarser: Tensor, level: Tensor) -> Tensor:
        """Features ``(B, widths[0], rows, W)`` of some rows, given ``coarser`` and the encoder's finest level there."""
        features: Tensor = self.stages[-1](doubled(coarser).add_(level))
        return features


class Narrow(nn.Module):
    """All levels but the finest, each brought to a few channels, mixed and doubled.

    The coarsest is mixed by 1×1, so that the receptive field is not larger than that of ``Decoder``.
    """

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths[1:])
        sizes = [3] * (len(widths) - 2) + [1]
        self.mixing = nn.ModuleList(nn.Conv2d(channels, channels, size, padding=size // 2) for size in sizes)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Features of all levels, finest first → ``(B, channels, H / 2, W / 2)``, before a ReLU."""
        y: Tensor = self.mixing[-1](F.relu_(self.levels[-1](levels[-1])))
        for project, mix, level in zip(self.levels[-2::-1], self.mixing[-2::-1], levels[-2:0:-1], strict=True):
            y = mix(F.relu_(doubled(y).add_(project(level))))
        return y


class AuxiliaryDecoder(nn.Module):
    """``Narrow``, and the finest level's features as they are."""

    halo = 0

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.coarse = Narrow(widths, widths[0])

    def coarser(self, levels: Sequence[Tensor]) -> Tensor:
        """As of ``Decoder``."""
        features: Tensor = self.coarse(levels)
        return features

    def finish(self, coarser: Tensor, level: Tensor) -> Tensor:
        """As of ``Decoder``."""
        return F.relu_(doubled(coarser).add_(level))


def doubled(x: Tensor) -> Tensor:
    """``(B, C, H, W)`` → ``(B, C, 2 H, 2 W)``, each pixel four times."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


class Coarsest(nn.Module):
    """What decodes a pooled task: nothing, because its head takes the coarsest level's features as they are."""

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Features of all levels, finest first → ``(B, widths[-1], H / stride, W / stride)``."""
        return levels[-1]
