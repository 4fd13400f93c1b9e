"""What a map job is computed in: windows and their context, precision and batches."""

from __future__ import annotations

import logging

import torch

from ...models.card import Card
from ...models.network import Network
from ..devices import choose_precision
from ..explain.surroundings import BLOCK_PX
from ..jobs import MapJob
from ..scene.window import Tile, plan
from .products import Products
from .scene import SceneReader
from .stream import Engine

log = logging.getLogger("auxlens")

_WINDOW_PX = 1024  # computed at once by a scene-level model, whatever the size of its tiles


def window_px(job: MapJob, card: Card) -> int:
    """Width and height of the windows that are computed at once."""
    return _WINDOW_PX if card.main.is_scene_level else job.tile_size or card.tile_px


def tiles_of_scene(
    scene: SceneReader, margin_px: int, tile_px: int, network: Network, products: Products
) -> list[Tile]:
    """The window plan of a scene: windows of ``tile_px`` with the context that network and products need."""
    margin, stride = margin_px + products.context_px, max(network.config.stride, BLOCK_PX)
    return list(plan(scene.area, scene.grid.whole, tile_px, margin, stride))


def margin_of(job: MapJob, card: Card) -> int:
    """Context in pixels around each window; warns where it is less than the receptive field."""
    if 0 <= job.overlap < card.margin_px:
        log.warning(
            "An overlap of %d px is less than the model's receptive field (%d px): seams may be visible.",
            job.overlap,
            card.margin_px,
        )
    return card.margin_px if job.overlap < 0 else job.overlap


def engine_of(job: MapJob, network: Network, device: torch.device, products: Products) -> Engine:
    """The network made ready for a job: precision and windows a batch as the job or the device wants them."""
    batch = job.batch_size or (1 if device.type == "cpu" else 4)
    return Engine(network, device, choose_precision(job.precision, device), products.tasks, batch)
