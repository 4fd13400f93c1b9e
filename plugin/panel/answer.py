"""The answer to “why here?”: where a click or an outline lies on a scene, and what the scene's layers say there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QPointF
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QPainterPath, QPolygonF

from ...engine.jobs import OF_AUXILIARY, SceneError
from ...models.card import LandClass
from ..pixels import centre_of, pixel_of, read
from ..places import Place, look
from ..scenes import MappedScene
from ..words import coordinates, count, figure, tr

MOST_PX = 256  # height and width of the largest outline that is looked at
_WINDOWS, _WINDOW_PX = 4, 48  # a scene's distribution is taken from 4 × 4 windows of 48 × 48 pixels
_MOST_BANDS = 60  # a band that no click has read yet takes milliseconds
_COMPARED = ("error_probability", "uncertainty")


@dataclass(frozen=True)
class Spot:
    """A place on a scene's grid: the window around it and, of an outline, which of the window's pixels count."""

    rows: slice
    columns: slice
    mask: Optional[np.ndarray]
    where: str


@dataclass(frozen=True)
class Answer:
    """What a scene's layers say at a spot.

    Attributes:
        percentiles: Of ``error_probability`` and ``uncertainty`` within the scene, 0–100; empty until known.
        unit: Of the quantity that is mapped; empty for classes, and until known.
    """

    scene: MappedScene
    spot: Spot
    place: Place
    percentiles: Mapping[str, float]
    unit: str = ""


def spot_of(scene: MappedScene, shape: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> Optional[Spot]:
    """Where a point or polygon of any CRS lies on a scene; ``None`` outside of it.

    Raises:
        SceneError: the outline is too large to be answered at once.
    """
    layer = scene.any_layer
    shape = in_crs(shape, crs, layer.crs())
    if shape is None or shape.isEmpty():
        return None
    height, width = scene.size
    if shape.type() == QgsWkbTypes.GeometryType.PointGeometry:
        point = shape.asPoint()
        row, column = pixel_of(layer, point)
        if not (0 <= row < height and 0 <= column < width):
            return None
        return Spot(slice(row, row + 1), slice(column, column + 1), None, _coordinates(centre_of(layer, row, column)))
    box = shape.boundingBox()
    top, left = pixel_of(layer, QgsPointXY(box.xMinimum(), box.yMaximum()))
    bottom, right = pixel_of(layer, QgsPointXY(box.xMaximum(), box.yMinimum()))
    rows, columns = slice(max(0, top), min(height, bottom + 1)), slice(max(0, left), min(width, right + 1))
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    if tall <= 0 or wide <= 0:
        return None
    if max(tall, wide) > MOST_PX:
        raise SceneError(
            f"The outline spans {wide} × {tall} pixels; draw one of at most {MOST_PX} × {MOST_PX}, or use "
            "“zonalexplanation” for larger areas."
        )
    mask = _covered(layer, shape, rows, columns)
    return Spot(rows, columns, mask, _coordinates(shape.centroid().asPoint())) if mask.any() else None


def in_crs(
    shape: QgsGeometry, crs: QgsCoordinateReferenceSystem, target: QgsCoordinateReferenceSystem
) -> Optional[QgsGeometry]:
    """A shape brought from one CRS into another, as it is where one of them is none; ``None`` where it has no place."""
    copy = QgsGeometry(shape)
    if crs.isValid() and target.isValid() and crs != target:
        try:
            copy.transform(QgsCoordinateTransform(crs, target, QgsProject.instance()))
        except QgsCsException:  # outside of where the CRS is defined
            return None
    return copy


def _coordinates(point: QgsPointXY) -> str:
    return coordinates(point.x(), point.y())


def _covered(layer: QgsRasterLayer, shape: QgsGeometry, rows: slice, columns: slice) -> np.ndarray:
    """Pixels of a window whose middle lies in a polygon: drawn by Qt, which takes no time."""
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    box, dx, dy = layer.extent(), layer.rasterUnitsPerPixelX(), layer.rasterUnitsPerPixelY()
    path = QPainterPath()
    polygons = shape.asMultiPolygon() if shape.isMultipart() else [shape.asPolygon()]
    for ring in (ring for polygon in polygons for ring in polygon):
        corners = [
            QPointF((p.x() - box.xMinimum()) / dx - columns.start, (box.yMaximum() - p.y()) / dy - rows.start)
            for p in ring
        ]
        path.addPolygon(QPolygonF(corners))
    image = QImage(wide, tall, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    painter.fillPath(path, QColor("white"))
    painter.end()
    pixels = image.constBits()
    pixels.setsize(tall * image.bytesPerLine())
    return np.frombuffer(bytes(pixels), np.uint8).reshape(tall, image.bytesPerLine())[:, : 4 * wide : 4] > 127


class Background:
    """What the panel knows of a scene besides its pixels: classes, units, and how its values are distributed."""

    def __init__(self, classes: Sequence[LandClass], units: Mapping[str, str], unit: str = "") -> None:
        self.classes, self.units, self.unit = list(classes), dict(units), unit
        self._sorted: Dict[str, np.ndarray] = {}

    def sample(self, scene: MappedScene) -> None:
        """Take the distributions from a few windows spread over the scene: reading all of it would take too long."""
        height, width = scene.size
        for output in (name for name in _COMPARED if name in scene.layers):
            parts: List[np.ndarray] = []
            for rows in _spread(height):
                for columns in _spread(width):
                    values = read(scene.layers[output], 1, rows, columns)
                    parts.append(values[np.isfinite(values)])
            self._sorted[output] = np.sort(np.concatenate(parts))

    def percentiles(self, place: Place) -> Dict[str, float]:
        """Share of the scene's sampled pixels, 0–100, that have lower values than the place."""
        found = {}
        for output, values in self._sorted.items():
            value = place.values.get(output, float("nan"))
            if len(values) and np.isfinite(value):
                found[output] = 100.0 * float(np.searchsorted(values, value)) / len(values)
        return found


