"""Making content fit its place in a layout: nothing is cut off and nothing runs over what is below."""

from __future__ import annotations

import math
import re
from html import escape

from qgis.core import (
    QgsLayoutItemLabel,
    QgsLayoutItemManualTable,
    QgsLayoutTable,
    QgsLayoutTableColumn,
    QgsTableCell,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QFont, QFontMetricsF

from ..charts import PX_PER_MM, font as plain_font
from .tables import Table

_SMALLEST_PT, _STEP_PT = 4.5, 0.5
_PX_PER_PT = 96 / 72
_MM_A_CHARACTER = 0.21  # width of a wide character in a font of one point


def breakable(text: str, characters: int = 40, mark: str = "\u200b") -> str:
    """A text whose long words, such as paths, can be broken: with a mark (a space of no width) every few characters."""
    return re.sub(rf"(\S{{{max(1, characters)}}})(?=\S)", rf"\1{mark}", text)


def plain(text: str, *, html: bool) -> str:
    """A text that a label shows as it is: not run as an expression, and not read as HTML where the label would."""
    return (escape(text) if html else text).replace("[%", "[\u200b%")


def fit_label(label: QgsLayoutItemLabel) -> None:
    """Make a label's font as small as its text needs to fit its box, wrapped."""
    font = QFont(label.font())
    size = font.pointSizeF()
    width = (label.rect().width() - 2 * label.marginX()) * PX_PER_MM
    height = (label.rect().height() - 2 * label.marginY()) * PX_PER_MM
    wrap = int(getattr(Qt.TextFlag.TextWordWrap, "value", Qt.TextFlag.TextWordWrap))
    while size > _SMALLEST_PT:
        font.setPixelSize(max(1, round(size * _PX_PER_PT * 8)))  # eight times as large: pixels are too coarse
        needed = QFontMetricsF(font).boundingRect(QRectF(0, 0, width * 8, 1e6), wrap, label.currentText())
        if needed.height() / 8 <= height and needed.width() / 8 <= width:
            break
        size -= _STEP_PT
    font = QFont(label.font())
    font.setPointSizeF(size)
    label.setFont(font)


def table_contents(shown: QgsLayoutItemManualTable, table: Table, width_mm: float) -> None:
    """Fill a table; its columns share the width, and longer texts wrap."""
    columns = len(table.headings)
    shares = table.shares or (1 / columns,) * columns
    lines = (columns + 1) * shown.gridStrokeWidth() if shown.showGrid() and shown.verticalGrid() else 0.0
    room = width_mm - 2 * shown.cellMargin() * columns - lines
    widths = [room * share / sum(shares) for share in shares]
    shown.setColumnWidths(widths)
    shown.setWrapBehavior(QgsLayoutTable.WrapBehavior.WrapText)
    named = any(table.headings)
    shown.setIncludeTableHeader(named)
    if named:
        shown.setHeaders([QgsLayoutTableColumn(heading) for heading in table.headings])
    for text_format, put in (
        (shown.contentTextFormat(), shown.setContentTextFormat),
        (shown.headerTextFormat(), shown.setHeaderTextFormat),
    ):
        family = text_format.font()
        if family.family() == QFont().family():  # QGIS puts the system's font for one that is not installed
            family.setFamily(plain_font(9).family())
            text_format.setFont(family)
            put(text_format)
    character = _MM_A_CHARACTER * shown.contentTextFormat().size()
    shown.setTableContents(
        [
            [QgsTableCell(breakable(text, int(width / character), "\n")) for text, width in zip(row, widths)]
            for row in table.rows
        ]
    )


def fit_table(shown: QgsLayoutItemManualTable, height_mm: float) -> None:
    """Make a table's fonts as small as its rows need to fit the frame."""
    while shown.totalSize().height() > height_mm:
        content, header = shown.contentTextFormat(), shown.headerTextFormat()
        if content.size() <= _SMALLEST_PT:
            return
        for text_format in (content, header):
            text_format.setSize(text_format.size() - _STEP_PT)
            text_format.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
        shown.setContentTextFormat(content)
        shown.setHeaderTextFormat(header)


def nice_interval(about: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(about)) if about > 0 else 1.0
    return min((1, 2, 5, 10), key=lambda step: abs(step * power - about)) * power
