"""The survey before training: where references lie, and how every band is distributed. One pass, by window."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import Canceled, SceneError
from ..jobs import Progress
from ..scene.folder import Scene
from ..scene.reference import to_indices
from ..scene.window import Window, plan
from .scenes import OpenScene

log = logging.getLogger("auxlens")

_BLOCKS_A_SCENE = 100  # blocks that a single scene is cut into, about
_SAMPLE_WINDOWS = 400  # windows that the statistics are taken from, at most
_SAMPLE_PX = 4096  # pixels of each


@dataclass(frozen=True)
class Block:
    """A square of one scene that is trained on, validated on or tested on as a whole.

    ``counts`` has the number of reference pixels of each class (regression: one number).
    """

    scene: int
    window: Window
    counts: NDArray[np.int64]


@dataclass
class BandStatistics:
    """Mean and standard deviation of bands, robust against a few wild pixels."""

    samples: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, values: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Take up to a few thousand pixels of ``(C, H, W)``."""
        flat = values.reshape(len(values), -1)
        self.samples.append(flat[:, rng.permutation(flat.shape[1])[:_SAMPLE_PX]])

    def result(self, modality: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation a band, of values between the 0.5th and the 99.5th percentile.

        Raises:
            SceneError: a band is nowhere valid, or constant.
        """
        means, stds = [], []
        for number, band in enumerate(np.concatenate(self.samples, axis=1), 1):
            known = band[np.isfinite(band)].astype(np.float64)
            if not len(known):
                raise SceneError(
                    f"Band {number} of {modality} has no valid pixel in the training scenes; leave it out."
                )
            low, high = np.percentile(known, [0.5, 99.5])
            clipped = np.clip(known, low, high)
            if clipped.std() <= 1e-6 * max(1.0, abs(clipped.mean())):
                raise SceneError(f"Band {number} of {modality} is constant ({clipped.mean():g}); leave it out.")
            means.append(float(clipped.mean()))
            stds.append(float(clipped.std()))
        return tuple(means), tuple(stds)


@dataclass(frozen=True)
class Survey:
    """What is known of the scenes before training; statistics by modality name, ``main`` for a regression."""

    blocks: tuple[Block, ...]
    statistics: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]


def survey(
    scenes: Sequence[Scene], opened: Sequence[OpenScene], classes: Sequence[LandClass], seed: int, progress: Progress
) -> Survey:
    """Count references by block and sample statistics of all bands.

    Raises:
        SceneError: references cover nothing, or bands that cannot be learned.
    """
    rng = np.random.default_rng(seed)
    tiles = [(i, w) for i, scene in enumerate(opened) for w in blocks_of(scene.grid.height, scene.grid.width)]
    sampled = set(rng.permutation(len(tiles))[:_SAMPLE_WINDOWS].tolist())
    statistics: dict[str, BandStatistics] = {}
    blocks = []
    for number, (i, window) in enumerate(tiles):
        if progress.canceled():
            raise Canceled("The training was canceled.")
        truth = opened[i].reference(window)
        counts = count(truth, classes)
        if counts.sum():
            blocks.append(Block(i, window, counts))
        if number in sampled:
            _sample(scenes[i], opened[i], window, statistics, rng)
        if not classes and counts.sum():
            statistics.setdefault("main", BandStatistics()).add(truth[None], rng)
        progress.report(0.0, f"Surveying the scenes: {number + 1} of {len(tiles)} blocks")
    if not blocks:
        raise SceneError("The references cover no pixel of the scenes; check their CRS, place, field and nodata value.")
    return Survey(tuple(blocks), {name: s.result(name) for name, s in statistics.items()})


def blocks_of(height: int, width: int) -> Iterator[Window]:
    """Square windows that cover a scene, about a hundred of them, from 32 to 256 px wide."""
    side = int(math.sqrt(height * width / _BLOCKS_A_SCENE))
    side = min(256, max(32, side // 16 * 16))
    whole = Window(0, 0, height, width)
    return (tile.core for tile in plan(whole, whole, side, 0))


def count(values: NDArray[np.float32], classes: Sequence[LandClass]) -> NDArray[np.int64]:
    """Reference pixels a class; for a regression the number of all."""
    if not classes:
        return np.array([np.isfinite(values).sum()], np.int64)
    index = to_indices(values, classes)
    return np.bincount(index[index >= 0], minlength=len(classes))


def _sample(
    scene: Scene, opened: OpenScene, window: Window, statistics: dict[str, BandStatistics], rng: np.random.Generator
) -> None:
    values, first = opened.inputs(window), 0
    for modality in scene.inputs:
        last = first + len(modality.bands)
        statistics.setdefault(modality.name, BandStatistics()).add(values[first:last], rng)
        first = last
    for name, values in opened.auxiliary(window).items():
        statistics.setdefault(name, BandStatistics()).add(values, rng)
