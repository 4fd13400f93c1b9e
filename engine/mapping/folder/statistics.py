"""The figures of one scene, gathered from its layers while they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....models.card import Card
from ...assess.areas import area_unit, row_areas
from ...scene.grid import Grid
from ...scene.window import Window
from ...scene.writing import Layer

VALID = "valid px"  # figure: pixels that have a value in the layers
MEANS = ("uncertainty", "main_error", "error_probability")
SIGNED = ("main_error", "reconstruction_error")


@dataclass
class _Mean:
    name: str
    total: float = 0.0
    count: int = 0

    def add(self, values: NDArray[Any]) -> None:
        known = np.isfinite(values)
        self.total += float(values[known].sum(dtype=np.float64))
        self.count += int(known.sum())


@dataclass
class Statistics:
    """Sums over the windows of one scene; ``figures`` gives the scene's numbers."""

    card: Card
    grid: Grid
    layers: Mapping[str, Layer]
    _valid: int = field(default=0, init=False)
    _pixels: NDArray[np.int64] = field(init=False)
    _areas: NDArray[np.float64] = field(init=False)
    _means: dict[str, list[_Mean]] = field(init=False)

    def __post_init__(self) -> None:
        self._pixels = np.zeros(len(self.card.main.classes), np.int64)
        self._areas = np.zeros(len(self.card.main.classes))
        self._everywhere = next((name for name in self.layers if name not in SIGNED), "")  # errors need a reference
        self._means = {name: [_Mean(f"mean {text}") for text in self._texts(name)] for name in self.layers}

    def add(self, arrays: Mapping[str, NDArray[np.generic]], window: Window) -> None:
        """Count one window.

        Args:
            arrays: ``(bands, window.height, window.width)`` for each layer, as written.
            window: Of the scene's grid.
        """
        if self._everywhere:
            plane = arrays[self._everywhere][0]
            self._valid += int((np.isfinite(plane) & (plane != self.layers[self._everywhere].nodata)).sum())
        for name, values in arrays.items():
            if name == "map" and self.card.main.classes:
                self._count(values[0], window)
            for mean, plane in zip(self._means[name], values, strict=False):
                if name in SIGNED:
                    nodata = self.layers[name].nodata
                    plane = np.abs(np.where(plane == nodata, np.nan, plane.astype(np.float32)))
                mean.add(plane)

    @property
    def is_empty(self) -> bool:
        """Whether no pixel has a value, as far as the layers tell."""
        return bool(self._everywhere) and not self._valid

    def figures(self) -> dict[str, float]:
        """Numbers by name: pixels, and those with a value; pixels and, where their size is known, hectares of each
        class; means of the layers.

        Errors that have a sign count by their size. A mean without any pixel is left out.
        """
        figures: dict[str, float] = {"pixels": self.grid.height * self.grid.width}
        if self._everywhere:
            figures[VALID] = self._valid
        if "map" in self.layers:
            for i, c in enumerate(self.card.main.classes):
                figures[f"{c.name} px"] = int(self._pixels[i])
                if area_unit(self.grid) == "ha":
                    figures[f"{c.name} ha"] = float(self._areas[i])
        means = [mean for means in self._means.values() for mean in means if mean.count]
        return {**figures, **{mean.name: mean.total / mean.count for mean in means}}

    def _texts(self, name: str) -> list[str]:
        """What the means of a layer are called; none for layers whose mean says nothing."""
        if name == "reconstruction_error":
            return [f"reconstruction error {band}" for band in self.layers[name].bands]
        is_mean = name in MEANS or (name == "map" and not self.card.main.classes)
        return [name.replace("_", " ")] if is_mean else []

    def _count(self, classes: NDArray[np.generic], window: Window) -> None:
        areas = row_areas(self.grid, window.row, window.height)
        for i, c in enumerate(self.card.main.classes):
            rows = (classes == c.value).sum(axis=1)
            self._pixels[i] += rows.sum()
            self._areas[i] += float((rows * areas).sum())
