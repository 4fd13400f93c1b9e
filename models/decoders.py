"""Decoders: from the encoder's levels to features a pixel, for a task's last layer.

The main task's is the widest. Those beside it are narrow, because full resolution is where time goes: there they have
at most 1×1 convolutions, and what they cannot make of the encoder's features the encoder has to learn.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from .layers import convolutions
from .rows import Convolved, Joined, Map, Pixelwise, convolved

DECODER_CONVS = 1  # 3×3, a level


class Decoder(nn.Module):
    """From the coarsest level to the finest: project, double, add the encoder's features, convolve.

    Adding the encoder's features instead of concatenating them (Chaurasia & Culurciello 2017) halves the time.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.projections = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for coarse, fine in pairs)
        self.stages = nn.ModuleList(convolutions(fine, fine, DECODER_CONVS, False) for _, fine in pairs)

    def forward(self, levels: Sequence[Map]) -> Map:
        """Features of all levels, finest first → ``(B, widths[0], H, W)``."""
        x = levels[-1]
        for project, stage, skip in zip(self.projections, self.stages, levels[-2::-1], strict=True):
            assert isinstance(stage, nn.Sequential)
            x = convolved(stage, Joined(Pixelwise(project, x), skip))
        return x


class Narrow(nn.Module):
    """All levels but the finest, each brought to a few channels, mixed and doubled.

    The coarsest is mixed by 1×1, so that the receptive field is not larger than that of ``Decoder``.
    """

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths[1:])
        sizes = [3] * (len(widths) - 2) + [1]
        self.mixing = nn.ModuleList(nn.Conv2d(channels, channels, size, padding=size // 2) for size in sizes)

    def forward(self, levels: Sequence[Map]) -> Map:
        """Features of all levels, finest first → ``(B, channels, H / 2, W / 2)``, before a ReLU."""
        y: Map = Pixelwise(self.mixing[-1], Pixelwise(self.levels[-1], levels[-1], relu=True))
        for project, mix, level in zip(self.levels[-2::-1], self.mixing[-2::-1], levels[-2:0:-1], strict=True):
            assert isinstance(mix, nn.Conv2d)
            y = Convolved(mix, Joined(y, Pixelwise(project, level), relu=True))
        return y


class AuxiliaryDecoder(nn.Module):
    """``Narrow``, and the finest level's features as they are."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.coarse = Narrow(widths, widths[0])

    def forward(self, levels: Sequence[Map]) -> Map:
        """As of ``Decoder``."""
        return Joined(self.coarse(levels), levels[0], relu=True)


class Coarsest(nn.Module):
    """What decodes a pooled task: nothing, because its head takes the coarsest level's features as they are."""

    def forward(self, levels: Sequence[Map]) -> Map:
        """Features of all levels, finest first → ``(B, widths[-1], H / stride, W / stride)``."""
        return levels[-1]
