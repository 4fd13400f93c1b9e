"""Disturbances: inputs as a network may meet them but training did not show them, to learn when it fails.

Calibrated on inputs like those of training alone, an error probability would not know what an unusual input means. So
it is fitted on disturbed validation chips too (Tomani et al. 2021; foreign surfaces: Hendrycks et al. 2019): a bright
veil, dimmed light, and surfaces that no scene has. They are made of the bands' statistics and of nothing else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VEIL, DIMMED, FOREIGN = "veil", "dimmed", "foreign"
KINDS = (VEIL, DIMMED, FOREIGN)
_CELL_PX = 32  # over which the strength of a disturbance changes

Statistics = tuple[NDArray[np.float32], NDArray[np.float32]]


def disturbed(
    inputs: NDArray[np.float32], kind: str, statistics: Statistics, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Disturb a chip, more in some places than in others.

    Args:
        inputs: ``(bands, H, W)`` physical values; NaN stays.
        kind: One of ``KINDS``.
        statistics: Mean and standard deviation of the bands over the training scenes, each ``(bands,)``.
        rng: Random numbers.
    """
    mean, std = (values[:, None, None] for values in statistics)
    tilt = np.exp(rng.uniform(-0.7, 0.7) * np.linspace(-1, 1, len(inputs)))[:, None, None]  # bluish or reddish
    strength = _field(inputs.shape[1:], rng)
    if kind == VEIL:
        share = np.clip(0.8 * strength * tilt, 0.0, 0.95)
        return ((1 - share) * inputs + share * (mean + rng.uniform(0.5, 3.0) * std)).astype(np.float32)
    if kind == DIMMED:
        kept = np.clip(1.0 - 0.8 * strength * tilt, 0.05, 1.0)
        dark = np.where(mean > std, 0.0, mean - 2 * std)  # a band that is not all positive has no zero of its own
        return (dark + kept * (inputs - dark)).astype(np.float32)
    order, sign = _other_bands(len(inputs), rng)
    foreign = mean + std * ((inputs - mean) / std)[order] * sign[:, None, None]
    foreign = np.where(mean > std, np.maximum(foreign, 0.1 * mean), foreign)
    return np.where(np.isfinite(inputs), foreign, np.nan).astype(np.float32)


def _other_bands(count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """An order of bands, and a sign of each, that are not the bands as they are: those would be no foreign surface."""
    while True:
        order, sign = rng.permutation(count), rng.choice([-1.0, 1.0], count)
        if (order != np.arange(count)).any() or (sign < 0).any():
            return order, sign


def _field(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """A smooth field of strengths, 0–1."""
    rows, cols = (np.linspace(0, n / _CELL_PX, n) for n in shape)
    cells = rng.random((int(rows[-1]) + 2, int(cols[-1]) + 2))
    i, j = rows.astype(int), cols.astype(int)
    a, b = (rows - i)[:, None], (cols - j)[None]
    upper = cells[np.ix_(i, j)] * (1 - b) + cells[np.ix_(i, j + 1)] * b
    lower = cells[np.ix_(i + 1, j)] * (1 - b) + cells[np.ix_(i + 1, j + 1)] * b
    return np.asarray(upper * (1 - a) + lower * a)
