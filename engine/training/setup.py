"""What is decided before the first step of a training: classes, statistics, split and network configuration."""

from __future__ import annotations

import copy
import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from statistics import median

from ...models.card import Card, ErrorModel, LandClass, MainTask, Modality, Player
from ...models.compact import Components
from ...models.config import MAIN, PRESETS, NetworkConfig, TaskConfig
from ...models.errors import JobError
from .. import jobs
from ..scene.bands import ModalitySource, open_raster
from ..scene.classes import find_classes
from ..scene.folder import Scene
from ..scene.grid import Grid
from ..scene.objects import check_objects
from ..scene.reading import scene_grid
from ..scene.reference import is_raster
from ..version import plugin_version
from . import manifest, options
from .chips import ChipReader
from .loop import Outcome
from .objects import SceneObject
from .options import Training
from .players import players_of
from .scenes import OpenScene, by_strategy
from .split import TEST, TRAIN, UNLABELLED, VALIDATION, split_blocks
from .survey import Statistics, survey

log = logging.getLogger("auxlens")

Figures = Mapping[str, Mapping[str, float]]

_TILE_PX = 1024


class Setup:
    """Everything that a training job's scenes decide."""

    def __init__(self, job: Training, scenes: Sequence[Scene], progress: jobs.Progress) -> None:
        """Look through all scenes.

        Raises:
            SceneError: the scenes or the references do not allow a training.
            Canceled: stopped by the user.
        """
        self.attribution: Mapping[str, float] = {}
        self.scene_level = job.task in jobs.SCENE_TASKS
        self.patch_px = options.patch_px_of(job) if self.scene_level else 0
        self._see(job, scenes)
        if job.strategy == "multitask" and not self.auxiliary:
            log.warning("No auxiliary raster is given; the network learns the main task alone.")
        self.grids = grids = [scene_grid(scene.inputs) for scene in scenes]
        self._gsds_m = _gsds_m(scenes, grids)
        self.sizes = {i: (grid.height, grid.width) for i, grid in enumerate(grids)}
        self.classes: tuple[LandClass, ...] = ()
        if self.scene_level:
            for path in {scene.reference for scene in scenes if scene.reference}:
                check_objects(path, job.reference_field, [scene.name for scene in scenes])
        if job.task in jobs.CLASS_TASKS:
            known = [(scene.reference, grid) for scene, grid in zip(scenes, grids, strict=True) if scene.reference]
            self.classes = find_classes(known, job.reference_field)
        manifest.hash_files(scenes, progress)
        masked = bool(options.masked_share(job))
        if masked and sum(len(m.bands) for m in scenes[0].inputs) < 2:
            raise JobError("Masked bands are reconstructed from the other ones, but there is one input band; give 0.")
        found = survey(scenes, grids, self.open, self.classes, job.seed, progress, masked)
        self.blocks, self.statistics, self._components = found.blocks, found.statistics, found.components
        for_test = {number for number, scene in enumerate(scenes) if scene.for_test}
        self.splits, self.unit = split_blocks(self.blocks, job.seed, for_test)
        self.config = self._network_config()
        log.info(
            "%d scene(s), %d blocks with references, split by %s: %s.",
            len(scenes), len(self.blocks) - self.splits.count(UNLABELLED), self.unit,
            ", ".join(f"{self.splits.count(s)} {s}" for s in (TRAIN, VALIDATION, TEST)),
        )  # fmt: skip
        unlabelled = {b.scene for b, s in zip(self.blocks, self.splits, strict=True) if s == UNLABELLED}
        if unlabelled:
            taught = "nothing, because chips are drawn at objects" if self.scene_level else "the auxiliary tasks alone"
            log.info("%d scene(s) have no reference and teach %s.", len(unlabelled), taught)
        elif masked:
            log.warning("Every scene has a reference, so no bands are masked.")

    def seen_by(self, strategy: str) -> Setup:
        """The same scenes, references and split as another strategy sees them.

        This is a setup for ``multitask``, whose scenes have all auxiliary modalities, of which there are some.
        """
        other = copy.copy(self)
        other._see(replace(self.job, strategy=strategy), by_strategy(self.scenes, strategy))
        other.config = other._network_config()
        return other

    def _see(self, job: Training, scenes: Sequence[Scene]) -> None:
        """What a strategy decides: which modalities are inputs, and which are learned."""
        self.job, self.scenes = job, scenes
        self.auxiliary: dict[str, tuple[str, ...]] = {}
        for scene in scenes:
            for modality in scene.auxiliary:
                self.auxiliary.setdefault(modality.name, tuple(b.name for b in modality.bands))
        wanted = jobs.NO_PLAYERS if self.scene_level else job.players  # contributions of bands are of dense scores
        self.players = players_of(wanted, {m.name: [b.name for b in m.bands] for m in scenes[0].inputs})

    def _network_config(self) -> NetworkConfig:
        config = _config(
            self.job.size,
            self.scenes[0],
            self.classes,
            self.auxiliary,
            self.statistics,
            self.players,
            self.scene_level,
            self._components,
            {name: self._coarseness(name) for name in self.auxiliary},
        )
        if not self.patch_px:
            return config
        return replace(config, patch_px=self.patch_px, patches=self.job.chip_size // self.patch_px)

    def open(self, number: int, auxiliary: bool = True) -> OpenScene:
        """Open a scene's readers, for one thread; of auxiliary modalities only if asked to."""
        wanted = [(name, len(bands)) for name, bands in self.auxiliary.items() if auxiliary]
        return OpenScene(self.scenes[number], wanted, self.classes, self.job.reference_field, self.scene_level)

    def reader(self, split: str, auxiliary: bool = True) -> ChipReader:
        """A reader of one split's chips; without auxiliary targets where nothing uses them, because many are slow."""
        return ChipReader(partial(self.open, auxiliary=auxiliary), self.blocks, self.splits, split, self.classes)

    def objects(self, split: str) -> list[SceneObject]:
        """A scene-level task's objects of one split."""
        return [item for b, s in zip(self.blocks, self.splits, strict=True) if s == split for item in b.objects]

    def _object_px(self) -> int:
        """Width of a square as large as the objects mostly are, a multiple of the network's stride."""
        windows = [item.window for block in self.blocks for item in block.objects]
        side = math.sqrt(median(window.height * window.width for window in windows))
        return max(1, round(side / self.config.stride)) * self.config.stride

    def _coarseness(self, name: str) -> int:
        """GSD of a modality in pixels of the first scene that has it; 1 where either is not known."""
        own, of_grid = self._gsds_m[name]
        return max(1, round(own / of_grid)) if own and of_grid else 1

    def _unit(self) -> str:
        """Unit of a regression's target, where its raster says so."""
        reference = next(scene.reference for scene in self.scenes if scene.reference)
        if not is_raster(reference):
            return ""
        with open_raster(reference) as dataset:
            return str(dataset.units[0] or "")

    def card(
        self,
        outcome: Outcome,
        measured: Figures | None = None,
        auxiliary: Figures | None = None,
        error_models: Mapping[str, ErrorModel] | None = None,
    ) -> Card:
        """The card of the trained model; without figures for a training that was canceled."""
        job = self.job
        modalities = {m.name: m for scene in self.scenes for m in (*scene.auxiliary, *scene.inputs)}
        patterns = _patterns(job)

        def describe(name: str) -> Modality:
            return _modality(modalities[name], self.statistics[name], self._gsds_m[name][0], patterns.get(name, ""))

        main = MainTask(job.task, "class", self.classes)
        if not self.classes:
            (mean,), (std,) = self.statistics[MAIN]
            main = MainTask(job.task, job.reference_field or "reference", unit=self._unit(), mean=mean, std=std)
        auxiliary = auxiliary or {}
        return Card(
            name=os.path.splitext(os.path.basename(job.output_model))[0],
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            plugin_version=plugin_version(),
            inputs=tuple(describe(m.name) for m in self.scenes[0].inputs),
            auxiliary=tuple(describe(name) for name in self.auxiliary),
            main=main,
            network=self.config.to_dict(),
            tile_px=self._object_px() if self.scene_level else _TILE_PX,
            margin_px=self.config.margin_px,
            strategy=job.strategy,
            reference_pattern=job.reference_pattern if isinstance(job, jobs.TrainFolderJob) else "",
            players=self.players,
            patch_px=self.patch_px,
            error_models=error_models or {},
            training={
                **manifest.describe(job, self.scenes, self.grids, self.blocks, self.splits, self.unit),
                "ended": outcome.ended,
                "best_epoch": outcome.best_epoch,
                "epochs": len(outcome.history),
                "figures": measured or {},
                "attribution": dict(self.attribution),
                "auxiliary_figures": auxiliary,
                "auxiliary_rmse": {band: values["rmse"] for band, values in auxiliary.items() if values},
            },
        )


def _gsds_m(scenes: Sequence[Scene], grids: Sequence[Grid]) -> dict[str, tuple[float | None, float | None]]:
    """GSD in metres of each modality's finest band, and of the grid, in the first scene that has the modality."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for scene, grid in zip(scenes, grids, strict=True):
        for modality in (*scene.inputs, *scene.auxiliary):
            if modality.name not in found:
                found[modality.name] = scene_grid([modality]).gsd_m, grid.gsd_m
    return found


def _config(
    size: str,
    scene: Scene,
    classes: Sequence[LandClass],
    auxiliary: Mapping[str, tuple[str, ...]],
    statistics: Mapping[str, Statistics],
    players: Sequence[Player],
    pooled: bool,
    components: Mapping[str, Components],
    coarseness: Mapping[str, int],
) -> NetworkConfig:
    main = TaskConfig("score", len(classes)) if classes else TaskConfig("density", 1, *statistics[MAIN])
    main = replace(main, pooled=pooled)
    others = {
        name: TaskConfig(
            "density",
            len(bands),
            *statistics[name],
            components=components.get(name),
            coarseness=coarseness[name],
        )
        for name, bands in auxiliary.items()
    }
    inputs = [statistics[m.name] for m in scene.inputs]
    mean, std = (tuple(v for pair in inputs for v in pair[i]) for i in (0, 1))
    bands = [f"{m.name}:{band.name}" for m in scene.inputs for band in m.bands]
    groups = tuple(player.indices(bands) for player in players)
    return NetworkConfig(PRESETS[size], mean, std, {MAIN: main, **others}, groups)


def _patterns(job: Training) -> dict[str, str]:
    if not isinstance(job, jobs.TrainFolderJob):
        return {}
    found = {**jobs.patterns(job.input_patterns), **jobs.patterns(job.auxiliary_patterns)}
    return {name: ",".join(files) for name, files in found.items()}


def _modality(source: ModalitySource, statistics: Statistics, gsd: float | None, pattern: str) -> Modality:
    first = source.bands[0]
    with open_raster(first.path) as dataset:
        index = first.number - 1
        return Modality(
            name=source.name,
            bands=tuple(band.name for band in source.bands),
            mean=statistics[0],
            std=statistics[1],
            unit=dataset.units[index] or "",
            dtype=dataset.dtypes[index],
            nodata=dataset.nodatavals[index],
            gsd_m=gsd,
            pattern=pattern,
        )
