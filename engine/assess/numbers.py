"""Figures of continuous estimates, gathered chip by chip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Residuals:
    """Sums from which bias, errors and R² follow, without keeping the values."""

    count: int = 0
    error: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    truth: float = 0.0
    truth_squared: float = 0.0

    def add(self, estimate: NDArray[np.floating], truth: NDArray[np.floating]) -> None:
        """Take the pixels where both are finite."""
        known = np.isfinite(estimate) & np.isfinite(truth)
        e, t = estimate[known].astype(np.float64), truth[known].astype(np.float64)
        self.count += len(t)
        self.error += float((e - t).sum())
        self.absolute += float(np.abs(e - t).sum())
        self.squared += float(((e - t) ** 2).sum())
        self.truth += float(t.sum())
        self.truth_squared += float((t**2).sum())

    def figures(self) -> dict[str, float]:
        """``bias``, ``mae``, ``rmse`` (in the values' unit) and ``r2`` (at most 1); empty without pixels."""
        if not self.count:
            return {}
        spread = self.truth_squared - self.truth**2 / self.count
        return {
            "bias": self.error / self.count,
            "mae": self.absolute / self.count,
            "rmse": math.sqrt(self.squared / self.count),
            "r2": 1 - self.squared / spread if spread > 0 else float("nan"),
            "pixels": float(self.count),
        }
