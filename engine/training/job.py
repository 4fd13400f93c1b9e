"""The training jobs: from scenes to a model file that carries its card, and a report."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy as np
import torch

from ...models import file
from ...models.card import Card, LandClass, MainTask, Modality
from ...models.errors import Canceled
from ...models.network import MAIN, PRESETS, Network, NetworkConfig, TaskConfig
from ..devices import choose_device, choose_precision
from ..explain import calibration
from ..jobs import Progress, TrainFolderJob
from ..reports.training import write_training_report
from ..scene.bands import open_raster
from ..scene.folder import Scene
from ..scene.reading import scene_grid
from ..scene.reference import find_classes
from ..scene.writing import check_writable
from . import manifest, options
from .chips import Batch, ChipReader, Sample, draw, load
from .evaluation import Evaluation, Task, evaluate, score
from .loop import Budget, Outcome, train
from .options import Training
from .pictures import training_report
from .scenes import OpenScene, scenes_of
from .split import TEST, TRAIN, VALIDATION, split_blocks
from .survey import Survey, survey

log = logging.getLogger("auxlens")

_PRECISIONS = {torch.float32: "32-true", torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed"}
_VALIDATION_CHIPS = 64
_TILE_PX = 1024
_PROBE_PX = 128


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
    scenes = scenes_of(job)
    with ExitStack() as stack:
        setup = Setup(job, scenes, stack, progress)
        torch.manual_seed(job.seed)
        network = Network(setup.config)
        outcome, task = _learn(job, network, setup, device, progress)
        card = setup.card(outcome, {}, {}, {})
        if outcome.ended == "canceled":
            file.save(job.output_model, network, card)
            raise Canceled(f"The training was canceled; the best weights so far are in “{job.output_model}”.")
        progress.report(0.98, "Measuring on held-out references")
        measured = {s: evaluate(network, setup.reader(s), setup.sizes, task, job.seed) for s in (VALIDATION, TEST)}
        card = _finish(setup, outcome, measured)
        file.save(job.output_model, network, card)
        outputs = {"model": job.output_model}
        if job.output_report:
            report = training_report(card, outcome, measured, network, setup.reader(TEST), setup.sizes, task)
            write_training_report(Path(job.output_report), report)
            outputs["report"] = job.output_report
    figures = {split: evaluation.figures() for split, evaluation in measured.items()}
    for split, values in figures.items():
        log.info("%s: %s", split.capitalize(), ", ".join(f"{k} {v:.4g}" for k, v in values.items()))
    return {"outputs": outputs, "figures": figures}


class Setup:
    """What is decided before the first step: classes, statistics, split, network configuration."""

    def __init__(self, job: Training, scenes: Sequence[Scene], stack: ExitStack, progress: Progress) -> None:
        self.job, self.scenes = job, scenes
        first = next(scene for scene in scenes if scene.reference)
        self.auxiliary: dict[str, tuple[str, ...]] = {}
        for scene in scenes:
            for modality in scene.auxiliary:
                self.auxiliary.setdefault(modality.name, tuple(b.name for b in modality.bands))
        if job.strategy == "multitask" and not self.auxiliary:
            log.warning("No auxiliary raster is given; the network learns the main task alone.")
        self.classes: tuple[LandClass, ...] = ()
        if job.task == "segmentation":
            known = [(scene.reference, scene_grid(scene.inputs)) for scene in scenes if scene.reference]
            self.classes = find_classes(known, job.reference_field)
        opened = [self._open(i, stack) for i in range(len(scenes))]
        self.sizes = {i: (scene.grid.height, scene.grid.width) for i, scene in enumerate(opened)}
        self.gsd_m = opened[0].grid.gsd_m
        self.survey: Survey = survey(scenes, opened, self.classes, job.seed, progress)
        for one in opened:
            one.close()
        self.splits, self.unit = split_blocks(self.survey.blocks, job.seed)
        self.config = self._config(first)
        log.info(
            "%d scene(s), %d blocks with references, split by %s: %s.",
            len(scenes), len(self.survey.blocks), self.unit,
            ", ".join(f"{self.splits.count(s)} {s}" for s in (TRAIN, VALIDATION, TEST)),
        )  # fmt: skip

    def _open(self, number: int, stack: ExitStack | None = None) -> OpenScene:
        auxiliary = [(name, len(bands)) for name, bands in self.auxiliary.items()]
        scene = OpenScene(self.scenes[number], auxiliary, self.classes, self.job.reference_field)
        if stack is not None:
            stack.callback(scene.close)
        return scene

    def reader(self, split: str) -> ChipReader:
        """A reader of one split's chips."""
        return ChipReader(self._open, self.survey.blocks, self.splits, split, self.classes)

    def _config(self, first: Scene) -> NetworkConfig:
        statistics = self.survey.statistics
        if self.classes:
            tasks = {MAIN: TaskConfig("score", len(self.classes))}
        else:
            tasks = {MAIN: TaskConfig("density", 1, *statistics[MAIN])}
        for name, bands in self.auxiliary.items():
            tasks[name] = TaskConfig("density", len(bands), *statistics[name])
        inputs = [statistics[m.name] for m in first.inputs]
        mean, std = (tuple(v for pair in inputs for v in pair[i]) for i in (0, 1))
        return NetworkConfig(PRESETS[self.job.size], mean, std, tasks)

    def card(
        self,
        outcome: Outcome,
        measured: dict[str, dict[str, float]],
        auxiliary: dict[str, dict[str, float]],
        error_models: dict[str, Any],
    ) -> Card:
        """The card of the trained model."""
        job, first = self.job, self.scenes[0]
        modalities = {m.name: m for scene in self.scenes for m in (*scene.auxiliary, *scene.inputs)}
        patterns = _patterns(job)
        statistics = self.survey.statistics

        def describe(name: str) -> Modality:
            return _modality(modalities[name].bands, name, statistics[name], self.gsd_m, patterns.get(name, ""))

        target = job.reference_field or "reference"
        main = MainTask("segmentation", "class", self.classes)
        if not self.classes:
            main = MainTask("regression", target, (), "", statistics[MAIN][0][0], statistics[MAIN][1][0])
        return Card(
            name=os.path.splitext(os.path.basename(job.output_model))[0],
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            plugin_version=manifest.version(),
            inputs=tuple(describe(m.name) for m in first.inputs),
            auxiliary=tuple(describe(name) for name in self.auxiliary),
            main=main,
            network=self.config.to_dict(),
            tile_px=_TILE_PX,
            margin_px=self.config.margin_px,
            strategy=job.strategy,
            reference_pattern=job.reference_pattern if isinstance(job, TrainFolderJob) else "",
            error_models=error_models,
            training={
                **manifest.describe(job, self.scenes, self.survey.blocks, self.splits, self.unit),
                "ended": outcome.ended,
                "best_epoch": outcome.best_epoch,
                "epochs": len(outcome.history),
                "figures": measured,
                "auxiliary_figures": auxiliary,
                "auxiliary_rmse": {band: values["rmse"] for band, values in auxiliary.items() if values},
            },
        )


