"""Evaluation on held-out blocks: figures of every task, and pixels to calibrate the error probability on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import LandClass
from ...models.errors import Canceled
from ...models.heads import DensityHead
from ...models.network import MAIN, Network
from ..assess import classes as class_figures
from ..assess.numbers import Residuals
from ..devices import autocast
from ..explain import error_probability as errors
from ..jobs import Progress
from ..scene.window import Window, plan
from .chips import Batch, ChipReader, Sample

_TILE_PX = 256
_MAX_TILES = 400
_PIXELS_A_TILE = 2000


@dataclass
class Evaluation:
    """What was measured on one split.

    Attributes:
        matrix: Confusion matrix, rows reference; empty for a regression.
        main: Sums of a regression's main task.
        auxiliary: Sums a band, by ``modality:band``.
        features: Features of sampled pixels, by name; those of the ``observed`` form hold NaN without references.
        wrong: Main error of the same pixels: 0 or 1 (regression: absolute error).
    """

    matrix: NDArray[np.int64]
    main: Residuals = field(default_factory=Residuals)
    auxiliary: dict[str, Residuals] = field(default_factory=dict)
    features: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    wrong: list[NDArray[np.float32]] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Figures of the main task by name."""
        return class_figures.figures(self.matrix) if self.matrix.size else self.main.figures()


@dataclass(frozen=True)
class Task:
    """What evaluation needs to know of the model under training."""

    classes: Sequence[LandClass]
    bands: Mapping[str, tuple[str, ...]]  # of each auxiliary modality
    device: torch.device
    dtype: torch.dtype


def evaluate(
    network: Network,
    reader: ChipReader,
    sizes: dict[int, tuple[int, int]],
    task: Task,
    seed: int,
    progress: Progress,
) -> Evaluation:
    """Run a network over all tiles that hold blocks of the reader's split (a sample if there are very many).

    Args:
        network: In evaluation mode, on ``task.device``.
        reader: Reads the split.
        sizes: Height and width of each scene.
        task: Classes, band names, device.
        seed: Of the samples of tiles and pixels.
        progress: Told of every tile, and asked whether to stop.

    Raises:
        Canceled: stopped by the user.
    """
    rng = np.random.default_rng(seed)
    result = Evaluation(np.zeros((len(task.classes),) * 2, np.int64))
    tiles = _tiles(network, reader, sizes, rng)
    for number, (core, chip) in enumerate(tiles, 1):
        if progress.canceled():
            raise Canceled("The training was canceled.")
        progress.report(0.98, f"Measuring on held-out references ({reader.split}): {number} of {len(tiles)}")
        values = reader.read(Sample(chip.scene, chip.window, 0))
        raw = forward(network, torch.from_numpy(values.pop("inputs"))[None], task)
        cut = (slice(None), *core.relative_to(chip.window).slices)
        _measure(
            network, {n: r[0][cut] for n, r in raw.items()}, {n: v[cut] for n, v in values.items()}, task, result, rng
        )
    return result


def forward(network: Network, inputs: Tensor, task: Task) -> dict[str, Tensor]:
    """Raw outputs on the CPU, of ``(B, C, H, W)``."""
    with torch.inference_mode(), autocast(task.device, task.dtype):
        return {name: values.float().cpu() for name, values in network(inputs.to(task.device)).items()}


def score(network: Network, batches: Iterable[Batch], task: Task) -> tuple[float, float]:
    """Loss and score of the main task: mean IoU, or R² of a regression; for validation during training."""
    matrix = np.zeros((len(task.classes),) * 2, np.int64)
    residuals, losses = Residuals(), []
    for batch in batches:
        with torch.inference_mode(), autocast(task.device, task.dtype):
            raw = network(batch.inputs.to(task.device), [MAIN])[MAIN].float()
        truth = batch.targets[MAIN]
        losses.append(float(network.head(MAIN).loss(raw, truth.to(task.device))))
        if task.classes:
            index = np.nan_to_num(truth[:, 0].numpy(), nan=-1.0).astype(np.int64)
            matrix += class_figures.confusion(index, raw.argmax(dim=1).cpu().numpy(), len(task.classes))
        else:
            head = network.head(MAIN)
            assert isinstance(head, DensityHead)
            residuals.add(head.physical(raw)[0].cpu().numpy(), truth.numpy())
    found = class_figures.figures(matrix).get("mean_iou") if task.classes else residuals.figures().get("r2")
    return sum(losses) / max(1, len(losses)), -float("inf") if found is None else found


