"""What a worker does: map a pack of scenes, or a strip of a large one; in this process or on a Dask cluster."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby

import torch

from ....models.errors import Canceled
from ...jobs import Progress
from ...progress import Part
from ...scene.window import Tile, Window, plan
from ..plans import follow, runner_of, warn_of_seams
from ..products import Arrays, Products
from ..scene import warn_of_unknown_classes
from ..stream import Chip, Stages
from .model import Model, model_of
from .scene import StackedScene, StackedStrip
from .strips import StripsReader, remove_strips, rows_of, strip_is_there
from .tasks import FAILED, MAPPED, Orders, Outcome, Rows, SceneTask, finished, kept

# Above four chips of 256² a batch is no faster on a processor, and takes more memory.
_BATCH_PX = {"cpu": 4 * 256**2, "cuda": 4 * 1024**2, "mps": 4 * 512**2}
_LARGEST_BATCH = 64
_JOINED_PX = 1024  # width and height of what is copied at once
# One pack computes at a time, while others open and finish their files; always in the same thread, because the memory
# that a thread has freed is kept for that thread.
_computing = ThreadPoolExecutor(1, "compute")


def map_pack(tasks: Sequence[SceneTask], orders: Orders, threads: int, progress: Progress) -> list[Outcome]:
    """Map some scenes together; those that are up to date are left as they are.

    The scenes are stacked: their rows are counted on, one scene below the other, and no window crosses a seam. So
    one stream maps them all, small scenes share batches, and each pixel comes out as in a run of its scene alone.

    Args:
        tasks: The scenes; of one job, so device, precision and sizes are the first's.
        orders: The run's.
        threads: Processors to compute with.
        progress: Told the share of the pack that is done.

    Returns:
        What became of each scene, in order.

    Raises:
        Canceled: the run is over.
        EngineError: another version of AuxLens, or another model file, than the run's.
        DeviceError: the device is not there, or too small.
    """
    model = model_of(tasks[0].job, orders)
    outcomes: dict[str, Outcome] = {}
    for task in tasks:  # by a worker that was lost, or a run that was not
        if (properties := finished(task)) is not None:
            outcomes[task.name] = kept(task, properties)
    warn_of_seams(tasks[0].job, model.card)
    scenes: list[StackedScene] = []
    try:
        for task in tasks:
            if task.name not in outcomes:
                below = scenes[-1].row + scenes[-1].rows if scenes else 0
                scenes.append(StackedScene(task, model, below, threads))
        _computing.submit(_stream, scenes, model, threads, progress).result()
        for scene in scenes:
            outcomes[scene.task.name] = scene.finish()
    finally:
        for scene in scenes:
            scene.close()
    return [outcomes[task.name] for task in tasks]


def map_strip(task: SceneTask, strip: Rows, orders: Orders, threads: int, progress: Progress) -> Outcome:
    """Map some rows of a scene into files of their own; arguments, outcome and errors as of ``map_pack``."""
    model = model_of(task.job, orders)
    if (properties := finished(task)) is not None:
        return kept(task, properties)
    if strip_is_there(task, strip):  # by a worker that was lost
        return Outcome(task.name, MAPPED)
    warn_of_seams(task.job, model.card)
    scene = StackedStrip(task, model, threads, strip)
    try:
        _computing.submit(_stream, [scene], model, threads, progress).result()
        return scene.finish()
    finally:
        scene.close()


def join_strips(task: SceneTask, strips: Sequence[Outcome], orders: Orders, progress: Progress) -> list[Outcome]:
    """Copy the strips of a scene into its outputs, and finish it as if it had been mapped in one piece.

    Args:
        task: The scene.
        strips: What became of each strip.
        orders: The run's.
        progress: Asked whether the run goes on.

    Returns:
        What became of the scene. A scene of which a strip failed has failed.
    """
    model = model_of(task.job, orders)
    if (properties := finished(task)) is not None:
        return [kept(task, properties)]
    bad = next((outcome for outcome in strips if outcome.status == FAILED), None)
    if bad is not None:
        remove_strips(task)
        return [bad]
    scene = StackedScene(task, model, 0, 1)
    scene.seconds += sum(outcome.seconds for outcome in strips)
    started = time.perf_counter()
    try:
        with ExitStack() as stack:
            reader = StripsReader(task, stack)
            areas = [rows_of(scene.grid, strip) for strip in task.strips if scene.plan.columns]  # none where it failed
            windows = [tile.core for area in areas for tile in plan(area, area, _JOINED_PX, 0)]
            for number, window in enumerate(windows):
                if progress.canceled():
                    raise Canceled("The mapping was canceled.")
                scene.write(reader.read(window), window)
                progress.report(number / len(windows), "Joining strips")
        scene.seconds += time.perf_counter() - started
        outcome = scene.finish()
    finally:
        scene.close()
    remove_strips(task)
    return [outcome]


def _stream(scenes: Sequence[StackedScene], model: Model, threads: int, progress: Progress) -> None:
    """Compute all windows of the scenes, those of one kind together."""
    torch.set_num_threads(threads)
    alive = [scene for scene in scenes if scene.plan.columns]
    pixels, done = sum(scene.plan.pixels for scene in alive), 0
    for (names, observed), group in groupby(alive, key=lambda scene: scene.kind):
        some = list(group)
        share = sum(scene.plan.pixels for scene in some)
        job = replace(some[0].task.job, batch_size=_batch_size(some, model.device))
        products = Products(model.network, model.card, names, observed)
        runner = runner_of(job, model.network, model.device, products)
        place = _Place(some)
        part = Part(progress, done / pixels, share / pixels)
        started = time.perf_counter()
        follow([scene.plan for scene in some], Stages(place.read, runner, products, place.write), part)
        taken = time.perf_counter() - started
        for scene in some:
            scene.seconds += taken * scene.plan.pixels / share
        done += share
        warn_of_unknown_classes(products, job.reference)


def _batch_size(scenes: Sequence[StackedScene], device: torch.device) -> int:
    """Windows a batch: small ones share a batch up to as many pixels as keep the device busy."""
    if scenes[0].task.job.batch_size:
        return scenes[0].task.job.batch_size
    largest = max(tile.chip.height * tile.chip.width for scene in scenes for tile in scene.plan.tiles)
    return min(max(1, _BATCH_PX[device.type] // largest), _LARGEST_BATCH)


class _Place:
    """Which scene the rows of a stack belong to."""

    def __init__(self, scenes: Sequence[StackedScene]) -> None:
        self._scenes = scenes
        self._rows = [scene.row for scene in scenes]

    def _at(self, row: int) -> StackedScene:
        return self._scenes[bisect_right(self._rows, row) - 1]

    def read(self, tile: Tile) -> Chip:
        return self._at(tile.core.row).read(tile)

    def write(self, arrays: Arrays, window: Window) -> None:
        self._at(window.row).write(arrays, window)