def _learn(
    job: Training, network: Network, setup: Setup, device: torch.device, progress: Progress
) -> tuple[Outcome, Task]:
    network = network.to(device)
    batch_size = job.batch_size or max(2, options.BATCH_PX[device.type] // job.chip_size**2)
    probe = torch.zeros(4, len(setup.config.mean), _PROBE_PX, _PROBE_PX, device=device)
    dtype = choose_precision(job.precision, device, lambda: network(probe))
    fabric = lightning_fabric.Fabric(
        accelerator=device.type,
        devices=[device.index or 0] if device.type == "cuda" else 1,
        precision=_PRECISIONS[dtype],  # type: ignore[arg-type]
    )
    _weigh_classes(network, setup)
    task = Task(setup.classes, setup.auxiliary, device, dtype)
    steps = _steps(setup, job.chip_size, batch_size)
    log.info("Training on %s in %s: %d steps of %d chips an epoch.", device, str(dtype)[6:], steps, batch_size)
    reader = setup.reader(TRAIN)

    def batches(epoch: int) -> Any:
        rng = np.random.default_rng([job.seed, epoch])
        samples = draw(setup.survey.blocks, setup.splits, job.chip_size, steps * batch_size, rng)
        return load(reader, samples, batch_size)

    held_out = _validation_chips(setup, job.chip_size, batch_size, job.seed)
    outcome = train(
        network,
        fabric,
        batches,
        lambda average: score(average, held_out, task),
        Budget(job.epochs, steps, job.time_limit),
        progress,
    )
    return outcome, task


def _steps(setup: Setup, chip_px: int, batch_size: int) -> int:
    """Steps an epoch: about as many chips as the training references would fill, within bounds."""
    pixels = sum(
        b.window.height * b.window.width for b, s in zip(setup.survey.blocks, setup.splits, strict=True) if s == TRAIN
    )
    low, high = options.CHIPS_AN_EPOCH
    return max(1, min(high, max(low, pixels // chip_px**2)) // batch_size)


def _weigh_classes(network: Network, setup: Setup) -> None:
    """Weight rare classes up by the root of their rarity, at most fourfold."""
    if not setup.classes:
        return
    counts = sum(b.counts for b, s in zip(setup.survey.blocks, setup.splits, strict=True) if s == TRAIN)
    shares = np.maximum(np.asarray(counts, np.float64), 1.0)
    weights = np.clip(np.sqrt(np.median(shares) / shares), 0.5, 4.0)
    buffer = network.head(MAIN).class_weights
    assert isinstance(buffer, torch.Tensor)
    buffer.copy_(torch.from_numpy(weights))


def _validation_chips(setup: Setup, chip_px: int, batch_size: int, seed: int) -> list[Batch]:
    """A fixed sample of validation chips, kept in memory (its size does not depend on the scenes')."""
    blocks = [b for b, s in zip(setup.survey.blocks, setup.splits, strict=True) if s == VALIDATION]
    order = np.random.default_rng(seed).permutation(len(blocks))[:_VALIDATION_CHIPS]
    samples = []
    for i in order:
        window = blocks[i].window
        row, col = window.row + (window.height - chip_px) // 2, window.col + (window.width - chip_px) // 2
        samples.append(Sample(blocks[i].scene, type(window)(row, col, chip_px, chip_px), 0))
    return list(load(setup.reader(VALIDATION), samples, batch_size))


def _finish(setup: Setup, outcome: Outcome, measured: dict[str, Evaluation]) -> Card:
    validation, test = measured[VALIDATION], measured[TEST]
    tolerance = 0.0 if setup.classes else validation.main.figures().get("rmse", 0.0)
    error_models = calibration.fit(
        {name: np.concatenate(v) for name, v in validation.features.items()},
        np.concatenate(validation.wrong),
        {name: np.concatenate(v) for name, v in test.features.items()},
        np.concatenate(test.wrong),
        tolerance,
    )
    figures = {split: evaluation.figures() for split, evaluation in measured.items()}
    auxiliary = {band: residuals.figures() for band, residuals in test.auxiliary.items()}
    for band, residuals in validation.auxiliary.items():  # where the test split has none of a modality
        if not auxiliary.get(band):
            auxiliary[band] = residuals.figures()
    return setup.card(outcome, figures, auxiliary, error_models)


def _patterns(job: Training) -> dict[str, str]:
    if not isinstance(job, TrainFolderJob):
        return {}
    entries = f"{job.input_patterns};{job.auxiliary_patterns}".replace("\n", ";").split(";")
    pairs = (entry.partition("=") for entry in entries)
    return {name.strip(): pattern.strip() for name, _, pattern in pairs if pattern}


def _modality(
    bands: Sequence[Any],
    name: str,
    statistics: tuple[tuple[float, ...], tuple[float, ...]],
    gsd: float | None,
    pattern: str,
) -> Modality:
    with open_raster(bands[0].path) as dataset:
        index = bands[0].number - 1
        return Modality(
            name=name,
            bands=tuple(band.name for band in bands),
            mean=statistics[0],
            std=statistics[1],
            unit=dataset.units[index] or "",
            dtype=dataset.dtypes[index],
            nodata=dataset.nodatavals[index],
            gsd_m=gsd,
            pattern=pattern,
        )
