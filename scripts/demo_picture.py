"""Draw layers side by side, with titles and legends made from their own styles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Tuple

from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer
from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetricsF, QImage, QLinearGradient, QPainter, QPen

COLUMNS = 4
WIDTH, MARGIN, GAP = 1600, 26, 16
TITLE, LEGEND, HEAD, FOOT = 30, 64, 58, 40
INK, QUIET, PAPER, NOTHING = QColor("#22303c"), QColor("#66727e"), QColor("#ffffff"), QColor("#f2f2f0")


@dataclass(frozen=True)
class Panel:
    """A layer under a title; ``note`` stands in for the legend of a layer that has none."""

    title: str
    layer: QgsRasterLayer
    note: str = ""


def draw(panels: List[Panel], heading: str, summary: str, path: Path) -> None:
    """Draw all panels, ``COLUMNS`` a line, into a PNG file."""
    side = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) // COLUMNS
    lines = -(-len(panels) // COLUMNS)
    height = HEAD + lines * (TITLE + side + LEGEND) + FOOT
    image = QImage(WIDTH, height, QImage.Format.Format_RGB32)
    image.fill(PAPER)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    text(painter, QRectF(MARGIN, 0, WIDTH - 2 * MARGIN, HEAD), heading, 21, bold=True)
    for at, panel in enumerate(panels):
        left = MARGIN + (at % COLUMNS) * (side + GAP)
        top = HEAD + (at // COLUMNS) * (TITLE + side + LEGEND)
        text(painter, QRectF(left, top, side, TITLE), panel.title, 15, bold=True)
        painter.drawImage(left, top + TITLE, rendered(panel.layer, side))
        legend(painter, QRectF(left, top + TITLE + side + 6, side, LEGEND - 12), panel)
    text(painter, QRectF(MARGIN, height - FOOT - 4, WIDTH - 2 * MARGIN, FOOT), summary, 14, color=QUIET)
    painter.end()
    image.save(str(path))


def rendered(layer: QgsRasterLayer, side: int) -> QImage:
    """The whole layer as QGIS draws it, shrunk to ``side`` × ``side`` pixels."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(3 * side, 3 * side))
    settings.setBackgroundColor(NOTHING)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return job.renderedImage().scaled(side, side, keep, smooth)


def legend(painter: QPainter, area: QRectF, panel: Panel) -> None:
    """Classes as swatches, a ramp as a bar with its ends and middle."""
    kind = panel.layer.renderer().type()
    if kind == "paletted":
        swatches(painter, area, [(c.color, c.label) for c in panel.layer.renderer().classes()])
    elif kind == "singlebandpseudocolor":
        items = panel.layer.renderer().shader().rasterShaderFunction().colorRampItemList()
        bar(painter, area, [(item.color, item.label) for item in items])
    else:
        text(painter, QRectF(area.left(), area.top(), area.width(), 18), panel.note, 12, color=QUIET)


def swatches(painter: QPainter, area: QRectF, entries: List[Tuple[QColor, str]]) -> None:
    rows = 3 if len(entries) > 4 else 2
    metrics = QFontMetricsF(font(12))
    left = area.left()
    for start in range(0, len(entries), rows):
        column = entries[start : start + rows]
        for row, (color, label) in enumerate(column):
            top = area.top() + row * 17
            painter.setPen(QPen(QColor(0, 0, 0, 60)))
            painter.setBrush(color)
            painter.drawRect(QRectF(left + 0.5, top + 2.5, 11, 11))
            text(painter, QRectF(left + 17, top, area.width(), 16), label, 12)
        left += 17 + max(metrics.horizontalAdvance(label) for _, label in column) + 16


def bar(painter: QPainter, area: QRectF, items: List[Tuple[QColor, str]]) -> None:
    gradient = QLinearGradient(area.left(), 0, area.right(), 0)
    for at, (color, _) in enumerate(items):
        gradient.setColorAt(at / (len(items) - 1), color)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRect(QRectF(area.left(), area.top() + 2, area.width(), 11))
    row = QRectF(area.left(), area.top() + 16, area.width(), 18)
    text(painter, row, items[0][1], 12)
    text(painter, row, items[len(items) // 2][1], 12, align=Qt.AlignmentFlag.AlignHCenter)
    text(painter, row, items[-1][1], 12, align=Qt.AlignmentFlag.AlignRight)


def text(
    painter: QPainter,
    area: QRectF,
    content: str,
    size_px: int,
    bold: bool = False,
    color: QColor = INK,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    painter.setFont(font(size_px, bold))
    painter.setPen(color)
    painter.drawText(area, int(align | Qt.AlignmentFlag.AlignVCenter), content)


def font(size_px: int, bold: bool = False) -> QFont:
    chosen = QFont("DejaVu Sans")
    chosen.setPixelSize(size_px)
    chosen.setBold(bold)
    return chosen
