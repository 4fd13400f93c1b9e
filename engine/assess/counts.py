"""Which class of the reference lies on which class of the map: counted window by window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..scene.classes import MAX_CLASSES

_VALUES = 2**16  # class values are below
_TABLE = 2**20  # cells of a table of pairs that is quicker than sorting


@dataclass
class ClassCounts:
    """Counts by class value, of pixels of the map's grid.

    Attributes:
        pairs: Pixels by (reference, map) where both have a value.
        mapped: Pixels of the whole map by class.
        areas_ha: Area of the whole map by class, where ``add`` is told the pixels' areas.
        unmapped: Pixels with a reference where the map has no value.
        disputed: Pixels of ``pairs`` with references of several classes.
        neighbours: Pixels of ``pairs`` whose neighbour in the same pair of columns is one too.
    """

    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)
    mapped: Counter[int] = field(default_factory=Counter)
    areas_ha: dict[int, float] = field(default_factory=dict)
    unmapped: int = 0
    disputed: int = 0
    neighbours: int = 0

    def add(
        self,
        mapped: NDArray[np.float32],
        truth: NDArray[np.float32],
        row_areas_ha: NDArray[np.float64] | None = None,
    ) -> None:
        """Count a window.

        Args:
            mapped: ``(H, W)`` class values, whole numbers; NaN or negative where there is none.
            truth: ``(H, W)`` the reference's, in the same way.
            row_areas_ha: ``(H,)`` area of a pixel of each row, where rows differ.
        """
        there, known = mapped >= 0, truth >= 0  # not NaN
        values = mapped[there].astype(np.int64)
        self._count(self.mapped, values)
        if row_areas_ha is not None:
            areas = np.bincount(values, np.broadcast_to(row_areas_ha[:, None], mapped.shape)[there])
            for value in np.flatnonzero(areas).tolist():
                self.areas_ha[value] = self.areas_ha.get(value, 0.0) + float(areas[value])
        both = there & known
        self.unmapped += int((known & ~there).sum())
        even = both.shape[1] // 2 * 2
        self.neighbours += 2 * int((both[:, 0:even:2] & both[:, 1:even:2]).sum())
        for code, count in _counted(truth[both].astype(np.int64) * _VALUES + mapped[both].astype(np.int64)):
            self.pairs[divmod(code, _VALUES)] += count

    @property
    def pixels(self) -> int:
        """Pixels compared."""
        return self.pairs.total()

    @property
    def too_many(self) -> bool:
        """Whether there are more values than classes can be."""
        return max(len(self.mapped), len({truth for truth, _ in self.pairs})) > MAX_CLASSES

    def matrix(self, values: list[int]) -> NDArray[np.int64]:
        """Confusion matrix of classes: rows reference, columns map."""
        place = {value: i for i, value in enumerate(values)}
        matrix = np.zeros((len(values), len(values)), np.int64)
        for (truth, mapped), count in self.pairs.items():
            matrix[place[truth], place[mapped]] = count
        return matrix

    @staticmethod
    def _count(counter: Counter[int], values: NDArray[np.int64]) -> None:
        for value, count in _counted(values):
            counter[value] += count


def _counted(codes: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    if not len(codes):
        return ()
    if int(codes.max()) < _TABLE:
        counts = np.bincount(codes)
        found = np.flatnonzero(counts)
        return zip(found.tolist(), counts[found].tolist(), strict=True)
    found, counts = np.unique(codes, return_counts=True)
    return zip(found.tolist(), counts.tolist(), strict=True)
