"""Executes a job, whichever door it came through."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import jobs
from .paths import check_sources

# The module of ``executors`` for each kind of job, with ``run(job, progress)``. Imported when such a job comes, so that
# demo scenes do not wait for torch.
EXECUTORS = {
    jobs.DemoJob: "createdemo",
    jobs.TrainJob: "train",
    jobs.TrainFolderJob: "train",
    jobs.CompareJob: "comparestrategies",
    jobs.MapJob: "map",
    jobs.MapFolderJob: "mapfolder",
    jobs.AccuracyJob: "accuracy",
    jobs.ZonalJob: "zonalexplanation",
    jobs.ExplainErrorsJob: "explainerrors",
    jobs.SensitivityJob: "sensitivity",
    jobs.ModelInfoJob: "modelinfo",
    jobs.ExportOnnxJob: "exportonnx",
    jobs.AttributionQualityJob: "attributionquality",
}


def run(job: Any, progress: jobs.Progress) -> dict[str, Any]:
    """Execute a job.

    Returns:
        ``outputs``: path of each file or folder written, by name; ``figures``: numbers by name; ``incomplete``, where
        a part of the work failed and the rest was done: a sentence about it. JSON-able.

    Raises:
        AuxLensError: with a message for the user; ``Canceled`` when ``progress.canceled()`` said so.
    """
    executor = import_module(f".executors.{EXECUTORS[type(job)]}", __package__)
    check_sources(job, import_module(".scene.files", __package__).files_of)
    result: dict[str, Any] = executor.run(job, progress)
    return result
