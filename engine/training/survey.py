"""The survey before training: where references lie, and how every band is distributed. One pass, by window."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.compact import MANY_BANDS, Components, principal_components
from ...models.config import MAIN
from ...models.errors import Canceled, SceneError
from ..jobs import Progress
from ..scene.classes import IGNORE, to_indices
from ..scene.features import is_table
from ..scene.folder import Scene
from ..scene.grid import Grid
from ..scene.reading import complete
from ..scene.window import Window, plan
from ..tuning import give_back_freed_memory
from . import options
from .objects import SceneObject, counts_of, find_objects
from .scenes import OpenScene

_BLOCKS_A_SCENE = 100  # blocks that a single scene is cut into, about
_SAMPLE_WINDOWS = 400  # windows that the statistics are taken from, about
_SAMPLE_PX = 4096  # pixels of each, at most
_SAMPLE_VALUES = 2**17  # values of each: fewer pixels of a modality with hundreds of bands
_MOST_VALUES = 2**25  # of all windows; beyond, every second pixel is dropped, and as many of later windows
_PLACES = 32  # of each class in a block
_TIDY_EVERY = 64  # windows
_NOWHERE = np.zeros((0, 2), np.int64)

_FARTHEST = 5.0  # standard deviations: a wild pixel is no component

Statistics = tuple[tuple[float, ...], tuple[float, ...]]  # mean and standard deviation a band


@dataclass(frozen=True)
class Block:
    """A square of one scene that is trained on, validated on or tested on as a whole.

    ``counts`` has the number of reference pixels of each class (regression: one number), all 0 in a scene without a
    reference, which teaches the auxiliary tasks alone; ``places`` rows and columns of some of them, as many of each
    class. For a scene-level task ``counts`` is of objects, and ``objects`` those whose middle lies in the block.
    """

    scene: int
    window: Window
    counts: NDArray[np.int64]
    places: NDArray[np.int64]
    objects: tuple[SceneObject, ...] = ()


@dataclass
class BandStatistics:
    """Mean and standard deviation of bands, robust against a few wild pixels."""

    samples: list[NDArray[np.float32]] = field(default_factory=list)
    halvings: int = 0

    def add(self, values: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Take up to a few thousand pixels of ``(C, H, W)``, of those with a value."""
        flat = values.reshape(len(values), -1)
        known = rng.permutation(np.flatnonzero(np.isfinite(flat).any(axis=0)))
        number = min(len(known), _SAMPLE_PX, max(1, _SAMPLE_VALUES // len(values)))
        self.samples.append(flat[:, known[: -(-number >> self.halvings)]])
        if sum(sample.size for sample in self.samples) > _MOST_VALUES:
            self.samples = [np.concatenate(self.samples, axis=1)[:, ::2]]
            self.halvings += 1

    def result(self, modality: str) -> Statistics:
        """Mean and standard deviation a band, of values between the 0.5th and the 99.5th percentile.

        Raises:
            SceneError: a band is nowhere valid, or constant.
        """
        means, stds = [], []
        for number in range(1, len(self.samples[0]) + 1):
            band = np.concatenate([sample[number - 1] for sample in self.samples])
            known = band[np.isfinite(band)].astype(np.float64)
            if not len(known):
                raise SceneError(
                    f"Band {number} of {modality} has no valid pixel in the training scenes; leave it out."
                )
            low, high = np.percentile(known, [0.5, 99.5])
            values = np.clip(known, low, high)
            if _is_constant(values):  # but for rare values, such as the few buildings of a scene
                values = known
            if _is_constant(values):
                if modality == MAIN:
                    raise SceneError(
                        f"The reference is {values.mean():g} everywhere; a regression needs different numbers. Check "
                        "the reference and its field."
                    )
                raise SceneError(f"Band {number} of {modality} is constant ({values.mean():g}); leave it out.")
            means.append(float(values.mean()))
            stds.append(float(values.std()))
        return tuple(means), tuple(stds)

    def components(self, statistics: Statistics) -> Components | None:
        """Principal components of a modality of many bands, of pixels valid in all; ``None`` for few bands."""
        mean, std = (np.array(values, np.float32)[:, None] for values in statistics)
        if len(mean) <= MANY_BANDS:
            return None
        standard = (np.concatenate(self.samples, axis=1) - mean) / std
        known = standard[:, np.isfinite(standard).all(axis=0)].clip(-_FARTHEST, _FARTHEST)
        if known.shape[1] < len(mean):  # too few to say how bands go together
            return None
        return principal_components(torch.from_numpy(known.T), options.COMPACT_SHARE, options.COMPACT_MOST)


def _is_constant(values: NDArray[np.float64]) -> bool:
    return bool(values.std() <= 1e-6 * abs(values.mean()))


@dataclass(frozen=True)
class Survey:
    """What is known of the scenes before training, by modality name; ``main`` is a regression's target."""

    blocks: tuple[Block, ...]
    statistics: Mapping[str, Statistics]
    components: Mapping[str, Components]


def survey(
    scenes: Sequence[Scene],
    grids: Sequence[Grid],
    open_scene: Callable[[int], OpenScene],
    classes: Sequence[LandClass],
    seed: int,
    progress: Progress,
    masked: bool = False,
) -> Survey:
    """Count references by block and sample statistics of all bands, one scene after the other.

    Blocks are those with references, and all of scenes without one that teach an auxiliary task: with an auxiliary
    modality, or with ``masked`` bands. A reference of all scenes may hold nothing in some: these are without one.

    Raises:
        SceneError: references cover nothing, or bands that cannot be learned.
        Canceled: stopped by the user.
    """
    rng = np.random.default_rng(seed)
    statistics: dict[str, BandStatistics] = {}
    blocks: list[Block] = []
    for number, (scene, grid) in enumerate(zip(scenes, grids, strict=True)):
        windows = list(blocks_of(grid.height, grid.width))
        sampled = set(rng.permutation(len(windows))[: math.ceil(_SAMPLE_WINDOWS / len(scenes))].tolist())
        if scene.for_test:
            sampled = set()
        teaches = (bool(scene.auxiliary) or masked) and not scene.for_test
        own = []
        with contextlib.closing(open_scene(number)) as opened:
            objects = None
            if opened.objects is not None:
                objects = by_window(find_objects(number, opened.objects, classes), windows)
            for i, window in enumerate(windows):
                if progress.canceled():
                    raise Canceled("The training was canceled.")
                if objects is None:
                    block, truth = _pixels(number, opened, window, classes, rng)
                else:
                    block, truth = _objects(number, scene, grid, objects.get(window, ()), window, len(classes))
                own.append(block)
                if i in sampled:
                    _sample(scene, opened, window, statistics, rng)
                if not classes and block.counts.any() and not scene.for_test:
                    statistics.setdefault(MAIN, BandStatistics()).add(truth[None], rng)
                if i % _TIDY_EVERY == 0:
                    give_back_freed_memory()
                progress.report(0.0, f"Surveying scene {number + 1} of {len(scenes)}: block {i + 1} of {len(windows)}")
        blocks += [block for block in own if block.counts.any()] or (own if teaches else [])
    if not any(block.counts.any() for block in blocks):
        raise SceneError("The references cover no pixel of the scenes; check their CRS, place, field and nodata value.")
    found = {name: s.result(name) for name, s in statistics.items()}
    compact = {name: s.components(found[name]) for name, s in statistics.items()}
    return Survey(tuple(blocks), found, {name: components for name, components in compact.items() if components})


def _pixels(
    number: int, opened: OpenScene, window: Window, classes: Sequence[LandClass], rng: np.random.Generator
) -> tuple[Block, NDArray[np.float32]]:
    """A block of a dense task, and its reference ``(H, W)`` where inputs and required modalities are valid."""
    truth = opened.reference(window)
    if np.isfinite(truth).any():
        counted = complete(opened.inputs(window)) & opened.has_required(window)
        truth = np.where(counted, truth, np.float32(np.nan))
    index = to_indices(truth, classes) if classes else np.where(np.isfinite(truth), 0, IGNORE)
    counts = np.bincount(index[index != IGNORE], minlength=max(1, len(classes)))
    return Block(number, window, counts, _places(index, counts, window, rng) if counts.any() else _NOWHERE), truth


def _objects(
    number: int, scene: Scene, grid: Grid, own: Sequence[SceneObject], window: Window, classes: int
) -> tuple[Block, NDArray[np.float32]]:
    """A block of a scene-level task, and its objects' values ``(1, n)``. A scene with one label is a block itself."""
    counts = counts_of(own, classes)
    place = grid.whole if is_table(scene.reference) else window
    return Block(number, place, counts, _NOWHERE, tuple(own)), np.array([[item.value for item in own]], np.float32)


def by_window(objects: Sequence[SceneObject], windows: Sequence[Window]) -> dict[Window, list[SceneObject]]:
    """The objects whose middle lies in each of a scene's windows (``blocks_of``); windows without any are left out."""
    height, width = windows[0].height, windows[0].width  # of all but the last in a row or column
    at = {(window.row // height, window.col // width): window for window in windows}
    found: dict[Window, list[SceneObject]] = {}
    for item in objects:
        row, col = item.middle
        found.setdefault(at[row // height, col // width], []).append(item)
    return found


def blocks_of(height: int, width: int) -> Iterator[Window]:
    """Square windows that cover a scene, about a hundred of them, from 32 to 256 px wide."""
    side = int(math.sqrt(height * width / _BLOCKS_A_SCENE))
    side = min(256, max(32, side // 16 * 16))
    whole = Window(0, 0, height, width)
    return (tile.core for tile in plan(whole, whole, side, 0))


def _places(
    index: NDArray[np.int64], counts: NDArray[np.int64], window: Window, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows and columns in the scene, ``(n, 2)``, of some reference pixels of each class."""
    found = []
    for number in np.flatnonzero(counts):
        at = np.argwhere(index == number)
        found.append(at[rng.integers(len(at), size=_PLACES)])
    return np.add(np.concatenate(found), (window.row, window.col))


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
