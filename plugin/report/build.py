"""From mapped scenes to a report: figures are measured, sheets put together, PDF and HTML written."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence

from ...engine.jobs import Canceled, JobError
from ...models.parts import part_path
from ..cards import card_of, classes_of
from ..scenes import MappedScene
from ..sources import raster_path
from ..words import tr
from .assessment_sheets import accuracy_sheet, errors_sheets
from .closing_sheets import model_sheets, reproduce_sheets
from .doubt_sheet import error_sheet
from .layout import write_pdf
from .map_sheets import areas_sheets, map_sheet, title_sheet
from .modality_sheets import modality_sheets
from .overview_sheets import most_doubtful_first, overview_sheets, scene_sheet
from .page import render_html
from .sheets import Report, Sheet
from .statistics import measure
from .subject import Subject, subject_of
from .tables import read_accuracy
from .why_sheet import why_sheet

TEMPLATE = str(Path(__file__).resolve().parents[2] / "resources" / "templates" / "report.qpt")
_MEASURED, _PRINTED = 0.6, 0.9  # share of the work that is done then

Progress = Callable[[float, str], bool]  # share done and what comes next; says whether to go on


@dataclass(frozen=True)
class Request:
    """What a report is asked for.

    Attributes:
        scenes: Mapped scenes; several give an overview and a page a scene.
        notes: What was left out already.
        title: Of the report; the scene's name where empty.
        model: Model file; empty for the one that the job names.
        accuracy: JSON or CSV of ``accuracy``, or empty.
        errors: CSV of ``explainerrors``, or empty.
        template: Layout template; empty for AuxLens's.
        paper: One of ``layout.PAPERS``.
        html: File to write, or empty.
        pdf: Likewise.
    """

    scenes: Sequence[MappedScene]
    notes: Sequence[str] = ()
    title: str = ""
    model: str = ""
    accuracy: str = ""
    errors: str = ""
    template: str = ""
    paper: str = "template"
    html: str = ""
    pdf: str = ""


def write_report(request: Request, progress: Progress) -> List[str]:
    """Write a report.

    Returns:
        What was left out, and why; it stands on the first page too.

    Raises:
        JobError: a table cannot be read, the template is none, a file cannot be written.
        Canceled: it was stopped; no file is left, and older ones stay as they were.
    """
    accuracy = read_accuracy(request.accuracy) if request.accuracy else {}
    report, notes = compose(request, accuracy, lambda f, m: progress(_MEASURED * f, m))
    parts = {path: part_path(Path(path)) for path in (request.pdf, request.html) if path}
    try:
        if request.pdf:
            step = _share(progress, _MEASURED, _PRINTED, tr("Printing the PDF"))
            with _writing(request.pdf):
                place = str(parts[request.pdf])
                notes += write_pdf(report, request.template or TEMPLATE, request.paper, place, step)
        if request.html:
            text = render_html(report, _share(progress, _PRINTED, 1.0, tr("Writing the HTML")))
            with _writing(request.html):
                parts[request.html].write_text(text, encoding="utf-8")
        if not progress(1.0, ""):
            raise Canceled(tr("The report was canceled."))
        for path, part in parts.items():
            with _writing(path):
                part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return notes


def compose(request: Request, accuracy: Mapping[str, Any], progress: Progress) -> tuple[Report, List[str]]:
    """Measure every scene and put the sheets together."""
    subjects = []
    for at, scene in enumerate(request.scenes):
        whole = len(request.scenes)
        step = _share(progress, at / whole, (at + 1) / whole, tr("Measuring {}").format(scene.name))
        card, why = card_of(scene, request.model)
        is_classes = bool(classes_of(scene, card))
        figures = measure(scene, is_classes, step)
        if figures is None:
            raise Canceled(tr("The report was canceled."))
        subjects.append(subject_of(scene, figures, card, why, accuracy))
    subjects = most_doubtful_first(subjects)
    title = request.title or (subjects[0].scene.name if len(subjects) == 1 else tr("Mapped scenes"))
    notes = [*request.notes, *_mismatches(subjects, accuracy)]
    numbers = [accuracy_sheet(accuracy)] if accuracy else []
    if request.errors:
        numbers += errors_sheets(request.errors)
    shared = [*numbers, *model_sheets(subjects[0].card), *reproduce_sheets(subjects)]
    if len(subjects) == 1:
        sheets = [*_of_one(subjects[0], title, notes), *shared]
        notes = subjects[0].notes
    else:
        notes += [f"{s.scene.name}: {note}" for s in subjects for note in s.notes]
        sheets = [*overview_sheets(subjects, title, notes), *(scene_sheet(s) for s in subjects), *shared]
    first = subjects[0].scene
    variables: Dict[str, str] = {"scene": title, "model": first.tags.model, "date": subjects[0].date}
    return Report(title, sheets, variables), notes


def _mismatches(subjects: Sequence[Subject], accuracy: Mapping[str, Any]) -> List[str]:
    """Sentences about what does not belong together: maps of different models, figures of another map."""
    found = []
    models = {s.scene.tags.model_sha256: s.scene.tags.model for s in subjects}
    if len(models) > 1:
        said = tr("The scenes were mapped with different models ({}); the page “Model” is about {}.")
        found.append(said.format(", ".join(models.values()), subjects[0].scene.tags.model))
    assessed = str((accuracy.get("compared") or {}).get("map") or "")
    maps = [raster_path(s.scene.layers["map"]) for s in subjects if "map" in s.scene.layers]
    maps += [str(s.scene.tags.job.get("output_polygons") or "") for s in subjects]  # of scene-level models
    if os.path.exists(assessed) and not any(os.path.exists(m) and os.path.samefile(m, assessed) for m in maps):
        found.append(tr("The figures of accuracy are about another map, “{}”.").format(assessed))
    return found


def _of_one(subject: Subject, title: str, notes: Sequence[str]) -> List[Sheet]:
    subject.notes[:0] = notes
    single = [map_sheet(subject), *areas_sheets(subject), error_sheet(subject), why_sheet(subject)]
    sheets = [sheet for sheet in [*single, *modality_sheets(subject)] if sheet is not None]
    return [title_sheet(subject, title), *sheets]  # last, because it tells what is left out


def _share(progress: Progress, start: float, end: float, message: str) -> Callable[[float], bool]:
    return lambda fraction: progress(start + (end - start) * fraction, message)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JobError(
            f"“{path}” cannot be written: {error.strerror}; choose a folder that you may write to, and close the file "
            "where it is open."
        ) from error
