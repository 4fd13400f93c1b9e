"""Training chips: drawn from blocks, read by window in the background, flipped and turned."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import LandClass
from ...models.config import MAIN
from ..scene.classes import to_indices
from ..scene.reading import complete
from ..scene.window import Window
from .objects import ObjectChip
from .scenes import OpenScene
from .split import TRAIN, UNLABELLED
from .survey import Block

_READERS = min(8, max(2, (os.cpu_count() or 2) // 2))  # threads; a batch each, so what is read is the same
_OPEN_FILES = 160 // _READERS  # a thread: some systems allow a process 256
_BATCHES_AHEAD = _READERS + 1


@dataclass(frozen=True)
class Sample:
    """A chip to read: scene, window (may reach over the border), and which of the eight flips and turns."""

    scene: int
    window: Window
    turn: int


@dataclass(frozen=True)
class Batch:
    """Tensors of several chips: ``(B, C, H, W)`` input, and the targets of every task; NaN where there is none."""

    inputs: Tensor
    targets: dict[str, Tensor]


@dataclass
class ChipReader:
    """Reads samples of one split; what is not this split's is hidden, and so is what a map has no pixel for.

    The main target is also hidden where a modality that the scene requires has no value.

    Training may learn auxiliary modalities outside of all blocks; held-out figures come from their own blocks alone.

    Attributes:
        open_scene: Opens a scene's readers.
        blocks: All blocks.
        splits: The split of each block.
        split: The split to read.
        classes: Empty for a regression.
    """

    open_scene: Callable[[int], OpenScene]
    blocks: Sequence[Block]
    splits: Sequence[str]
    split: str
    classes: Sequence[LandClass]
    _local: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._own: dict[int, list[Window]] = {}
        self._others: dict[int, list[Window]] = {}
        self._unlabelled: dict[int, list[Window]] = {}
        for block, split in zip(self.blocks, self.splits, strict=True):
            group = self._own if split == self.split else self._unlabelled if split == UNLABELLED else self._others
            group.setdefault(block.scene, []).append(block.window)

    def read(self, sample: Sample | ObjectChip) -> dict[str, NDArray[np.float32]]:
        """``inputs``, ``main`` and each auxiliary modality that is read, as ``(C, H, W)`` float32."""
        scene = self._scene(sample.scene)
        inside = sample.window.intersection(scene.grid.whole)
        inputs = scene.inputs(inside)
        unmapped = ~complete(inputs)
        uncounted = unmapped | ~scene.has_required(inside)
        hidden = self._hidden(sample.scene, inside)
        if isinstance(sample, ObjectChip):  # the object is this split's, wherever it reaches
            main = self._main(scene.object(sample.object.number, inside))
            main[:, uncounted] = np.nan
        else:
            main = self._main(scene.reference(inside))
            main[:, uncounted | hidden | _covered(self._unlabelled.get(sample.scene, ()), inside)] = np.nan
        chip = {"inputs": inputs, MAIN: main}
        for name, values in scene.auxiliary(inside).items():
            values[:, unmapped | hidden] = np.nan
            chip[name] = values
        return {name: _turn(_pad(v, sample.window, inside), sample.turn) for name, v in chip.items()}

    def _hidden(self, scene: int, inside: Window) -> NDArray[np.bool_]:
        """``(H, W)``: the pixels of a window whose targets are not this split's to see."""
        if self.split == TRAIN:
            return _covered(self._others.get(scene, ()), inside)
        return ~_covered(self._own.get(scene, ()), inside)

    def _main(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return (to_indices(values, self.classes) if self.classes else values).astype(np.float32)[None]

    def _scene(self, number: int) -> OpenScene:
        """This thread's readers of a scene; the ones used longest ago are closed."""
        scenes: OrderedDict[int, OpenScene] = self._local.__dict__.setdefault("scenes", OrderedDict())
        if number not in scenes:
            scenes[number] = self.open_scene(number)
            while len(scenes) > 1 and sum(scene.files for scene in scenes.values()) > _OPEN_FILES:
                scenes.popitem(last=False)[1].close()
        scenes.move_to_end(number)
        return scenes[number]


def _covered(windows: Sequence[Window], inside: Window) -> NDArray[np.bool_]:
    """``(H, W)``: the pixels of a window that lie in one of several."""
    covered = np.zeros((inside.height, inside.width), bool)
    for window in windows:
        if window.overlaps(inside):
            covered[window.intersection(inside).relative_to(inside).slices] = True
    return covered


def draw(
    blocks: Sequence[Block], splits: Sequence[str], chip_px: int, count: int, rng: np.random.Generator
) -> list[Sample]:
    """Draw training chips: half by area of reference, half so that every class is seen equally often."""
    chosen = [b for b, s in zip(blocks, splits, strict=True) if s == TRAIN]
    counts = np.stack([b.counts for b in chosen]).astype(np.float64)
    by_area = counts.sum(axis=1) / counts.sum()
    present = counts.sum(axis=0) > 0
    by_class = (counts[:, present] / counts[:, present].sum(axis=0)).mean(axis=1)
    picks = rng.choice(len(chosen), size=count, p=(by_area + by_class) / 2)
    return [_around(chosen[i], chip_px, rng) for i in picks]


def _around(block: Block, chip_px: int, rng: np.random.Generator) -> Sample:
    """A chip at a random place that holds a reference pixel, and keeps the middle of it inside the block."""
    window, half = block.window, chip_px // 2
    row, col = block.places[rng.integers(len(block.places))] + rng.integers(1 - half, half + 1, size=2)
    row = min(max(row, window.row), window.row_end - 1) - half
    col = min(max(col, window.col), window.col_end - 1) - half
    return Sample(block.scene, Window(int(row), int(col), chip_px, chip_px), int(rng.integers(8)))


def draw_unlabelled(
    blocks: Sequence[Block], splits: Sequence[str], chip_px: int, count: int, rng: np.random.Generator
) -> list[Sample]:
    """Draw chips for the auxiliary tasks alone, anywhere in blocks without a reference; none where there is none."""
    chosen = [b for b, s in zip(blocks, splits, strict=True) if s == UNLABELLED]
    found = []
    for block in (chosen[i] for i in rng.integers(len(chosen), size=count if chosen else 0)):
        row, col = rng.integers((block.window.row, block.window.col), (block.window.row_end, block.window.col_end))
        window = Window(int(row) - chip_px // 2, int(col) - chip_px // 2, chip_px, chip_px)
        found.append(Sample(block.scene, window, int(rng.integers(8))))
    return found


def held_out(block: Block, chip_px: int, rng: np.random.Generator) -> Sample:
    """A chip that holds a reference pixel and, where one fits, lies inside the block; else holds the block."""
    window = block.window
    row, col = block.places[rng.integers(len(block.places))] - chip_px // 2
    rows = sorted((window.row, window.row_end - chip_px))
    cols = sorted((window.col, window.col_end - chip_px))
    row, col = min(max(row, rows[0]), rows[1]), min(max(col, cols[0]), cols[1])
    return Sample(block.scene, Window(int(row), int(col), chip_px, chip_px), 0)


def load(
    reader: ChipReader, samples: Sequence[Sample | ObjectChip], batch_size: int, pin: bool = False
) -> Iterator[Batch]:
    """Batches in order, read ahead by other threads; with ``pin`` in memory that a GPU copies from at once."""
    groups = [samples[i : i + batch_size] for i in range(0, len(samples), batch_size)]

    def read(group: Sequence[Sample | ObjectChip]) -> Batch:
        chips = [reader.read(sample) for sample in group]
        tensors = {name: torch.from_numpy(np.stack([chip[name] for chip in chips])) for name in chips[0]}
        if pin:
            tensors = {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return Batch(tensors.pop("inputs"), tensors)

    with ThreadPoolExecutor(_READERS, "chips") as pool:
        pending: list[Future[Batch]] = []
        try:
            for group in groups:
                pending.append(pool.submit(read, group))
                if len(pending) > _BATCHES_AHEAD:
                    yield pending.pop(0).result()
            while pending:
                yield pending.pop(0).result()
        finally:
            for future in pending:
                future.cancel()


def with_targets_of_others(batch: Batch) -> Batch:
    """Each chip with the auxiliary targets of the chip before it, and its own main target: the control ``shuffled``."""
    targets = {name: values if name == MAIN else values.roll(1, dims=0) for name, values in batch.targets.items()}
    return Batch(batch.inputs, targets)


def _pad(values: NDArray[np.float32], window: Window, inside: Window) -> NDArray[np.float32]:
    if inside == window:
        return values
    padded = np.full((len(values), window.height, window.width), np.nan, np.float32)
    padded[(slice(None), *inside.relative_to(window).slices)] = values
    return padded


def _turn(values: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """One of the eight flips and quarter turns."""
    turned = np.rot90(values, turn % 4, axes=(1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if turn >= 4 else turned)
