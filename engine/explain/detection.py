"""Detection of errors by a score: how well it ranks wrong pixels before right ones, with intervals.

Scores are counted in bins of equal population for each unit (a scene, or a block of one). Resampling whole units keeps
neighbours together, and drawing them a thousand times costs one matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 1024
DRAWS = 1000
FIGURES = ("auroc", "aupr", "fpr95", "aurc")


@dataclass(frozen=True)
class Counts:
    """Right and wrong pixels by unit and bin, ``(units, bins)``; bins from the lowest score to the highest."""

    right: NDArray[np.float64]
    wrong: NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval over resampled units; NaN bounds with fewer than two units."""

    value: float
    low: float
    high: float


def counts(score: NDArray[np.floating], wrong: NDArray[np.bool_], unit: NDArray[np.int64]) -> Counts:
    """Count pixels.

    Args:
        score: ``(n,)``, higher where errors are more likely.
        wrong: ``(n,)``.
        unit: ``(n,)`` number of the scene or block, from 0.
    """
    values = np.unique(score)
    if len(values) > BINS:
        values = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[:-1]))
    place = np.searchsorted(values, score, side="right") - 1
    units, bins = int(unit.max()) + 1, len(values)
    both = np.bincount((unit * bins + place) * 2 + wrong, minlength=2 * units * bins).reshape(units, bins, 2)
    return Counts(both[..., 0].astype(np.float64), both[..., 1].astype(np.float64))


def figures(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Figures of binned scores; NaN where there is no right or no wrong pixel.

    ``auroc``; ``aupr`` (average precision, errors are positive); ``fpr95`` (share of right pixels flagged when 95 % of
    the errors are); ``aurc`` (area under the risk–coverage curve, Geifman & El-Yaniv 2017: mean error rate among the
    pixels kept, over all coverages).

    Args:
        right: ``(…, bins)`` pixels, from the lowest score to the highest.
        wrong: The same of wrong pixels.
    """
    positives, negatives = wrong.sum(axis=-1), right.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.cumsum(right, axis=-1) - 0.5 * right
        auroc = (wrong * below).sum(axis=-1) / (positives * negatives)
        flagged_wrong = np.cumsum(wrong[..., ::-1], axis=-1)
        flagged_right = np.cumsum(right[..., ::-1], axis=-1)
        precision = np.nan_to_num(flagged_wrong / (flagged_wrong + flagged_right))
        aupr = (precision * wrong[..., ::-1]).sum(axis=-1) / positives
        enough = flagged_wrong >= 0.95 * positives[..., None]
        first = enough.argmax(axis=-1)[..., None]
        fpr95 = np.take_along_axis(flagged_right, first, axis=-1)[..., 0] / negatives
        kept_wrong, kept = np.cumsum(wrong, axis=-1), np.cumsum(wrong + right, axis=-1)
        before_wrong, before = kept_wrong - wrong, kept - wrong - right
        middle = (before_wrong + 0.5 * wrong) / (before + 0.5 * (wrong + right))
        aurc = (np.nan_to_num(middle) * (wrong + right)).sum(axis=-1) / (positives + negatives)
    undefined = (positives == 0) | (negatives == 0)
    found = {"auroc": auroc, "aupr": aupr, "fpr95": fpr95, "aurc": aurc}
    return {name: np.where(undefined, np.nan, values) for name, values in found.items()}


def risk_coverage(of: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coverage (0–1) and the error rate among the pixels kept, from the lowest scores on."""
    wrong, both = of.wrong.sum(axis=0), (of.wrong + of.right).sum(axis=0)
    kept = np.cumsum(both)
    return kept / kept[-1], np.cumsum(wrong) / np.maximum(kept, 1)


def resampled(scores: Mapping[str, Counts], seed: int) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Figures of each score: the first value from all units, the others from units drawn with replacement.

    The same draws are used for every score, so that differences are those of pairs.
    """
    units = len(next(iter(scores.values())).right)
    weights = np.ones((1, units))
    if units > 1:
        drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), DRAWS)
        weights = np.concatenate([weights, drawn])
    return {name: figures(weights @ of.right, weights @ of.wrong) for name, of in scores.items()}


def interval(values: NDArray[np.float64]) -> Interval:
    """The first value, with the 2.5 and 97.5 percentiles of the others."""
    drawn = values[1:][np.isfinite(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    return Interval(float(values[0]), float(low), float(high))
