"""What is counted of a map against its reference, so that figures of any units together follow from sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from . import classes as class_figures
from .numbers import Residuals


def sums_of(
    truth: NDArray[np.float32], mapped: NDArray[np.floating] | NDArray[np.integer], classes: int
) -> NDArray[np.float64]:
    """Count one unit.

    Args:
        truth: Class indices, or numbers; NaN or negative classes where there is no reference.
        mapped: The same of the map.
        classes: Their number; 0 for a regression.

    Returns:
        ``(classes, classes)`` confusion matrix, rows reference; or ``(6,)`` sums of ``Residuals``.
    """
    if classes:
        index = np.nan_to_num(truth, nan=-1.0).astype(np.int64)
        return class_figures.confusion(index, mapped.astype(np.int64), classes).astype(np.float64)
    residuals = Residuals()
    residuals.add(mapped.astype(np.float64), truth)
    return np.array(astuple(residuals))


def headline_of(sums: NDArray[np.float64]) -> float:
    """The one figure that maps are compared by, higher is better: mean IoU, or R²; NaN without pixels."""
    if sums.ndim == 1:
        return _residuals(sums).figures().get("r2", np.nan)
    return class_figures.figures(sums.astype(np.int64)).get("mean_iou", np.nan)


def figures_of(sums: NDArray[np.float64], classes: Sequence[LandClass]) -> dict[str, float]:
    """Figures by name, from sums over units: overall ones, and the IoU of each class."""
    if not classes:
        return _residuals(sums).figures()
    counts = sums.astype(np.int64)
    ious = class_figures.by_class(counts)["iou"]
    by_class = {f"iou {c.name}": float(iou) for c, iou in zip(classes, ious, strict=True)}
    return {**class_figures.figures(counts), **by_class}


def _residuals(sums: NDArray[np.float64]) -> Residuals:
    return Residuals(int(sums[0]), *sums[1:].tolist())
