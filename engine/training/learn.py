"""Learning: a network is trained on the chips of a job's scenes, and its explainer after it."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import lightning_fabric
import numpy as np
import torch
from numpy.typing import NDArray

from ...models.config import MAIN
from ...models.errors import Canceled
from ...models.network import Network
from ..devices import choose_precision
from ..jobs import Progress
from ..progress import Part
from . import options
from .attribution import PARTS, fit_attributions
from .chips import Batch, ChipReader, Sample, draw, draw_unlabelled, held_out, load, with_targets_of_others
from .evaluation import Task
from .loop import Budget, Outcome, train
from .masking import hidden, with_task, without_task
from .objects import ObjectChip, draw_objects, middle_chip
from .options import Training
from .record import Record
from .setup import Setup
from .split import TRAIN, UNLABELLED, VALIDATION
from .validation import validate

log = logging.getLogger("auxlens")

_PRECISIONS = {torch.float32: "32-true", torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed"}
_VALIDATION_CHIPS = 64
_RARE = 4  # times fewer pixels than the median class has
_VALIDATION_OBJECTS = 256  # more than chips of dense tasks, because each tells one label and not thousands


def learn(
    job: Training,
    network: Network,
    setup: Setup,
    device: torch.device,
    progress: Progress,
    steps: int = 0,
    record: Record | None = None,
) -> tuple[Outcome, Task]:
    """Train a network on a job's scenes, and its explainer.

    Args:
        job: Its seed may differ from the setup's: another training on the same split.
        network: Changed in place.
        setup: Blocks, split and readers.
        device: Where to compute.
        progress: Told after every step of both, and asked whether to stop.
        steps: Steps an epoch; 0 for as many as the training references ask for.
        record: Where to keep a log and the state after every epoch, and where to go on from.

    Returns:
        What came of it, and what evaluation needs to know.
    """
    network = network.to(device)
    batch_size = batch_size_of(job, device)
    dtype = choose_precision(job.precision, device)
    fabric = lightning_fabric.Fabric(
        accelerator=device.type,
        devices=[device.index or 0] if device.type == "cuda" else 1,
        precision=_PRECISIONS[dtype],  # type: ignore[arg-type]
    )
    masked = options.masked_share(job) if UNLABELLED in setup.splits else 0.0
    learner = with_task(network) if masked else network
    for one in (network, learner):
        _weigh_classes(one, setup)
    task = Task(setup.classes, setup.auxiliary, device, dtype)
    steps = steps or steps_an_epoch(setup, job.chip_size, batch_size)
    log.info("Training on %s in %s: %d steps of %d chips an epoch.", device, str(dtype)[6:], steps, batch_size)
    reader, pin = setup.reader(TRAIN), device.type == "cuda"

    def batches(epoch: int, chip_px: int = job.chip_size, reader: ChipReader = reader) -> Iterator[Batch]:
        rng = np.random.default_rng([job.seed, epoch])
        samples = _training_chips(setup, chip_px, steps * batch_size, rng)
        loaded = load(reader, samples, batch_size, pin)
        return map(with_targets_of_others, loaded) if job.strategy == "shuffled" else loaded

    def training_batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([job.seed, epoch, 1])
        return (hidden(batch, masked, rng) for batch in batches(epoch)) if masked else batches(epoch)

    chips = _validation_chips(setup, job.chip_size, batch_size, pin, job.seed)
    explained = bool(setup.players or setup.patch_px)
    share = _training_share(job, job.epochs * steps) if explained else 1.0
    outcome = train(
        learner,
        fabric,
        training_batches,
        lambda average: validate(average, _until_canceled(chips, progress), task),
        Budget(job.epochs, steps, job.time_limit * (1 - options.EXPLAINER_SHARE if explained else 1)),
        Part(progress, 0.0, share),
        record,
        job.auxiliary_weight,
    )
    if masked:
        without_task(learner, network)
    if explained and outcome.ended != "canceled":
        alone = setup.reader(TRAIN, auxiliary=False)
        seen = partial(batches, chip_px=_explained_px(setup, job.chip_size), reader=alone)
        part = Part(progress, share, 1 - share)
        setup.attribution = _explain(network, fabric, seen, steps * len(outcome.history), job, part)
    return outcome, task


def _training_share(job: Training, steps: int) -> float:
    """Share of the progress that a training of so many steps has, beside learning attributions.

    It is that of the time, if there is a limit, or that of the batches, of which a step of the explainer takes a part.
    """
    if job.time_limit:
        return 1 - options.EXPLAINER_SHARE
    return steps / (steps + _explaining_steps(steps) / PARTS)


def _explaining_steps(trained: int) -> int:
    """Steps of the explainer after so many of the training."""
    low, high = options.EXPLAINER_STEPS
    return min(high, max(low, options.EXPLAINER_PACE * trained))


def _explained_px(setup: Setup, chip_px: int) -> int:
    """Width of the chips that the explainer learns from: patches also tell what surrounds an object, as on a map."""
    return 2 * chip_px if setup.patch_px and chip_px < 2 * setup.config.margin_px else chip_px


def _explain(
    network: Network,
    fabric: Any,
    batches: Callable[[int], Iterator[Batch]],
    trained: int,
    job: Training,
    progress: Progress,
) -> dict[str, float]:
    """Fit the explainer; gives what the card says of it."""
    limit_s = 60 * job.time_limit * options.EXPLAINER_SHARE or math.inf
    chips = (batch for epoch in itertools.count(job.epochs + 1) for batch in batches(epoch))
    fit = fit_attributions(network, fabric, chips, _explaining_steps(trained), limit_s, progress)
    log.info("Attributions leave %.1f %% of what players change of the scores unexplained.", 100 * fit.unexplained)
    return asdict(fit)


def _training_chips(setup: Setup, chip_px: int, count: int, rng: np.random.Generator) -> Sequence[Sample | ObjectChip]:
    if setup.scene_level:
        return draw_objects(setup.objects(TRAIN), len(setup.classes), chip_px, count, rng)
    teaches = setup.auxiliary or options.masked_share(setup.job)
    wanted = round(options.UNLABELLED_SHARE * count) if teaches else 0
    others = draw_unlabelled(setup.blocks, setup.splits, chip_px, wanted, rng)
    chips = [*draw(setup.blocks, setup.splits, chip_px, count - len(others), rng), *others]
    return [chips[i] for i in rng.permutation(count)] if others else chips


def batch_size_of(job: Training, device: torch.device) -> int:
    """Chips a step: those asked for, or as many as suit the device."""
    return job.batch_size or max(2, options.BATCH_PX[device.type] // job.chip_size**2)


def steps_an_epoch(setup: Setup, chip_px: int, batch_size: int) -> int:
    """Steps an epoch: a chip an object, or as many as the training references would fill, within bounds."""
    pixels = sum(
        b.window.height * b.window.width for b, s in zip(setup.blocks, setup.splits, strict=True) if s == TRAIN
    )
    chips = len(setup.objects(TRAIN)) if setup.scene_level else pixels // chip_px**2
    low, high = options.CHIPS_AN_EPOCH
    return max(1, min(high, max(low, chips)) // batch_size)


def _weigh_classes(network: Network, setup: Setup) -> None:
    """Give the loss its class weights; objects are drawn evenly instead."""
    if not setup.classes or setup.scene_level:
        return
    counts = sum(b.counts for b, s in zip(setup.blocks, setup.splits, strict=True) if s == TRAIN)
    buffer = network.head(MAIN).class_weights
    assert isinstance(buffer, torch.Tensor)
    buffer.copy_(torch.from_numpy(class_weights(np.asarray(counts, np.float64))))


def class_weights(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each class in the loss, by its pixels ``(classes,)``: 1–4.

    Rare classes, with less than a quarter of the median's pixels, weigh more, by the root of how much rarer they are.
    Weights make probabilities of their classes too high, so others have none.
    """
    shares = np.maximum(counts, 1.0)
    weights: NDArray[np.float64] = np.clip(np.sqrt(np.median(shares) / (_RARE * shares)), 1.0, 4.0)
    return weights


def _validation_chips(setup: Setup, chip_px: int, batch_size: int, pin: bool, seed: int) -> list[Batch]:
    """A fixed sample of validation chips, kept in memory (its size does not depend on the scenes').

    They have no auxiliary targets: validation looks at the main task.
    """
    rng, reader = np.random.default_rng(seed), setup.reader(VALIDATION, auxiliary=False)
    if setup.scene_level:
        objects = setup.objects(VALIDATION)
        chosen = [objects[i] for i in rng.permutation(len(objects))[:_VALIDATION_OBJECTS]]
        return list(load(reader, [middle_chip(item, chip_px) for item in chosen], batch_size, pin))
    blocks = [b for b, s in zip(setup.blocks, setup.splits, strict=True) if s == VALIDATION]
    samples = [held_out(blocks[i], chip_px, rng) for i in rng.permutation(len(blocks))[:_VALIDATION_CHIPS]]
    return list(load(reader, samples, batch_size, pin))


def _until_canceled(batches: Iterable[Batch], progress: Progress) -> Iterator[Batch]:
    for batch in batches:
        if progress.canceled():
            raise Canceled("The training was canceled.")
        yield batch
