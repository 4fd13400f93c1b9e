"""Charts drawn with Qt's painter alone, for the panel's widgets and the report's pages alike.

A chart is a function of a painter and the area that it fills; lengths are pixels of 1/96 inch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, Sequence, Tuple

import numpy as np
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetricsF, QImage, QLinearGradient, QPainter, QPen, QPolygonF
from qgis.PyQt.QtSvg import QSvgGenerator

from ..engine.palettes import PLAYER_COLORS, Ramp
from .words import figure, percent

Chart = Callable[[QPainter, QRectF], None]

INK, QUIET, LINE = QColor("#22303c"), QColor("#66727e"), QColor("#dfe4e8")
FOR, AGAINST = QColor("#0072b2"), QColor("#d55e00")  # colour-blind safe (Okabe & Ito)
PX_PER_MM = 96 / 25.4
_LEFT, _RIGHT, _MIDDLE = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignHCenter


@dataclass(frozen=True)
class Bar:
    """One bar: what it is of, how long, in which colour, and the text at its end."""

    label: str
    value: float
    color: QColor
    text: str = ""
    reach: float = 0.0  # half of an interval around the value


def font(size_px: float, bold: bool = False) -> QFont:
    """A plain sans-serif font that every system has or replaces by one as wide."""
    chosen = QFont("Arial")
    chosen.setStyleHint(QFont.StyleHint.SansSerif)
    chosen.setPixelSize(max(1, round(size_px)))
    chosen.setBold(bold)
    return chosen


def text(
    painter: QPainter,
    area: QRectF,
    content: str,
    size_px: float = 11,
    color: QColor = INK,
    align: Qt.AlignmentFlag = _LEFT,
    bold: bool = False,
) -> None:
    """One line of text, cut with “…” where the area is too narrow."""
    painter.setFont(font(size_px, bold))
    painter.setPen(color)
    shown = QFontMetricsF(painter.font()).elidedText(content, Qt.TextElideMode.ElideRight, area.width() + 0.5)
    flags = align | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(area, int(getattr(flags, "value", flags)), shown)  # Qt 6's flags are no numbers


def width_of(content: str, size_px: float = 11, bold: bool = False) -> float:
    """Width of a text in pixels."""
    return QFontMetricsF(font(size_px, bold)).horizontalAdvance(content)


def player_color(at: int) -> QColor:
    """Colour of the player at a position."""
    return QColor(PLAYER_COLORS[at % len(PLAYER_COLORS)])


def ramp_color(colors: Ramp, share: float) -> QColor:
    """Colour of a ramp at a share, 0–1, of its length."""
    place = min(max(share, 0.0), 1.0) * (len(colors) - 1)
    at = min(int(place), len(colors) - 2)
    low, high, part = QColor(colors[at]), QColor(colors[at + 1]), place - at
    mixed = (round(a + (b - a) * part) for a, b in zip(low.getRgb()[:3], high.getRgb()[:3]))
    return QColor(*mixed)


def bars(items: Sequence[Bar], longest: Optional[float] = None, title: str = "", most_px: float = 20) -> Chart:
    """Horizontal bars; from the middle, to both sides, where a value is negative.

    Args:
        items: From the top down.
        longest: Value of a bar over the whole width; the largest where ``None``.
        title: A line above.
        most_px: Height of a bar's line at most.
    """

    def draw(painter: QPainter, area: QRectF) -> None:
        area = _under_title(painter, area, title)
        if not items:
            return
        line = min(most_px, area.height() / len(items))
        size = min(11.0, line * 0.62)
        label_px = min(area.width() * 0.5, max(width_of(bar.label, size) for bar in items) + 8)
        text_px = max(width_of(bar.text, size) for bar in items) + 8
        room = max(area.width() - label_px - text_px, 10.0)
        signed = any(bar.value < 0 for bar in items)
        if signed:
            room -= text_px
        known = [abs(bar.value) + bar.reach for bar in items if np.isfinite(bar.value)]
        scale = room / (2 if signed else 1) / (longest or max(known, default=0) or 1)
        zero = area.left() + label_px + (text_px + room / 2 if signed else 0)
        for at, bar in enumerate(items):
            top = area.top() + at * line
            text(painter, QRectF(area.left(), top, label_px - 6, line), bar.label, size)
            length = bar.value * scale if np.isfinite(bar.value) else 0.0
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(bar.color)
            painter.drawRect(QRectF(zero, top + line * 0.18, length, line * 0.64).normalized())
            if bar.reach:
                _whisker(painter, zero + length, top + line / 2, bar.reach * scale, line * 0.2)
            end = zero + length + (bar.reach * scale if length >= 0 else -bar.reach * scale)
            place = (
                QRectF(end + 4, top, text_px, line) if length >= 0 else QRectF(end - 4 - text_px, top, text_px, line)
            )
            text(painter, place, bar.text, size, QUIET, _LEFT if length >= 0 else _RIGHT)
        painter.setPen(QPen(QUIET, 0.8))
        painter.drawLine(QPointF(zero, area.top()), QPointF(zero, area.top() + line * len(items)))

    return draw


def _whisker(painter: QPainter, x: float, y: float, reach: float, half: float) -> None:
    painter.setPen(QPen(INK, 1.0))
    painter.drawLine(QPointF(x - reach, y), QPointF(x + reach, y))
    for end in (x - reach, x + reach):
        painter.drawLine(QPointF(end, y - half), QPointF(end, y + half))


def _under_title(painter: QPainter, area: QRectF, title: str) -> QRectF:
    if title:
        text(painter, QRectF(area.left(), area.top(), area.width(), 17), title, 11.5, bold=True)
        return area.adjusted(0, 20, 0, 0)
    return area


@dataclass(frozen=True)
class Line:
    """A line over bands: ``(bands,)`` values, its colour and name; ``spread`` is a band of ± around it."""

    name: str
    values: np.ndarray
    color: QColor
    spread: Optional[np.ndarray] = None


def spectrum(lines: Sequence[Line], names: Sequence[str], unit: str = "", title: str = "") -> Chart:
    """Values over bands as lines; of up to 12 bands every name is written, of more the first and the last."""

    def draw(painter: QPainter, area: QRectF) -> None:
        area = _under_title(painter, area, title)
        used = [line for line in lines if np.isfinite(line.values).any()]
        if not used:
            return
        area = _key(painter, area, [(line.color, line.name) for line in used])
        ends = [line.values + sign * _known(line.spread) for line in used for sign in (-1, 1)]
        low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
        low, high = (low, high) if high > low else (low - 0.5, low + 0.5)
        marks = (figure(high, unit), figure(low, unit))
        left = max(width_of(mark, 10) for mark in marks) + 6
        plot = area.adjusted(left, 6, -8, -16)
        painter.setPen(QPen(LINE, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(plot)
        text(painter, QRectF(area.left(), plot.top() - 7, left - 4, 14), marks[0], 10, QUIET, _RIGHT)
        text(painter, QRectF(area.left(), plot.bottom() - 7, left - 4, 14), marks[1], 10, QUIET, _RIGHT)
        count = len(names)
        x = [plot.left() + plot.width() * ((at + 0.5) / count) for at in range(count)]
        shown = range(count) if count <= 12 else (0, count - 1)
        wide = plot.width() / len(shown)
        for at in shown:
            place = QRectF(min(max(x[at] - wide / 2, plot.left()), plot.right() - wide), plot.bottom() + 2, wide, 14)
            align = _MIDDLE if count <= 12 else (_LEFT if at == 0 else _RIGHT)
            text(painter, place, names[at], 10, QUIET, align)

        def y(value: float) -> float:
            return plot.bottom() - plot.height() * (value - low) / (high - low)

        for line in used:
            _draw_line(painter, line, x, y)

    return draw


def _known(spread: Optional[np.ndarray]) -> np.ndarray:
    return np.zeros(1) if spread is None else np.nan_to_num(spread)


def _draw_line(painter: QPainter, line: Line, x: Sequence[float], y: Callable[[float], float]) -> None:
    known = [at for at, value in enumerate(line.values) if np.isfinite(value)]
    if line.spread is not None:
        around = [(at, line.spread[at]) for at in known if np.isfinite(line.spread[at])]
        upper = [QPointF(x[at], y(line.values[at] + s)) for at, s in around]
        lower = [QPointF(x[at], y(line.values[at] - s)) for at, s in reversed(around)]
        faint = QColor(line.color)
        faint.setAlpha(50)
        if len(around) > 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(faint)
            painter.drawPolygon(QPolygonF(upper + lower))
        else:
            painter.setPen(QPen(faint, 6))
            for end, other in zip(upper, lower):  # of a single band
                painter.drawLine(end, other)
    painter.setPen(QPen(line.color, 1.6))
    painter.drawPolyline(QPolygonF([QPointF(x[at], y(line.values[at])) for at in known]))
    if len(known) <= 40:
        painter.setBrush(line.color)
        for at in known:
            painter.drawEllipse(QPointF(x[at], y(line.values[at])), 2.4, 2.4)


def _key(painter: QPainter, area: QRectF, entries: Sequence[Tuple[QColor, str]]) -> QRectF:
    left = area.left()
    for color, name in entries:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRect(QRectF(left, area.top() + 4, 10, 8))
        text(painter, QRectF(left + 14, area.top(), width_of(name, 10) + 2, 16), name, 10, QUIET)
        left += 14 + width_of(name, 10) + 14
    return area.adjusted(0, 18, 0, 0)


def swatches(entries: Sequence[Tuple[QColor, str]]) -> Chart:
    """A legend of classes, in as many columns and as small as it takes: none is ever cut off."""

    def draw(painter: QPainter, area: QRectF) -> None:
        size, columns = 11.0, 1
        while True:
            line, widest = size * 1.55, max((width_of(label, size) for _, label in entries), default=0) + size * 2.2
            columns = max(1, int(area.width() // widest))
            rows = -(-len(entries) // columns)
            if rows * line <= area.height() or size <= 3:
                break
            size -= 0.5
        for at, (color, label) in enumerate(entries):
            left, top = area.left() + (at // rows) * widest, area.top() + (at % rows) * line
            painter.setPen(QPen(QColor(0, 0, 0, 60), 0.7))
            painter.setBrush(color)
            painter.drawRect(QRectF(left + 0.5, top + line * 0.2, line * 0.62, line * 0.62))
            text(painter, QRectF(left + line * 0.62 + 5, top, area.width(), line), label, size)

    return draw


def ramp(stops: Sequence[Tuple[QColor, str]], title: str = "") -> Chart:
    """A legend of a colour ramp: evenly placed colours with the labels of ends and middle."""

    def draw(painter: QPainter, area: QRectF) -> None:
        gradient = QLinearGradient(area.left(), 0, area.right(), 0)
        for at, (color, _) in enumerate(stops):
            gradient.setColorAt(at / max(1, len(stops) - 1), color)
        painter.setPen(QPen(QColor(0, 0, 0, 60), 0.7))
        painter.setBrush(gradient)
        painter.drawRect(QRectF(area.left() + 0.5, area.top() + 1, area.width() - 1, 9))
        row = QRectF(area.left(), area.top() + 12, area.width(), 14)
        text(painter, row, stops[0][1], 10, QUIET)
        text(painter, row, stops[len(stops) // 2][1], 10, QUIET, _MIDDLE)
        text(painter, row, stops[-1][1], 10, QUIET, _RIGHT)
        if title:
            text(painter, QRectF(area.left(), area.top() + 26, area.width(), 14), title, 10, QUIET)

    return draw


def side_by_side(charts: Sequence[Chart], gap_px: float = 18) -> Chart:
    """Charts in columns of one width."""

    def draw(painter: QPainter, area: QRectF) -> None:
        wide = (area.width() - gap_px * (len(charts) - 1)) / max(1, len(charts))
        for at, chart in enumerate(charts):
            chart(painter, QRectF(area.left() + at * (wide + gap_px), area.top(), wide, area.height()))

    return draw


def stacked(charts: Sequence[Tuple[Chart, float]]) -> Chart:
    """Charts below each other, each with its height in pixels; the last takes what is left."""

    def draw(painter: QPainter, area: QRectF) -> None:
        top = area.top()
        for at, (chart, tall) in enumerate(charts):
            tall = area.bottom() - top if at == len(charts) - 1 else min(tall, area.bottom() - top)
            chart(painter, QRectF(area.left(), top, area.width(), tall))
            top += tall

    return draw


def words(lines: Sequence[Tuple[str, bool]], size_px: float = 11) -> Chart:
    """Lines of text, each with whether it is a heading."""

    def draw(painter: QPainter, area: QRectF) -> None:
        for at, (content, heading) in enumerate(lines):
            place = QRectF(area.left(), area.top() + at * size_px * 1.5, area.width(), size_px * 1.5)
            text(painter, place, content, size_px, INK if heading else QUIET, bold=heading)

    return draw


def share_bars(shares: Sequence[Tuple[str, QColor, float]], title: str = "") -> Chart:
    """Bars of shares of 1, with their percentages."""
    return bars([Bar(name, share, color, percent(share)) for name, color, share in shares], title=title)


def _lowest_ink(chart: Chart, width: int, height: int) -> int:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    chart(painter, QRectF(0, 0, width, height))
    painter.end()
    pixels = image.constBits()
    pixels.setsize(height * image.bytesPerLine())
    inked = np.frombuffer(bytes(pixels), np.uint32).reshape(height, -1)
    return int(np.flatnonzero((inked != inked[-1, -1]).any(axis=1)).max(initial=0))


def svg(chart: Chart, width_mm: float, height_mm: float, *, trimmed: bool = False) -> bytes:
    """A chart as an SVG picture; ``trimmed`` cuts off what it leaves empty at the bottom."""
    width, height = round(width_mm * PX_PER_MM), round(height_mm * PX_PER_MM)
    if trimmed:
        height = min(height, _lowest_ink(chart, width, height) + 6)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(96)
    generator.setSize(QSize(width, height))
    generator.setViewBox(QRectF(0, 0, width, height))
    painter = QPainter(generator)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    chart(painter, QRectF(0, 0, width, round(height_mm * PX_PER_MM)))
    painter.end()
    return bytes(data)
