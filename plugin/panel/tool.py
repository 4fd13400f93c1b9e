"""The map tool that asks: a click for a pixel, a drag for an outline."""

from __future__ import annotations

from typing import List

from qgis.core import QgsGeometry, QgsPointXY, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
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
        self._band.setColor(QColor("#e69f00"))
        self._band.setFillColor(QColor(230, 159, 0, 40))
        self._band.setWidth(2)
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
        """Ask: about an outline of three corners or more, else about the pixel."""
        if event.button() != Qt.MouseButton.LeftButton or not self._corners:
            return
        corners, self._corners = self._corners, []
        if len(corners) >= 3:
            self.asked.emit(QgsGeometry.fromPolygonXY([corners]).makeValid())
        else:
            self.asked.emit(QgsGeometry.fromPointXY(corners[0]))

    def mark(self, shape: QgsGeometry) -> None:
        """Show a polygon of the canvas's CRS on the map; an empty one for none."""
        self._band.setToGeometry(shape, None)

    def clear(self) -> None:
        """Take the mark off the map."""
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
