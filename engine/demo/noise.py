"""Random fields from which the demo scenes are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def fractal(size: int, rng: np.random.Generator, longest_px: float, exponent: float = 2.2) -> Field:
    """Gaussian field whose power falls with frequency as ``f ** -exponent``.

    Args:
        size: Width and height in pixels.
        rng: Source of randomness.
        longest_px: Longest wavelength; longer ones have no power.
        exponent: 0 is white noise, 2 to 4 looks like relief.

    Returns:
        ``(size, size)``, mean 0, standard deviation 1.
    """
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    frequency = np.hypot(rows, columns)
    lowest = max(1.0 / longest_px, 1.0 / size)
    amplitude = np.where(frequency >= 0.7 * lowest, np.maximum(frequency, lowest) ** (-exponent / 2), 0.0)
    spectrum = amplitude * np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    field = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray((field - field.mean()) / max(field.std(), 1e-12), np.float32)


def rank(field: Field) -> Field:
    """The share of pixels below each pixel, 0–1: makes a threshold on a field a share of the scene."""
    order = np.argsort(field, axis=None, kind="stable")
    ranks = np.empty(field.size, np.float32)
    ranks[order] = np.linspace(0.0, 1.0, field.size, dtype=np.float32)
    return ranks.reshape(field.shape)


def smoothstep(field: Field, low: float, high: float) -> Field:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((field - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)
