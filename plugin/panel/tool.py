"""The map tool that asks: a click for a pixel, a drag for an outline."""

from __future__ import annotations

from typing import List, Optional

from qgis.core import QgsGeometry, QgsPointXY, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand, QgsVertexMarker
from qgis.PyQt.QtCore import QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

_STEP_PX = 4  # of the mouse, between two corners of an outline; a shorter drag is a click


class AskTool(QgsMapTool):
    """Tells by ``asked`` the point or polygon that was asked about, in the canvas's CRS."""

    asked = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setColor(QColor("#e6007e"))
        self._band.setFillColor(QColor(230, 0, 126, 40))
        self._band.setWidth(2)
        self._point = QgsVertexMarker(canvas)
        self._point.setIconType(QgsVertexMarker.IconType.ICON_CIRCLE)
        self._point.setColor(QColor("#e6007e"))
        self._point.setIconSize(14)
        self._point.setPenWidth(3)
        self._point.hide()
        self._corners: List[QgsPointXY] = []
        self._last = QPoint()

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        """Begin."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._corners, self._last = [self.toMapCoordinates(event.pos())], event.pos()

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        """Go on with the outline while the button is held."""
        if self._corners and (event.pos() - self._last).manhattanLength() >= _STEP_PX:
            self._last = event.pos()
            self._corners.append(self.toMapCoordinates(event.pos()))
            self.mark(QgsGeometry.fromPolygonXY([self._corners]))

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """Ask: about what an outline encloses, else about the pixel."""
        if event.button() != Qt.MouseButton.LeftButton or not self._corners:
            return
        corners, self._corners = self._corners, []
        area = _area(corners)
        self.asked.emit(area if area is not None else QgsGeometry.fromPointXY(corners[0]))

    def deactivate(self) -> None:
        """Give up an outline that another tool has interrupted."""
        self._corners = []
        super().deactivate()

    def mark(self, shape: QgsGeometry, *, ringed: bool = False) -> None:
        """Show a polygon of the canvas's CRS on the map; with a ring around it where it may be too small to be seen."""
        self._band.setToGeometry(shape, None)
        if ringed:
            self._point.setCenter(shape.centroid().asPoint())
        self._point.setVisible(ringed)

    def clear(self) -> None:
        """Take the mark off the map."""
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        self._point.hide()

    def remove(self) -> None:
        """Take tool and marks off the canvas for good, which would keep them otherwise."""
        self.canvas().unsetMapTool(self)
        for item in (self._band, self._point):
            self.canvas().scene().removeItem(item)
        self.deleteLater()


def _area(corners: List[QgsPointXY]) -> Optional[QgsGeometry]:
    """What an outline encloses, as a multipolygon; ``None`` for one that encloses nothing, such as a straight line."""
    if len(corners) < 3:
        return None
    parts = QgsGeometry.fromPolygonXY([corners]).makeValid().asGeometryCollection()
    areas = [part for part in parts if part.type() == QgsWkbTypes.GeometryType.PolygonGeometry]
    return QgsGeometry.collectGeometry(areas) if areas else None
