"""The sheets at a report's end: figures of other algorithms, the model, how to make it again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, List, Mapping, Optional, Sequence

from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ...engine.version import plugin_version
from ...models.card import Card, Modality
from ..words import figure, tr
from .sheets import Sheet
from .subject import Subject
from .tables import Table, pairs

_LINES_A_PAGE, _LINE_CHARACTERS = 58, 112
_MODEL_ROWS = 30
_ERROR_ROWS = 46

_OF_CLASS = (
    ("users_accuracy", QT_TRANSLATE_NOOP("AuxLens", "user's accuracy")),
    ("producers_accuracy", QT_TRANSLATE_NOOP("AuxLens", "producer's accuracy")),
    ("f1", QT_TRANSLATE_NOOP("AuxLens", "F1")),
    ("iou", QT_TRANSLATE_NOOP("AuxLens", "IoU")),
)


def accuracy_sheet(accuracy: Mapping[str, Any]) -> Sheet:
    """What ``accuracy`` found."""
    texts = {
        "figures": _figures_words(accuracy["overall"]),
        "caption": str((accuracy.get("compared") or {}).get("sampling", "")),
    }
    return Sheet("accuracy", tr("Accuracy"), texts, {}, {}, {"table": _accuracy_table(accuracy)})


def errors_sheets(errors: Table, more: int) -> List[Sheet]:
    """What ``explainerrors`` found, in as many pages as it takes; ``more`` rows are left out."""
    parts = errors.parts(_ERROR_ROWS)
    heading = tr("Are errors explained?")
    sheets = [
        Sheet("errors", _numbered(heading, at, len(parts)), {"caption": errors.title}, {}, {}, {"table": part})
        for at, part in enumerate(parts, 1)
    ]
    if more:
        caption = f"{errors.title} " + tr("({} more rows in the file)").format(more)
        sheets[-1] = replace(sheets[-1], texts={"caption": caption})
    return sheets


def _numbered(heading: str, at: int, whole: int) -> str:
    return f"{heading} ({at} / {whole})" if whole > 1 else heading


def _accuracy_table(accuracy: Mapping[str, Any]) -> Table:
    rows = accuracy.get("classes") or []
    if not rows:
        overall = accuracy["overall"]
        return pairs(
            [(name.replace("_", " "), figure(v)) for name, v in overall.items() if isinstance(v, (int, float))]
        )
    shown = []
    for row in rows[:20]:
        cells = [str(row.get("class", "")), figure(float(row.get("reference_pixels") or 0))]
        for key, _ in _OF_CLASS:
            value = row.get(key)
            half = row.get(f"adjusted_{key}_ci95")
            text = "–" if value is None else figure(float(value))
            cells.append(text if half is None or value is None else f"{text} ± {figure(float(half))}")
        shown.append(tuple(cells))
    headings = (tr("class"), tr("reference pixels"), *(tr(name) for _, name in _OF_CLASS))
    return Table(headings, tuple(shown), (0.26, 0.16, 0.17, 0.19, 0.11, 0.11))


def model_sheets(card: Optional[Card]) -> List[Sheet]:
    """The model's card: what it needs and gives, how good it is, how it was trained."""
    if card is None:
        return []
    training = card.training
    entries = [
        (tr("Name"), card.name),
        (tr("Created"), f"{card.created[:10]}, AuxLens {card.plugin_version}"),
        (tr("Licence"), card.licence or tr("not stated")),
        (tr("Main task"), _main_words(card)),
        *[(tr("Input {}").format(m.name), _modality_words(m)) for m in card.inputs],
        *[(tr("Auxiliary {}").format(m.name), _modality_words(m)) for m in card.auxiliary],
        (tr("Strategy"), card.strategy),
    ]
    for split, figures in (training.get("figures") or {}).items():
        entries.append((tr("Figures on {}").format(split), _figures_words(figures)))
    for band, figures in (training.get("auxiliary_figures") or {}).items():
        entries.append((tr("Reconstruction of {}").format(band), _figures_words(figures, ("rmse", "r2", "bias"))))
    for form, model in card.error_models.items():
        chosen = ("auroc", "auroc_uncertainty_alone", "aupr", "ece", "error_rate")
        entries.append((tr("Error probability ({})").format(form), _figures_words(model.figures, chosen)))
    scenes = [str(s.get("name", "")) for s in training.get("scenes") or [] if isinstance(s, dict)]
    if scenes:
        more = f" … ({len(scenes)})" if len(scenes) > 12 else ""
        entries.append((tr("Trained on"), ", ".join(scenes[:12]) + more))
    ended = [f"{training[key]}" for key in ("ended",) if training.get(key)]
    if training.get("epochs"):
        entries.append((tr("Epochs"), ", ".join([str(training["epochs"]), *ended])))
    table = pairs([(name, _short(value)) for name, value in entries])
    heading = tr("Model")
    return [Sheet("model", heading, {"caption": ""}, {}, {}, {"card": part}) for part in table.parts(_MODEL_ROWS)]


