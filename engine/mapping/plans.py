"""What a map job is computed in: windows and their context, precision and batches."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ...models.card import Card
from ...models.mapper import Mapper
from ..devices import choose_precision
from ..explain.surroundings import BLOCK_PX
from ..jobs import MapJob, Progress
from ..scene.window import Tile, Window, columns, plan
from .columns import stream_columns
from .products import Products
from .stream import Runner, Stages, stream

log = logging.getLogger("auxlens")

_WINDOW_PX = 1024  # computed at once by a scene-level model, whatever the size of its tiles
# Of a column: context is little beside it, and its rows stay in a thread's cache.
_WIDEST, _NARROWEST = 1024, 512
_COLUMN_STEP = 256  # of widths and heights: no block of a file lies in two tiles
_COLUMN_TILE_PX = 2**18


@dataclass(frozen=True)
class Plan:
    """What a scene is computed in; without columns, nothing.

    Attributes:
        columns: Tiles that follow each other from top to bottom; of windows, each is a column by itself.
        block_px: Files are written in blocks of this size, or one that divides it: each lies in one tile.
        goes_down: Whether columns are gone down, computing nothing twice.
    """

    columns: tuple[tuple[Tile, ...], ...] = ()
    block_px: int = 0
    goes_down: bool = False

    @property
    def tiles(self) -> list[Tile]:
        """The tiles of all columns."""
        return [tile for column in self.columns for tile in column]

    @property
    def pixels(self) -> int:
        """Pixels to compute."""
        return sum(tile.chip.height * tile.chip.width for tile in self.tiles)

    def moved(self, rows: int) -> Plan:
        """The plan of a scene that lies ``rows`` further down."""
        return replace(self, columns=tuple(tuple(tile.moved(rows) for tile in column) for column in self.columns))


def follow(plans: Sequence[Plan], stages: Stages, progress: Progress) -> None:
    """Map all tiles of some plans, which all go down their columns, or none does.

    Raises:
        Canceled: the user asked to stop.
        DeviceError: not even one chip fits into the device's memory.
    """
    if all(plan.goes_down for plan in plans):
        stream_columns([column for plan in plans for column in plan.columns], stages, progress)
    else:
        stream([tile for plan in plans for tile in plan.tiles], stages, progress)


def plan_of(job: MapJob, card: Card, runner: Runner, area: Window, whole: Window, threads: int) -> Plan:
    """Columns for a CPU; windows for devices that compute much at once, for objects, and for whoever asks for a size.

    Args:
        job: A map job.
        card: The model's.
        runner: What computes it.
        area: What is mapped.
        whole: The scene, which is read around the area.
        threads: Threads that compute.
    """
    as_asked = job.tile_size or job.batch_size or job.overlap >= 0
    margin, stride = margin_of(job, card) + runner.context_px, max(runner.network.config.stride, BLOCK_PX)
    if runner.device.type == "cpu" and not as_asked and not card.main.is_scene_level:
        width = column_px(area.width, threads)
        rows = max(1, _COLUMN_TILE_PX // width // _COLUMN_STEP) * _COLUMN_STEP
        return Plan(tuple(columns(area, whole, width, rows, margin, stride)), _COLUMN_STEP, True)
    width = window_px(job, card)
    return Plan(tuple((tile,) for tile in plan(area, whole, width, margin, stride)), width, False)


def window_px(job: MapJob, card: Card) -> int:
    """Width and height of the windows that are computed at once."""
    return _WINDOW_PX if card.main.is_scene_level else job.tile_size or card.tile_px


def column_px(width: int, threads: int) -> int:
    """Width of the columns of an area: there is one for each thread, if they are not too narrow then."""
    count = math.ceil(math.ceil(width / _WIDEST) / threads) * threads
    return max(_NARROWEST, math.ceil(width / count / _COLUMN_STEP) * _COLUMN_STEP)


def margin_of(job: MapJob, card: Card) -> int:
    """Context in pixels around each window."""
    return card.margin_px if job.overlap < 0 else job.overlap


def warn_of_seams(job: MapJob, card: Card) -> None:
    """Warn where the context is less than the receptive field."""
    if margin_of(job, card) < card.margin_px:
        log.warning(
            "An overlap of %d px is less than the model's receptive field (%d px): seams may be visible.",
            job.overlap,
            card.margin_px,
        )


def runner_of(job: MapJob, network: Mapper, device: torch.device, products: Products) -> Runner:
    """The network made ready for a job: precision and windows a batch as the job or the device wants them."""
    batch = job.batch_size or (1 if device.type == "cpu" else 4)
    precision = choose_precision(job.precision, device)
    return Runner(network, device, precision, products.tasks, batch, products.context_px)
