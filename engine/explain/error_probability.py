"""The error probability: a small logistic model of where the map is wrong, from the network's own behaviour.

Two forms are kept in the model's card: ``expected`` uses what the network says of itself (uncertainty of the main
task, expected errors of the auxiliary tasks) and how unusual its input is, ``observed`` also the reconstruction
errors, where references exist. Some features belong to a pixel, others to its surroundings; the latter are computed
on blocks (``surroundings``) and interpolated, which costs next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...models.card import ErrorModel, InputDensity
from ...models.compact import MANY_BANDS
from .many_bands import told
from .novelty import novelty
from .surroundings import at_pixels, block_means, looked_up

EXPECTED, OBSERVED = "expected", "observed"
_LARGEST_MARGIN, _LARGEST_ERROR, _LARGEST_RESIDUAL = 20.0, 20.0, 8.0  # beyond, a pixel is as sure, or odd, as can be
ERRORS = ("residual", "error", "size")  # kinds of features of a pixel's reconstruction errors
_OF_REFERENCES = ("error ", "size ", "residual ", "mean error ", "mean size ")
_OF_AUXILIARY = ("expected ", *_OF_REFERENCES)
_AROUND = ("support", "unusual", "mean error ", "mean size ")
_BY_CLASS = ("margin", "support", "residual ")


def needs_references(feature: str) -> bool:
    """Whether a feature exists only where auxiliary modalities are given."""
    return feature.startswith(_OF_REFERENCES)


def needs_auxiliary(feature: str) -> bool:
    """Whether a feature comes from the auxiliary tasks."""
    return feature.startswith(_OF_AUXILIARY)


def is_around(feature: str) -> bool:
    """Whether a feature belongs to a pixel's surroundings."""
    return feature.startswith(_AROUND)


def is_by_class(feature: str) -> bool:
    """Whether what a feature means depends on the mapped class: a radar too bright speaks against water only."""
    return feature.startswith(_BY_CLASS)


@dataclass(frozen=True)
class Around:
    """Features of surroundings: for each ``(classes or 1, h, w)`` on blocks, with the share of known pixels."""

    features: Mapping[str, Tensor]
    share: Tensor

    def at(self, rows: slice, cols: slice, mapped: Tensor | None) -> dict[str, Tensor]:
        """The features at pixels, ``(rows, cols)``, each for the class that is mapped there."""
        return {name: at_pixels(blocks, self.share, rows, cols, mapped) for name, blocks in self.features.items()}


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
    return {f"expected {band}": plane for band, plane in zip(told(bands), _few(log_scale), strict=True)}


def _few(planes: Tensor) -> Tensor:
    """Planes of the bands, or their mean where there are many: hundreds of features that say the same fit nothing."""
    return planes if len(planes) <= MANY_BANDS else planes.mean(dim=0, keepdim=True)


def observed_features(
    bands: Sequence[str],
    reconstruction: Tensor,
    expected: Tensor,
    observed: Tensor,
    std: Tensor,
    kinds: Collection[str] = ERRORS,
) -> dict[str, Tensor]:
    """Reconstruction errors of each band.

    Args:
        bands: ``modality:band`` names.
        reconstruction: ``(bands, …)``, physical units.
        expected: ``(bands, …)`` expected errors.
        observed: ``(bands, …)`` auxiliary references; NaN where there is none, and so are the features.
        std: ``(bands, 1, …)`` standard deviations of the bands over the training scenes.
        kinds: Those of the features that are wanted.

    Returns:
        ``residual …`` (signed, in standard deviations), ``error …`` (signed, in expected errors) and ``size …`` (its
        logarithm without sign) for each band.
    """
    difference = reconstruction - observed
    planes = {}
    if "residual" in kinds:
        planes["residual"] = (difference / std).clamp_(-_LARGEST_RESIDUAL, _LARGEST_RESIDUAL)
    if "error" in kinds or "size" in kinds:
        planes["error"] = (difference / expected).clamp_(-_LARGEST_ERROR, _LARGEST_ERROR)
    if "size" in kinds:
        planes["size"] = torch.log1p(planes["error"].abs())
    return {
        f"{kind} {band}": plane
        for kind, of_bands in planes.items()
        for band, plane in zip(told(bands), _few(of_bands), strict=True)
    }


