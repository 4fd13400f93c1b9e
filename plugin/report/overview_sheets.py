"""The sheets of several scenes: all of them beside each other, then each on a page."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Sequence, Tuple

from ..words import figure, percent, tr
from .drawn import extents
from .sheets import MapPicture, Sheet
from .subject import Subject, key_texts, plain_map
from .tables import Table

_SCENES_A_PAGE = 24


def most_doubtful_first(subjects: Sequence[Subject]) -> List[Subject]:
    """Scenes in the order in which they deserve a look; by name, with numbers as numbers, where nothing tells."""
    return sorted(subjects, key=lambda subject: (-_doubt(subject), _natural(subject.scene.name)))


def _doubt(subject: Subject) -> float:
    value = subject.figures.mean(subject.scene.doubt) if subject.scene.doubt else float("nan")
    return value if value == value else -1.0  # NaN: last


def _natural(name: str) -> List[Any]:
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


def overview_sheets(subjects: Sequence[Subject], title: str, notes: Sequence[str]) -> List[Sheet]:
    """All scenes of a folder: where they lie, and their figures beside each other."""
    columns = [
        (tr("scene"), [subject.scene.name for subject in subjects]),
        (tr("area"), [figure(s.figures.area, s.figures.unit) for s in subjects]),
        (tr("mean uncertainty"), [figure(s.figures.mean("uncertainty"), s.unit) for s in subjects]),
        (tr("expected wrong"), [percent(s.figures.mean("error_probability")) for s in subjects]),
        (tr("likely wrong (≥ 50 %)"), [percent(_doubtful(s)) for s in subjects]),
        (tr("wrong by the reference"), [percent(_wrong(s)) for s in subjects]),
    ]
    used = [(heading, cells) for heading, cells in columns if any(cell != "–" for cell in cells)]
    rows = tuple(zip(*(cells for _, cells in used)))
    widths = (0.3, *(0.7 / (len(used) - 1),) * (len(used) - 1))
    parts = Table(tuple(heading for heading, _ in used), rows, widths).parts(_SCENES_A_PAGE)
    outlines = extents([subject.scene for subject in subjects])
    models = {subject.scene.tags.model_sha256: subject.scene.tags.model or "–" for subject in subjects}
    names = ", ".join(f"“{name}”" for name in models.values())
    subtitle = tr("{} scenes mapped with the model {}").format(len(subjects), names)
    subtitle += "; " + tr("the most doubtful first") if any(s.scene.doubt for s in subjects) else ""
    return [
        Sheet(
            "overview",
            title,
            {"title": title, "subtitle": subtitle, "notes": "\n".join(notes) if at == 0 else ""},
            {"map": MapPicture([outlines], tr("Where the scenes lie"))} if at == 0 and outlines is not None else {},
            {},
            {"scenes": part},
        )
        for at, part in enumerate(parts)
    ]


def _doubtful(subject: Subject) -> float:
    """Share of the area that is more likely wrong than right."""
    figures = subject.figures
    known = figures.levels and figures.area
    return sum(level.area for level in figures.levels if level.low >= 0.5) / figures.area if known else float("nan")


def _wrong(subject: Subject) -> float:
    return subject.figures.mean("main_error") if subject.classes else float("nan")


def scene_sheet(subject: Subject) -> Sheet:
    """One scene of several on a page: map, doubt and key figures."""
    scene = subject.scene
    maps: Dict[str, MapPicture] = {}
    for place, output in (("map", "map"), ("beside", scene.doubt)):
        if output and output in scene.layers:
            maps[place] = plain_map(scene, output)
    areas: Tuple[Tuple[str, ...], ...] = ()
    if subject.classes:
        named = {c.value: c.name for c in subject.classes}
        largest = sorted(subject.figures.classes.items(), key=lambda item: -item[1])[:14]
        areas = tuple((named.get(v, str(v)), figure(a), percent(a / (subject.figures.area or 1.0))) for v, a in largest)
    headings = (tr("class"), tr("mapped area ({})").format(subject.figures.unit), tr("share"))
    tables = {"areas": Table(headings, areas, (0.5, 0.3, 0.2))} if areas else {}
    texts = {"caption": " ".join(subject.notes), **key_texts(subject)}
    return Sheet("scene", scene.name, texts, maps, {}, tables)
