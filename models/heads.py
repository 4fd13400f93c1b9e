"""Heads: a task's last layer, its loss, and the meaning of its raw output."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import Standardise

IGNORE = -1  # class index of a pixel without reference
_LOG_SCALES = (-6.0, 6.0)  # of standardised targets: keeps one pixel from dominating a batch


class Head(nn.Module, ABC):
    """A task's last layer: ``forward`` maps ``(B, features, H, W)`` to the raw output."""

    @abstractmethod
    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Mean loss over the pixels with a target; 0 (with a gradient) if there is none."""

    @abstractmethod
    def score(self, raw: Tensor) -> Tensor:
        """``(B, channels, H, W)`` float32: what attributions sum to."""

    @property
    def score_unit(self) -> float:
        """A score of 1, in the unit of the target; logits are their own."""
        return 1.0


class ScoreHead(Head):
    """Class scores (logits) a pixel."""

    class_weights: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(features, classes, 1)
        self.register_buffer("class_weights", torch.ones(classes), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layer(x)
        return scores

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy with class weights.

        Args:
            raw: ``(B, classes, H, W)`` logits.
            target: ``(B, 1, H, W)`` float class indices; negative or NaN where there is no reference.
        """
        index = torch.nan_to_num(target[:, 0], nan=float(IGNORE)).long()
        total = F.cross_entropy(raw.float(), index, self.class_weights, ignore_index=IGNORE, reduction="sum")
        known = index.clamp(min=0)
        return total / (self.class_weights[known] * (index >= 0)).sum().clamp(min=1.0)

    def score(self, raw: Tensor) -> Tensor:
        """Logits above the mean of all classes: what is common to all decides nothing."""
        raw = raw.float()
        return raw - raw.mean(dim=1, keepdim=True)


class DensityHead(Head):
    """Mean and scale of a Laplace distribution a band and pixel; the scale is the *expected error*.

    Targets of ``coarseness`` pixels a pixel are learned by the means over areas of that size (of the whole chip, where
    it is smaller), so that no detail is asked for that they do not have.
    """

    def __init__(self, features: int, mean: tuple[float, ...], std: tuple[float, ...], coarseness: int = 1) -> None:
        super().__init__()
        self.coarseness = coarseness
        self.layer = nn.Conv2d(features, 2 * len(mean), 1)
        self.standardise = Standardise(mean, std)

    def forward(self, x: Tensor) -> Tensor:
        raw: Tensor = self.layer(x)
        return raw

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of the Laplace distribution, of standardised values.

        Args:
            raw: ``(B, 2 · bands, H, W)`` standardised means and log scales.
            target: ``(B, bands, H, W)`` physical values; NaN where there is none.
        """
        return self._likelihood(raw, self.standardise(target))

    def _likelihood(self, raw: Tensor, standard: Tensor) -> Tensor:
        location, log_scale = _split(raw.float())
        width = min(self.coarseness, *raw.shape[-2:])
        if width > 1:
            location, log_scale, standard = self._by_area(location, log_scale, standard, width)
        known = torch.isfinite(standard)
        distance = (torch.where(known, standard, location) - location).abs()
        loss = distance * torch.exp(-log_scale) + log_scale + math.log(2.0)
        return (loss * known).sum() / known.sum().clamp(min=1)

    @staticmethod
    def _by_area(location: Tensor, log_scale: Tensor, standard: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
        """Means over areas of the pixels with a target; NaN targets where that is less than half of the area."""
        known = torch.isfinite(standard)
        share = F.avg_pool2d(known.float(), width)

        def mean(values: Tensor) -> Tensor:
            return F.avg_pool2d(torch.where(known, values, 0.0), width) / share.clamp(min=1e-6)

        return mean(location), mean(log_scale), torch.where(share >= 0.5, mean(standard), torch.nan)

    def score(self, raw: Tensor) -> Tensor:
        """Standardised means."""
        return _split(raw.float())[0]

    @property
    def score_unit(self) -> float:
        """The (first) band's standard deviation."""
        return float(self.standardise.std.flatten()[0])

    def log_scale(self, raw: Tensor) -> Tensor:
        """Logarithm of the expected error in standard deviations: ``(B, bands, H, W)`` float32."""
        return _split(raw.float())[1]

    def physical(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Means, and expected absolute errors (the scale of a Laplace distribution), in physical units.

        Args:
            raw: ``(B, 2 · bands, H, W)``.

        Returns:
            Two tensors ``(B, bands, H, W)`` float32.
        """
        location, log_scale = _split(raw.float())
        return self.standardise.physical(location), torch.exp(log_scale) * self.standardise.std


def _split(raw: Tensor) -> tuple[Tensor, Tensor]:
    location, log_scale = raw.chunk(2, dim=1)
    return location, log_scale.clamp(*_LOG_SCALES)
