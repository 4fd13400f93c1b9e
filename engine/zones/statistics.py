"""Statistics of pixels that count in part: each has a weight, the share of it that a polygon covers.

Pure: values and weights in, figures out. NaN is no value and has no weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]  # (bands, n)
Floats = NDArray[np.float64]

_ROUNDING = 1e-9  # of the total weight: sums of weights in another order differ by less
_HALF = 1 << 16
_LEAST = float(np.nextafter(0.0, 1.0))  # places without weight are passed over
_CHUNK = 1 << 16  # pixels


def moments(values: Values, weights: Floats) -> Floats:
    """Sums from which means follow; those of parts of a polygon add up.

    Args:
        values: ``(bands, n)``.
        weights: ``(n,)``.

    Returns:
        ``(3, bands)``: sums of weights, of weighted values and of weighted squares.
    """
    sums = np.zeros((3, len(values)))
    for start in range(0, values.shape[1], _CHUNK):  # float64 copies of all would take more memory than the values
        part, own = values[:, start : start + _CHUNK], weights[start : start + _CHUNK]
        known = np.isfinite(part)
        exact = np.where(known, part, 0.0).astype(np.float64)
        sums += known @ own, exact @ own, np.square(exact) @ own
    return sums


def tally(values: NDArray[np.float32], weights: Floats) -> dict[int, float]:
    """Sum of weights of each whole number, 0 or more, among ``(n,)`` values."""
    known = np.isfinite(values)
    sums = np.bincount(values[known].astype(np.int64), weights[known])
    return {int(value): float(sums[value]) for value in np.flatnonzero(sums)}


def quantiles(values: Values, weights: Floats, levels: Sequence[float]) -> Floats:
    """Weighted quantiles: the smallest value up to which a share of the weight lies (inverse of the distribution).

    Args:
        values: ``(bands, n)``.
        weights: ``(n,)``.
        levels: Shares, 0–1.

    Returns:
        ``(bands, levels)``; NaN for a band without a value.
    """
    found = np.full((len(values), len(levels)), np.nan)
    order = np.argsort(values, axis=1)  # NaN comes last
    for band, (line, ranks) in enumerate(zip(values, order, strict=True)):
        count = int(np.isfinite(line).sum())
        if count:
            cumulative = np.cumsum(weights[ranks[:count]])
            found[band] = line[ranks[_places(cumulative, levels)]]
    return found


class StreamedQuantiles:
    """The same quantiles of pixels that come in parts, exactly and in fixed memory, in two passes over the parts.

    A float32 is 32 bits whose order is its value's. The first pass sums weights by the upper 16 bits and so finds the
    upper half of each quantile; the second sums them by the lower 16 bits of the values that share it.
    """

    def __init__(self, bands: int, levels: Sequence[float]) -> None:
        self._levels = levels
        self._upper = np.zeros((bands, _HALF))
        self._lower = np.zeros((bands, len(levels), _HALF))
        self._chosen = np.zeros((bands, len(levels)), np.uint32)

    def first(self, values: Values, weights: Floats) -> None:
        """Take a part in the first pass."""
        for band, line in enumerate(values):
            known = np.isfinite(line)
            self._upper[band] += np.bincount(_ordered(line[known]) >> 16, weights[known], _HALF)

    def between(self) -> None:
        """End the first pass."""
        for band, sums in enumerate(self._upper):
            self._chosen[band] = _places(np.cumsum(sums), self._levels)

    def second(self, values: Values, weights: Floats) -> None:
        """Take a part in the second pass."""
        for band, line in enumerate(values):
            known = np.isfinite(line)
            bits, own = _ordered(line[known]), weights[known]
            for at, upper in enumerate(self._chosen[band]):
                there = bits >> 16 == upper
                self._lower[band, at] += np.bincount(bits[there] & (_HALF - 1), own[there], _HALF)

    def result(self) -> Floats:
        """``(bands, levels)``; NaN for a band without a value."""
        found = np.full(self._chosen.shape, np.nan)
        for band, sums in enumerate(self._upper):
            cumulative = np.cumsum(sums)
            if not cumulative[-1]:
                continue
            for at, (level, upper) in enumerate(zip(self._levels, self._chosen[band], strict=True)):
                before = cumulative[upper - 1] if upper else 0.0
                within = np.cumsum(self._lower[band, at])
                goal = (level - _ROUNDING) * cumulative[-1] - before
                lower = min(within.searchsorted(max(goal, _LEAST)), within.searchsorted(within[-1]))
                found[band, at] = _value(int(upper) << 16 | int(lower))
        return found


def _places(cumulative: Floats, levels: Sequence[float]) -> NDArray[np.intp]:
    """First places at which the cumulative weight reaches shares of its total."""
    goals = (np.asarray(levels) - _ROUNDING) * cumulative[-1]
    places: NDArray[np.intp] = cumulative.searchsorted(np.maximum(goals, _LEAST))
    return places


def _ordered(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Bits of float32 such that a larger value has larger bits; −0 is 0."""
    bits = (values + np.float32(0.0)).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def _value(ordered: int) -> float:
    bits = ordered ^ (1 << 31) if ordered >> 31 else ~ordered & 0xFFFFFFFF
    return float(np.uint32(bits).view(np.float32))
