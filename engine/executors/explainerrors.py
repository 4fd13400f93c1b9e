"""The job on explained errors: what mapped scenes say of main errors and auxiliary tasks."""

from __future__ import annotations

import csv
import io
import logging
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import astuple
from functools import partial
from typing import Any

from ...models.errors import Canceled, SceneError
from ..checks import check_explain_errors
from ..explain.findings import Findings, explore
from ..explain.mapped import SceneLayers, Thinned, find_layers, find_scenes, step_for, thinned
from ..explain.moving import write_correlation
from ..explain.scores import condensed
from ..explain.verdict import verdict
from ..explain.windows import choose
from ..jobs import ExplainErrorsJob, Progress, outputs_of, to_json
from ..reports.errors import DRAWN, Example, render_errors_report
from ..scene.writing import check_writable
from ..textfile import write_text

log = logging.getLogger("auxlens")

_MOST_PIXELS = 1_000_000
_COLUMNS = ("figure", "of", "group", "value", "low", "high", "p_value", "effective_size", "pixels")


def run(job: ExplainErrorsJob, progress: Progress) -> dict[str, Any]:
    """Find out whether the auxiliary tasks explain the main errors, and write what was found.

    Returns:
        ``outputs``: the files written, by name; ``figures``: the most telling ones.

    Raises:
        AuxLensError: the layers do not fit together, or nothing can be compared.
        Canceled: the user asked to stop.
    """
    started = time.perf_counter()
    check_explain_errors(job)
    outputs = dict(outputs_of(job))
    check_writable(list(outputs.values()))
    scenes = find_scenes(job.scenes) if job.scenes else [find_layers(job.inputs)]
    if "correlation" in outputs and "reconstruction_error" not in scenes[0].layers:
        raise SceneError("Local correlations need the layer “reconstruction error”; give it, or leave the raster out.")
    step, read = step_for(scenes, _MOST_PIXELS), []
    for number, scene in enumerate(scenes):
        with ExitStack() as stack:
            layers = SceneLayers(scene, job.reference, job.reference_field, stack)
            part = _part(
                progress,
                0.3 * number / len(scenes),
                0.3 / len(scenes),
                f"Reading {scene.name} ({number + 1} of {len(scenes)})",
            )
            read.append(thinned(layers, step, part))
    read = condensed(read, _part(progress, 0.3, 0.05, "Putting bands together"))
    found = explore(read, job.seed, _part(progress, 0.35, 0.25, "Computing statistics"))
    if not found.pixels:
        raise SceneError("No pixel has both a main error and auxiliary errors; check that the layers overlap.")
    for note in found.notes:
        log.warning("%s", note)
    if "correlation" in outputs:
        with ExitStack() as stack:
            layers = SceneLayers(scenes[0], job.reference, job.reference_field, stack)
            write_correlation(layers, outputs["correlation"], job.window_size, to_json(job), progress)
    if "table" in outputs:
        write_text(outputs["table"], _csv(found))
    words = verdict(found)
    if "report" in outputs:
        examples = _examples(job, read, partial(_go_on, progress, 0.95, "Writing the report"))
        write_text(outputs["report"], render_errors_report(found, words, examples, step))
    log.info("%s", words[0])
    return {"outputs": outputs, "figures": {**_figures(found), "seconds": round(time.perf_counter() - started, 3)}}


def _part(progress: Progress, start: float, length: float, message: str) -> Callable[[float], None]:
    """What is told which share of a part of the job is done."""
    return lambda share: _go_on(progress, start + length * share, message)


def _go_on(progress: Progress, fraction: float, message: str) -> None:
    if progress.canceled():
        raise Canceled("Explaining the errors was canceled.")
    progress.report(fraction, message)


def _examples(job: ExplainErrorsJob, read: list[Thinned], go_on: Callable[[], None]) -> list[Example]:
    """Windows in which errors are explained best, middling, worst, and one at random."""
    examples = []
    for place in choose(read, job.seed):
        with ExitStack() as stack:
            layers = SceneLayers(place.scene, job.reference, job.reference_field, stack)
            planes = layers.read(place.window, DRAWN, go_on)
            examples.append(Example(place.title, place.r, place.scene, place.window, planes))
    return examples


def _csv(found: Findings) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in found.lines:
        writer.writerow("" if isinstance(v, float) and math.isnan(v) else v for v in astuple(line))
    return text.getvalue()


def _figures(found: Findings) -> dict[str, float]:
    """AUROC of each score, and the gains over uncertainty alone, by name."""
    wanted = ("auroc", "auroc gain over uncertainty")
    lines = [line for line in found.lines if line.figure in wanted and math.isfinite(line.value)]
    return {"error rate": found.error_rate, **{f"{line.figure}, {line.of}": line.value for line in lines}}
