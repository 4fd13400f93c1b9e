"""The sensitivity job: take each player away, and see what every task makes of it."""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack
from typing import Any

import numpy as np

from ...models.card import Card
from ...models.errors import Canceled, SceneError
from ...models.file import load
from ..checks import check_sensitivity
from ..devices import choose_device, choose_precision
from ..jobs import Progress, SensitivityJob, outputs_of, to_json
from ..mapping.styles import player_classes
from ..qml import paletted, raster_style
from ..reports.sensitivity import render_sensitivity_report
from ..scene.bands import match
from ..scene.hashing import sha256
from ..scene.reading import ModalityReader, complete, scene_grid
from ..scene.tags import OUTPUT, made_by
from ..scene.window import plan
from ..scene.writing import Layer, LayerWriter, check_writable
from ..sensitivity.occlusion import Occlusion, Sums
from ..sensitivity.results import Sensitivity, to_csv
from ..textfile import write_text
from ..version import plugin_version

log = logging.getLogger("auxlens")

_TILE_PX = 512
_BLUR_CONTEXT_PX = 24  # that a blurred copy reaches beyond the network's own context


def run(job: SensitivityJob, progress: Progress) -> dict[str, Any]:
    """Measure how much each task's output changes without each player.

    Returns:
        ``outputs``: the files written, by name; ``figures``: mean change of the main output by player.

    Raises:
        AuxLensError: model and rasters do not fit, or files cannot be written.
        Canceled: stopped by the user.
    """
    started = time.perf_counter()
    network, card = load(job.model)
    check_sensitivity(job, card)
    outputs = dict(outputs_of(job))
    check_writable(list(outputs.values()))
    device = choose_device(job.device)
    occlusion = Occlusion(network.to(device), card, job.removal, job.seed, choose_precision(job.precision, device))
    with ExitStack() as stack:
        inputs = match([(m.name, m.bands) for m in card.inputs], job.inputs)
        grid = scene_grid(inputs)
        readers = [stack.enter_context(ModalityReader(source, grid)) for source in inputs]
        if job.removal == "blur" and min(grid.height, grid.width) <= _BLUR_CONTEXT_PX:
            raise SceneError(
                f"A scene of {grid.height} × {grid.width} px is too small to blur; choose the removal “mean”."
            )
        writer = None
        if "sensitivity" in outputs:
            layer = _layer(job, card, occlusion)
            writer = stack.enter_context(LayerWriter(layer, grid))
        margin = card.margin_px + (_BLUR_CONTEXT_PX if job.removal == "blur" else 0)
        tiles = list(plan(grid.whole, grid.whole, _TILE_PX, margin, network.config.stride))
        sums = Sums.empty(max(1, len(card.main.classes)), len(occlusion.players), len(occlusion.tasks))
        for number, tile in enumerate(tiles, 1):
            if progress.canceled():
                raise Canceled("The sensitivity job was canceled.")
            chip = np.concatenate([reader.read(tile.chip) for reader in readers])
            core = tile.core.relative_to(tile.chip)
            valid = complete(chip[(slice(None), *core.slices)])
            mapped, by_player = occlusion.changes(chip, core)
            sums.count(mapped, valid)
            main = np.empty((len(occlusion.players), *valid.shape), np.float32)
            for player, changes in enumerate(by_player):
                sums.add(player, changes, mapped, valid)
                main[player] = changes[0]
            if writer is not None:
                values = np.concatenate([main, main.argmax(axis=0)[None] + 1.0]).astype(np.float32)
                writer.write(np.where(valid, values, np.float32(np.nan)), tile.core)
            progress.report(0.95 * number / len(tiles), f"Window {number} of {len(tiles)}")
        if not sums.pixels.sum():
            raise SceneError("The scene has no valid pixel; choose another one.")
        if writer is not None:
            writer.commit()
    names = tuple(player.name for player in occlusion.players)
    classes = card.main.classes
    found = Sensitivity(
        os.path.basename(job.inputs[0]), card.name, job.removal, occlusion.tells, names, occlusion.tasks, classes, sums
    )  # fmt: skip
    for name, render in (("report", render_sensitivity_report), ("table", to_csv)):
        if name in outputs:
            write_text(outputs[name], render(found))
    figures = {f"change without {name}": float(v) for name, v in zip(names, found.overall[:, 0], strict=True)}
    return {"outputs": outputs, "figures": {**figures, "seconds": round(time.perf_counter() - started, 3)}}


def _layer(job: SensitivityJob, card: Card, occlusion: Occlusion) -> Layer:
    """A band a player with the change of the main output without it; the last says which is largest, from 1."""
    made = made_by(card.name, sha256(job.model), plugin_version(), to_json(job))
    bands = (*(player.name for player in occlusion.players), "most influential player")
    style = raster_style(paletted(player_classes(occlusion.players), band=len(bands)))
    return Layer(
        job.output_sensitivity,
        "float32",
        float("nan"),
        bands,
        tags={**made, OUTPUT: "sensitivity"},
        sidecars={".qml": style},
    )
