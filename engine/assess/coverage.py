"""Whether intervals hold as many references as they say, where a regression's uncertainty is given with its map."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...models.errors import SceneError
from ..scene.tags import ERROR_FACTOR, INTERVAL_FACTORS


@dataclass
class Coverage:
    """References inside of map ± factor · uncertainty, gathered window by window.

    Attributes:
        factors: By level, 0–1.
        error_factor: What the uncertainty is multiplied with to give the expected absolute error.
        inside: References that each level held.
        count: References where the uncertainty has a value.
        expected: Sum of the expected absolute errors there.
        absolute: Sum of the absolute errors there.
    """

    factors: Mapping[float, float]
    error_factor: float
    inside: dict[float, int] = field(default_factory=dict)
    count: int = 0
    expected: float = 0.0
    absolute: float = 0.0

    def add(
        self, estimate: NDArray[np.floating], truth: NDArray[np.floating], uncertainty: NDArray[np.floating]
    ) -> None:
        """Take the pixels where all three are finite."""
        known = np.isfinite(estimate) & np.isfinite(truth) & np.isfinite(uncertainty)
        scale = uncertainty[known].astype(np.float64)
        error = np.abs(estimate[known].astype(np.float64) - truth[known])
        for level, factor in self.factors.items():
            self.inside[level] = self.inside.get(level, 0) + int((error <= factor * scale).sum())
        self.count += len(error)
        self.expected += float(self.error_factor * scale.sum())
        self.absolute += float(error.sum())

    @property
    def levels(self) -> list[dict[str, float]]:
        """For each level its ``level``, ``factor`` and ``coverage`` (NaN without references)."""
        return [
            {"level": level, "factor": factor, "coverage": self._share(self.inside.get(level, 0))}
            for level, factor in self.factors.items()
        ]

    def figures(self) -> dict[str, float]:
        """``coverage_50`` …, one a level, and ``expected_mae``: the mean absolute error that was to be expected."""
        shares = {f"coverage_{100 * row['level']:g}": row["coverage"] for row in self.levels}
        return {**shares, "expected_mae": self._share(self.expected)}

    def _share(self, value: float) -> float:
        return value / self.count if self.count else math.nan


def coverage_of(tags: Mapping[str, str], path: str) -> Coverage:
    """What the tags of an uncertainty raster say of its intervals.

    Raises:
        SceneError: they say nothing, or nothing that can be read.
    """
    try:
        factors = {float(level): float(factor) for level, factor in json.loads(tags[INTERVAL_FACTORS]).items()}
        return Coverage(factors, float(tags[ERROR_FACTOR]))
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise SceneError(
            f"“{path}” has no factors of intervals in its tags ({INTERVAL_FACTORS}); give the uncertainty that “map” "
            "wrote with a regression's model, of one model and not of several. Older models have no intervals."
        ) from error
