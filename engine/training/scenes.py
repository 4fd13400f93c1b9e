"""Training scenes: the files of a job, opened on their grids."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.config import MAIN, usable_name
from ...models.errors import JobError, SceneError
from .. import jobs
from ..scene.bands import ModalitySource, modalities_from_layers, pick
from ..scene.folder import Scene, find_scenes
from ..scene.grid import Grid
from ..scene.objects import mask_of, open_objects
from ..scene.reading import ModalityReader, complete, scene_grid
from ..scene.reference import ReferenceReader, VectorReference, open_reference
from ..scene.window import Window
from .options import MASKED, Training

log = logging.getLogger("auxlens")


def scenes_of(job: Training) -> tuple[Scene, ...]:
    """The scenes that a job trains on.

    Raises:
        SceneError: nothing found, or files that cannot be read.
        JobError: inputs or the reference are not given, or test scenes are trained on.
    """
    if isinstance(job, jobs.TrainFolderJob):
        scenes = _in_folder(job, job.scenes)
        if job.strategy != "single":
            _check_auxiliary(job, scenes)
        if job.test_scenes:
            held_out = _in_folder(job, job.test_scenes)
            _check_apart(scenes, held_out)
            scenes += tuple(replace(scene, for_test=True) for scene in held_out)
    else:
        if not job.inputs:
            raise JobError("No input raster is given; choose at least one.")
        name = os.path.splitext(os.path.basename(job.inputs[0]))[0]
        inputs = modalities_from_layers(job.inputs, grouped=True)
        auxiliary = modalities_from_layers(job.auxiliary, grouped=False)
        scenes = (Scene(name, inputs, auxiliary, job.reference),)
    scenes = by_strategy(scenes, job.strategy)
    if not any(scene.reference for scene in scenes):
        raise JobError(_no_reference(job, scenes))
    for scene in scenes:
        _check_names([m.name for m in (*scene.inputs, *scene.auxiliary)])
    return _alike(scenes)


def _no_reference(job: Training, scenes: Sequence[Scene]) -> str:
    if not isinstance(job, jobs.TrainFolderJob) or not (pattern := job.reference_pattern.strip()):
        return "No reference is given or found; training needs a raster or vector layer with the truth."
    return (
        f"No reference is given or found: the pattern “{pattern}” matches no file of the {len(scenes)} scenes in "
        f"“{job.scenes}”. Correct it; training needs a raster or vector layer with the truth."
    )


def _in_folder(job: jobs.TrainFolderJob, folder: str) -> tuple[Scene, ...]:
    return find_scenes(
        folder,
        jobs.patterns(job.input_patterns),
        jobs.patterns(job.auxiliary_patterns),
        job.reference_pattern.strip(),
    )


def _check_apart(scenes: Sequence[Scene], held_out: Sequence[Scene]) -> None:
    def files(scene: Scene) -> set[str]:
        return {os.path.realpath(path) for modality in scene.inputs for path in modality.paths}

    learned = {path for scene in scenes for path in files(scene)}
    both = [scene.name for scene in held_out if files(scene) <= learned]
    if both:
        raise JobError(
            f"The test scenes {', '.join(both[:3])}{' …' * (len(both) > 3)} are trained on too: they have the same "
            "files. Give other ones, or none, so that some of the scenes are held out."
        )


def _check_auxiliary(job: jobs.TrainFolderJob, scenes: Sequence[Scene]) -> None:
    found = {m.name for scene in scenes for m in scene.auxiliary}
    for name, files in jobs.patterns(job.auxiliary_patterns).items():
        if name not in found:
            raise SceneError(
                f"The auxiliary pattern {name}={','.join(files)} matches files in none of the {len(scenes)} scenes of "
                f"“{job.scenes}”; correct it, or leave it out."
            )


def by_strategy(scenes: Sequence[Scene], strategy: str) -> tuple[Scene, ...]:
    """The scenes as a strategy sees them: which modalities are inputs, and which are to be reconstructed."""
    if strategy == "single":
        return tuple(replace(scene, auxiliary=()) for scene in scenes)
    names = dict.fromkeys(m.name for scene in scenes for m in scene.auxiliary)
    if not names and strategy != "multitask":
        raise JobError(
            f"The strategy “{strategy}” needs auxiliary rasters, but none is given or found; give some, or choose the "
            "strategy single."
        )
    if strategy != "multimodal":
        return tuple(scenes)
    found = [{m.name: m for m in scene.auxiliary} for scene in scenes]
    complete = [(scene, given) for scene, given in zip(scenes, found, strict=True) if len(given) == len(names)]
    if not complete:
        raise SceneError(f"No scene has all of {', '.join(names)}, which the strategy multimodal takes as inputs.")
    if len(complete) < len(scenes):
        log.warning(
            "%d of %d scenes lack an auxiliary modality and are left out: the strategy multimodal takes all as inputs.",
            len(scenes) - len(complete),
            len(scenes),
        )
    return tuple(
        replace(scene, inputs=(*scene.inputs, *(given[name] for name in names)), auxiliary=())
        for scene, given in complete
    )


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise JobError(f"The modality name “{name}” is used twice; give each modality its own name.")
        if name in (MAIN, MASKED) or not usable_name(name):
            raise JobError(f"A modality cannot be called “{name}”; rename its file, or name it as name=….")


def _alike(scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """The scenes with each modality's bands as the first scene that has it orders and names them.

    Raises:
        SceneError: bands differ.
    """
    order: dict[str, tuple[Scene, tuple[str, ...]]] = {}

    def aligned(scene: Scene, source: ModalitySource) -> ModalitySource:
        first, bands = order.setdefault(source.name, (scene, tuple(band.name for band in source.bands)))
        found = pick(bands, source.bands)
        if found is None:
            raise SceneError(
                f"The scenes “{first.name}” and “{scene.name}” have different bands of {source.name}: "
                f"{', '.join(bands)} against {', '.join(b.name for b in source.bands)}. Correct the patterns or take "
                "one of them out."
            )
        return replace(source, bands=tuple(replace(b, name=name) for b, name in zip(found, bands, strict=True)))

    return tuple(
        replace(
            scene,
            inputs=tuple(aligned(scene, m) for m in scene.inputs),
            auxiliary=tuple(aligned(scene, m) for m in scene.auxiliary),
        )
        for scene in scenes
    )


class OpenScene:
    """One scene's readers, for one thread."""

    def __init__(
        self,
        scene: Scene,
        auxiliary: Sequence[tuple[str, int]],
        classes: Sequence[LandClass],
        field: str,
        scene_level: bool = False,
    ):
        """Open.

        Args:
            scene: Files.
            auxiliary: Name and number of bands of every auxiliary modality to read; a scene may lack some.
            classes: Classes, for references given as text.
            field: Attribute of a vector reference.
            scene_level: Whether the reference holds objects.
        """
        with ExitStack() as stack:
            self.grid: Grid = scene_grid(scene.inputs)
            names = {name for name, _ in auxiliary}
            learned = [m for m in scene.auxiliary if m.name in names]
            given = {m.name: m for m in (*scene.inputs, *learned, *scene.required)}
            readers = {name: stack.enter_context(ModalityReader(m, self.grid)) for name, m in given.items()}
            self._inputs = [readers[m.name] for m in scene.inputs]
            self._auxiliary = [(name, count, readers.get(name)) for name, count in auxiliary]
            self._required = [readers[m.name] for m in scene.required if m not in scene.inputs]
            self._reference: ReferenceReader | None = None
            self.objects: VectorReference | None = None
            if scene.reference and scene_level:
                self._reference = self.objects = open_objects(
                    scene.reference, field, self.grid, tuple(classes), scene.name
                )
            elif scene.reference:
                self._reference = open_reference(scene.reference, field, self.grid, classes, bool(classes))
                stack.callback(self._reference.close)
            self.files = sum(len(m.paths) for m in given.values()) + bool(scene.reference)
            self._stack = stack.pop_all()

    def inputs(self, window: Window) -> NDArray[np.float32]:
        """``(C, H, W)`` float32, NaN where not valid."""
        parts = [reader.read(window) for reader in self._inputs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def auxiliary(self, window: Window) -> dict[str, NDArray[np.float32]]:
        """``(bands, H, W)`` float32 for each auxiliary modality, NaN where there is none."""
        size = (window.height, window.width)
        return {
            name: reader.read(window) if reader else np.full((count, *size), np.nan, np.float32)
            for name, count, reader in self._auxiliary
        }

    def has_required(self, window: Window) -> NDArray[np.bool_]:
        """``(H, W)``: where all bands of the required modalities that are no inputs have a value."""
        found = np.ones((window.height, window.width), bool)
        for reader in self._required:
            found &= complete(reader.read(window))
        return found

    def reference(self, window: Window) -> NDArray[np.float32]:
        """``(H, W)`` float32 values, NaN where there is none."""
        if self._reference is None:
            return np.full((window.height, window.width), np.nan, np.float32)
        return self._reference.read(window)

    def object(self, number: int, window: Window) -> NDArray[np.float32]:
        """``(H, W)`` float32: the value of one object on its pixels, NaN elsewhere."""
        assert self.objects is not None
        inside = mask_of(self.objects.geometries[number], self.grid, window)
        return np.where(inside, self.objects.values[number], np.nan).astype(np.float32)

    def close(self) -> None:
        self._stack.close()
