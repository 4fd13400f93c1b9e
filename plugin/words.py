"""Words and numbers as a reader of a report or a panel sees them."""

from __future__ import annotations

import math
from typing import Any, Mapping, Sequence

from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

OUTPUTS = {  # by the names of ``engine.jobs.MAP_OUTPUTS``
    "map": QT_TRANSLATE_NOOP("AuxLens", "map"),
    "probability": QT_TRANSLATE_NOOP("AuxLens", "probability"),
    "uncertainty": QT_TRANSLATE_NOOP("AuxLens", "uncertainty"),
    "reconstruction": QT_TRANSLATE_NOOP("AuxLens", "reconstruction"),
    "expected_error": QT_TRANSLATE_NOOP("AuxLens", "expected error"),
    "reconstruction_error": QT_TRANSLATE_NOOP("AuxLens", "reconstruction error"),
    "main_error": QT_TRANSLATE_NOOP("AuxLens", "main error"),
    "error_probability": QT_TRANSLATE_NOOP("AuxLens", "error probability"),
    "attribution": QT_TRANSLATE_NOOP("AuxLens", "attribution"),
}

FIGURES = {  # by the names that the engine gives them
    "overall_accuracy": QT_TRANSLATE_NOOP("AuxLens", "overall accuracy"),
    "adjusted_overall_accuracy": QT_TRANSLATE_NOOP("AuxLens", "area-adjusted overall accuracy"),
    "users_accuracy": QT_TRANSLATE_NOOP("AuxLens", "user's accuracy"),
    "producers_accuracy": QT_TRANSLATE_NOOP("AuxLens", "producer's accuracy"),
    "mean_iou": QT_TRANSLATE_NOOP("AuxLens", "mean IoU"),
    "mean_f1": QT_TRANSLATE_NOOP("AuxLens", "mean F1"),
    "pixels": QT_TRANSLATE_NOOP("AuxLens", "pixels"),
    "polygons": QT_TRANSLATE_NOOP("AuxLens", "polygons"),
    "bias": QT_TRANSLATE_NOOP("AuxLens", "bias"),
    "error_rate": QT_TRANSLATE_NOOP("AuxLens", "share of wrong pixels"),
    "auroc": "AUROC",
    "auroc_uncertainty_alone": QT_TRANSLATE_NOOP("AuxLens", "AUROC of the uncertainty alone"),
    "aupr": "AUPR",
    "ece": "ECE",
    "f1": "F1",
    "iou": "IoU",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}
AGREEMENT = (  # what ``palettes.RIGHT_OR_WRONG`` says
    QT_TRANSLATE_NOOP("AuxLens", "map = reference"),
    QT_TRANSLATE_NOOP("AuxLens", "map ≠ reference"),
)
_COUNTS = ("pixels", "polygons")
_IN_UNITS = ("rmse", "mae", "expected_mae", "bias")  # of what is estimated; the others are numbers of their own


def tr(text: str) -> str:
    """A text in the user's language."""
    return QCoreApplication.translate("AuxLens", text)


def output_words(output: str) -> str:
    """What an output is called: ``error_probability`` → “Error probability”."""
    words = tr(OUTPUTS.get(output, output.replace("_", " ")))
    return words[:1].upper() + words[1:]


def figure(value: float, unit: str = "") -> str:
    """A number with three significant digits; “–” where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        text = f"{value:.2e}"
    elif size >= 100:
        text = f"{value:,.0f}".replace(",", "\u202f")
    else:
        text = f"{value:.{max(0, 2 - math.floor(math.log10(size))) if size else 0}f}"
    return (text + (f" {unit}" if unit else "")).replace("-", "−")


def count(number: float) -> str:
    """How many there are of something."""
    return f"{number:,.0f}".replace(",", "\u202f")


def coordinates(x: float, y: float) -> str:
    """A place in its CRS, to eight digits: eastings have as many where they begin with the number of a zone."""
    return f"{x:.8g}, {y:.8g}"


def figure_name(name: str) -> str:
    """What a figure of the engine is called: ``mean_iou`` → “mean IoU”."""
    return tr(FIGURES.get(name, name.replace("_", " ")))


def figure_of(name: str, value: float, unit: str) -> str:
    """A figure by the engine's name, in the unit of what is estimated where it is in that."""
    return count(value) if name in _COUNTS else figure(value, unit if name in _IN_UNITS else "")


def figures_words(figures: Mapping[str, Any], chosen: Sequence[str] = (), unit: str = "") -> str:
    """Figures in a line; those that are numbers or text already, in the order in which they are chosen.

    Args:
        figures: By the engine's names.
        chosen: Names of those that are shown; all where empty.
        unit: Of what is estimated.
    """
    parts = []
    for name in (name for name in chosen or figures if isinstance(figures.get(name), (int, float, str))):
        value = figures[name]
        said = value if isinstance(value, str) else figure_of(name, float(value), unit)
        parts.append(f"{figure_name(name)} {said}")
    return " · ".join(parts)


def plus_minus(value: float, half: float, unit: str = "") -> str:
    """A number with half of its interval, both to the interval's second significant digit: “406.5 ± 3.1”."""
    if not (math.isfinite(value) and math.isfinite(half)) or half <= 0:
        return figure(value, unit)
    places = max(0, 1 - math.floor(math.log10(half)))
    text = " ± ".join(f"{number:,.{places}f}".replace(",", "\u202f") for number in (value, half))
    return (text + (f" {unit}" if unit else "")).replace("-", "−")


def percent(share: float) -> str:
    """A share of 1 as a percentage, never rounded to none or all of what is not."""
    if share is None or not math.isfinite(share):
        return "–"
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    fine = 0 < share < 0.0995 or 0.9 < share < 1
    return f"{100 * share:.1f} %" if fine else f"{100 * share:.0f} %"
