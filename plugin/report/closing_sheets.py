"""The sheets at a report's end: the model, and how to make the map again."""

from __future__ import annotations

import json
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from qgis.core import Qgis

from ...engine.scene.hashing import sha256
from ...engine.version import plugin_version
from ...models.card import Card, Intervals, Modality
from ...models.members import EnsembleCard
from ..sources import raster_path
from ..words import figures_words, tr
from .sheets import Sheet, numbered
from .subject import Subject
from .tables import pairs

_LINES_A_PAGE, _LINE_CHARACTERS = 58, 112
_MODEL_ROWS = 30


def model_sheets(card: Optional[Card]) -> List[Sheet]:
    """The model's card: what it needs and gives, how good it is, how it was trained; of several what they share."""
    if card is None:
        return []
    needs = [
        (tr("Main task"), _main_words(card)),
        *[(tr("Input {}").format(m.name), _modality_words(m)) for m in card.inputs],
        *[(tr("Auxiliary {}").format(m.name), _modality_words(m)) for m in card.auxiliary],
    ]
    if isinstance(card, EnsembleCard):  # the rest would be the first model's
        return _model_pages([(tr("Name"), card.name), *needs])
    training = card.training
    entries = [
        (tr("Name"), card.name),
        (tr("Created"), f"{card.created[:10]}, AuxLens {card.plugin_version}"),
        (tr("Licence"), card.licence or tr("not stated")),
        *needs,
        (tr("Strategy"), card.strategy),
    ]
    for split, figures in (training.get("figures") or {}).items():
        entries.append((tr("Figures on {}").format(split), figures_words(figures, unit=card.main.unit)))
    units = {band: modality.unit for modality in card.auxiliary for band in modality.band_names}
    for band, figures in (training.get("auxiliary_figures") or {}).items():
        said = figures_words(figures, ("rmse", "r2", "bias"), units.get(band, ""))
        entries.append((tr("Reconstruction of {}").format(band), said))
    for form, model in card.error_models.items():
        chosen = ("auroc", "auroc_uncertainty_alone", "aupr", "ece", "error_rate")
        entries.append((tr("Error probability ({})").format(form), figures_words(model.figures, chosen)))
    if card.intervals:
        entries.append((tr("Intervals"), _interval_words(card.intervals)))
    scenes = [str(s.get("name", "")) for s in training.get("scenes") or [] if isinstance(s, dict)]
    if scenes:
        more = f" … ({len(scenes)})" if len(scenes) > 12 else ""
        entries.append((tr("Trained on"), ", ".join(scenes[:12]) + more))
    ended = [f"{training[key]}" for key in ("ended",) if training.get(key)]
    if training.get("epochs"):
        entries.append((tr("Epochs"), ", ".join([str(training["epochs"]), *ended])))
    return _model_pages(entries)


def _model_pages(entries: Sequence[Tuple[str, str]]) -> List[Sheet]:
    table = pairs([(name, _short(value)) for name, value in entries])
    parts = table.parts(_MODEL_ROWS)
    return numbered([Sheet("model", tr("Model"), {"caption": ""}, {}, {}, {"card": part}) for part in parts])


def _short(value: str, most: int = 260) -> str:
    return value if len(value) <= most else value[: most - 2] + " …"


def _main_words(card: Card) -> str:
    main = card.main
    names = ", ".join(c.name for c in main.classes) or main.unit
    return f"{main.kind}: {main.name}" + (f" ({names})" if names else "")


def _interval_words(intervals: Intervals) -> str:
    """Each level with what the uncertainty is multiplied with, and the share that it held on test."""
    measured = [f" ({100 * share:.1f} %)" for share in intervals.coverage] or [""] * len(intervals.levels)
    found = [
        f"{100 * level:g} %: ± {factor:.3g} × {tr('uncertainty')}{held}"
        for level, factor, held in zip(intervals.levels, intervals.factors, measured)
    ]
    return "; ".join(found)


def _modality_words(modality: Modality) -> str:
    gsd = f", {modality.gsd_m:.3g} m" if modality.gsd_m else ""
    unit = f", {modality.unit}" if modality.unit else ""
    return ", ".join(modality.bands) + f" ({len(modality.bands)}{gsd}{unit})"


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
            path = raster_path(subject.scene.layers[output])
            entries.append((tr("SHA-256 of the {}, {}").format(output, subject.scene.name), _sha256(path)))
    if not first.tags.job:
        return [
            Sheet("reproduce", tr("How to reproduce"), {"caption": "", "job": ""}, tables={"versions": pairs(entries)})
        ]
    pages = _pages_of(first.tags.job)
    # Lines of the PDF are wrapped, inside of strings too, so that its text is no JSON.
    caption = tr(
        "The job, for reading: its long lines are broken here. Whole it is in the tag AUXLENS_JOB of each raster: "
        "save that as job.json and run it with: auxlens run job.json"
    )
    if len(subjects) > 1:
        caption += ". " + tr("It is the first scene's; every raster carries its own.")
    return numbered(
        [
            Sheet(
                "reproduce",
                tr("How to reproduce"),
                {"caption": caption, "job": "\n".join(lines)},
                tables={} if at else {"versions": pairs(entries)},
            )
            for at, lines in enumerate(pages)
        ]
    )


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
    try:
        return sha256(path)
    except OSError:
        return "–"
