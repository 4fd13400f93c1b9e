"""The figures of one scene, gathered from its layers while they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....models.card import Card
from ...assess.areas import row_areas_ha
from ...scene.grid import Grid
from ...scene.window import Window
from ...scene.writing import Layer

MEANS = ("uncertainty", "error_probability")


@dataclass
class _Mean:
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
    _pixels: NDArray[np.int64] = field(init=False)
    _hectares: NDArray[np.float64] = field(init=False)
    _means: dict[str, _Mean] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._pixels = np.zeros(len(self.card.main.classes), np.int64)
        self._hectares = np.zeros(len(self.card.main.classes))

    def add(self, arrays: Mapping[str, NDArray[np.generic]], window: Window) -> None:
        """Count one window.

        Args:
            arrays: ``(bands, window.height, window.width)`` for each layer, as written.
            window: Of the scene's grid.
        """
        for name, values in arrays.items():
            if name == "map" and self.card.main.classes:
                self._count(values[0], window)
            elif name == "map" or name in MEANS:
                self._mean(f"mean {name.replace('_', ' ')}", values)
            elif name == "reconstruction_error":
                for band, plane in zip(self.layers[name].bands, values, strict=True):
                    self._mean(f"mean reconstruction error {band}", np.abs(plane))
            elif name == "main_error":
                known = np.where(values == self.layers[name].nodata, np.nan, values.astype(np.float32))
                self._mean("mean main error", np.abs(known))

    def figures(self) -> dict[str, float]:
        """Numbers by name: pixels; pixels and, with a CRS, hectares of each class; means of the layers.

        Errors that have a sign count by their size. A mean without any pixel is left out.
        """
        figures: dict[str, float] = {"pixels": self.grid.height * self.grid.width}
        if "map" in self.layers:
            for i, c in enumerate(self.card.main.classes):
                figures[f"{c.name} px"] = int(self._pixels[i])
                if self.grid.crs is not None:
                    figures[f"{c.name} ha"] = float(self._hectares[i])
        means = {name: mean.total / mean.count for name, mean in self._means.items() if mean.count}
        return {**figures, **means}

    def _count(self, classes: NDArray[np.generic], window: Window) -> None:
        areas = None if self.grid.crs is None else row_areas_ha(self.grid, window.row, window.height)
        for i, c in enumerate(self.card.main.classes):
            rows = (classes == c.value).sum(axis=1)
            self._pixels[i] += rows.sum()
            if areas is not None:
                self._hectares[i] += float((rows * areas).sum())

    def _mean(self, name: str, values: NDArray[Any]) -> None:
        self._means.setdefault(name, _Mean()).add(values)
