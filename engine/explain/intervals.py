"""Intervals of a regression: how many predicted scales the reference lies from the map, as a rule and at most.

Split conformal prediction with residuals normalised by the predicted scale (Lei et al. 2018, section 5.2): of the
ratios ``|error| / scale`` on validation, the quantile of a level is the factor that makes ``map ± factor · scale`` hold
the reference with that probability, whatever the errors' distribution, as long as pixels to come are like those of
validation.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ...models.card import Intervals
from .calibration import Sample

LEVELS = (0.5, 0.8, 0.9, 0.95)


def fit(validation: Sample, test: Sample, std: float) -> Intervals | None:
    """Calibrate a regression's predicted scale.

    Args:
        validation: Pixels (or objects) to calibrate on, with the feature ``scale``.
        test: Pixels to measure on.
        std: Standard deviation of the target, in whose units the feature is.

    Returns:
        ``None`` where validation is too small for any interval. Levels that it is too small for are left out.
    """
    error, scale, tile = _known(validation, std)
    ratios = error / scale
    independent = independent_observations(ratios, tile)
    factors = {level: conformal_quantile(ratios, level, independent) for level in LEVELS}
    levels = tuple(level for level in LEVELS if math.isfinite(factors[level]))
    if not levels:
        return None
    error_factor = float(error.mean() / scale.mean())
    found = Intervals(levels, tuple(factors[level] for level in levels), error_factor)
    return _measured(found, *_known(test, std)[:2])


def independent_observations(ratios: NDArray[np.float64], tile: NDArray[np.int64]) -> float:
    """How many independent observations pixels in tiles are worth: ``n / (1 + (m − 1) ρ)`` (Kish 1965).

    ``m`` is the pixels a tile, ``ρ`` the correlation of two pixels of a tile by analysis of variance of the ratios'
    ranks, which no wild ratio dominates. A single tile, which says nothing of others, counts as one observation.

    Args:
        ratios: ``(pixels,)``.
        tile: ``(pixels,)`` number of the tile.
    """
    if not len(ratios):
        return 0.0
    ranks = rankdata(ratios)
    counts, sums = (np.bincount(np.unique(tile, return_inverse=True)[1], weights) for weights in (None, ranks))
    n, tiles = len(ranks), len(counts)
    if tiles < 2 or tiles == n:
        return float(tiles)
    between = float((counts * (sums / counts - ranks.mean()) ** 2).sum()) / (tiles - 1)
    within = float((ranks**2).sum() - (sums**2 / counts).sum()) / (n - tiles)
    a_tile = (n - float((counts**2).sum()) / n) / (tiles - 1)
    correlation = (between - within) / (between + (a_tile - 1) * within) if between > 0 else 0.0
    return n / (1 + (a_tile - 1) * min(1.0, max(0.0, correlation)))


def conformal_quantile(ratios: NDArray[np.float64], level: float, independent: float) -> float:
    """Factor of a level: the ``⌈(n + 1) · level⌉ / n`` quantile, infinite where ``n`` is too small for it.

    Args:
        ratios: ``(pixels,)`` absolute errors in predicted scales.
        level: Nominal coverage, below 1.
        independent: ``n``, how many independent observations the pixels are worth.
    """
    share = math.ceil((independent + 1) * level) / independent if independent else math.inf
    return math.inf if share > 1 else float(np.quantile(ratios, share, method="inverted_cdf"))


def _measured(intervals: Intervals, error: NDArray[np.float64], scale: NDArray[np.float64]) -> Intervals:
    """The intervals with the shares of references that they hold."""
    if not len(error):
        return intervals
    coverage = tuple(float((error <= factor * scale).mean()) for factor in intervals.factors)
    figures = {
        "mae": float(error.mean()),
        "expected_mae": float(intervals.error_factor * scale.mean()),
        "pixels": float(len(error)),
    }
    return Intervals(intervals.levels, intervals.factors, intervals.error_factor, coverage, figures)


def _known(sample: Sample, std: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Absolute errors and predicted scales, in the target's unit, and numbers of the tiles."""
    scale = np.exp(sample.features["scale"].astype(np.float64)) * std
    error = sample.error.astype(np.float64)
    known = np.isfinite(scale) & np.isfinite(error)
    return error[known], scale[known], sample.tile[known]
