"""The job ``comparestrategies``: every strategy and baseline, over seeds, on one split with one budget."""

from __future__ import annotations

import copy
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...models.errors import Canceled
from ...models.network import Network
from ..checks import check_compare
from ..cluster.spread import Call, spread
from ..compare import baselines
from ..compare.measure import Method, measure, network_method
from ..compare.results import ALL_MODALITIES, UNLABELLED_REST, Comparison, Trial, table
from ..compare.verdicts import verdicts
from ..devices import choose_device
from ..jobs import NO_PLAYERS, STRATEGIES, CompareJob, Progress, TrainFolderJob
from ..reports.comparison import render_comparison
from ..scene.folder import Scene
from ..scene.writing import check_writable
from ..textfile import write_text
from ..training import options
from ..training.chips import draw, load
from ..training.learn import batch_size_of, learn, steps_an_epoch
from ..training.scenes import scenes_of
from ..training.setup import Setup
from ..training.split import TEST, TRAIN, UNLABELLED, UNUSED, thin_out

log = logging.getLogger("auxlens")

_BASELINE_CHIPS = 300
_FEWER = ("single", "multitask")  # the strategies that are tried with fewer references


def run(job: CompareJob, progress: Progress) -> dict[str, Any]:
    """Compare strategies.

    Returns:
        ``outputs``: report and table; ``figures``: mean and sd of the headline of each method, and the verdicts.

    Raises:
        AuxLensError: the job, the scenes or the references do not allow a comparison, before the first training; or
            the cluster does not.
        Canceled: stopped by the user; nothing is written.
    """
    shares = check_compare(job)
    wanted = {"report": job.output_report, "table": job.output_table}
    outputs = {name: path for name, path in wanted.items() if path}
    check_writable(list(outputs.values()))
    training = training_job(job)
    for strategy in STRATEGIES:
        options.check(replace(training, strategy=strategy))
    if not job.scheduler:
        choose_device(job.device)
    setups = setups_of(training, progress)
    steps = plan(shares, job.repetitions)
    calls = [
        Call(
            f"{step.method}, seed {seed}, {100 * step.share:g} % of the references",
            one_here,
            (step, replace(training, seed=seed), with_share(setups[step.strategy], step, job.seed), setups["single"]),
        )
        for step, seed in ((step, job.seed + step.repetition) for step in steps)
    ]
    places = [place for place in (job.scenes, job.test_scenes) if place]
    trials: dict[tuple[float, str], list[Any]] = {}
    batches = []
    for step, (found, batch) in zip(steps, spread(calls, job.scheduler, job.device, places, progress), strict=True):
        trials.setdefault((step.share, step.method), []).append(found)
        batches.append(batch)
    comparison = gathered(job, trials, setups, max(batches))
    if job.output_report:
        write_text(job.output_report, render_comparison(comparison, job))
    if job.output_table:
        write_text(job.output_table, table(comparison))
    return {"outputs": outputs, "figures": _summary(comparison)}


@dataclass(frozen=True)
class Step:
    """One training: a method, what it is given (as a strategy has it), share of the references, repetition."""

    method: str
    strategy: str
    share: float
    repetition: int

    @property
    def baseline(self) -> str:
        """Name of the baseline; empty for a network."""
        name = self.method.removesuffix(ALL_MODALITIES)
        return name if name in baselines.BASELINES else ""


def training_job(job: CompareJob) -> TrainFolderJob:
    """What all trainings of a comparison have in common; the model's name is never written to."""
    shared = ("scenes", "input_patterns", "auxiliary_patterns", "reference_pattern", "reference_field", "test_scenes")
    learning = ("task", "size", "epochs", "time_limit", "chip_size", "batch_size", "seed", "device", "precision")
    unused = os.path.join(tempfile.gettempdir(), "comparison.safetensors")
    return TrainFolderJob(unused, players=NO_PLAYERS, **{name: getattr(job, name) for name in (*shared, *learning)})


def setups_of(job: TrainFolderJob, progress: Progress) -> dict[str, Setup]:
    """The same scenes, reference pixels and split as each strategy sees them: those that every strategy can learn from.

    A reference counts only where all modalities are valid, because ``multimodal`` maps nothing elsewhere.
    """
    complete = {_place(scene) for scene in scenes_of(replace(job, strategy="multimodal"))}
    learned = replace(job, strategy="multitask")
    scenes = [replace(scene, required=scene.auxiliary) for scene in scenes_of(learned) if _place(scene) in complete]
    surveyed = Setup(learned, scenes, progress)
    return {strategy: surveyed.seen_by(strategy) for strategy in STRATEGIES}


def _place(scene: Scene) -> str:
    return scene.inputs[0].bands[0].path


