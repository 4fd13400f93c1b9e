"""Words and numbers as a reader of a report or a panel sees them."""

from __future__ import annotations

import math

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
