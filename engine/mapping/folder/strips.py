"""Strips: the hidden files in which rows of a scene wait until all are there, and how they are read again.

No two processes write to one file: each strip has files of its own, and one worker copies them into the scene's.
Their names say what the outputs depend on, so a strip that is there is right, whoever wrote it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from ....models.parts import strip_path
from ...scene.grid import Grid
from ...scene.window import Window
from ...scene.writing import Layer
from .tasks import Rows, SceneTask


def rows_of(grid: Grid, strip: Rows) -> Window:
    """A strip's window of the scene's grid."""
    first, end = strip
    return Window(first, 0, end - first, grid.width)


def strip_layers(task: SceneTask, layers: Mapping[str, Layer], strip: Rows) -> dict[str, Layer]:
    """The scene's layers as a strip's files: pixels alone, without what only the whole needs."""
    paths = _paths(task, strip)
    return {name: replace(layer, path=paths[name], tags={}, sidecars={}, classes=()) for name, layer in layers.items()}


def strip_is_there(task: SceneTask, strip: Rows) -> bool:
    """Whether a strip has been mapped; its files get their names when they are complete."""
    return all(map(os.path.exists, _paths(task, strip).values()))


def remove_strips(task: SceneTask) -> None:
    """Remove all strips of a scene, and its folder if nothing else is in it."""
    paths = [path for strip in task.strips for path in _paths(task, strip).values()]
    for path in paths:
        with suppress(FileNotFoundError):
            os.remove(path)
    with suppress(OSError):  # not empty
        os.rmdir(os.path.dirname(paths[0]))


class StripsReader:
    """Reads windows of a scene from its strips."""

    def __init__(self, task: SceneTask, stack: ExitStack) -> None:
        """Open all strips on ``stack``.

        Raises:
            RasterioError: a strip is not there.
        """
        self._strips: Sequence[Rows] = task.strips
        self._datasets = [
            {name: stack.enter_context(rasterio.open(path)) for name, path in _paths(task, strip).items()}
            for strip in task.strips
        ]

    def read(self, window: Window) -> dict[str, NDArray[np.generic]]:
        """``(bands, window.height, window.width)`` of each layer; the window lies in one strip."""
        place = next(i for i, (first, end) in enumerate(self._strips) if first <= window.row < end)
        here = replace(window, row=window.row - self._strips[place][0])  # the strip's first row is its file's
        return {name: dataset.read(window=here.rasterio) for name, dataset in self._datasets[place].items()}


def _paths(task: SceneTask, strip: Rows) -> dict[str, str]:
    """Hidden unfinished files, as the run's end and the next run's beginning remove them (``lock``)."""
    outputs = task.job.outputs
    return {name: str(strip_path(Path(path), task.key, *strip)) for name, path in outputs.items()}
