"""The error probability: a small logistic model of where the map is wrong, from the network's own behaviour.

Two forms are kept in the model's card: ``expected`` uses what the network says of itself (uncertainty of the main
task, expected errors of the auxiliary tasks), ``observed`` also the reconstruction errors, where references exist.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ...models.card import ErrorModel

EXPECTED, OBSERVED = "expected", "observed"
_TINY = 1e-6


def score_features(log_probability: Tensor) -> dict[str, Tensor]:
    """Uncertainty of class scores.

    Args:
        log_probability: ``(classes, …)`` logarithms of the class probabilities.

    Returns:
        ``entropy`` (0–1, of the uniform distribution's) and ``margin`` (log of the ratio of the two most
        likely classes), each ``(…)``.
    """
    first, best = log_probability.max(dim=0)
    second = log_probability.scatter(0, best.unsqueeze(0), -math.inf).amax(dim=0)
    return {"entropy": normalised_entropy(log_probability), "margin": (first - second).clamp(max=20.0)}


def normalised_entropy(log_probability: Tensor) -> Tensor:
    """Shannon entropy over the first dimension, as a share of the uniform distribution's: ``(…)``, 0–1."""
    entropy = -(log_probability.exp() * log_probability).sum(dim=0)
    return (entropy / math.log(log_probability.shape[0])).clamp(0.0, 1.0)


def scale_feature(scale: Tensor) -> Tensor:
    """Logarithm of a predicted scale, the form in which scales add up in a logistic model."""
    return torch.log(scale.clamp(min=_TINY))


def auxiliary_features(
    bands: Sequence[str], expected: Tensor, reconstruction: Tensor, observed: Tensor | None
) -> dict[str, Tensor]:
    """Behaviour of the auxiliary tasks.

    Args:
        bands: ``modality:band`` names.
        expected: ``(bands, …)`` expected errors, physical units.
        reconstruction: ``(bands, …)`` reconstructions.
        observed: ``(bands, …)`` auxiliary references, NaN where there is none; or ``None``.

    Returns:
        For each band ``expected …`` (log scale) and, with references, ``error …`` (signed, in expected errors)
        and ``size …`` (its logarithm without sign).
    """
    features = {f"expected {band}": scale_feature(expected[i]) for i, band in enumerate(bands)}
    if observed is not None:
        relative = ((reconstruction - observed) / expected.clamp(min=_TINY)).clamp(-20.0, 20.0)
        features.update({f"error {band}": relative[i] for i, band in enumerate(bands)})
        features.update({f"size {band}": torch.log1p(relative[i].abs()) for i, band in enumerate(bands)})
    return features


def apply(model: ErrorModel, features: dict[str, Tensor]) -> Tensor:
    """Probability that the map is wrong: 0–1, of the features' shape; NaN where a feature is."""
    total: Tensor | None = None
    offset = model.intercept
    for name, mean, std, coefficient in zip(model.features, model.mean, model.std, model.coefficients, strict=True):
        offset -= coefficient * mean / std
        part = features[name] * (coefficient / std)
        total = part if total is None else total.add_(part)
    assert total is not None
    return total.add_(offset).sigmoid_()
