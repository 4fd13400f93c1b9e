"""Calibration: fits the error probability on validation pixels, and measures it on test pixels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.functional.classification import binary_calibration_error

from ...models.card import ErrorModel
from . import error_probability as errors

log = logging.getLogger("auxlens")

_MIN_PIXELS = 30  # wrong ones, and right ones
_MOST_PIXELS = 20_000  # to fit with, of each sample; more change nothing but the time it takes
_WEIGHT_A_TILE = 8.0  # neighbouring pixels resemble each other: a tile counts as that many independent ones
_TRAINING, _DISTURBED = 0.3, 0.1  # of the weight of validation pixels
_SUPERSEDED = ("error ", "size ")  # features of models of before; residuals and means around tell more
_BASELINES = ("entropy", "scale")  # uncertainty of the main task alone
_UNCERTAINTY = (*_BASELINES, "margin")
_EASE = 3.0  # scale of the uncertainty in the fit, so that it is shrunk less: the rest must not drown it


@dataclass(frozen=True)
class Sample:
    """Sampled pixels: features by name, main error, index of the mapped class and number of the tile, each ``(n,)``.

    The main error is 0 or 1, or the absolute error of a regression.
    """

    features: Mapping[str, NDArray[np.float32]]
    error: NDArray[np.float32]
    mapped: NDArray[np.int64]
    tile: NDArray[np.int64]


def fit(
    validation: Sample,
    test: Sample,
    tolerance: float,
    classes: int,
    training: Sample | None = None,
    disturbed: Sample | None = None,
) -> dict[str, ErrorModel]:
    """Fit both forms of the error model.

    Args:
        validation: Pixels to learn from; they say how often the map is wrong.
        test: Pixels to measure on.
        tolerance: For a regression the error from which on a pixel counts as wrong; 0 for a segmentation.
        classes: Number of classes; 0 for a regression.
        training: Pixels that the network was trained on, which show more places than the few of validation.
        disturbed: Validation pixels again, with disturbed inputs.

    Returns:
        Models by form; empty if there are too few wrong or right pixels to learn from.
    """
    wrong = validation.error > tolerance
    if min(wrong.sum(), (~wrong).sum()) < _MIN_PIXELS:
        log.warning(
            "The validation split has %d wrong and %d right pixels; the error probability needs %d of each.",
            wrong.sum(), (~wrong).sum(), _MIN_PIXELS,
        )  # fmt: skip
        return {}
    offered = [name for name in validation.features if not name.startswith(_SUPERSEDED)]
    forms = {errors.EXPECTED: [name for name in offered if not errors.needs_references(name)]}
    if len(forms[errors.EXPECTED]) < len(offered):
        forms[errors.OBSERVED] = offered
    weighted = [(1.0, validation), (_TRAINING, training), (_DISTURBED, disturbed)]
    samples = [(weight, sample) for weight, sample in weighted if sample is not None]
    found = {}
    for form, names in forms.items():
        model = _fit(names, samples, tolerance, classes)
        if model is not None:
            found[form] = _with_figures(model, test, test.error > tolerance)
    return found


def _fit(
    names: Sequence[str], samples: Sequence[tuple[float, Sample]], tolerance: float, classes: int
) -> ErrorModel | None:
    """Fit on samples and their weights; the first gives the scale of features and the rate of errors."""
    parts = []
    for share, sample in samples:
        values = np.stack([sample.features[name] for name in names], axis=1).astype(np.float64)
        known = np.flatnonzero(np.isfinite(values).all(axis=1))
        known = np.sort(np.random.default_rng(0).permutation(known)[:_MOST_PIXELS])
        weight = share * _WEIGHT_A_TILE * len(np.unique(sample.tile[known])) / max(1, len(known))
        wrong = sample.error[known] > tolerance
        parts.append((values[known], wrong, sample.mapped[known], np.full(len(known), weight)))
    if min(parts[0][1].sum(), (~parts[0][1]).sum()) < _MIN_PIXELS:
        return None
    mean, std = parts[0][0].mean(axis=0), np.maximum(parts[0][0].std(axis=0), 1e-6)
    values, wrong, mapped, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    ease = np.where(np.isin(names, _UNCERTAINTY), _EASE, 1.0)
    standard = ease * (values - mean) / std
    own = np.eye(classes)[mapped] if classes > 1 else np.zeros((len(mapped), 0))
    by_class = [i for i, name in enumerate(names) if errors.is_by_class(name)] if classes > 1 else []
    design = np.concatenate([standard, own, *(standard[:, i : i + 1] * own for i in by_class)], axis=1)
    logistic = LogisticRegression(max_iter=1000).fit(design, wrong, weights)
    found, intercept = logistic.coef_[0], float(logistic.intercept_[0])
    if len(parts) > 1:  # the others teach what raises the probability, not how often the map is wrong
        first = len(parts[0][0])
        logit, rate = design[:first] @ found + intercept, float(parts[0][1].mean())
        intercept += brentq(lambda shift: float(expit(logit + shift).mean()) - rate, -30.0, 30.0)
    rows = np.zeros((len(names), own.shape[1]))
    rows[by_class] = found[len(names) + own.shape[1] :].reshape(len(by_class), own.shape[1])
    rows *= ease[:, None]
    return ErrorModel(
        tuple(names),
        tuple(mean.tolist()),
        tuple(std.tolist()),
        tuple((ease * found[: len(names)]).tolist()),
        intercept,
        tolerance,
        class_intercepts=tuple(found[len(names) : len(names) + own.shape[1]].tolist()),
        class_coefficients=tuple(tuple(row) for row in rows.tolist()) if classes > 1 else (),
    )


def _with_figures(model: ErrorModel, test: Sample, wrong: NDArray[np.bool_]) -> ErrorModel:
    """The model with its figures on test pixels; without figures if those are all right or all wrong."""
    if not len(wrong):
        return model
    tensors = {name: torch.from_numpy(test.features[name].astype(np.float64)) for name in model.features}
    mapped = torch.from_numpy(test.mapped) if model.class_intercepts else None
    probability = errors.apply(model, tensors, mapped).numpy()
    known = np.isfinite(probability)
    if len(np.unique(wrong[known])) < 2:
        return model
    baseline = next(test.features[name] for name in _BASELINES if name in test.features)
    auroc, alone = roc_auc_score(wrong[known], probability[known]), roc_auc_score(wrong[known], baseline[known])
    calibration = binary_calibration_error(
        torch.from_numpy(probability[known]), torch.from_numpy(wrong[known].astype(np.int64)), n_bins=15
    )
    figures = {
        "auroc": float(auroc),
        "aupr": float(average_precision_score(wrong[known], probability[known])),
        "ece": float(calibration),
        "auroc_uncertainty_alone": float(alone),
        "gain": float(auroc - alone),
        "error_rate": float(wrong[known].mean()),
        "pixels": float(known.sum()),
    }
    return replace(model, figures=figures)
