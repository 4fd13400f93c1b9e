"""Whether probabilities mean what they say: reliability diagram and expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 15


def _zeros() -> NDArray[np.float64]:
    return np.zeros(BINS)


@dataclass
class Reliability:
    """Pixels by their confidence (the largest probability), in bins of equal width from 0 to 1.

    Attributes:
        pixels: ``(BINS,)`` pixels.
        right: ``(BINS,)`` pixels where the map equals the reference.
        confidence: ``(BINS,)`` sums of the confidence.
        otherwise: Pixels whose most probable class is not the mapped one, where that can be told.
    """

    pixels: NDArray[np.float64] = field(default_factory=_zeros)
    right: NDArray[np.float64] = field(default_factory=_zeros)
    confidence: NDArray[np.float64] = field(default_factory=_zeros)
    otherwise: int = 0

    def add(self, confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> None:
        """Take pixels: confidence 0–1 and whether the map is right, ``(n,)`` each."""
        values = confidence.astype(np.float64)
        place = np.clip((values * BINS).astype(np.int64), 0, BINS - 1)
        self.pixels += np.bincount(place, minlength=BINS)
        self.right += np.bincount(place, right.astype(np.float64), minlength=BINS)
        self.confidence += np.bincount(place, values, minlength=BINS)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """``(BINS,)`` share of right pixels; NaN in an empty bin."""
        return self.right / np.where(self.pixels > 0, self.pixels, np.nan)

    @property
    def mean_confidence(self) -> NDArray[np.float64]:
        """``(BINS,)`` mean confidence; NaN in an empty bin."""
        return self.confidence / np.where(self.pixels > 0, self.pixels, np.nan)

    def figures(self) -> dict[str, float]:
        """``ece`` (Naeini et al. 2015; 0–1), ``mean_confidence``, ``accuracy`` and ``pixels``; empty without pixels."""
        total = float(self.pixels.sum())
        if not total:
            return {}
        return {
            "ece": float(np.abs(self.right - self.confidence).sum() / total),
            "mean_confidence": float(self.confidence.sum() / total),
            "accuracy": float(self.right.sum() / total),
            "pixels": total,
        }
