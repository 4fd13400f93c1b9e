"""Packs: how scenes are divided among workers. Small scenes go together, very large ones in strips of rows.

Whether and where a scene is cut does not matter for its outputs: strips begin where the window plan of the whole scene
has a row of windows, or where columns begin anew, so each pixel is computed from the same pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from ....models.card import Card
from ....models.errors import SceneError
from ...jobs import MapJob
from ...scene.bands import match
from ...scene.grid import Grid
from ...scene.reading import scene_grid
from ..plans import window_px
from .tasks import Rows, SceneTask

Pack = tuple[SceneTask, ...]

LARGEST_PACK = 8  # scenes; what they have open takes memory
_PACK_BYTES = 64 * 2**20  # of files to read: scenes that have as much by themselves are mapped alone
_PACKS = 4  # at least this many a worker, so that all end at about the same time
STRIP_PX = 4096**2  # a scene is not cut into less: the cut costs every output another copy


def weight(task: SceneTask) -> int:
    """What stands for the work of a scene: the bytes that are read, and never nothing."""
    return task.size + 1


def packs(tasks: Sequence[SceneTask], card: Card, workers: int, alone: bool = False) -> Iterator[Pack]:
    """Neighbouring scenes to be mapped together, as long as they are small.

    Args:
        tasks: All scenes.
        card: The model's.
        workers: How many share the work.
        alone: Whether each scene shall be a pack of its own.
    """
    pieces = max(1, workers) * _PACKS
    fair = sum(map(weight, tasks)) / pieces
    limit = 1 if alone else max(1, min(LARGEST_PACK, math.ceil(len(tasks) / pieces)))
    pack: list[SceneTask] = []
    size = 0.0
    for task in tasks:
        if workers > 1 and weight(task) > fair:
            task = replace(task, strips=strips(task.job, card, math.ceil(weight(task) / fair)))
        if pack and (len(pack) == limit or size + task.size > _PACK_BYTES or task.strips):
            yield tuple(pack)
            pack, size = [], 0.0
        pack.append(task)
        size += math.inf if task.strips else task.size  # nothing joins a scene in strips
    if pack:
        yield tuple(pack)


def strips(job: MapJob, card: Card, count: int) -> tuple[Rows, ...]:
    """At most ``count`` strips of about one height; none for a scene that is not worth it, or cannot be read."""
    with suppress(SceneError):  # told by the worker that is to map the scene
        grid = scene_grid(match([(m.name, m.bands) for m in card.inputs], job.inputs))
        return _cut(grid, window_px(job, card), count)
    return ()


def _cut(grid: Grid, tile_px: int, count: int) -> tuple[Rows, ...]:
    """Rows of each strip: whole rows of windows."""
    least = max(grid.height / count, STRIP_PX / grid.width)
    rows = math.ceil(least / tile_px) * tile_px
    starts = range(0, grid.height, rows)
    return tuple((start, min(start + rows, grid.height)) for start in starts) if len(starts) > 1 else ()
