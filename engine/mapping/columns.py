"""Columns: how a CPU maps a scene. Each thread takes a column and goes down it, tile by tile, computing nothing twice.

Threads that share one window wait for each other at every layer; threads with a column each do not, and what a strip
of it needs stays in their caches (``models/rows.py``). Each pixel comes out as in a run of the whole scene.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from queue import SimpleQueue
from threading import Event

import torch
from torch import Tensor

from ...models.errors import Canceled
from ...models.mapper import Rolling
from ..devices import autocast
from ..explain.surroundings import BLOCK_PX
from ..jobs import Progress
from ..scene.window import Tile
from .stream import WRITES_AHEAD, Chip, Runner, Stages, ahead, nothing, products_of


def stream_columns(columns: Sequence[Sequence[Tile]], stages: Stages, progress: Progress) -> None:
    """Map all tiles of all columns.

    Args:
        columns: Tiles that follow each other from top to bottom.
        stages: What happens to each tile; products are computed in several threads.
        progress: Told after every tile, and asked whether to stop.

    Raises:
        Canceled: the user asked to stop.
    """
    total = sum(map(len, columns))
    told: SimpleQueue[BaseException | None] = SimpleQueue()  # a tile is done, or something failed
    stop = Event()
    with (
        _processors() as processors,
        ThreadPoolExecutor(1, "read") as reader,
        ThreadPoolExecutor(1, "write") as writer,
        ThreadPoolExecutor(threads := max(1, min(processors, len(columns))), "column") as workers,
    ):

        def go_down(column: Sequence[Tile]) -> None:
            torch.set_num_threads(processors // threads)  # that this thread computes with
            writes: deque[Future[None]] = deque()
            try:
                chips = takewhile(lambda _: not stop.is_set(), ahead(column, stages.read, reader))
                for chip, raw in _raw(chips, column[-1].chip.row_end, stages.runner):
                    for window, arrays in products_of(chip, raw, stages.products):
                        if stop.is_set():
                            return
                        writes.append(writer.submit(stages.write, arrays, window))
                        while len(writes) > WRITES_AHEAD:
                            writes.popleft().result()
                    told.put(None)
                for pending in writes:
                    pending.result()
            except BaseException as error:
                told.put(error)
                raise

        try:
            running = [workers.submit(go_down, column) for column in columns]
            for done in range(1, total + 1):
                if progress.canceled():
                    raise Canceled("The mapping was canceled.")
                error = told.get()
                if error is not None:
                    raise error
                progress.report(done / total, f"Window {done} of {total}")
            for column_done in running:
                column_done.result()
        finally:
            stop.set()
            workers.shutdown(cancel_futures=True)


@contextmanager
def _processors() -> Iterator[int]:
    """How many threads compute; kept for threads that come later, whatever those of columns say of themselves."""
    processors = torch.get_num_threads()
    try:
        yield processors
    finally:
        torch.set_num_threads(processors)


def _raw(chips: Iterable[Chip], bottom: int, runner: Runner) -> Iterator[tuple[Chip, dict[str, Tensor]]]:
    """Each chip of a column, cut to the rows that its products see, with its raw output.

    Where a core has no valid pixel nothing is computed, and the network begins anew below it.
    """
    rolling: Rolling | None = None
    top = 0  # the first row of what the network goes down
    for chip in chips:
        if not chip.valid.any():
            rolling = None
            yield chip, nothing(chip, runner)
            continue
        core, rows = chip.tile.core, chip.tile.chip
        values = torch.from_numpy(chip.values[None])
        with torch.inference_mode(), autocast(runner.device, runner.dtype):
            if rolling is None:
                top = rows.row
                rolling = runner.network.rolling(values, bottom - top, runner.tasks)
            first, next_first = (_seen_from(row, rows.row, runner.context_px) for row in (core.row, core.row_end))
            end = min(rows.row_end, core.row_end + runner.context_px)
            raw = rolling.rows(values, offset=rows.row - top, first=first - top, end=end - top, again=end - next_first)
        yield chip.cut(slice(first - rows.row, end - rows.row)), {name: values[0] for name, values in raw.items()}


def _seen_from(row: int, chip_row: int, context_px: int) -> int:
    """The first row of the scene that products of a core from ``row`` on see: a block's corner, inside of the chip."""
    return chip_row + max(0, row - context_px - chip_row) // BLOCK_PX * BLOCK_PX
