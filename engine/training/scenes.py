"""Training scenes: the files of a job, opened on their grids."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import JobError, SceneError
from .. import jobs
from ..scene.bands import ModalitySource, modalities_from_layers
from ..scene.folder import Scene, find_scenes
from ..scene.grid import Grid
from ..scene.reading import ModalityReader, scene_grid
from ..scene.reference import ReferenceReader, open_reference
from ..scene.window import Window
from .options import Training


def scenes_of(job: Training) -> tuple[Scene, ...]:
    """The scenes that a job trains on.

    Raises:
        SceneError: nothing found, or files that cannot be read.
        JobError: inputs or the reference are not given.
    """
    if isinstance(job, jobs.TrainFolderJob):
        scenes = find_scenes(
            job.scenes,
            jobs.patterns(job.input_patterns),
            jobs.patterns(job.auxiliary_patterns),
            job.reference_pattern.strip(),
        )
    else:
        if not job.inputs:
            raise JobError("No input raster is given; choose at least one.")
        name = os.path.splitext(os.path.basename(job.inputs[0]))[0]
        inputs = modalities_from_layers(job.inputs, grouped=True)
        auxiliary = modalities_from_layers(job.auxiliary, grouped=False)
        scenes = (Scene(name, inputs, auxiliary, job.reference),)
    if not any(scene.reference for scene in scenes):
        raise JobError("No reference is given or found; training needs a raster or vector layer with the truth.")
    _check_names(scenes)
    if job.strategy == "single":
        return tuple(Scene(s.name, s.inputs, (), s.reference) for s in scenes)
    return scenes


def _check_names(scenes: Sequence[Scene]) -> None:
    first = scenes[0]
    for scene in scenes:
        if [len(m.bands) for m in scene.inputs] != [len(m.bands) for m in first.inputs]:
            raise SceneError(
                f"The scenes “{first.name}” and “{scene.name}” have different input bands: {_list(first.inputs)} "
                f"against {_list(scene.inputs)}. Correct the patterns or take the scene out."
            )
    names = [m.name for m in (*first.inputs, *first.auxiliary)]
    twice = {n for n in names if names.count(n) > 1} | ({"main"} & set(names))
    if twice:
        raise JobError(f"The modality name “{twice.pop()}” is used twice; give each modality its own name.")


def _list(sources: Sequence[ModalitySource]) -> str:
    return "; ".join(f"{m.name}: {', '.join(b.name for b in m.bands)}" for m in sources)


class OpenScene:
    """One scene's readers, for one thread."""

    def __init__(self, scene: Scene, auxiliary: Sequence[tuple[str, int]], classes: Sequence[LandClass], field: str):
        """Open.

        Args:
            scene: Files.
            auxiliary: Name and number of bands of every auxiliary modality; a scene may lack some.
            classes: Classes, for references given as text.
            field: Attribute of a vector reference.
        """
        with ExitStack() as stack:
            self.grid: Grid = scene_grid(scene.inputs)
            self._inputs = [stack.enter_context(ModalityReader(m, self.grid)) for m in scene.inputs]
            given = {m.name: m for m in scene.auxiliary}
            self._auxiliary = [
                (name, count, stack.enter_context(ModalityReader(given[name], self.grid)) if name in given else None)
                for name, count in auxiliary
            ]
            self._reference: ReferenceReader | None = None
            if scene.reference:
                self._reference = open_reference(scene.reference, field, self.grid, classes)
                stack.callback(self._reference.close)
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

    def reference(self, window: Window) -> NDArray[np.float32]:
        """``(H, W)`` float32 values, NaN where there is none."""
        if self._reference is None:
            return np.full((window.height, window.width), np.nan, np.float32)
        return self._reference.read(window)

    def close(self) -> None:
        self._stack.close()
