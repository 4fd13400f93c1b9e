"""An answer as a picture and as text."""

from __future__ import annotations

from typing import List, Sequence, Tuple

import numpy as np
from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QImage, QPainter
from qgis.PyQt.QtWidgets import QWidget

from ..charts import AGAINST, FOR, INK, QUIET, Bar, Chart, Line, bars, spectrum, stacked, text, words
from ..places import Place, Reading, relative_errors
from ..words import figure, output_words, percent, tr
from .answer import Answer, headline

_MARGIN, _LINE, _TITLE, _GAP = 10, 20.0, 22.0, 12.0
_FEW_BANDS = 3  # of more a spectrum is drawn


def parts(found: Answer) -> List[Tuple[Chart, float]]:
    """The answer's charts from the top down, each with its height in pixels."""
    place = found.place
    first, second = headline(found)
    shown: List[Tuple[Chart, float]] = [(words([(first, True), (second, False)], 12), 44.0)]
    if not place.pixels:
        return shown
    if place.values:
        lines = doubts(found)
        shown.append((bars(lines, 1.0 if place.mapped else None, tr("Doubt")), _tall(len(lines))))
    if place.probabilities:
        top = sorted(place.probabilities, key=lambda pair: -np.nan_to_num(pair[1]))[:6]
        lines = [Bar(c.name, p, QColor(c.color), percent(p)) for c, p in top]
        shown.append((bars(lines, 1.0, tr("Probability of the classes")), _tall(len(lines))))
    if place.attributions:
        lines = [Bar(player, v, FOR if v >= 0 else AGAINST, figure(v)) for player, v in place.attributions]
        if np.isfinite(place.bias):
            lines.append(Bar(tr("bias"), place.bias, QUIET, _sum_words(place)))
        shown.append((bars(lines, title=_attribution_title(found)), _tall(len(lines))))
    for reading in place.readings:
        shown.append((_reading_chart(reading), _reading_tall(reading)))
    return shown


def _sum_words(place: Place) -> str:
    """The bias, and what it and the attributions add up to."""
    total = place.bias + sum(value for _, value in place.attributions)
    return f"{figure(place.bias)} · " + tr("together {}").format(figure(total))


def _attribution_title(found: Answer) -> str:
    if found.place.mapped is None:
        return tr("Attribution: what raises the estimate (+) and lowers it (−)")
    one = found.scene.attributed_class
    if one:
        return tr("Attribution: what speaks for “{}” (+) and against it (−)").format(one)
    return tr("Attribution: what speaks for it (+) and against it (−)")


def doubts(found: Answer) -> List[Bar]:
    """Error probability, uncertainty and main error as bars, with how they compare with the scene."""
    items = []
    for output, value in found.place.values.items():
        said = percent(value) if output == "error_probability" else figure(value, found.unit)
        if output == "main_error" and found.place.mapped is not None:
            said = tr("{} of it differs from the reference").format(percent(value))
            if found.place.pixels == 1:
                said = tr("differs from the reference") if value else tr("agrees with the reference")
        if output in found.percentiles:
            said += " · " + tr("higher than {} % of the scene").format(f"{found.percentiles[output]:.0f}")
        color = AGAINST if output == "error_probability" else QUIET
        items.append(Bar(output_words(output), value, color, said))
    return items


def _tall(lines: int) -> float:
    return _TITLE + _LINE * lines + _GAP


def _reading_tall(reading: Reading) -> float:
    return _TITLE + (_LINE * 1.1 * len(reading.bands) if len(reading.bands) <= _FEW_BANDS else 120.0) + _GAP


def _reading_chart(reading: Reading) -> Chart:
    title = f"{reading.name}" + (f" ({reading.unit})" if reading.unit else "")
    if len(reading.bands) > _FEW_BANDS:
        lines = [Line(tr("predicted"), reading.predicted, FOR, reading.expected)]
        if np.isfinite(reading.observed).any():
            lines.append(Line(tr("observed"), reading.observed, INK))
        return spectrum(lines, reading.bands, "", title)
    return _under(title, [_band_line(reading, at) for at in range(len(reading.bands))])


def _band_line(reading: Reading, at: int) -> Tuple[str, str]:
    """Name of a band, and what is predicted and observed there."""
    said = tr("predicted {}").format(figure(reading.predicted[at], reading.unit))
    if np.isfinite(reading.expected[at]):
        said += f" ± {figure(reading.expected[at])}"
    if np.isfinite(reading.observed[at]):
        said += ", " + tr("observed {}").format(figure(reading.observed[at], reading.unit))
    return reading.bands[at], said


def _under(title: str, lines: Sequence[Tuple[str, str]]) -> Chart:
    def draw(painter: QPainter, area: QRectF) -> None:
        text(painter, QRectF(area.left(), area.top(), area.width(), 17), title, 11.5, bold=True)
        for at, (name, said) in enumerate(lines):
            top = area.top() + 20 + at * _LINE
            text(painter, QRectF(area.left(), top, area.width() * 0.25, _LINE), name, 11)
            text(painter, QRectF(area.left() + area.width() * 0.25, top, area.width() * 0.75, _LINE), said, 11, QUIET)

    return draw


def as_text(found: Answer) -> str:
    """The answer in words and numbers, to be pasted."""
    place = found.place
    lines = list(headline(found))
    if not place.pixels:
        return "\n".join(lines)
    lines += [f"{bar.label}: {bar.text}" for bar in doubts(found)]
    if place.probabilities:
        lines.append(tr("Probability of the classes") + ": " + _listed(place))
    if place.attributions:
        said = ", ".join(f"{player} {figure(value)}" for player, value in place.attributions)
        if np.isfinite(place.bias):
            said += f", {tr('bias')} {_sum_words(place)}"
        lines.append(f"{_attribution_title(found)}: {said}; " + tr("dominant: {}").format(place.dominant or "–"))
    off = relative_errors(place)
    for reading in place.readings:
        lines += [f"{reading.name} {' '.join(_band_line(reading, at))}" for at in range(len(reading.bands))]
        if reading.name in off:
            lines.append(tr("{}: off by {} times the expected error").format(reading.name, figure(off[reading.name])))
    return "\n".join(lines)


def _listed(place: Place) -> str:
    ordered = sorted(place.probabilities, key=lambda pair: -np.nan_to_num(pair[1]))
    return ", ".join(f"{c.name} {percent(p)}" for c, p in ordered)


class AnswerView(QWidget):
    """Draws the answer, as tall as it needs."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: List[Tuple[Chart, float]] = []
        self.setMinimumWidth(260)
        self.show_parts([(words([(tr("Click a mapped scene, or draw an outline."), False)], 12), 40.0)])

    def show_parts(self, shown: List[Tuple[Chart, float]]) -> None:
        """Show charts below each other."""
        self._parts = shown
        self.setMinimumHeight(int(sum(tall for _, tall in shown)) + 2 * _MARGIN)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, self.minimumHeight())

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        self._draw(painter, self.width(), self.height())
        painter.end()

    def image(self) -> QImage:
        """The answer as a picture, twice as fine as on the screen."""
        width, height = max(self.width(), 420), self.minimumHeight()
        image = QImage(2 * width, 2 * height, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.scale(2, 2)
        self._draw(painter, width, height)
        painter.end()
        return image

    def _draw(self, painter: QPainter, width: int, height: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(QRectF(0, 0, width, height), Qt.GlobalColor.white)
        area = QRectF(_MARGIN, _MARGIN, width - 2 * _MARGIN, height - 2 * _MARGIN)
        stacked([*self._parts, (words([]), 0.0)])(painter, area)
