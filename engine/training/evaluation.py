"""Evaluation on held-out blocks: figures of every task, and pixels to calibrate the error probability on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import InputDensity, LandClass
from ...models.config import MAIN
from ...models.errors import Canceled
from ...models.network import Network
from ..assess import classes as class_figures
from ..assess.numbers import Residuals
from ..devices import autocast
from ..explain import calibration, disturbance, error_probability as errors
from ..explain.error_features import ErrorFeatures
from ..explain.surroundings import BLOCK_PX, CONTEXT_PX, block_means
from ..jobs import Progress
from ..scene.window import Window, plan
from .chips import ChipReader, Sample
from .split import TRAIN

_TILE_PX = 256
_MAX_TILES, _MAX_TRAINING_TILES = 400, 100  # those of training tell nothing but how errors look
_PIXELS_A_TILE = 2000
_MAX_DENSITY_BLOCKS = 8000


@dataclass
class Evaluation:
    """What was measured on one split.

    Attributes:
        matrix: Confusion matrix, rows reference; empty for a regression.
        main: Sums of a regression's main task.
        auxiliary: Sums a band, by ``modality:band``.
        features: Features of sampled pixels, by name; those of the ``observed`` form hold NaN without references.
        wrong: Main error of the same pixels: 0 or 1 (regression: absolute error).
        mapped: Index of the mapped class of the same pixels; 0 for a regression.
        tile: Number of the tile of the same pixels.
        sampled_from: How many pixels each tile's were drawn from.
        unit: What was counted: ``pixels``, or ``objects`` of a scene-level task.
    """

    matrix: NDArray[np.int64]
    main: Residuals = field(default_factory=Residuals)
    auxiliary: dict[str, Residuals] = field(default_factory=dict)
    features: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)
    wrong: list[NDArray[np.float32]] = field(default_factory=list)
    mapped: list[NDArray[np.int64]] = field(default_factory=list)
    tile: list[NDArray[np.int64]] = field(default_factory=list)
    sampled_from: list[int] = field(default_factory=list)
    unit: str = "pixels"

    def sample(self) -> calibration.Sample:
        """The sampled pixels, the same share of every tile's."""
        drawn = zip(self.tile, self.sampled_from, strict=True)
        share = min((len(tile) / count for tile, count in drawn if count), default=1.0)
        numbers = [round(share * count) for count in self.sampled_from]

        def joined(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
            return np.concatenate([of_tile[:number] for of_tile, number in zip(values, numbers, strict=True)])

        features = {name: joined(values) for name, values in self.features.items()}
        return calibration.Sample(features, joined(self.wrong), joined(self.mapped), joined(self.tile))

    def figures(self) -> dict[str, float]:
        """Figures of the main task by name."""
        found = class_figures.figures(self.matrix) if self.matrix.size else self.main.figures()
        return {self.unit if name == "pixels" else name: value for name, value in found.items()}


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
    density: InputDensity | None = None,
    disturb: bool = False,
) -> Evaluation:
    """Run a network over all tiles that hold blocks of the reader's split (a sample if there are very many).

    Args:
        network: In evaluation mode, on ``task.device``.
        reader: Reads the split.
        sizes: Height and width of each scene.
        task: Classes, band names, device.
        seed: Of the samples of tiles and pixels.
        progress: Told of every tile, and asked whether to stop.
        density: Of the training scenes' inputs.
        disturb: Disturb the inputs, to see what the network does with unusual ones.

    Raises:
        Canceled: stopped by the user.
    """
    rng = np.random.default_rng(seed)
    result = Evaluation(np.zeros((len(task.classes),) * 2, np.int64))
    margin_px, stride = network.config.margin_px + CONTEXT_PX, max(network.config.stride, BLOCK_PX)
    chosen = tiles(reader, sizes, margin_px, stride, rng)
    kinds = disturbance.KINDS[: 3 if task.classes else 2]  # a foreign surface has no wrong class in a regression
    statistics = _statistics(network)
    for number, (core, chip) in enumerate(chosen, 1):
        if progress.canceled():
            raise Canceled("The training was canceled.")
        what = "disturbed inputs" if disturb else reader.split
        progress.report(0.98, f"Measuring on held-out references ({what}): {number} of {len(chosen)}")
        values = reader.read(chip)
        kind = kinds[number % len(kinds)] if disturb else ""
        if kind:
            values["inputs"] = disturbance.disturbed(values["inputs"], kind, statistics, rng)
        raw = {name: out[0] for name, out in forward(network, torch.from_numpy(values["inputs"])[None], task).items()}
        _measure(network, raw, values, core.relative_to(chip.window), task, density, result)
        _sample(result, number, kind == disturbance.FOREIGN, rng)
    return result


def _statistics(network: Network) -> disturbance.Statistics:
    """Mean and standard deviation of the input bands."""
    mean, std = (values.flatten().cpu().numpy() for values in (network.standardise.mean, network.standardise.std))
    return mean, std


