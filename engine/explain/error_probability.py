"""The error probability: a small logistic model of where the map is wrong, from the network's own behaviour.

Two forms are kept in the model's card: ``expected`` uses what the network says of itself (uncertainty of the main
task, expected errors of the auxiliary tasks), ``observed`` also the reconstruction errors, where references exist.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ...models.card import ErrorModel

EXPECTED, OBSERVED = "expected", "observed"
_LARGEST_MARGIN, _LARGEST_ERROR = 20.0, 20.0  # beyond, a pixel is as sure, or as odd, as can be


def score_features(log_probability: Tensor) -> dict[str, Tensor]:
    """Uncertainty of class scores.

    Args:
        log_probability: ``(classes, …)`` logarithms of the class probabilities.

    Returns:
        ``entropy`` (0–1, of the uniform distribution's) and ``margin`` (log of the ratio of the two most
        likely classes, at most 20), each ``(…)``.
    """
    first, second = two_largest(log_probability)
    return {"entropy": normalised_entropy(log_probability), "margin": first.sub_(second).clamp_(max=_LARGEST_MARGIN)}


def two_largest(values: Tensor) -> tuple[Tensor, Tensor]:
    """Largest and second largest over the first dimension; plane by plane, which is far faster than ``topk``."""
    first, second = torch.maximum(values[0], values[1]), torch.minimum(values[0], values[1])
    for plane in values[2:]:
        torch.maximum(second, torch.minimum(first, plane), out=second)
        torch.maximum(first, plane, out=first)
    return first, second


def normalised_entropy(log_probability: Tensor) -> Tensor:
    """Shannon entropy over the first dimension, as a share of the uniform distribution's: ``(…)``, 0–1."""
    entropy = log_probability.exp().mul_(log_probability).sum(dim=0)
    return entropy.mul_(-1.0 / math.log(log_probability.shape[0])).clamp_(0.0, 1.0)


def expected_features(bands: Sequence[str], log_scale: Tensor) -> dict[str, Tensor]:
    """``expected …`` for each ``modality:band``: the logarithm of its expected error, in standard deviations.

    Args:
        bands: ``modality:band`` names.
        log_scale: ``(bands, …)`` from ``DensityHead.log_scale``.
    """
    return {f"expected {band}": log_scale[i] for i, band in enumerate(bands)}


def observed_features(
    bands: Sequence[str], reconstruction: Tensor, expected: Tensor, observed: Tensor
) -> dict[str, Tensor]:
    """``error …`` (signed, in expected errors) and ``size …`` (its logarithm without sign) for each band.

    Args:
        bands: ``modality:band`` names.
        reconstruction: ``(bands, …)``, physical units.
        expected: ``(bands, …)`` expected errors.
        observed: ``(bands, …)`` auxiliary references; NaN where there is none, and so are the features.
    """
    relative = ((reconstruction - observed) / expected).clamp_(-_LARGEST_ERROR, _LARGEST_ERROR)
    size = torch.log1p(relative.abs())
    signed = {f"error {band}": relative[i] for i, band in enumerate(bands)}
    return {**signed, **{f"size {band}": size[i] for i, band in enumerate(bands)}}


def apply(model: ErrorModel, features: Mapping[str, Tensor]) -> Tensor:
    """Probability that the map is wrong: 0–1, of the features' shape; NaN where a feature is."""
    weights = [c / s for c, s in zip(model.coefficients, model.std, strict=True)]
    offset = model.intercept - sum(w * m for w, m in zip(weights, model.mean, strict=True))
    total = torch.full_like(features[model.features[0]], offset)
    for name, weight in zip(model.features, weights, strict=True):
        total.add_(features[name], alpha=weight)
    return total.sigmoid_()