def _short(value: str, most: int = 260) -> str:
    return value if len(value) <= most else value[: most - 2] + " …"


def _main_words(card: Card) -> str:
    main = card.main
    names = ", ".join(c.name for c in main.classes) or main.unit
    return f"{main.kind}: {main.name}" + (f" ({names})" if names else "")


def _modality_words(modality: Modality) -> str:
    gsd = f", {modality.gsd_m:.3g} m" if modality.gsd_m else ""
    unit = f", {modality.unit}" if modality.unit else ""
    return ", ".join(modality.bands) + f" ({len(modality.bands)}{gsd}{unit})"


def _figures_words(figures: Mapping[str, Any], chosen: Sequence[str] = ()) -> str:
    names = [name for name in (chosen or figures) if isinstance(figures.get(name), (int, float))]
    return " · ".join(f"{name.replace('_', ' ')} {figure(float(figures[name]))}" for name in names)


def reproduce_sheets(subjects: Sequence[Subject]) -> List[Sheet]:
    """How to make the maps again: versions, hashes, and the job as it can be run."""
    first = subjects[0].scene
    entries = [
        (tr("Made with"), tr("AuxLens {}").format(first.tags.version or "–")),
        (tr("Report by"), f"AuxLens {plugin_version()}, QGIS {Qgis.QGIS_VERSION}"),
        (tr("Model"), str(first.tags.job.get("model") or first.tags.model)),
        (tr("SHA-256 of the model"), first.tags.model_sha256),
    ]
    for subject in subjects[:8]:
        for output in list(subject.scene.layers)[:1]:
            path = subject.scene.layers[output].source()
            entries.append((tr("SHA-256 of the {}, {}").format(output, subject.scene.name), _sha256(path)))
    if not first.tags.job:
        return [
            Sheet("reproduce", tr("How to reproduce"), {"caption": "", "job": ""}, tables={"versions": pairs(entries)})
        ]
    pages = _pages_of(first.tags.job)
    caption = tr("Save the text below as job.json and run it with: auxlens run job.json")
    if len(subjects) > 1:
        caption += ". " + tr("It is the first scene's; every raster carries its own.")
    return [
        Sheet(
            "reproduce",
            _numbered(tr("How to reproduce"), at, len(pages)),
            {"caption": caption, "job": "\n".join(lines)},
            tables={"versions": pairs(entries)} if at == 1 else {},
        )
        for at, lines in enumerate(pages, 1)
    ]


def _pages_of(job: Mapping[str, Any]) -> List[List[str]]:
    """A job as lines of JSON, in pages; long lines count as often as they will be broken."""
    pages: List[List[str]] = [[]]
    room = _LINES_A_PAGE
    used = {key: value for key, value in job.items() if value not in ("", [], None)}
    for line in json.dumps(used, ensure_ascii=False, indent=1).splitlines():
        takes = -(-len(line) // _LINE_CHARACTERS)
        if takes > room and pages[-1]:
            pages.append([])
            room = _LINES_A_PAGE
        pages[-1].append(line)
        room -= takes
    return pages


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for part in iter(lambda: file.read(2**20), b""):
                digest.update(part)
    except OSError:
        return "–"
    return digest.hexdigest()
