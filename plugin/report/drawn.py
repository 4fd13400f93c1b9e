"""Vector layers that a report draws on its maps: the scenes' extents, and numbered places."""

from __future__ import annotations

from typing import Iterable, Optional, Sequence, Tuple

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsPointXY,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)

from ..charts import font
from ..scenes import MappedScene
from ..words import tr

Named = Tuple[str, QgsGeometry]


def extents(scenes: Sequence[MappedScene]) -> Optional[QgsVectorLayer]:
    """The scenes' extents with their names, in the first scene's CRS; ``None`` without one."""
    target = scenes[0].any_layer.crs()
    if not target.isValid():
        return None
    boxes = []
    for scene in scenes:
        layer = scene.any_layer
        box = QgsGeometry.fromRect(layer.extent())
        if layer.crs().isValid() and layer.crs() != target:
            box.transform(QgsCoordinateTransform(layer.crs(), target, QgsProject.instance()))
        boxes.append((scene.name, box))
    symbol = QgsFillSymbol.createSimple({"color": "86,180,233,70", "outline_color": "#0072b2", "outline_width": "0.4"})
    return _layer("Polygon", tr("Scenes"), target, boxes, symbol, _labels(8))


def numbered_places(places: Sequence[QgsPointXY], crs: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
    """Places as rings with their numbers, from 1."""
    points = [(str(number), QgsGeometry.fromPointXY(place)) for number, place in enumerate(places, 1)]
    ring = {"name": "circle", "color": "255,255,255,215", "outline_color": "#22303c", "outline_width": "0.5"}
    labels = _labels(8, bold=True)
    labels.placement = QgsPalLayerSettings.Placement.OverPoint
    labels.quadOffset = QgsPalLayerSettings.QuadrantPosition.QuadrantOver
    if hasattr(labels, "placementSettings"):  # since QGIS 3.26, where the other one does nothing
        labels.placementSettings().setOverlapHandling(Qgis.LabelOverlapHandling.AllowOverlapIfRequired)
    else:
        labels.displayAll = True
    symbol = QgsMarkerSymbol.createSimple({**ring, "size": "4.6"})
    return _layer("Point", tr("Places"), crs, points, symbol, labels)


def _labels(size_pt: float, *, bold: bool = False) -> QgsPalLayerSettings:
    labels = QgsPalLayerSettings()
    labels.fieldName = "name"
    text_format = QgsTextFormat()
    text_format.setFont(font(size_pt, bold))
    text_format.setSize(size_pt)
    labels.setFormat(text_format)
    return labels


def _layer(
    kind: str,
    title: str,
    crs: QgsCoordinateReferenceSystem,
    shapes: Iterable[Named],
    symbol: QgsSymbol,
    labels: QgsPalLayerSettings,
) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{kind}?field=name:string", title, "memory")
    layer.setCrs(crs)
    features = []
    for name, shape in shapes:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(shape)
        feature.setAttributes([name])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    layer.setLabelsEnabled(True)
    return layer