def input_blocks(reader: ChipReader, seed: int) -> NDArray[np.float32]:
    """Means of the input over small blocks of the reader's split, ``(n, bands)``: what inputs are usual."""
    rng = np.random.default_rng(seed)
    own = [b for b, s in zip(reader.blocks, reader.splits, strict=True) if s == reader.split]
    picked = [own[i] for i in rng.permutation(len(own))[:_MAX_TILES]]
    share = -(-_MAX_DENSITY_BLOCKS // len(picked))
    found = []
    for block in sorted(picked, key=lambda block: block.scene):  # a scene's files are opened once
        inputs = torch.from_numpy(reader.read(Sample(block.scene, block.window, 0))["inputs"])
        means, known = block_means(inputs, torch.isfinite(inputs).all(dim=0))
        whole = means.flatten(1)[:, known.flatten() > 0.5].numpy().T
        found.append(whole[rng.permutation(len(whole))[:share]])
    return np.concatenate(found)


def forward(network: Network, inputs: Tensor, task: Task, tasks: Collection[str] | None = None) -> dict[str, Tensor]:
    """Raw outputs on the CPU, of ``(B, C, H, W)``; of some tasks, or of all."""
    with torch.inference_mode(), autocast(task.device, task.dtype):
        return {name: values.float().cpu() for name, values in network(inputs.to(task.device), tasks).items()}


def tiles(
    reader: ChipReader, sizes: Mapping[int, tuple[int, int]], margin_px: int, stride: int, rng: np.random.Generator
) -> list[tuple[Window, Sample]]:
    """Core and chip of the tiles that hold blocks of the reader's split; a sample if there are very many."""
    own = [b for b, s in zip(reader.blocks, reader.splits, strict=True) if s == reader.split]
    found = []
    for scene in sorted({block.scene for block in own}):
        whole = Window(0, 0, *sizes[scene])
        windows = [block.window for block in own if block.scene == scene]
        for tile in plan(whole, whole, _TILE_PX, margin_px, stride):
            if any(tile.core.overlaps(window) for window in windows):
                found.append((tile.core, Sample(scene, tile.chip, 0)))
    order = rng.permutation(len(found))[: _MAX_TRAINING_TILES if reader.split == TRAIN else _MAX_TILES]
    return [found[i] for i in order]


def _measure(
    network: Network,
    raw: dict[str, Tensor],
    truth: dict[str, NDArray[np.float32]],
    core: Window,
    task: Task,
    density: InputDensity | None,
    result: Evaluation,
) -> None:
    """Add a chip's core to the figures, and append the features of all its pixels with a reference."""
    cut = core.slices
    reference = truth[MAIN][0][cut]
    known = np.isfinite(reference) & (reference >= 0 if task.classes else True)
    features: dict[str, Tensor]
    mapped: Tensor | None = None
    if task.classes:
        log_probability = torch.log_softmax(raw[MAIN], dim=0)
        mapped = log_probability.argmax(dim=0)[cut]
        index = np.where(known, np.nan_to_num(reference), -1).astype(np.int64)
        result.matrix += class_figures.confusion(index, mapped.numpy(), len(task.classes))
        wrong = (mapped.numpy() != index).astype(np.float32)
        features = errors.score_features(log_probability)
    else:
        estimate, _ = physical(network, MAIN, raw[MAIN])
        result.main.add(estimate[0][cut].numpy()[None], reference[None])
        wrong = np.abs(estimate[0][cut].numpy() - reference)
        features = {"scale": log_scale(network, MAIN, raw[MAIN])[0]}
    bands = {name: [f"{name}:{band}" for band in names] for name, names in task.bands.items()}
    for name in bands:
        reconstruction, _ = physical(network, name, raw[name])
        for i, band in enumerate(bands[name]):
            residuals = result.auxiliary.setdefault(band, Residuals())
            residuals.add(reconstruction[i][cut].numpy(), truth[name][i][cut])
    computing = ErrorFeatures(network, bands, [] if density is None else [density])
    on_device = {name: values.to(task.device) for name, values in raw.items()}
    given = {name: torch.from_numpy(truth[name]).to(task.device) for name in ("inputs", *bands)}
    inputs = given.pop("inputs")
    features.update(computing.at_pixels(on_device, given))
    features = {name: values[cut] for name, values in features.items()}
    by_class = None if mapped is None else mapped.to(task.device)
    for part in computing.around(on_device, inputs, given):
        features.update(part.at(*cut, by_class))
    for name, values in features.items():
        result.features.setdefault(name, []).append(values.cpu().numpy()[known])
    result.wrong.append(wrong[known])
    result.mapped.append(mapped.numpy()[known] if mapped is not None else np.zeros(int(known.sum()), np.int64))


def _sample(result: Evaluation, tile: int, foreign: bool, rng: np.random.Generator) -> None:
    """Keep some of the pixels of the last chip; of foreign surfaces those that look unusual, and all are wrong."""
    if foreign:
        result.wrong[-1] = np.ones_like(result.wrong[-1])
    count = len(result.wrong[-1])
    eligible = np.nonzero(result.features["unusual"][-1] > 0)[0] if foreign else np.arange(count)
    picked = rng.permutation(eligible)[:_PIXELS_A_TILE]
    for values in result.features.values():
        values[-1] = values[-1][picked]
    result.wrong[-1], result.mapped[-1] = result.wrong[-1][picked], result.mapped[-1][picked]
    result.tile.append(np.full(len(picked), tile))
    result.sampled_from.append(len(eligible))


def spread_of(network: Network, task: str) -> Tensor:
    """Standard deviations of an auxiliary modality's bands, ``(bands, 1, 1)``."""
    return network.density(task).standardise.std[0].cpu()


def log_scale(network: Network, task: str, raw: Tensor) -> Tensor:
    """Log scales on the CPU, ``(bands, H, W)``, of one chip's raw output."""
    head = network.density(task)
    return head.log_scale(raw[None].to(head.standardise.mean.device))[0].cpu()


def physical(network: Network, task: str, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Means and expected errors on the CPU, ``(bands, H, W)``, of one chip's raw output."""
    head = network.density(task)
    device = head.standardise.mean.device
    location, scale = head.physical(raw[None].to(device))
    return location[0].cpu(), scale[0].cpu()
