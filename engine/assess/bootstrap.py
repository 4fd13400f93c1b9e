"""Bootstrap of paired differences: how far two methods differ, when other scenes or seeds might have been drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPLICATES = 2000


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


def paired_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    figure: Callable[[NDArray[np.float64]], float],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Difference:
    """Difference ``first − second`` of a figure that follows from sums over units.

    Percentile bootstrap (Efron & Tibshirani 1993) over units and seeds at once: each replicate draws units with
    replacement, the same for both methods and all seeds, and then seeds. Units are scenes or spatial blocks, because
    neighbouring pixels do not err independently.

    Args:
        first: ``(seeds, units, …)`` sums of one method, for example a confusion matrix a unit.
        second: The same of the other, with as many seeds and the same units in the same order.
        figure: From the sum over units, ``(…)``, to a number.
        seed: Of the random numbers.
        replicates: Number of draws.

    Returns:
        The mean over the seeds of the difference on all units, and the 2.5th and 97.5th percentile of the replicates;
        NaN replicates (a draw without a class) are left out.
    """
    rng = np.random.default_rng(seed)
    seeds, units = first.shape[:2]
    value = float(np.mean([figure(a.sum(axis=0)) - figure(b.sum(axis=0)) for a, b in zip(first, second, strict=True)]))
    weights = rng.multinomial(units, np.full(units, 1 / units), size=replicates).astype(np.float64)
    found = np.empty((seeds, replicates))
    for number, (a, b) in enumerate(zip(first, second, strict=True)):
        drawn = (np.tensordot(weights, sums, axes=1) for sums in (a, b))
        found[number] = [figure(x) - figure(y) for x, y in zip(*drawn, strict=True)]
    chosen = rng.integers(seeds, size=(seeds, replicates))
    means = np.take_along_axis(found, chosen, axis=0).mean(axis=0)
    low, high = np.nanpercentile(means, [2.5, 97.5]) if np.isfinite(means).any() else (np.nan, np.nan)
    return Difference(value, float(low), float(high))