def around_inputs(inputs: Tensor, known: Tensor, scores: Tensor | None, densities: Sequence[InputDensity]) -> Around:
    """Features of a chip's surroundings that need no reference.

    Args:
        inputs: ``(bands, H, W)`` physical values; the chip begins at a block's corner.
        known: ``(H, W)`` bool, where every band is valid.
        scores: ``(classes, H, W)``; ``None`` for a regression.
        densities: The cards' of all members of an ensemble, a model's own, or none.

    Returns:
        ``support`` (by how much the mean score of a class exceeds the highest other one, for each class) and
        ``unusual`` (by how much the novelty of the input exceeds all but a hundredth of the training scenes';
        of members their mean: one's threshold is not the other's).
    """
    features: dict[str, Tensor] = {}
    means, share = block_means(inputs, known)
    if scores is not None:
        mean_scores, _ = block_means(scores, known)
        first, second = two_largest(mean_scores)
        rival = torch.where(mean_scores == first, second, first)
        features["support"] = (mean_scores - rival).clamp_(-_LARGEST_MARGIN, _LARGEST_MARGIN)
    if densities:
        exceeded = [(novelty(density, means)[None] - density.unusual).clamp(min=0.0) for density in densities]
        features["unusual"] = torch.stack(exceeded).mean(dim=0)
    return Around(features, share)


def around_references(bands: Sequence[str], errors: Mapping[str, Tensor], known: Tensor) -> Around:
    """Reconstruction errors in a chip's surroundings.

    Args:
        bands: ``modality:band`` names.
        errors: ``observed_features`` of the whole chip, each ``(H, W)``.
        known: ``(H, W)`` bool, where every input band is valid.

    Returns:
        ``mean error …`` (logarithm of the mean's size: bias) and ``mean size …`` for each band.
    """
    bands = list(told(bands))
    relative = torch.stack([errors[f"error {band}"] for band in bands])
    size = torch.stack([errors[f"size {band}"] for band in bands])
    known = known & torch.isfinite(relative).all(dim=0)
    bias, share = block_means(relative, known)
    sizes, _ = block_means(size, known)
    bias = torch.log1p(bias.abs())
    planes = {"mean error": bias, "mean size": sizes}
    return Around({f"{kind} {b}": p[i : i + 1] for kind, p in planes.items() for i, b in enumerate(bands)}, share)


def apply(model: ErrorModel, features: Mapping[str, Tensor], mapped: Tensor | None) -> Tensor:
    """Probability that the map is wrong: 0–1, of the features' shape; NaN where a feature is.

    Args:
        model: From the card.
        features: Values of all its features.
        mapped: Index of the mapped class; ``None`` for a regression.
    """
    total = intercepts(model, mapped, features[model.features[0]])
    for name in model.features:
        total.add_(_weighed(model, name, features[name], mapped))
    return total.sigmoid_()


def intercepts(model: ErrorModel, mapped: Tensor | None, like: Tensor) -> Tensor:
    """The part of the logit that no feature changes, of the shape of ``like``."""
    shift = sum((c * m / s for c, m, s in zip(model.coefficients, model.mean, model.std, strict=True)), 0.0)
    if not model.class_intercepts or mapped is None:
        return torch.full_like(like, model.intercept - shift)
    table = torch.tensor(model.class_intercepts, dtype=torch.float64) + model.intercept - shift
    for row, mean, std in zip(model.class_coefficients, model.mean, model.std, strict=True):
        table -= torch.tensor(row, dtype=torch.float64) * mean / std
    return looked_up(table.to(like), mapped)


def pixel_logit(model: ErrorModel, features: Mapping[str, Tensor], mapped: Tensor | None) -> Tensor:
    """The logit without the surroundings: intercepts and the features of the pixels themselves."""
    total = intercepts(model, mapped, next(iter(features.values())))
    for name in model.features:
        if not is_around(name):
            total.add_(_weighed(model, name, features[name], mapped))
    return total


def around_logit(model: ErrorModel, around: Around) -> Around | None:
    """What surroundings add to the logit of each class, as one plane a class; ``None`` if the model has none of them.

    Interpolation is linear, so that interpolating the sum is as good as summing interpolated features.
    """
    total: Tensor | None = None
    for name in model.features:
        if name in around.features:
            values = around.features[name] * _weights(model, name, around.share)
            total = values if total is None else total + values
    return None if total is None else Around({"logit": total}, around.share)


def _weighed(model: ErrorModel, name: str, values: Tensor, mapped: Tensor | None) -> Tensor:
    weights = _weights(model, name, values)[:, 0, 0]
    return values * (looked_up(weights, mapped) if len(weights) > 1 and mapped is not None else weights[0])


def _weights(model: ErrorModel, name: str, like: Tensor) -> Tensor:
    """``(classes or 1, 1, 1)``: what a feature is multiplied with."""
    i = model.features.index(name)
    rows = model.class_coefficients[i] if model.class_coefficients and any(model.class_coefficients[i]) else (0.0,)
    return ((torch.tensor(rows, dtype=torch.float64) + model.coefficients[i]) / model.std[i]).to(like)[:, None, None]
