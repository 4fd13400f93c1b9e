"""Bootstrap of paired differences: how far two methods differ, when other scenes or seeds might have been drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPLICATES = 1000


@dataclass(frozen=True)
class Difference:
    """A mean difference and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_resolved(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def replicate(
    sums: NDArray[np.float64],
    figures: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> NDArray[np.float64]:
    """Figures of one method on all units, and on units drawn with replacement.

    Units are scenes or spatial blocks, because neighbouring pixels do not err independently. With one seed the draws
    are the same for every method, so that differences of replicates are paired.

    Args:
        sums: ``(repetitions, units, …)``, for example a confusion matrix a unit.
        figures: From the sum over units, ``(…)``, to figures, ``(n,)``.
        seed: Of the draws.
        replicates: Number of draws.

    Returns:
        ``(repetitions, 1 + replicates, n)``, the first on all units.
    """
    units = sums.shape[1]
    drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=replicates)
    weights = np.concatenate([np.ones((1, units)), drawn])
    return np.array([[figures(total) for total in np.tensordot(weights, one, axes=1)] for one in sums])


def differences(first: NDArray[np.float64], second: NDArray[np.float64], seed: int = 0) -> list[Difference]:
    """Differences ``first − second`` of figures, with intervals that cover the draw of units and of training seeds.

    Percentile bootstrap (Efron & Tibshirani 1993): each replicate averages over repetitions that are drawn with
    replacement too, the same for both methods.

    Args:
        first: As from ``replicate``.
        second: The same of the other method, with as many repetitions and the same draws.
        seed: Of the draws of repetitions.

    Returns:
        For each figure the mean difference on all units, and the 2.5th and 97.5th percentile of the replicates; NaN
        replicates (a draw without a class) are left out.
    """
    repetitions, count, number = first.shape
    each = first - second
    chosen = np.random.default_rng(seed).integers(repetitions, size=(repetitions, count - 1, 1))
    means = np.take_along_axis(each[:, 1:], np.broadcast_to(chosen, (repetitions, count - 1, number)), axis=0).mean(
        axis=0
    )
    found = []
    for value, replicates in zip(each[:, 0].mean(axis=0), means.T, strict=True):
        known = replicates[np.isfinite(replicates)]
        low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
        found.append(Difference(float(value), float(low), float(high)))
    return found