def _spread(length: int) -> List[slice]:
    if length <= _WINDOWS * _WINDOW_PX:
        return [slice(0, length)]
    starts = ((length - _WINDOW_PX) * at // (_WINDOWS - 1) for at in range(_WINDOWS))
    return [slice(start, start + _WINDOW_PX) for start in starts]


def takes_long(scene: MappedScene) -> bool:
    """Whether the auxiliary layers have so many bands that reading them would be felt: a hyperspectral modality."""
    return sum(len(scene.band_names(output)) for output in OF_AUXILIARY) > _MOST_BANDS


def answer(scene: MappedScene, spot: Spot, known: Background, *, quick: bool = False) -> Answer:
    """Read a scene's layers at a spot; ``quick`` leaves out the auxiliary ones."""
    skipped = OF_AUXILIARY if quick else ()
    place = look(scene, known.classes, spot.rows, spot.columns, spot.mask, known.units, skipped)
    return Answer(scene, spot, place, known.percentiles(place), known.unit)


def headline(found: Answer) -> Tuple[str, str]:
    """What is mapped, and where: two lines."""
    place = found.place
    if not place.pixels:
        return tr("Nothing is mapped here"), f"{found.scene.name} · {found.spot.where}"
    if place.mapped is not None:
        share = tr(" on {} of the area").format(_percent(place.shares[0][1])) if place.pixels > 1 else ""
        mapped = tr("Mapped as {}").format(place.mapped.name) + share
    else:
        mapped = tr("Estimated as {}").format(figure(place.estimate, found.unit))
    many = tr("{} pixels").format(count(place.pixels)) if place.pixels > 1 else ""
    return mapped, " · ".join(filter(None, (found.scene.name, found.spot.where, many)))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
