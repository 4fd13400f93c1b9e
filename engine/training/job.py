"""The training jobs: from scenes to a model file that carries its card, and a report."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy as np
import torch
from numpy.typing import NDArray

from ...models import file
from ...models.card import Card, InputDensity
from ...models.errors import Canceled
from ...models.network import MAIN, Network
from ..devices import choose_device, choose_precision
from ..explain import calibration, novelty
from ..jobs import Progress
from ..reports.training import write_training_report
from ..scene.writing import check_writable
from . import manifest, options
from .attribution import fit_attributions
from .chips import Batch, Sample, draw, draw_unlabelled, held_out, load, with_targets_of_others
from .evaluation import Evaluation, Task, evaluate, input_blocks
from .loop import Budget, Outcome, train
from .object_evaluation import evaluate_objects
from .objects import ObjectChip, draw_objects, middle_chip
from .options import Training
from .pictures import training_report
from .record import Record
from .scenes import scenes_of
from .setup import Setup
from .split import TEST, TRAIN, VALIDATION
from .validation import validate

log = logging.getLogger("auxlens")

_PRECISIONS = {torch.float32: "32-true", torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed"}
_VALIDATION_CHIPS = 64
_RARE = 4  # times fewer pixels than the median class has
_VALIDATION_OBJECTS = 256  # more than chips of dense tasks, because each tells one label and not thousands


def run(job: Training, progress: Progress) -> dict[str, Any]:
    """Train a model.

    Returns:
        ``outputs``: model file and report; ``figures``: of validation and test.

    Raises:
        AuxLensError: the job, the scenes or the references do not allow a training; before it starts.
        Canceled: stopped by the user; the best weights so far are kept in the model file.
    """
    options.check(job)
    check_writable([path for path in (job.output_model, job.output_report) if path])
    device = choose_device(job.device)
    setup = Setup(job, scenes_of(job), progress)
    torch.manual_seed(job.seed)
    network = Network(setup.config)
    record = Record(Path(job.output_model), manifest.fingerprint(job, setup.scenes))
    outcome, task = learn(job, network, setup, device, progress, record=record)
    measured = _measure(network, setup, task, outcome, progress)
    if outcome.ended == "canceled":
        file.save(job.output_model, network, setup.card(outcome))
        raise Canceled(
            f"The training was canceled; the best weights so far are in “{job.output_model}”. Run it again as it was "
            f"to go on after epoch {len(outcome.history)}."
        )
    card = _finish(setup, outcome, measured)
    file.save(job.output_model, network, card)
    record.forget()
    outputs = {"model": job.output_model}
    if job.output_report:
        report = training_report(card, outcome, measured.splits, network, setup.reader(TEST), setup.sizes, task)
        write_training_report(Path(job.output_report), report)
        outputs["report"] = job.output_report
    figures = {split: evaluation.figures() for split, evaluation in measured.splits.items()}
    for split, values in figures.items():
        log.info("%s: %s", split.capitalize(), ", ".join(f"{k} {v:.4g}" for k, v in values.items()))
    return {"outputs": outputs, "figures": figures}


def learn(
    job: Training,
    network: Network,
    setup: Setup,
    device: torch.device,
    progress: Progress,
    steps: int = 0,
    record: Record | None = None,
) -> tuple[Outcome, Task]:
    """Train a network on a job's scenes.

    Args:
        job: Its seed may differ from the setup's: another training on the same split.
        network: Changed in place.
        setup: Blocks, split and readers.
        device: Where to compute.
        progress: Told, and asked whether to stop.
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
    _weigh_classes(network, setup)
    task = Task(setup.classes, setup.auxiliary, device, dtype)
    steps = steps or steps_an_epoch(setup, job.chip_size, batch_size)
    log.info("Training on %s in %s: %d steps of %d chips an epoch.", device, str(dtype)[6:], steps, batch_size)
    reader = setup.reader(TRAIN)

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([job.seed, epoch])
        samples = _training_chips(setup, job.chip_size, steps * batch_size, rng)
        loaded = load(reader, samples, batch_size)
        return map(with_targets_of_others, loaded) if job.strategy == "shuffled" else loaded

    chips = _validation_chips(setup, job.chip_size, batch_size, job.seed)
    outcome = train(
        network,
        fabric,
        batches,
        lambda average: validate(average, _until_canceled(chips, progress), task),
        Budget(job.epochs, steps, job.time_limit * (1 - options.EXPLAINER_SHARE if setup.players else 1)),
        progress,
        record,
        job.auxiliary_weight,
    )
    if setup.players and outcome.ended != "canceled":
        setup.attribution = _explain(network, fabric, batches, steps * len(outcome.history), job, progress)
    return outcome, task


