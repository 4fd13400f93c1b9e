"""Agreement of estimated with true numbers, gathered window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]


@dataclass
class Agreement:
    """Moments of estimate (``e``) and truth (``t``): means and sums of squared deviations.

    Windows are merged after Chan, Golub & LeVeque 1983 ("Algorithms for computing the sample variance"), which keeps
    its digits where plain sums of squares lose them.
    """

    count: int = 0
    mean_e: float = 0.0
    mean_t: float = 0.0
    squares_e: float = 0.0
    squares_t: float = 0.0
    products: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def add(self, estimate: Numbers, truth: Numbers) -> None:
        """Take the pixels where both are finite."""
        known = np.isfinite(estimate) & np.isfinite(truth)
        e, t = estimate[known].astype(np.float64), truth[known].astype(np.float64)
        if not len(e):
            return
        mean_e, mean_t = float(e.mean()), float(t.mean())
        d_e, d_t = mean_e - self.mean_e, mean_t - self.mean_t
        total = self.count + len(e)
        between = self.count * len(e) / total
        self.squares_e += float(((e - mean_e) ** 2).sum()) + d_e**2 * between
        self.squares_t += float(((t - mean_t) ** 2).sum()) + d_t**2 * between
        self.products += float(((e - mean_e) * (t - mean_t)).sum()) + d_e * d_t * between
        self.mean_e += d_e * len(e) / total
        self.mean_t += d_t * len(e) / total
        self.count = total
        self.absolute += float(np.abs(e - t).sum())
        self.squared += float(((e - t) ** 2).sum())
        self.low = min(self.low, float(e.min()), float(t.min()))
        self.high = max(self.high, float(e.max()), float(t.max()))

    def figures(self) -> dict[str, float]:
        """Figures of all pixels; NaN where truth or estimate do not vary.

        Returns:
            ``bias`` (estimate − reference), ``mae`` and ``rmse`` in the values' unit; ``r2`` (share of the
            reference's variance that the estimate explains, at most 1); ``squared_correlation`` (Pearson's r²);
            ``slope`` and ``intercept`` of the least-squares line of the estimate on the reference; ``ccc`` (Lin 1989,
            concordance correlation coefficient, −1 to 1); means, standard deviations and ``pixels``.
        """
        n = self.count
        if not n:
            return {}
        shift = self.mean_e - self.mean_t
        return {
            "bias": shift,
            "mae": self.absolute / n,
            "rmse": math.sqrt(self.squared / n),
            "r2": 1 - _ratio(self.squared, self.squares_t),
            "squared_correlation": _ratio(self.products**2, self.squares_e * self.squares_t),
            "slope": _ratio(self.products, self.squares_t),
            "intercept": self.mean_e - _ratio(self.products, self.squares_t) * self.mean_t,
            "ccc": _ratio(2 * self.products, self.squares_e + self.squares_t + n * shift**2),
            "mean_map": self.mean_e,
            "mean_reference": self.mean_t,
            "sd_map": math.sqrt(self.squares_e / n),
            "sd_reference": math.sqrt(self.squares_t / n),
            "pixels": float(n),
        }

    def span(self, deviations: float = 4.0) -> tuple[float, float]:
        """Range that a chart shows: all values, but none further from both means than some standard deviations."""
        sides = ((self.mean_e, self.squares_e), (self.mean_t, self.squares_t))
        reach = [(mean, deviations * math.sqrt(squares / max(self.count, 1))) for mean, squares in sides]
        low = max(self.low, min(mean - far for mean, far in reach))
        high = min(self.high, max(mean + far for mean, far in reach))
        return (low, high) if high > low else (low - 0.5, low + 0.5)


@dataclass
class Density:
    """How often each pair of numbers occurs: ``counts[estimate, reference]``, ``(bins, bins)`` over ``span``."""

    span: tuple[float, float]
    bins: int = 160
    counts: NDArray[np.int64] = field(init=False)
    outside: int = 0

    def __post_init__(self) -> None:
        self.counts = np.zeros((self.bins, self.bins), np.int64)

    def add(self, estimate: Numbers, truth: Numbers) -> None:
        """Take the pixels where both are finite; those beyond the span are only counted."""
        known = np.isfinite(estimate) & np.isfinite(truth)
        low, high = self.span
        rows, columns = (
            np.floor((values[known].astype(np.float64) - low) / (high - low) * self.bins).astype(np.int64)
            - (values[known] == high)
            for values in (estimate, truth)
        )
        inside = (rows >= 0) & (rows < self.bins) & (columns >= 0) & (columns < self.bins)
        self.outside += int((~inside).sum())
        flat = rows[inside] * self.bins + columns[inside]
        self.counts += np.bincount(flat, minlength=self.bins**2).reshape(self.bins, self.bins)


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else float("nan")
