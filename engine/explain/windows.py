"""Windows to look at: where the reconstruction error follows the main error best, middling, worst, and at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..scene.window import Window
from .association import pearson
from .mapped import MappedScene, Thinned
from .scores import COMBINED_ERROR, combined

_SIDE_PX = 256
_MIN_WRONG = 20  # thinned pixels, and as many that are right


@dataclass(frozen=True)
class Place:
    """A window with its correlation between main error and reconstruction error."""

    title: str
    scene: MappedScene
    window: Window
    r: float


def choose(scenes: Sequence[Thinned], seed: int) -> list[Place]:
    """Pick four windows; fewer if there are not so many with both right and wrong pixels."""
    found = [place for scene, scores in zip(scenes, combined(scenes), strict=True) for place in _of(scene, scores)]
    if not found:
        return []
    ordered = sorted(found, key=lambda place: -place.r)
    picked = {"best": ordered[0], "median": ordered[len(ordered) // 2], "worst": ordered[-1]}
    picked["at random"] = ordered[np.random.default_rng(seed).integers(len(ordered))]
    unique = {(p.scene.name, p.window): (title, p) for title, p in reversed(list(picked.items()))}
    return [Place(title, p.scene, p.window, p.r) for title, p in reversed(list(unique.values()))]


def _of(scene: Thinned, scores: dict[str, np.ndarray]) -> list[Place]:
    if COMBINED_ERROR not in scores:
        return []
    side = max(1, _SIDE_PX // scene.step)
    size, error = np.abs(scene.error), scores[COMBINED_ERROR]
    limit = 0.0 if scene.scene.classes else float(np.sqrt(np.nanmean(size**2)))
    places = []
    for row in range(0, size.shape[0], side):
        for col in range(0, size.shape[1], side):
            cut = slice(row, row + side), slice(col, col + side)
            known = np.isfinite(size[cut]) & np.isfinite(error[cut])
            wrong = size[cut][known] > limit
            if min(wrong.sum(), (~wrong).sum()) < _MIN_WRONG:
                continue
            whole = scene.scene.grid.whole
            window = Window(row * scene.step, col * scene.step, _SIDE_PX, _SIDE_PX).intersection(whole)
            r = pearson(size[cut][known], error[cut][known])
            if np.isfinite(r):
                places.append(Place("", scene.scene, window, r))
    return places
