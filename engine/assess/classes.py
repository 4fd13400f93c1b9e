"""Figures of a segmentation from its confusion matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def confusion(truth: NDArray[np.int64], mapped: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Pixel counts, rows reference and columns map: ``(classes, classes)``. Negative truth is left out."""
    known = truth >= 0
    flat = truth[known] * classes + mapped[known]
    return np.bincount(flat, minlength=classes**2).reshape(classes, classes)


def figures(matrix: NDArray[np.int64]) -> dict[str, float]:
    """Overall accuracy, mean IoU and mean F1 over the classes that occur in the reference, kappa; 0–1."""
    counts = matrix.astype(np.float64)
    total, diagonal = counts.sum(), np.diag(counts)
    if not total:
        return {}
    truth, mapped = counts.sum(axis=1), counts.sum(axis=0)
    seen = truth > 0
    union = truth + mapped - diagonal
    accuracy = diagonal.sum() / total
    chance = float((truth * mapped).sum() / total**2)
    return {
        "overall_accuracy": float(accuracy),
        "mean_iou": float((diagonal[seen] / union[seen]).mean()),
        "mean_f1": float((2 * diagonal[seen] / (truth + mapped)[seen]).mean()),
        "kappa": float((accuracy - chance) / (1 - chance)) if chance < 1 else 0.0,
        "pixels": float(total),
    }


def by_class(matrix: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Figures a class, ``(q,)`` each, 0–1.

    Returns:
        ``users_accuracy`` (right among mapped), ``producers_accuracy`` (right among reference), ``f1`` and ``iou``;
        NaN where the denominator is 0.
    """
    counts = matrix.astype(np.float64)
    hit, truth, mapped = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "users_accuracy": hit / mapped,
            "producers_accuracy": hit / truth,
            "f1": 2 * hit / (truth + mapped),
            "iou": hit / (truth + mapped - hit),
        }


def means(matrix: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Means over the classes that occur in the reference, of each figure of ``by_class``.

    Returns:
        ``macro`` (each class counts the same) and ``weighted`` (by its reference pixels). A class that is mapped
        nowhere counts with a user's accuracy of 0.
    """
    truth = matrix.sum(axis=1)
    seen = truth > 0
    found: dict[str, dict[str, float]] = {"macro": {}, "weighted": {}}
    for name, values in by_class(matrix).items():
        known = np.nan_to_num(values[seen])
        found["macro"][name] = float(known.mean()) if seen.any() else float("nan")
        found["weighted"][name] = float(np.average(known, weights=truth[seen])) if seen.any() else float("nan")
    return found
