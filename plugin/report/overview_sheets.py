"""The sheets of several scenes: all of them beside each other, then each on a page."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

from qgis.core import (
    QgsCoordinateTransform,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsPalLayerSettings,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)

from ..charts import font
from ..words import figure, percent, tr
from .sheets import MapPicture, Sheet
from .subject import Subject, key_texts, plain_map
from .tables import Table

_SCENES_A_PAGE = 24


def overview_sheets(subjects: Sequence[Subject], title: str, notes: Sequence[str]) -> List[Sheet]:
    """All scenes of a folder: where they lie, and their figures beside each other."""
    columns = [
        (tr("scene"), [subject.scene.name for subject in subjects]),
        (tr("area"), [figure(s.figures.area, s.figures.unit) for s in subjects]),
        (tr("mean uncertainty"), [figure(s.figures.mean("uncertainty")) for s in subjects]),
        (tr("expected wrong"), [percent(s.figures.mean("error_probability")) for s in subjects]),
        (tr("likely wrong (≥ 50 %)"), [percent(_doubtful(s)) for s in subjects]),
        (tr("wrong by the reference"), [percent(_wrong(s)) for s in subjects]),
    ]
    used = [(heading, cells) for heading, cells in columns if any(cell != "–" for cell in cells)]
    rows = tuple(zip(*(cells for _, cells in used)))
    widths = (0.3, *(0.7 / (len(used) - 1),) * (len(used) - 1))
    parts = Table(tuple(heading for heading, _ in used), rows, widths).parts(_SCENES_A_PAGE)
    extents = _extents(subjects)
    subtitle = tr("{} scenes mapped with the model “{}”").format(len(subjects), subjects[0].scene.tags.model or "–")
    return [
        Sheet(
            "overview",
            title,
            {"title": title, "subtitle": subtitle, "notes": "\n".join(notes) if at == 0 else ""},
            {"map": MapPicture([extents], tr("Where the scenes lie"))} if at == 0 and extents is not None else {},
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


def _extents(subjects: Sequence[Subject]) -> Optional[QgsVectorLayer]:
    """The scenes' extents as polygons, in the first scene's CRS; ``None`` without one."""
    target = subjects[0].scene.any_layer.crs()
    if not target.isValid():
        return None
    layer = QgsVectorLayer("Polygon?field=name:string", tr("Scenes"), "memory")
    layer.setCrs(target)
    features = []
    for subject in subjects:
        source = subject.scene.any_layer
        geometry = QgsGeometry.fromRect(source.extent())
        if source.crs().isValid() and source.crs() != target:
            geometry.transform(QgsCoordinateTransform(source.crs(), target, QgsProject.instance()))
        feature = QgsFeature(layer.fields())
        feature.setGeometry(geometry)
        feature.setAttributes([subject.scene.name])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    symbol = QgsFillSymbol.createSimple({"color": "86,180,233,70", "outline_color": "#0072b2", "outline_width": "0.4"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    labels = QgsPalLayerSettings()
    labels.fieldName = "name"
    text_format = QgsTextFormat()
    text_format.setFont(font(8))
    text_format.setSize(8)
    labels.setFormat(text_format)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    layer.setLabelsEnabled(True)
    return layer


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
