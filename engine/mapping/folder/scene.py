"""One scene of a stack: its files open, its place among the other scenes, and what became of it."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import numpy as np

from ....models.errors import SceneError
from ...failures import known_failure
from ...paths import check_sources
from ...scene.files import files_of
from ...scene.window import Tile, Window
from ...scene.writing import Layer, LayerWriter, check_room
from ..outputs import layers_of
from ..plans import Plan, plan_of, runner_of
from ..products import Arrays, Observations, Products
from ..scene import SceneReader
from ..stream import Chip
from .catalog import write_item
from .model import Model
from .statistics import Statistics
from .strips import rows_of, strip_layers
from .tasks import EMPTY, FAILED, MAPPED, Outcome, Rows, SceneTask, remove_outputs
from .thumbnail import write_thumbnail

log = logging.getLogger("auxlens")


class StackedScene:
    """A scene that is being mapped. What fails is kept as its ``failure``: other scenes go on.

    Its rows are counted from ``row`` on, its place in the stack.
    """

    def __init__(self, task: SceneTask, model: Model, row: int, threads: int) -> None:
        self.task = task
        self.row = row
        self.plan = Plan()  # at the scene's place in the stack
        self.kind: tuple[tuple[str, ...], bool] = ((), False)
        self.failure: Exception | None = None
        self.seconds = 0.0
        self._card = model.card
        self._disk_full = False
        self._layers: Mapping[str, Layer] = {}
        self._writers: dict[str, LayerWriter] = {}
        self._files = ExitStack()
        with self._timed(), self._doing():
            self._open(model, threads)

    @property
    def rows(self) -> int:
        return self.grid.height if self.plan.columns else 0

    def _open(self, model: Model, threads: int) -> None:
        job, card = self.task.job, self._card
        self._folder = os.path.dirname(next(iter(job.outputs.values())))
        check_sources(job, files_of)
        try:
            os.makedirs(self._folder, exist_ok=True)
        except OSError as error:
            raise SceneError(f"The folder “{self._folder}” cannot be made: {error.strerror}.") from error
        self._reader = SceneReader(job, card, self._files)
        self.grid = self._reader.grid
        products = Products(model.network, card, tuple(job.outputs), self._reader.observes)
        self._layers = layers_of(job, card, products)
        self._area, written = self._share()
        self._statistics = Statistics(card, self.grid, self._layers)
        grid = self.grid.cropped(self._area)
        runner = runner_of(job, model.network, model.device, products)
        plan = plan_of(job, card, runner, self._area, self.grid.whole, threads)
        check_room(list(written.values()), grid)
        for name, layer in written.items():
            self._writers[name] = self._files.enter_context(LayerWriter(layer, grid, plan.block_px))
        self.plan = plan.moved(self.row)
        # Scenes of one kind can share a stream: the same layers, from observations of the same kind.
        self.kind = (tuple(job.outputs), self._reader.observes)

    def _share(self) -> tuple[Window, Mapping[str, Layer]]:
        """What of the scene is mapped, and the layers that are written."""
        return self.grid.whole, self._layers

    def read(self, tile: Tile) -> Chip:
        """Read one of the plan's tiles; nothing valid where the scene has failed."""
        with self._doing():
            if self.failure is None:
                chip = self._reader.read(tile.moved(-self.row))
                return replace(chip, tile=tile)
        return self._nothing(tile)

    def _nothing(self, tile: Tile) -> Chip:
        """A chip in which nothing is valid, so that nothing is computed."""
        size = (tile.chip.height, tile.chip.width)
        seen = np.full((len(self._card.auxiliary_bands), *size), np.nan, np.float32) if self._reader.observes else None
        values = np.full((len(self._card.input_bands), *size), np.nan, np.float32)
        return Chip(tile, values, np.zeros((tile.core.height, tile.core.width), np.bool_), Observations(seen))

    def write(self, arrays: Arrays, window: Window) -> None:
        """Write and count the values of a window of the stack."""
        if self.failure is not None:
            return
        with self._doing():
            window = window.moved(-self.row)
            for name, values in arrays.items():
                self._writers[name].write(values, window.relative_to(self._area))
            self._statistics.add(arrays, window)

    def finish(self) -> Outcome:
        """Give the outputs their names, and say what became of the scene; its item, written last, says the same."""
        thumbnail = ""
        if self.failure is None:
            with self._timed(), self._doing():
                remove_outputs(self._folder, self.task.name)
                self._name_outputs()
                thumbnail = write_thumbnail(self._layers, self._card)
        if self.failure is None:
            with self._doing():
                write_item(self.task, self._card, self.grid, self._layers, thumbnail, self._outcome())
        self.close()
        return self._outcome()

    def _name_outputs(self) -> None:
        for writer in self._writers.values():
            writer.commit()

    def _outcome(self) -> Outcome:
        if self.failure is not None:
            return failed(self.task, self.failure, self._disk_full)
        said = "; ".join(filter(None, (self.task.note, EMPTY if self._statistics.is_empty else "")))
        return Outcome(self.task.name, MAPPED, self._statistics.figures(), round(self.seconds, 3), said)

    def close(self) -> None:
        """Close all files; what is not finished leaves nothing behind."""
        self._files.close()
        with suppress(OSError):  # not empty: there are outputs in it
            os.rmdir(self._folder)

    @contextmanager
    def _doing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.failure = self.failure or error
            self._disk_full = self._lacks_room()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Count the seconds; not those of reading and writing, which are part of the stream's."""
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started

    def _lacks_room(self) -> bool:
        needed = sum(layer.bytes_of(self.grid.cropped(self._area)) for layer in self._layers.values())
        return needed > 0 and shutil.disk_usage(self._folder).free < needed * 2 / 3


class StackedStrip(StackedScene):
    """Some rows of a scene, in files of their own that are joined later."""

    def __init__(self, task: SceneTask, model: Model, threads: int, strip: Rows) -> None:
        self._strip = strip
        super().__init__(task, model, 0, threads)

    def _share(self) -> tuple[Window, Mapping[str, Layer]]:
        return rows_of(self.grid, self._strip), strip_layers(self.task, self._layers, self._strip)

    def finish(self) -> Outcome:
        """Give the strip's files their names, and say what became of it."""
        if self.failure is None:
            with self._timed(), self._doing():
                self._name_outputs()
        self.close()
        return self._outcome()


def failed(task: SceneTask, error: Exception, disk_full: bool = False) -> Outcome:
    """The outcome of a scene that failed; an error that no user can mend goes to the log too."""
    known = known_failure(error) or (error if isinstance(error, OSError) else None)
    if known is None:
        log.error("%s failed unexpectedly.", task.name, exc_info=error)
    said = str(known or f"Something unexpected happened ({type(error).__name__}: {error}).")
    return Outcome(task.name, FAILED, message=said, disk_full=disk_full)