def _explain(
    network: Network,
    fabric: Any,
    batches: Callable[[int], Iterator[Batch]],
    trained: int,
    job: Training,
    progress: Progress,
) -> dict[str, float]:
    """Fit the explainer; gives what the card says of it."""
    low, high = options.EXPLAINER_STEPS
    limit_s = 60 * job.time_limit * options.EXPLAINER_SHARE or math.inf
    chips = (batch for epoch in itertools.count(job.epochs + 1) for batch in batches(epoch))
    fit = fit_attributions(network, fabric, chips, min(high, max(low, 4 * trained)), limit_s, progress)
    log.info("Attributions leave %.1f %% of what players change of the scores unexplained.", 100 * fit.unexplained)
    return asdict(fit)


def _training_chips(setup: Setup, chip_px: int, count: int, rng: np.random.Generator) -> Sequence[Sample | ObjectChip]:
    if setup.scene_level:
        return draw_objects(setup.objects(TRAIN), len(setup.classes), chip_px, count, rng)
    wanted = round(options.UNLABELLED_SHARE * count) if setup.auxiliary else 0
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


def _validation_chips(setup: Setup, chip_px: int, batch_size: int, seed: int) -> list[Batch]:
    """A fixed sample of validation chips, kept in memory (its size does not depend on the scenes')."""
    rng = np.random.default_rng(seed)
    if setup.scene_level:
        objects = setup.objects(VALIDATION)
        chosen = [objects[i] for i in rng.permutation(len(objects))[:_VALIDATION_OBJECTS]]
        return list(load(setup.reader(VALIDATION), [middle_chip(item, chip_px) for item in chosen], batch_size))
    blocks = [b for b, s in zip(setup.blocks, setup.splits, strict=True) if s == VALIDATION]
    samples = [held_out(blocks[i], chip_px, rng) for i in rng.permutation(len(blocks))[:_VALIDATION_CHIPS]]
    return list(load(setup.reader(VALIDATION), samples, batch_size))


def _until_canceled(batches: Iterable[Batch], progress: Progress) -> Iterator[Batch]:
    for batch in batches:
        if progress.canceled():
            raise Canceled("The training was canceled.")
        yield batch


@dataclass(frozen=True)
class Measured:
    """What was measured with the best weights: by split, and on validation with disturbed inputs."""

    splits: dict[str, Evaluation]
    disturbed: Evaluation | None
    density: InputDensity | None


def _measure(network: Network, setup: Setup, task: Task, outcome: Outcome, progress: Progress) -> Measured:
    """What was measured on validation and test; nothing if the user stopped the training, or stops it here."""
    splits: dict[str, Evaluation] = {}
    disturbed = density = None
    seed = setup.job.seed
    try:
        if outcome.ended != "canceled":
            if setup.scene_level:
                for split in (VALIDATION, TEST):
                    reader = setup.reader(split)
                    splits[split] = evaluate_objects(network, reader, setup.sizes, task, seed, progress)
                return Measured(splits, None, None)
            usual, held_out = (input_blocks(setup.reader(split), seed) for split in (TRAIN, VALIDATION))
            density = novelty.fit(usual, held_out, seed)
            for split in (VALIDATION, TEST):
                splits[split] = evaluate(network, setup.reader(split), setup.sizes, task, seed, progress, density)
            if density is not None:
                reader = setup.reader(VALIDATION)
                disturbed = evaluate(network, reader, setup.sizes, task, seed, progress, density, disturb=True)
    except Canceled:
        outcome.ended = "canceled"
    return Measured(splits, disturbed, density)


def _finish(setup: Setup, outcome: Outcome, measured: Measured) -> Card:
    validation, test = measured.splits[VALIDATION], measured.splits[TEST]
    error_models = calibration.fit(
        validation.sample(),
        test.sample(),
        0.0 if setup.classes else validation.main.figures().get("rmse", 0.0),
        len(setup.classes),
        measured.disturbed.sample() if measured.disturbed else None,
    )
    figures = {split: evaluation.figures() for split, evaluation in measured.splits.items()}
    auxiliary = {band: residuals.figures() for band, residuals in test.auxiliary.items()}
    for band, residuals in validation.auxiliary.items():  # where the test split has none of a modality
        if not auxiliary.get(band):
            auxiliary[band] = residuals.figures()
    return replace(setup.card(outcome, figures, auxiliary, error_models), input_density=measured.density)
