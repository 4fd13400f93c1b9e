"""The sheets of the map itself: title, map, areas by class."""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from qgis.core import QgsRasterLayer
from qgis.PyQt.QtGui import QColor

from ...engine.jobs import split_name
from ...models.card import LandClass
from ..charts import QUIET, Bar, bars
from ..pictures import natural_colour
from ..scenes import MappedScene, band_names
from ..words import figure, percent, plus_minus, tr
from .doubt_sheet import level_chart
from .sheets import MapPicture, Sheet, numbered
from .subject import Subject, key_texts, plain_map
from .tables import Table

_ROWS_A_PAGE = 24


def title_sheet(subject: Subject, title: str) -> Sheet:
    """Scene, date, model, key figures, and the scene beside its map."""
    scene = subject.scene
    maps = {}
    seen = _input_layer(scene)
    if seen is not None:
        maps["input"] = MapPicture([seen], tr("The scene (first input)"))
    if "map" in scene.layers:
        maps["map"] = plain_map(scene, "map", tr("The map"))
    subtitle = tr("Mapped on {} with the model “{}” (AuxLens {})").format(
        subject.date or "–", scene.tags.model or "–", scene.tags.version or "–"
    )
    texts = {"title": title, "subtitle": subtitle, "notes": "\n".join(subject.notes), **key_texts(subject)}
    charts = {"levels": level_chart(subject)} if subject.figures.levels else {}
    return Sheet("title", title, texts, maps, charts)


def _input_layer(scene: MappedScene) -> Optional[QgsRasterLayer]:
    """The scene as the network saw it: the first input's raster, or three of a scene of single-band files."""
    for text in scene.tags.job.get("inputs") or ():
        layer = QgsRasterLayer(split_name(text)[1], scene.name)
        if layer.isValid():
            return natural_colour(layer, band_names(layer))
    return None


def map_sheet(subject: Subject) -> Optional[Sheet]:
    """The map on a page of its own."""
    if "map" not in subject.scene.layers:
        subject.leave_out(tr("the map"), tr("there is no layer “map”"))
        return None
    return Sheet("map", tr("Map"), {"caption": subject.scene.name}, {"map": plain_map(subject.scene, "map")})


def areas_sheets(subject: Subject) -> List[Sheet]:
    """Areas by class, with confidence intervals where an assessment gives them."""
    areas, unit = subject.figures.classes, subject.figures.unit
    if not subject.classes or not areas:
        if "map" in subject.scene.layers and not subject.classes:
            subject.leave_out(tr("areas by class"), tr("the map shows a quantity"))
        return []
    unknown = [str(name) for name in subject.accuracy.get("not_estimated") or ()]
    estimated = {
        int(row["value"]): (float(row["area"]), float(row["area_ci95"]))
        for row in subject.accuracy.get("classes", [])
        if row.get("area") is not None and row.get("area_ci95") is not None and row.get("area_unit") == unit
        if row.get("class") not in unknown
    }
    named = {c.value: c for c in subject.classes}
    order = [c.value for c in subject.classes if c.value in areas or c.value in estimated]
    order += sorted((set(areas) | set(estimated)) - set(order))
    rows = [_area_row(v, named, areas, estimated, subject) for v in order]
    headings = [tr("class"), tr("mapped area ({})").format(unit), tr("share")]
    headings += [tr("estimated area ({}), ± 95 %").format(unit)] if estimated else []
    shares = (0.34, 0.2, 0.14, 0.32) if estimated else (0.5, 0.3, 0.2)
    table = Table(tuple(headings), tuple(rows), shares)
    caption = (
        tr("Estimated areas are adjusted for the map's errors (Olofsson et al. 2014); lines are 95 % intervals.")
        if estimated
        else tr("Areas are counted on the map; intervals need an assessment of its accuracy.")
    )
    if estimated and unknown:
        caption += " " + tr("No reference lies in the area mapped as {}, so estimates leave it out.").format(
            ", ".join(unknown)
        )
    chart = bars([_area_bar(v, named, areas, estimated, subject) for v in order[:_ROWS_A_PAGE]], most_px=24)
    heading, texts = tr("Areas by class"), {"caption": caption}
    return numbered(
        [
            Sheet("areas", heading, texts, {}, {} if at else {"chart": chart}, {"table": part})
            for at, part in enumerate(table.parts(_ROWS_A_PAGE))
        ]
    )


def _area_row(
    value: int,
    named: Mapping[int, LandClass],
    areas: Mapping[int, float],
    estimated: Mapping[int, Tuple[float, float]],
    subject: Subject,
) -> Tuple[str, ...]:
    row = [named[value].name if value in named else _other_name(value, subject), figure(areas.get(value, 0.0))]
    row.append(percent(areas.get(value, 0.0) / subject.figures.area))
    if estimated:
        area, half = estimated.get(value, (float("nan"),) * 2)
        row.append(plus_minus(area, half) if value in estimated else "–")
    return tuple(row)


def _other_name(value: int, subject: Subject) -> str:
    """A class that only the reference has."""
    row = next((r for r in subject.accuracy.get("classes", []) if r.get("value") == value), {})
    return str(row.get("class", value))


def _area_bar(
    value: int,
    named: Mapping[int, LandClass],
    areas: Mapping[int, float],
    estimated: Mapping[int, Tuple[float, float]],
    subject: Subject,
) -> Bar:
    known = named.get(value)
    area, half = estimated.get(value, (areas.get(value, 0.0), 0.0))
    name, color = (known.name, QColor(known.color)) if known else (_other_name(value, subject), QUIET)
    return Bar(name, area, color, figure(area), half)
