"""Measures a method on test references, scene by scene or block by block, so that differences have intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.config import MAIN
from ...models.errors import Canceled
from ...models.network import Network
from ..assess.sums import sums_of
from ..jobs import Progress
from ..scene.window import Window
from ..training.chips import ChipReader
from ..training.evaluation import Task, forward, physical, tiles

# From the inputs of a chip, (C, H, W) float32, to its map, (H, W): class indices, or numbers.
Predict = Callable[[NDArray[np.float32]], NDArray[np.floating] | NDArray[np.integer]]


@dataclass(frozen=True)
class Method:
    """Something that maps chips, and the context that it needs around them."""

    predict: Predict
    margin_px: int
    stride: int


def network_method(network: Network, task: Task) -> Method:
    """A trained network as a method."""

    def predict(inputs: NDArray[np.float32]) -> NDArray[np.floating] | NDArray[np.integer]:
        raw = forward(network, torch.from_numpy(inputs)[None], task, [MAIN])[MAIN][0]
        if task.classes:
            return raw.argmax(dim=0).numpy()
        return physical(network, MAIN, raw)[0][0].numpy()

    return Method(predict, network.config.margin_px, network.config.stride)


def measure(
    method: Method,
    reader: ChipReader,
    sizes: Mapping[int, tuple[int, int]],
    unit: str,
    progress: Progress,
) -> NDArray[np.float64]:
    """Compare a method's map with the references of the reader's split.

    Args:
        method: Maps a chip.
        reader: Reads the split, with the method's inputs.
        sizes: Height and width of each scene.
        unit: ``scene`` or ``block``.
        progress: Asked whether to stop.

    Returns:
        ``(units, classes, classes)`` confusion matrices, rows reference; or ``(units, 6)`` sums of ``Residuals``.
        The units are in the same order for every method.

    Raises:
        Canceled: stopped by the user.
    """
    classes = len(reader.classes)
    found: dict[int, NDArray[np.float64]] = {}
    for core, sample in tiles(reader, sizes, method.margin_px, method.stride, np.random.default_rng(0)):
        if progress.canceled():
            raise Canceled("The comparison was canceled.")
        chip = reader.read(sample)
        cut = core.relative_to(sample.window).slices
        truth, mapped = chip[MAIN][0][cut], method.predict(chip["inputs"])[cut]
        for number, window in _units(reader, sample.scene, core, unit):
            at = window.relative_to(core).slices
            sums = sums_of(truth[at], mapped[at], classes)
            found[number] = found.get(number, 0.0) + sums
    return np.stack([found[number] for number in sorted(found)])


def _units(reader: ChipReader, scene: int, core: Window, unit: str) -> Iterator[tuple[int, Window]]:
    """Number and part of each unit in a tile; what is no reference of the split is hidden there anyway."""
    if unit == "scene":
        yield scene, core
        return
    for number, (block, split) in enumerate(zip(reader.blocks, reader.splits, strict=True)):
        part = block.window.intersection(core)
        if split == reader.split and block.scene == scene and part.height and part.width:
            yield number, part
