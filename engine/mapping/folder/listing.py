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
from .tasks import FAILED, Outcome, SceneTask, with_key

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
    for files in list_scenes(job.scenes, inputs, auxiliary, reference):
        problem = files.ambiguous or (f"No file matches {', '.join(files.missing)}." if files.missing else "")
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


def _task(job: MapFolderJob, files: SceneFiles, model_sha256: str) -> SceneTask:
    auxiliary = _named(files.auxiliary) if {"reconstruction_error", "error_probability"} & set(job.layers) else ()
    reference = files.reference if "main_error" in job.layers else ""
    lacking = {"reconstruction_error": not auxiliary, "main_error": not reference}
    layers = [name for name in MAP_OUTPUTS if name in job.layers and not lacking.get(name)]
    left_out = [name.replace("_", " ") for name in job.layers if lacking.get(name)]
    folder = os.path.join(job.output_folder, files.name)
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
    note = f"left out, because the scene lacks the files: {', '.join(left_out)}" if left_out else ""
    return with_key(files.name, one, model_sha256, note)


def _named(files: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"{name}={path}" for name, paths in files.items() for path in paths)
