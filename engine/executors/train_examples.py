"""Example chips of the test split for the training report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.card import Card
from ...models.config import MAIN
from ...models.network import Network
from ...models.pooled import PooledHead
from ..reports.training import Example, TrainingReport
from ..scene.reading import complete
from ..scene.window import Window
from ..training.chips import ChipReader, Sample
from ..training.evaluation import Evaluation, Task, forward, physical
from ..training.loop import Outcome
from ..training.objects import ObjectChip, SceneObject
from ..training.split import TEST, VALIDATION

_EXAMPLES = 4
_CHIP_PX = 128
_RED_GREEN_BLUE = (("red", "b4", "b04"), ("green", "b3", "b03"), ("blue", "b2", "b02"))


def training_report(
    card: Card,
    outcome: Outcome,
    measured: dict[str, Evaluation],
    network: Network,
    reader: ChipReader,
    sizes: dict[int, tuple[int, int]],
    task: Task,
) -> TrainingReport:
    """Gather what the training report shows."""
    test = measured[TEST]
    return TrainingReport(
        card=card,
        history=outcome.history,
        confusion=test.matrix if test.matrix.size else None,
        figures={split: measured[split].figures() for split in (VALIDATION, TEST)},
        examples=_examples(card, network, reader, sizes, task),
    )


def _examples(
    card: Card, network: Network, reader: ChipReader, sizes: dict[int, tuple[int, int]], task: Task
) -> list[Example]:
    """Chips around the test blocks with the most different classes, and the most reference; or around objects."""
    if card.main.is_scene_level:
        own = [o for b, s in zip(reader.blocks, reader.splits, strict=True) if s == TEST for o in b.objects]
        chips = [ObjectChip(o.scene, _around(o.window, sizes[o.scene]), 0, o) for o in _different(own)]
        return [_example(chip, card, network, reader, task) for chip in chips]
    blocks = [b for b, s in zip(reader.blocks, reader.splits, strict=True) if s == TEST]
    blocks.sort(key=lambda b: (-(b.counts > 0).sum(), -b.counts.sum()))
    samples = [Sample(b.scene, _around(b.window, sizes[b.scene]), 0) for b in blocks[:_EXAMPLES]]
    return [_example(sample, card, network, reader, task) for sample in samples]


def _different(objects: Sequence[SceneObject]) -> list[SceneObject]:
    """The largest object of as many classes, or numbers, as there are examples, largest first."""
    largest: dict[float, SceneObject] = {}
    for item in sorted(objects, key=lambda item: -item.window.height * item.window.width):
        largest.setdefault(item.value, item)
    return list(largest.values())[:_EXAMPLES]


def _around(window: Window, size: tuple[int, int]) -> Window:
    """A chip with the window in its middle, moved into the scene where it fits."""
    row, col = window.row + (window.height - _CHIP_PX) // 2, window.col + (window.width - _CHIP_PX) // 2
    row, col = (max(0, min(at, end - _CHIP_PX)) for at, end in zip((row, col), size, strict=True))
    return Window(row, col, _CHIP_PX, _CHIP_PX).intersection(Window(0, 0, *size))


def _example(sample: Sample | ObjectChip, card: Card, network: Network, reader: ChipReader, task: Task) -> Example:
    window, chip = sample.window, reader.read(sample)
    raw = forward(network, torch.from_numpy(chip["inputs"])[None], task)
    hole = ~complete(chip["inputs"])
    head = network.head(MAIN)
    if isinstance(head, PooledHead):  # all pixels of the object show its class or number
        raw[MAIN] = head.pooled(raw[MAIN], torch.from_numpy(chip[MAIN])[None])[0].expand_as(raw[MAIN])
        hole |= ~np.isfinite(chip[MAIN][0]) | (chip[MAIN][0] < 0 if task.classes else False)
    if task.classes:
        values = np.array([c.value for c in card.main.classes], np.float32)
        reference = np.where(
            chip[MAIN][0] >= 0, values[np.maximum(np.nan_to_num(chip[MAIN][0]), 0).astype(int)], np.nan
        )
        estimate = values[raw[MAIN][0].argmax(dim=0).numpy()]
    else:
        reference, estimate = chip[MAIN][0], physical(network, MAIN, raw[MAIN][0])[0][0].numpy()
    auxiliary = []
    for modality in card.auxiliary:
        mean, scale = physical(network, modality.name, raw[modality.name][0])
        for i, band in enumerate(modality.band_names):
            truth = chip[modality.name][i]
            auxiliary.append((band, modality.unit, truth, mean[i].numpy(), scale[i].numpy()))
    name = f"row {window.row}, column {window.col}"
    return Example(name, _rgb(chip["inputs"], card), reference, np.where(hole, np.nan, estimate), auxiliary)


def _rgb(values: NDArray[np.float32], card: Card) -> NDArray[np.float32]:
    """``(H, W, 3)`` 0–1: the visible bands where names tell, else the first bands; stretched by percentiles."""
    names = [band.lower() for modality in card.inputs for band in modality.bands]
    found = [next((names.index(n) for n in options if n in names), None) for options in _RED_GREEN_BLUE]
    first = [min(i, len(names) - 1) for i in range(3)]
    chosen = [i for i in found if i is not None] if None not in found else first
    rgb = np.moveaxis(values[chosen], 0, -1)
    low, high = np.nanpercentile(rgb, [2, 98]) if np.isfinite(rgb).any() else (0.0, 1.0)
    return np.nan_to_num(np.clip((rgb - low) / max(high - low, 1e-9), 0, 1)).astype(np.float32)
