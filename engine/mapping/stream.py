"""Streaming: read, compute, finish and write windows at the same time, with memory that does not grow with the scene.

Chips carry the receptive field as context and only their cores are kept, so cores fit together without blending:
each pixel is computed once, exactly as in a run of the whole scene.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.errors import Canceled, DeviceError
from ...models.mapper import Mapper
from ..devices import autocast
from ..jobs import Progress
from ..scene.window import Tile, Window
from .products import Arrays, Observations

log = logging.getLogger("auxlens")

WRITES_AHEAD = 3  # chunks that may wait for the disk, of each thread that computes


@dataclass(frozen=True)
class Chip:
    """What is read for one tile: input and references with context, and which pixels of the core are valid."""

    tile: Tile
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    seen: Observations

    def cut(self, rows: slice) -> Chip:
        """Some rows of the chip, with the whole core; counted from its first."""
        chip = self.tile.chip
        inner = Window(chip.row + rows.start, chip.col, rows.stop - rows.start, chip.width)
        return Chip(Tile(self.tile.core, inner), self.values[:, rows], self.valid, self.seen.cut(rows))


@dataclass(frozen=True)
class Runner:
    """A network ready to run: where, in which precision, which tasks, how many chips at once.

    ``context_px`` is what the products of the tasks see around a core.
    """

    network: Mapper
    device: torch.device
    dtype: torch.dtype
    tasks: tuple[str, ...]
    batch_size: int
    context_px: int


class Computing(Protocol):
    """What makes layers of raw outputs: see ``Products.compute``."""

    def compute(
        self,
        raw: Mapping[str, Tensor],
        inputs: NDArray[np.float32],
        valid: NDArray[np.bool_],
        seen: Observations,
        core: Window,
        /,
    ) -> Iterator[tuple[slice, Arrays]]: ...


@dataclass(frozen=True)
class Stages:
    """What happens to each tile.

    Attributes:
        read: Reads its chip; called from one thread of its own.
        runner: The network.
        products: Computes the arrays of its core.
        write: Writes arrays at a window of the scene's grid; called from one thread of its own.
    """

    read: Callable[[Tile], Chip]
    runner: Runner
    products: Computing
    write: Callable[[Arrays, Window], None]


def stream(tiles: Sequence[Tile], stages: Stages, progress: Progress) -> None:
    """Map all tiles.

    Args:
        tiles: The window plan.
        stages: What happens to each tile.
        progress: Told after every batch, and asked whether to stop.

    Raises:
        Canceled: the user asked to stop.
        DeviceError: not even one chip fits into the device's memory.
    """
    done = 0
    with (
        ThreadPoolExecutor(1, "read") as reader,
        ThreadPoolExecutor(1, "finish") as finisher,
        ThreadPoolExecutor(1, "write") as writer,
    ):
        finishing: Future[None] | None = None
        writes: deque[Future[None]] = deque()

        def finish(chip: Chip, raw: Mapping[str, Tensor]) -> None:
            for window, arrays in products_of(chip, raw, stages.products):
                writes.append(writer.submit(stages.write, arrays, window))
                while len(writes) > WRITES_AHEAD:
                    writes.popleft().result()

        for batch in _batches(ahead(tiles, stages.read, reader), stages.runner.batch_size):
            if progress.canceled():
                raise Canceled("The mapping was canceled.")
            for chip, raw in _raw(batch, stages.runner):
                if finishing is not None:
                    finishing.result()
                finishing = finisher.submit(finish, chip, raw)
            done += len(batch)
            progress.report(done / len(tiles), f"Window {done} of {len(tiles)}")
        if finishing is not None:
            finishing.result()  # first, because it adds writes
        for pending in writes:
            pending.result()


def ahead(tiles: Iterable[Tile], read: Callable[[Tile], Chip], reader: ThreadPoolExecutor) -> Iterator[Chip]:
    """Chips in order, the next one being read while the caller works on this one."""
    upcoming: Future[Chip] | None = None
    for tile in tiles:
        previous, upcoming = upcoming, reader.submit(read, tile)
        if previous is not None:
            yield previous.result()
    if upcoming is not None:
        yield upcoming.result()


def _batches(chips: Iterable[Chip], size: int) -> Iterator[list[Chip]]:
    """Neighbouring chips of one shape, at most ``size`` together."""
    batch: list[Chip] = []
    for chip in chips:
        if batch and (len(batch) == size or chip.values.shape != batch[0].values.shape):
            yield batch
            batch = []
        batch.append(chip)
    if batch:
        yield batch


def _raw(batch: list[Chip], runner: Runner) -> Iterator[tuple[Chip, dict[str, Tensor]]]:
    """Each chip with its raw output."""
    alive = [chip for chip in batch if chip.valid.any()]
    for chip in batch:
        if not chip.valid.any():  # nothing to compute: nodata comes from an empty raw output
            yield chip, nothing(chip, runner)
    yield from zip(alive, _forward(alive, runner), strict=True)


def products_of(chip: Chip, raw: Mapping[str, Tensor], products: Computing) -> Iterator[tuple[Window, Arrays]]:
    """The arrays of a chip's core, a few rows at a time, each with its window of the scene's grid.

    Args:
        chip: As read.
        raw: For each task ``(channels, H, W)`` of the whole chip.
        products: Computes them.
    """
    core = chip.tile.core
    place = core.relative_to(chip.tile.chip)
    for rows, arrays in products.compute(raw, chip.values, chip.valid, chip.seen, place):
        yield Window(core.row + rows.start, core.col, rows.stop - rows.start, core.width), arrays


def nothing(chip: Chip, runner: Runner) -> dict[str, Tensor]:
    """A raw output of zeros for a chip in which nothing is valid: for each task ``(channels, H, W)``."""
    size = (chip.tile.chip.height, chip.tile.chip.width)
    return {name: torch.zeros(runner.network.shape(name, *size), device=runner.device) for name in runner.tasks}


def _forward(chips: list[Chip], runner: Runner) -> Iterator[dict[str, Tensor]]:
    """Raw outputs of each chip; when memory runs out the batch is halved and the rest goes on."""
    waiting = deque([chips] if chips else [])
    while waiting:
        part = waiting.popleft()
        try:
            raw = _run(part, runner)
        except torch.OutOfMemoryError as error:
            if runner.device.type == "cuda":
                torch.cuda.empty_cache()
            if len(part) == 1:
                height, width = part[0].values.shape[1:]
                raise DeviceError(
                    f"A window of {height} × {width} px does not fit into the memory of {runner.device}; "
                    "choose a smaller tile size, or the device cpu."
                ) from error
            log.warning("Out of memory on %s with %d windows a batch; going on with half.", runner.device, len(part))
            middle = len(part) // 2
            waiting.extendleft([part[middle:], part[:middle]])
            continue
        yield from ({name: values[i] for name, values in raw.items()} for i in range(len(part)))


def _run(chips: list[Chip], runner: Runner) -> dict[str, Tensor]:
    values = torch.from_numpy(chips[0].values[None] if len(chips) == 1 else np.stack([c.values for c in chips]))
    if runner.device.type == "cuda":
        values = values.pin_memory()
    with torch.inference_mode(), autocast(runner.device, runner.dtype):
        return runner.network(values.to(runner.device, non_blocking=True), runner.tasks)  # type: ignore[no-any-return]
