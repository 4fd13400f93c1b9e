"""Means over objects of what the network says of their pixels, gathered tile by tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import error_probability as errors

LOG_SCALE, RECONSTRUCTION, EXPECTED, OBSERVED = "log scale", "reconstruction", "expected error", "observed"


class ObjectMeans:
    """Sums and counts of pixels, by the name of a quantity and the number of an object."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._pixels: dict[str, NDArray[np.int64]] = {}

    def add(self, number: int, name: str, values: NDArray[np.floating], inside: NDArray[np.bool_]) -> None:
        """Add the pixels of one object: values ``(C, H, W)`` where ``inside`` ``(H, W)`` is true."""
        if name not in self._sums:
            self._sums[name] = np.zeros((len(values), self.objects))
            self._pixels[name] = np.zeros(self.objects, np.int64)
        self._sums[name][:, number] += values[:, inside].sum(axis=1, dtype=np.float64)
        self._pixels[name][number] += int(inside.sum())

    def of(self, name: str, channels: int) -> NDArray[np.float64]:
        """``(channels, objects)`` means; NaN for an object without a pixel."""
        if name not in self._sums:
            return np.full((channels, self.objects), np.nan)
        with np.errstate(invalid="ignore"):
            return self._sums[name] / self._pixels[name]

    def pixels(self, name: str) -> NDArray[np.int64]:
        """``(objects,)`` pixels that were added."""
        return self._pixels.get(name, np.zeros(self.objects, np.int64))


def object_features(means: ObjectMeans, modality: str, bands: Sequence[str], std: Tensor) -> dict[str, Tensor]:
    """Features of the error probability from one auxiliary modality, ``(objects,)`` each: as of pixels, of means.

    Args:
        means: With ``log scale``, ``reconstruction``, ``expected error`` and ``observed`` of the modality, as far as
            they are known.
        modality: Its name.
        bands: ``modality:band`` names.
        std: ``(bands, 1)`` standard deviations of the bands over the training scenes.
    """

    def mean(kind: str) -> Tensor:
        return torch.from_numpy(means.of(f"{kind} {modality}", len(bands))).float()

    expected = errors.expected_features(bands, mean(LOG_SCALE))
    observed = errors.observed_features(bands, mean(RECONSTRUCTION), mean(EXPECTED), mean(OBSERVED), std)
    return {**expected, **observed}
