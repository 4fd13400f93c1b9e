"""Calibration: fits the error probability on validation pixels, and measures it on test pixels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.functional.classification import binary_calibration_error

from ...models.card import ErrorModel
from . import error_probability as errors

log = logging.getLogger("auxlens")

Features = Mapping[str, NDArray[np.float32]]
_MIN_PIXELS = 30  # wrong ones, and right ones
_BASELINES = ("entropy", "scale")  # uncertainty of the main task alone


def fit(
    features: Features, error: NDArray[np.float32], test: Features, test_error: NDArray[np.float32], tolerance: float
) -> dict[str, ErrorModel]:
    """Fit both forms of the error model.

    Args:
        features: Feature values of validation pixels, each ``(n,)``.
        error: Main error of the same pixels: 0 or 1, or absolute errors of a regression.
        test: The same of the test split, to measure on.
        test_error: Main error of the test pixels.
        tolerance: For a regression the error from which on a pixel counts as wrong; 0 for a segmentation.

    Returns:
        Models by form; empty if there are too few wrong or right pixels to learn from.
    """
    wrong, test_wrong = error > tolerance, test_error > tolerance
    if min(wrong.sum(), (~wrong).sum()) < _MIN_PIXELS:
        log.warning(
            "The validation split has %d wrong and %d right pixels; the error probability needs %d of each.",
            wrong.sum(), (~wrong).sum(), _MIN_PIXELS,
        )  # fmt: skip
        return {}
    observed = [name for name in features if name.startswith(("error ", "size "))]
    forms = {errors.EXPECTED: [name for name in features if name not in observed]}
    if observed:
        forms[errors.OBSERVED] = list(features)
    found = {}
    for form, names in forms.items():
        model = _fit(names, features, wrong, tolerance)
        if model is not None:
            found[form] = _with_figures(model, test, test_wrong)
    return found


def _fit(names: Sequence[str], features: Features, wrong: NDArray[np.bool_], tolerance: float) -> ErrorModel | None:
    values = np.stack([features[name] for name in names], axis=1).astype(np.float64)
    known = np.isfinite(values).all(axis=1)
    if min(wrong[known].sum(), (~wrong[known]).sum()) < _MIN_PIXELS:
        return None
    values, labels = values[known], wrong[known]
    mean, std = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    logistic = LogisticRegression(max_iter=1000).fit((values - mean) / std, labels)
    return ErrorModel(
        tuple(names),
        tuple(mean.tolist()),
        tuple(std.tolist()),
        tuple(logistic.coef_[0].tolist()),
        float(logistic.intercept_[0]),
        tolerance,
    )


def _with_figures(model: ErrorModel, test: Features, wrong: NDArray[np.bool_]) -> ErrorModel:
    """The model with its figures on test pixels; without figures if those are all right or all wrong."""
    if not len(wrong):
        return model
    tensors = {name: torch.from_numpy(test[name].astype(np.float64)) for name in model.features}
    probability = errors.apply(model, tensors).numpy()
    known = np.isfinite(probability)
    if len(np.unique(wrong[known])) < 2:
        return model
    baseline = next(test[name] for name in _BASELINES if name in test)
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
    return ErrorModel(**{**model.__dict__, "figures": figures})
