"""A compact target for modalities of many bands: their leading principal components, returned in the bands.

A hyperspectral image's hundreds of bands say much the same thing. The head predicts the few components that hold nearly
all of their variance (Pearson 1901), so a task costs the same with 4 bands and with 400.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .heads import DensityHead

MANY_BANDS = 32  # a modality with more is learnt by its components


@dataclass(frozen=True)
class Components:
    """Principal components of standardised bands.

    Attributes:
        loadings: A row a component, ``(k, bands)``, orthonormal rows.
        std: Standard deviation of each component, ``(k,)``.
        left: Standard deviation that the components leave of each band, ``(bands,)``, in the band's own.
    """

    loadings: tuple[tuple[float, ...], ...]
    std: tuple[float, ...]
    left: tuple[float, ...]

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Components:
        """Rebuild from JSON."""
        return cls(tuple(tuple(row) for row in data["loadings"]), tuple(data["std"]), tuple(data["left"]))


class CompactHead(DensityHead):
    """Mean and scale of a Laplace distribution a component and pixel, told in bands."""

    loadings: Tensor
    left: Tensor

    def __init__(
        self,
        features: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        components: Components,
        coarseness: int = 1,
    ) -> None:
        super().__init__(features, (0.0,) * len(components.std), components.std, coarseness)
        self.components = self.standardise  # of the components; what follows is of the bands
        self.standardise = type(self.standardise)(mean, std)
        self.register_buffer("loadings", torch.tensor(components.loadings, dtype=torch.float32))
        self.register_buffer("left", torch.tensor(components.left, dtype=torch.float32).view(1, -1, 1, 1))

    def loss(self, raw: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood of the components, of pixels with a value in every band.

        Args:
            raw: ``(B, 2 · k, H, W)`` standardised means and log scales of the components.
            target: ``(B, bands, H, W)`` physical values; NaN where there is none.
        """
        standard = self.standardise(target)
        known = torch.isfinite(standard).all(dim=1, keepdim=True)
        projected = self._turned(torch.where(known, standard, torch.zeros_like(standard)), self.loadings)
        return super()._likelihood(raw, torch.where(known, self.components(projected), torch.nan))

    def score(self, raw: Tensor) -> Tensor:
        """Standardised means of the bands."""
        return self._turned(self.components.physical(super().score(raw)), self.loadings.T)

    def log_scale(self, raw: Tensor) -> Tensor:
        """Logarithm of the expected error in standard deviations: ``(B, bands, H, W)`` float32.

        Errors of the components are taken as independent of each other and of what the components leave. A Laplace
        distribution of scale ``b`` has the variance ``2 b²``, so the scale of a band is the root of
        ``Σ_j loading_j² b_j² + left² / 2``.
        """
        scale = torch.exp(super().log_scale(raw)) * self.components.std
        return 0.5 * torch.log(self._turned(scale.square(), self.loadings.T.square()) + self.left.square() / 2)

    def physical(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Means and expected absolute errors of the bands, in physical units: ``(B, bands, H, W)`` float32 each."""
        return self.standardise.physical(self.score(raw)), torch.exp(self.log_scale(raw)) * self.standardise.std

    @staticmethod
    def _turned(x: Tensor, matrix: Tensor) -> Tensor:
        """``(B, n, H, W)`` times ``(m, n)`` → ``(B, m, H, W)``, in float32 whatever the autocast."""
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x.float(), matrix[:, :, None, None])


def principal_components(standard: Tensor, share: float, most: int) -> Components:
    """The leading principal components of standardised bands.

    Args:
        standard: ``(n, bands)`` of pixels that are valid in every band.
        share: Of the variance that they are to hold, 0–1.
        most: Components at most.
    """
    values, vectors = torch.linalg.eigh(standard.double().T @ standard.double() / len(standard))
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    held = values.cumsum(0) / values.sum()
    count = min(most, int((held < share).sum()) + 1)
    loadings = vectors[:, :count].T
    total = standard.double().square().mean(dim=0)
    left = (total - (loadings.square() * values[:count, None]).sum(dim=0)).clamp(min=0).sqrt()
    return Components(
        tuple(tuple(round(v, 6) for v in row) for row in loadings.tolist()),
        tuple(math.sqrt(v) for v in values[:count].tolist()),
        tuple(round(v, 6) for v in left.tolist()),
    )