def plan(shares: Sequence[float], repetitions: int) -> list[Step]:
    found = []
    for share in shares:
        networks = [(name, name) for name in STRATEGIES if share == 1 or name in _FEWER]
        networks += [(UNLABELLED_REST, "multitask")] if share < 1 else []
        trees = [(name, "single") for name in baselines.BASELINES]
        if share == 1:
            trees += [(name + ALL_MODALITIES, "multimodal") for name in baselines.BASELINES]
        found += [Step(*kind, share, r) for kind in (*networks, *trees) for r in range(repetitions)]
    return found


def with_share(setup: Setup, step: Step, seed: int) -> Setup:
    """The setup with a share of its training references."""
    if step.share == 1:
        return setup
    thinner = copy.copy(setup)
    units = [b.scene for b in setup.blocks] if setup.unit == "scene" else range(len(setup.blocks))
    others = UNLABELLED if step.method == UNLABELLED_REST else UNUSED
    thinner.splits = thin_out(setup.splits, list(units), step.share, seed, others)
    return thinner


def one_here(step: Step, job: TrainFolderJob, setup: Setup, full: Setup, progress: Progress) -> tuple[Any, int]:
    """``one``, on the device of the machine that does it; and the chips a step that suit that device."""
    device = choose_device(job.device)
    return one(step, job, setup, full, device, progress), batch_size_of(job, device)


def one(
    step: Step, job: TrainFolderJob, setup: Setup, full: Setup, device: torch.device, progress: Progress
) -> tuple[Any, float, list[dict[str, float]]]:
    """Learn and measure once: sums by unit, seconds of learning, history."""
    started = time.monotonic()
    history: list[dict[str, float]] = []
    if step.baseline:
        method = _baseline(step.baseline, job, setup, progress)
    else:
        torch.manual_seed(job.seed)
        network = Network(setup.config)
        steps = steps_an_epoch(full, job.chip_size, batch_size_of(job, device))
        outcome, task = learn(replace(job, strategy=step.strategy), network, setup, device, progress, steps)
        if outcome.ended == "canceled":
            raise Canceled("The comparison was canceled.")
        history, method = outcome.history, network_method(network.eval(), task)
    seconds = time.monotonic() - started
    return measure(method, setup.reader(TEST, auxiliary=False), setup.sizes, setup.unit, progress), seconds, history


def _baseline(name: str, job: TrainFolderJob, setup: Setup, progress: Progress) -> Method:
    rng = np.random.default_rng([job.seed, 1])
    samples = draw(setup.blocks, setup.splits, job.chip_size, _BASELINE_CHIPS, rng)
    x, y = baselines.sample(
        _until_canceled(load(setup.reader(TRAIN, auxiliary=False), samples, 4), progress), bool(setup.classes), job.seed
    )
    progress.report(0.5, f"{len(y)} pixels to learn from")
    return baselines.fit(name, x, y, bool(setup.classes), job.seed)


def _until_canceled(batches: Iterator[Any], progress: Progress) -> Iterator[Any]:
    for batch in batches:
        if progress.canceled():
            raise Canceled("The comparison was canceled.")
        yield batch


def gathered(
    job: CompareJob, trials: dict[tuple[float, str], list[Any]], setups: dict[str, Setup], batch_size: int
) -> Comparison:
    """A comparison of what ``one`` gave for each share and method, learned with ``batch_size`` chips a step."""
    inputs = {strategy: tuple(m.name for m in setup.scenes[0].inputs) for strategy, setup in setups.items()}
    return Comparison(
        classes=setups["single"].classes,
        unit=setups["single"].unit,
        seeds=tuple(range(job.seed, job.seed + job.repetitions)),
        trials=tuple(
            Trial(
                method,
                share,
                inputs.get(method, inputs["multimodal" if method.endswith(ALL_MODALITIES) else "single"]),
                np.stack([sums for sums, _, _ in found]),
                tuple(seconds for _, seconds, _ in found),
                [history for _, _, history in found if history],
            )
            for (share, method), found in trials.items()
        ),
        auxiliary=tuple(setups["multitask"].auxiliary),
        chips=batch_size * steps_an_epoch(setups["single"], job.chip_size, batch_size),
    )


def _summary(comparison: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for trial in comparison.trials:
        values = comparison.values(trial, comparison.headline)
        name = trial.method if trial.share == 1 else f"{trial.method}, {100 * trial.share:g} % of the references"
        found[name] = {"mean": float(values.mean()), "sd": float(values.std(ddof=1))}
        log.info("%-40s %s %.4f ± %.4f", name, comparison.headline, values.mean(), values.std(ddof=1))
    for verdict in verdicts(comparison):
        log.info("%s? %s", verdict.claim, verdict.found)
    return {"methods": found, "verdicts": {v.claim: v.found for v in verdicts(comparison)}}
