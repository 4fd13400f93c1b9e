"""Training chips of scene-level tasks: each is laid around one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ..scene.classes import IGNORE, to_indices
from ..scene.reference import VectorReference
from ..scene.window import Window


@dataclass(frozen=True)
class SceneObject:
    """A polygon, or a whole scene, with a label or number.

    ``number`` is its place among the scene's objects, ``value`` the class index or the number.
    """

    scene: int
    number: int
    window: Window
    value: float

    @property
    def middle(self) -> tuple[int, int]:
        return self.window.row + self.window.height // 2, self.window.col + self.window.width // 2


@dataclass(frozen=True)
class ObjectChip:
    """A chip to read for one object; ``turn`` is one of the eight flips and quarter turns."""

    scene: int
    window: Window
    turn: int
    object: SceneObject


def find_objects(scene: int, given: VectorReference, classes: Sequence[LandClass]) -> list[SceneObject]:
    """The objects of a scene that have pixels there and a value of use."""
    values = to_indices(given.values.astype(np.float32), classes) if classes else given.values
    found = []
    for number, (geometry, value) in enumerate(zip(given.geometries, values, strict=True)):
        window = given.grid.touched_by(geometry.bounds)
        if window is not None and not (classes and value == IGNORE):
            found.append(SceneObject(scene, number, window, float(value)))
    return found


def counts_of(objects: Sequence[SceneObject], classes: int) -> NDArray[np.int64]:
    """Objects of each class, ``(classes,)``; of numbers, one count."""
    index = [int(item.value) if classes else 0 for item in objects]
    return np.bincount(index, minlength=max(1, classes)).astype(np.int64)


def draw_objects(
    objects: Sequence[SceneObject], classes: int, chip_px: int, count: int, rng: np.random.Generator
) -> list[ObjectChip]:
    """Draw training chips: half of them any object, half so that every class is seen equally often."""
    shares = np.full(len(objects), 1 / len(objects))
    if classes:
        counts = counts_of(objects, classes)
        rarity = np.array([1 / counts[int(item.value)] for item in objects]) / (counts > 0).sum()
        shares = (shares + rarity) / 2
    picks = rng.choice(len(objects), size=count, p=shares / shares.sum())
    return [_chip(objects[i], chip_px, rng.uniform(size=2), int(rng.integers(8))) for i in picks]


def middle_chip(item: SceneObject, chip_px: int) -> ObjectChip:
    """The chip with an object in its middle, as it is."""
    return _chip(item, chip_px, np.array([0.5, 0.5]), 0)


def _chip(item: SceneObject, chip_px: int, place: NDArray[np.float64], turn: int) -> ObjectChip:
    """A chip that holds the object, or lies in it if the object is larger; ``place`` (0–1) says where."""
    starts = ((item.window.row, item.window.row_end), (item.window.col, item.window.col_end))
    row, col = (
        round(min(first, end - chip_px) + abs(end - chip_px - first) * at)
        for (first, end), at in zip(starts, place.tolist(), strict=True)
    )
    return ObjectChip(item.scene, Window(row, col, chip_px, chip_px), turn, item)
