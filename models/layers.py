"""Building blocks that see one pixel's neighbourhood and nothing else.

Normalisation is over the channels of each pixel (layer normalisation). Unlike batch or group normalisation it
needs no statistics over pixels, so a tile's result does not depend on what else is in the tile or the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of ``(B, C, H, W)``, pixel by pixel (Ba et al. 2016)."""

    def forward(self, x: Tensor) -> Tensor:
        # In channels-last memory the permuted view is contiguous, and no copy is made.
        y = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return y.permute(0, 3, 1, 2)


def convolutions(channels_in: int, channels: int, count: int, normalise: bool) -> nn.Sequential:
    """``count`` times 3×3 convolution and ReLU; the size is kept.

    With ``normalise`` the channels are normalised once, before the last ReLU: on a CPU a normalisation takes as
    long as a convolution, and one a stage learns as well as one a convolution (docs/decisions.md).
    """
    steps: list[nn.Module] = []
    for i in range(count):
        steps.append(nn.Conv2d(channels_in if i == 0 else channels, channels, 3, padding=1))
        if normalise and i == count - 1:
            steps.append(ChannelNorm(channels))
        steps.append(nn.ReLU(inplace=True))
    return nn.Sequential(*steps)


class Standardise(nn.Module):
    """Physical values to zero mean and unit variance a band, and back. Statistics are buffers of the model."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` physical → standardised; NaN stays NaN."""
        return torch.addcmul(-self.mean / self.std, x, 1.0 / self.std)

    def physical(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` standardised → physical."""
        return x * self.std + self.mean
