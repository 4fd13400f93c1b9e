"""Correlation of two rasters, and how many independent observations their pixels are worth.

Pixels resemble their neighbours, so the usual test of a correlation counts each piece of evidence many times. Dutilleul
(1993) corrects it by an effective sample size that follows from both autocorrelations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, stats

Plane = NDArray[np.floating]
_FEWEST = 4  # observations, below which a correlation says nothing


@dataclass(frozen=True)
class Correlation:
    """A correlation with its test: coefficient, effective sample size and two-sided p-value; NaN where undefined."""

    r: float
    effective: float
    p: float


def pearson(x: Plane, y: Plane) -> float:
    """Pearson's correlation of ``(n,)`` values; NaN if one is constant or there are fewer than four."""
    if len(x) < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


def spearman(x: Plane, y: Plane) -> float:
    """Spearman's rank correlation of ``(n,)`` values, ties at their mean rank."""
    return pearson(stats.rankdata(x), stats.rankdata(y))


def partial(x: Plane, y: Plane, controls: Sequence[Plane]) -> float:
    """Correlation of what is left of two variables when controls are accounted for linearly.

    Args:
        x: ``(n,)``.
        y: ``(n,)``.
        controls: Variables of ``(n,)`` values; a class is one of 0 and 1 for each of its values but one.
    """
    design = np.stack([np.ones(len(x)), *controls], axis=1)
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    smallest, largest = min(float(np.std(v)) for v in left), max(float(np.std(v)) for v in (x, y))
    return math.nan if smallest <= 1e-9 * largest else pearson(left[0], left[1])


def tested(scenes: Sequence[tuple[Plane, Plane]]) -> Correlation:
    """Pearson's correlation over scenes with Dutilleul's (1993) modified t test.

    Args:
        scenes: Two planes ``(H, W)`` each; NaN where a pixel does not count. Scenes are independent of each other.
    """
    known = [np.isfinite(x) & np.isfinite(y) for x, y in scenes]
    xs, ys = ([pair[i] for pair in scenes] for i in (0, 1))
    x, y = (np.concatenate([v[k] for v, k in zip(planes, known, strict=True)]) for planes in (xs, ys))
    r = pearson(x, y)
    if not math.isfinite(r):
        return Correlation(math.nan, math.nan, math.nan)
    centred_x, centred_y = (
        [_centred(v, k, float(mean)) for v, k in zip(planes, known, strict=True)]
        for planes, mean in ((xs, x.mean()), (ys, y.mean()))
    )
    effective = effective_size(centred_x, centred_y, known)
    return Correlation(r, effective, p_value(r, effective))


def p_value(r: float, effective: float) -> float:
    """Two-sided p-value of a correlation by the t distribution with ``effective − 2`` degrees of freedom."""
    if effective <= 2 or not math.isfinite(r):
        return math.nan
    if abs(r) >= 1:
        return 0.0
    t = r * math.sqrt((effective - 2) / (1 - r * r))
    return float(2 * stats.t.sf(abs(t), effective - 2))


def _centred(values: Plane, known: NDArray[np.bool_], mean: float) -> NDArray[np.float64]:
    return np.where(known, values - mean, 0.0).astype(np.float64)


def effective_size(
    xs: Sequence[NDArray[np.float64]], ys: Sequence[NDArray[np.float64]], known: Sequence[NDArray[np.bool_]]
) -> float:
    """Dutilleul's (1993) effective sample size of two autocorrelated planes.

    ``M = 1 + tr(BΣ_x) tr(BΣ_y) / tr(BΣ_x BΣ_y)`` with ``B = I − 11ᵀ/n``. The covariances depend on distance alone and
    are estimated by distance class, as in Clifford, Richardson & Hémon (1989); all sums over pairs of pixels are
    convolutions, so that no matrix is built.

    Args:
        xs: Centred values of each scene, 0 where not known.
        ys: The same of the other variable.
        known: Which pixels count.
    """
    sums = [_pair_sums(x, y, k) for x, y, k in zip(xs, ys, known, strict=True)]
    cx, cy = _covariances(sums, 0), _covariances(sums, 1)
    return trace_size(list(known), cx, cy)


def trace_size(known: Sequence[NDArray[np.bool_]], cx: NDArray[np.float64], cy: NDArray[np.float64]) -> float:
    """Effective sample size for given covariances at whole distances 0, 1, 2 … px, 0 beyond the last.

    Args:
        known: Which pixels of each scene count.
        cx: Covariance of the one variable by distance.
        cy: Of the other.
    """
    n = float(sum(k.sum() for k in known))
    both = total_x = total_y = cross = 0.0
    for k in known:
        shape = _padded(k.shape)
        spectrum = fft.rfft2(k.astype(np.float64), shape)
        distance = _distances(shape)
        kernels = [np.where(distance < len(c), c[np.minimum(distance, len(c) - 1)], 0.0) for c in (cx, cy)]
        pairs = fft.irfft2(np.abs(spectrum) ** 2, shape)
        both += float((pairs * kernels[0] * kernels[1]).sum())
        row_x, row_y = (fft.irfft2(spectrum * fft.rfft2(c), shape)[: k.shape[0], : k.shape[1]][k] for c in kernels)
        total_x, total_y, cross = total_x + row_x.sum(), total_y + row_y.sum(), cross + float((row_x * row_y).sum())
    trace = both - 2.0 * cross / n + total_x * total_y / n**2
    product = (n * cx[0] - total_x / n) * (n * cy[0] - total_y / n)
    return float(1.0 + product / trace) if trace > 0 and product > 0 else math.nan


def _pair_sums(x: NDArray[np.float64], y: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Sums of products over all pairs of pixels at each whole distance: of x, of y, and the number of pairs."""
    shape = _padded(known.shape)
    distance = _distances(shape).ravel()
    planes = (x, y, known.astype(np.float64))
    correlations = (fft.irfft2(np.abs(fft.rfft2(v, shape)) ** 2, shape).ravel() for v in planes)
    return np.stack([np.bincount(distance, c) for c in correlations])


def _covariances(sums: Sequence[NDArray[np.float64]], which: int) -> NDArray[np.float64]:
    """Mean product by distance, up to half of the longest one: pairs at its end are too few to tell."""
    longest = max(s.shape[1] for s in sums)
    total = np.zeros((3, longest))
    for s in sums:
        total[:, : s.shape[1]] += s
    reach = max(1, longest // 2)
    return np.asarray(total[which, :reach] / np.maximum(np.round(total[2, :reach]), 1.0))


def _padded(shape: tuple[int, ...]) -> tuple[int, int]:
    """A size in which no pixel meets another one around the border."""
    height, width = (fft.next_fast_len(2 * n, real=True) for n in shape)
    return height, width


def _distances(shape: tuple[int, int]) -> NDArray[np.int64]:
    """Distance of each offset, in whole pixels."""
    rows, cols = (np.minimum(np.arange(n), n - np.arange(n)) for n in shape)
    return np.rint(np.hypot(rows[:, None], cols[None])).astype(np.int64)
