"""The jobs ``train`` and ``trainfolder``: from scenes to a model file that carries its card, and a report."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ...models import file
from ...models.card import Card, InputDensity
from ...models.errors import Canceled
from ...models.network import Network
from ..devices import choose_device
from ..explain import calibration, input_density, intervals
from ..jobs import Progress
from ..progress import Part
from ..reports.training import write_training_report
from ..scene.writing import check_writable
from ..training import manifest, options
from ..training.evaluation import Evaluation, Task, evaluate, input_blocks
from ..training.learn import learn
from ..training.loop import Outcome
from ..training.object_evaluation import evaluate_objects
from ..training.options import Training
from ..training.record import Record
from ..training.scenes import scenes_of
from ..training.setup import Setup
from ..training.split import TEST, TRAIN, VALIDATION
from .train_examples import training_report

log = logging.getLogger("auxlens")

_LEARNING_SHARE = 0.97  # of the progress; the rest is for measuring


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
    outcome, task = learn(job, network, setup, device, Part(progress, 0.0, _LEARNING_SHARE), record=record)
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
    progress.report(1.0, f"Wrote the model “{job.output_model}”")
    figures = {split: evaluation.figures() for split, evaluation in measured.splits.items()}
    for split, values in figures.items():
        log.info("%s: %s", split.capitalize(), ", ".join(f"{k} {v:.4g}" for k, v in values.items()))
    return {"outputs": outputs, "figures": figures}


@dataclass(frozen=True)
class Measured:
    """What was measured with the best weights: held-out splits, and what the error probability also learns from.

    That is the training split, and validation with disturbed inputs.
    """

    splits: dict[str, Evaluation]
    training: Evaluation | None = None
    disturbed: Evaluation | None = None
    density: InputDensity | None = None


def _measure(network: Network, setup: Setup, task: Task, outcome: Outcome, progress: Progress) -> Measured:
    """Measure; nothing if the user stopped the training, or stops it here."""
    if outcome.ended == "canceled":
        return Measured({})
    seed = setup.job.seed
    try:
        if setup.scene_level:
            return Measured(
                {
                    split: evaluate_objects(network, setup.reader(split), setup.sizes, task, seed, progress)
                    for split in (VALIDATION, TEST)
                }
            )
        usual, held_out = (input_blocks(setup.reader(split, auxiliary=False), seed) for split in (TRAIN, VALIDATION))
        density = input_density.fit(usual, held_out, seed)

        def on(split: str, disturb: bool = False) -> Evaluation:
            return evaluate(network, setup.reader(split), setup.sizes, task, seed, progress, density, disturb)

        splits = {split: on(split) for split in (VALIDATION, TEST)}
        disturbed = on(VALIDATION, disturb=True) if density is not None else None
        return Measured(splits, on(TRAIN), disturbed, density)
    except Canceled:
        outcome.ended = "canceled"
        return Measured({})


def _finish(setup: Setup, outcome: Outcome, measured: Measured) -> Card:
    validation, test = measured.splits[VALIDATION], measured.splits[TEST]
    known, unseen = validation.sample(), test.sample()
    error_models = calibration.fit(
        known,
        unseen,
        0.0 if setup.classes else validation.main.figures().get("rmse", 0.0),
        len(setup.classes),
        measured.training.sample() if measured.training else None,
        measured.disturbed.sample() if measured.disturbed else None,
    )
    figures = {split: evaluation.figures() for split, evaluation in measured.splits.items()}
    auxiliary = {band: residuals.figures() for band, residuals in test.auxiliary.items()}
    for band, residuals in validation.auxiliary.items():  # where the test split has none of a modality
        if not auxiliary.get(band):
            auxiliary[band] = residuals.figures()
    card = setup.card(outcome, figures, auxiliary, error_models)
    held = None if setup.classes else intervals.fit(known, unseen, card.main.std)
    return replace(card, input_density=measured.density, intervals=held)
