"""The listing: which scenes a folder holds, which of their files are read, and what is wrong with them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....models.card import Card
from ...checks import model_patterns
from ...jobs import MAP_OUTPUTS, MapFolderJob, MapJob
from ...scene.folder import SceneFiles, list_scenes
from .tasks import FAILED, Outcome, SceneTask, folder_of, with_key

log = logging.getLogger("auxlens")

SHOWN = 50  # scenes, and problems, that are told one by one


@dataclass(frozen=True)
class Listing:
    """Scenes that can be mapped, and those in which something is missing or ambiguous."""

    tasks: tuple[SceneTask, ...]
    problems: tuple[Outcome, ...]


def list_tasks(job: MapFolderJob, card: Card, model_sha256: str) -> Listing:
    """List a job's scenes, without opening a file.

    Raises:
        SceneError: no scene is found.
        JobError: patterns that do not fit the model.
    """
    inputs, auxiliary, reference = model_patterns(job, card)
    tasks, problems = [], []
    places: dict[str, str] = {}
    for files in list_scenes(job.scenes, inputs, auxiliary, reference):
        other = places.setdefault(os.path.normcase(folder_of(files.name)), files.name)
        problem = f"The scene “{other}” has the same folder; rename one of the two." if other != files.name else ""
        problem = problem or _problem(job, files)
        try:
            if not problem:
                tasks.append(_task(job, files, model_sha256))
        except OSError as error:
            problem = f"“{error.filename}” cannot be read: {error.strerror}."
        if problem:
            problems.append(Outcome(files.name, FAILED, message=problem))
    return Listing(tuple(tasks), tuple(problems))


def tell(listing: Listing) -> None:
    """Log what was found, before anything is written."""
    count = len(listing.tasks) + len(listing.problems)
    log.info("Found %d scenes%s.", count, f", {len(listing.problems)} with problems" if listing.problems else "")
    for task in listing.tasks[:SHOWN]:
        files = (*task.job.inputs, *task.job.auxiliary, *filter(None, [task.job.reference]))
        names = ", ".join(os.path.basename(file) for file in files)
        log.info("  %s: %s%s", task.name, names, f" – {task.note}" if task.note else "")
    if len(listing.tasks) > SHOWN:
        log.info("  … and %d more", len(listing.tasks) - SHOWN)
    for outcome in listing.problems[:SHOWN]:
        log.warning("%s: %s", outcome.name, outcome.message)


def _problem(job: MapFolderJob, files: SceneFiles) -> str:
    """Why a scene cannot be mapped, as far as that shows before a file is opened; empty if it can."""
    if files.ambiguous:
        return files.ambiguous
    if files.missing:
        return f"No file matches {', '.join(files.missing)}."
    left_out = _left_out(job, files)
    return f"Lacks the files for {_words(left_out)}." if set(left_out) == set(job.layers) else ""


def _left_out(job: MapFolderJob, files: SceneFiles) -> list[str]:
    """The layers that are asked for and need files that a scene lacks."""
    lacking = {"reconstruction_error": not files.auxiliary, "main_error": not files.reference}
    return [name for name in job.layers if lacking.get(name)]


def _words(layers: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in layers)


def _task(job: MapFolderJob, files: SceneFiles, model_sha256: str) -> SceneTask:
    auxiliary = _named(files.auxiliary) if {"reconstruction_error", "error_probability"} & set(job.layers) else ()
    reference = files.reference if "main_error" in job.layers else ""
    left_out = _left_out(job, files)
    layers = [name for name in MAP_OUTPUTS if name in job.layers and name not in left_out]
    folder = os.path.join(job.output_folder, folder_of(files.name))
    outputs: dict[str, Any] = {f"output_{name}": os.path.join(folder, f"{name}.tif") for name in layers}
    one = MapJob(
        job.model,
        _named(files.inputs),
        auxiliary,
        reference,
        job.reference_field if reference else "",
        device=job.device,
        precision=job.precision,
        tile_size=job.tile_size,
        overlap=job.overlap,
        batch_size=job.batch_size,
        **outputs,
    )
    note = f"left out, because the scene lacks the files: {_words(left_out)}" if left_out else ""
    return with_key(files.name, one, model_sha256, note)


def _named(files: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"{name}={path}" for name, paths in files.items() for path in paths)
