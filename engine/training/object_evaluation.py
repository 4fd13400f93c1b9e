"""Evaluation of a scene-level task: each held-out object is read whole, tile by tile, and counts once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.config import MAIN
from ...models.errors import Canceled
from ...models.network import Network
from ..assess import classes as class_figures
from ..assess.numbers import Residuals
from ..explain import error_probability as errors
from ..explain.object_means import EXPECTED, LOG_SCALE, OBSERVED, RECONSTRUCTION, ObjectMeans, object_features
from ..jobs import Progress
from ..scene.window import Window, plan
from .chips import ChipReader
from .evaluation import Evaluation, Task, forward, log_scale, physical, spread_of
from .objects import ObjectChip, SceneObject

_TILE_PX = 256
_MAX_OBJECTS = 2000
_OBJECTS_A_TILE = 8  # what calibration takes for independent in a tile

Arrays = dict[str, NDArray[np.float32]]


def evaluate_objects(
    network: Network,
    reader: ChipReader,
    sizes: dict[int, tuple[int, int]],
    task: Task,
    seed: int,
    progress: Progress,
) -> Evaluation:
    """Run a network over the objects of the reader's split (a sample if there are very many).

    Args:
        network: In evaluation mode, on ``task.device``.
        reader: Reads the split.
        sizes: Height and width of each scene.
        task: Classes, band names, device.
        seed: Of the sample.
        progress: Told of every object, and asked whether to stop.

    Raises:
        Canceled: stopped by the user.
    """
    own = [o for b, s in zip(reader.blocks, reader.splits, strict=True) if s == reader.split for o in b.objects]
    chosen = [own[i] for i in np.random.default_rng(seed).permutation(len(own))[:_MAX_OBJECTS]]
    result = Evaluation(np.zeros((len(task.classes),) * 2, np.int64), unit="objects")
    means = ObjectMeans(len(chosen))
    for number, item in enumerate(chosen):
        if progress.canceled():
            raise Canceled("The training was canceled.")
        progress.report(0.98, f"Measuring on held-out objects ({reader.split}): {number + 1} of {len(chosen)}")
        whole = Window(0, 0, *sizes[item.scene])
        for tile in plan(item.window, whole, _TILE_PX, network.config.margin_px, network.config.stride):
            values = reader.read(ObjectChip(item.scene, tile.chip, 0, item))
            raw = forward(network, torch.from_numpy(values.pop("inputs"))[None], task)
            cut = (slice(None), *tile.core.relative_to(tile.chip).slices)
            dense = {name: r[0][cut] for name, r in raw.items()}
            _gather(network, number, dense, {n: v[cut] for n, v in values.items()}, task, means, result)
    _measure(network, chosen, means, task, result)
    return result


def _gather(
    network: Network,
    number: int,
    raw: dict[str, torch.Tensor],
    truth: Arrays,
    task: Task,
    means: ObjectMeans,
    result: Evaluation,
) -> None:
    """Add a tile's pixels of one object to its means, and all of the tile's to the auxiliary figures."""
    inside = np.isfinite(truth[MAIN][0]) & (truth[MAIN][0] >= 0 if task.classes else True)
    means.add(number, MAIN, raw[MAIN].numpy(), inside)
    for name, names in task.bands.items():
        reconstruction, expected = physical(network, name, raw[name])
        for i, band in enumerate(names):
            result.auxiliary.setdefault(f"{name}:{band}", Residuals()).add(reconstruction[i].numpy(), truth[name][i])
        means.add(number, f"{LOG_SCALE} {name}", log_scale(network, name, raw[name]).numpy(), inside)
        seen = inside & np.isfinite(truth[name]).all(axis=0)
        for kind, values in (
            (RECONSTRUCTION, reconstruction.numpy()),
            (EXPECTED, expected.numpy()),
            (OBSERVED, truth[name]),
        ):
            means.add(number, f"{kind} {name}", values, seen)


def _measure(
    network: Network, items: Sequence[SceneObject], means: ObjectMeans, task: Task, result: Evaluation
) -> None:
    """Figures of the main task, and the features and errors that the error probability is fitted on."""
    raw = torch.from_numpy(means.of(MAIN, len(task.classes) or 2)).float()
    known = raw.isfinite().all(dim=0).numpy()
    value = np.array([item.value for item in items])
    features: dict[str, torch.Tensor]
    mapped = np.zeros(len(items), np.int64)
    if task.classes:
        log_probability = torch.log_softmax(raw, dim=0)
        mapped, index = log_probability.argmax(dim=0).numpy(), np.where(known, value, -1).astype(np.int64)
        result.matrix += class_figures.confusion(index, mapped, len(task.classes))
        wrong = (mapped != index).astype(np.float32)
        features = errors.score_features(log_probability)
    else:
        estimate = physical(network, MAIN, raw[:, :, None])[0][0, :, 0].numpy()
        result.main.add(estimate, np.where(known, value, np.nan))
        wrong = np.abs(estimate - value).astype(np.float32)
        features = {"scale": log_scale(network, MAIN, raw[:, :, None])[0, :, 0]}
    for name, names in task.bands.items():
        spread = spread_of(network, name)[:, 0]
        features.update(object_features(means, name, [f"{name}:{band}" for band in names], spread))
    result.features = {name: [values.numpy().astype(np.float32)[known]] for name, values in features.items()}
    result.wrong, result.mapped = [wrong[known]], [mapped[known]]
    count = int(known.sum())
    result.tile, result.sampled_from = [np.arange(count) // _OBJECTS_A_TILE], [count]