def _tiles(
    network: Network, reader: ChipReader, sizes: dict[int, tuple[int, int]], rng: np.random.Generator
) -> list[tuple[Window, Sample]]:
    margin, stride = network.config.margin_px, network.config.stride
    own = [b for b, s in zip(reader.blocks, reader.splits, strict=True) if s == reader.split]
    tiles = []
    for scene in sorted({block.scene for block in own}):
        whole = Window(0, 0, *sizes[scene])
        windows = [block.window for block in own if block.scene == scene]
        for tile in plan(whole, whole, _TILE_PX, margin, stride):
            if any(_touch(tile.core, window) for window in windows):
                tiles.append((tile.core, Sample(scene, tile.chip, 0)))
    order = rng.permutation(len(tiles))[:_MAX_TILES]
    return [tiles[i] for i in order]


def _touch(a: Window, b: Window) -> bool:
    common = a.intersection(b)
    return bool(common.height and common.width)


def _measure(
    network: Network,
    raw: dict[str, Tensor],
    truth: dict[str, NDArray[np.float32]],
    task: Task,
    result: Evaluation,
    rng: np.random.Generator,
) -> None:
    known = np.isfinite(truth[MAIN][0]) & (truth[MAIN][0] >= 0 if task.classes else True)
    features: dict[str, Tensor]
    if task.classes:
        log_probability = torch.log_softmax(raw[MAIN], dim=0)
        index = np.where(known, np.nan_to_num(truth[MAIN][0]), -1).astype(np.int64)
        mapped = log_probability.argmax(dim=0).numpy()
        result.matrix += class_figures.confusion(index, mapped, len(task.classes))
        wrong = (mapped != index).astype(np.float32)
        features = errors.score_features(log_probability)
    else:
        estimate, _ = physical(network, MAIN, raw[MAIN])
        result.main.add(estimate.numpy(), truth[MAIN])
        wrong = np.abs(estimate[0].numpy() - truth[MAIN][0])
        features = {"scale": log_scale(network, MAIN, raw[MAIN])[0]}
    for name, names in task.bands.items():
        bands = [f"{name}:{band}" for band in names]
        reconstruction, expected = physical(network, name, raw[name])
        for i, band in enumerate(bands):
            result.auxiliary.setdefault(band, Residuals()).add(reconstruction[i].numpy(), truth[name][i])
        observed = torch.from_numpy(truth[name])
        features.update(errors.expected_features(bands, log_scale(network, name, raw[name])))
        features.update(errors.observed_features(bands, reconstruction, expected, observed))
    rows, cols = np.nonzero(known)
    picked = rng.permutation(len(rows))[:_PIXELS_A_TILE]
    for name, values in features.items():
        result.features.setdefault(name, []).append(values.numpy()[rows[picked], cols[picked]])
    result.wrong.append(wrong[rows[picked], cols[picked]])


def log_scale(network: Network, task: str, raw: Tensor) -> Tensor:
    """Log scales, ``(bands, H, W)``, of one chip's raw output."""
    head = network.head(task)
    assert isinstance(head, DensityHead)
    return head.log_scale(raw[None])[0]


def physical(network: Network, task: str, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Means and expected errors on the CPU, ``(bands, H, W)``, of one chip's raw output."""
    head = network.head(task)
    assert isinstance(head, DensityHead)
    device = head.standardise.mean.device
    location, scale = head.physical(raw[None].to(device))
    return location[0].cpu(), scale[0].cpu()
