"""The sheets with figures that other algorithms found: ``accuracy``, ``explainerrors``, or any table."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Sequence

from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..words import count, figure, figure_name, figure_of, figures_words, plus_minus, tr
from .sheets import Sheet, numbered
from .tables import Row, Table, as_table, number_of, pairs, read_rows

_MOST_CLASSES = 20
_MOST_ROWS = 200  # of a table that is shown as it is
_ROWS_A_PAGE = 46
_MOST_CORRELATIONS = 20
_OF_CLASS = ("users_accuracy", "producers_accuracy", "f1", "iou")
_FINDINGS = {"figure", "of", "group", "value", "low", "high", "p_value"}  # columns of explainerrors' table
_DETECTION = ("auroc", "aupr", "fpr95", "aurc", "auroc gain over uncertainty")
_CORRELATION = ("pearson", "spearman", "partial, given uncertainty and class")

_HEADING = QT_TRANSLATE_NOOP("AuxLens", "Are errors explained?")
_CAPTIONS = {
    "detection": QT_TRANSLATE_NOOP(
        "AuxLens",
        "How well each layer ranks wrong pixels before right ones, with 95 % intervals. AUROC: 0.5 is chance, 1 "
        "perfect. AUPR: higher is better. FPR95 and AURC: lower is better. The gain is that in AUROC over the "
        "uncertainty alone.",
    ),
    "correlations": QT_TRANSLATE_NOOP(
        "AuxLens",
        "Correlation of the main error with each reconstruction error over all pixels, with 95 % intervals. The "
        "p-value counts neighbouring pixels by their effective number (Dutilleul 1993). Partial: given uncertainty "
        "and class. Figures by class and scene are in the file.",
    ),
}


def accuracy_sheet(accuracy: Mapping[str, Any]) -> Sheet:
    """What ``accuracy`` found."""
    compared = accuracy.get("compared") or {}
    caption = " ".join(map(str, (compared.get("sampling", ""), *(compared.get("notes") or ()))))
    texts = {"figures": figures_words(_overall(accuracy), unit=_unit(accuracy)), "caption": caption.strip()}
    return Sheet("accuracy", tr("Accuracy"), texts, {}, {}, {"table": _accuracy_table(accuracy)})


def _unit(accuracy: Mapping[str, Any]) -> str:
    """Of the quantity that was assessed; empty for classes."""
    return str(accuracy.get("unit") or "")


def _overall(accuracy: Mapping[str, Any]) -> Dict[str, Any]:
    """The overall figures, without those that others hold: the adjusted accuracy's standard error and interval."""
    overall = dict(accuracy["overall"])
    half = overall.pop("adjusted_overall_accuracy_ci95", None)
    overall.pop("adjusted_overall_accuracy_se", None)
    if half is not None and overall.get("adjusted_overall_accuracy") is not None:
        overall["adjusted_overall_accuracy"] = plus_minus(float(overall["adjusted_overall_accuracy"]), float(half))
    return overall


def _accuracy_table(accuracy: Mapping[str, Any]) -> Table:
    rows = accuracy.get("classes") or []
    if not rows:
        known = {name: v for name, v in accuracy["overall"].items() if isinstance(v, (int, float))}
        return pairs([(figure_name(name), figure_of(name, v, _unit(accuracy))) for name, v in known.items()])
    polygons = "reference_polygons" in rows[0]  # of a map of polygons each counts once
    counted = "reference_polygons" if polygons else "reference_pixels"
    shown = []
    for row in rows[:_MOST_CLASSES]:
        cells = [str(row.get("class", "")), count(float(row.get(counted) or 0))]
        for key in _OF_CLASS:
            value, half = row.get(key), row.get(f"adjusted_{key}_ci95")
            cells.append("–" if value is None else plus_minus(float(value), float(half or 0)))
        shown.append(tuple(cells))
    heading = tr("reference polygons") if polygons else tr("reference pixels")
    headings = (tr("class"), heading, *map(figure_name, _OF_CLASS))
    return Table(headings, tuple(shown), (0.26, 0.16, 0.17, 0.19, 0.11, 0.11))


def errors_sheets(path: str) -> List[Sheet]:
    """What ``explainerrors`` found: how well each layer finds errors, and correlations; any other table as it is.

    Raises:
        JobError: the file cannot be read, or has no rows.
    """
    rows = read_rows(path)
    if set(rows[0]) >= _FINDINGS:
        return [_findings_sheet(rows)]
    table, more = as_table(rows, os.path.basename(path), _MOST_ROWS)
    caption = table.title + (" " + tr("({} more rows in the file)").format(more) if more else "")
    parts = table.parts(_ROWS_A_PAGE)
    return numbered([Sheet("errors", tr(_HEADING), {"caption": caption}, {}, {}, {"table": part}) for part in parts])


def _findings_sheet(rows: Sequence[Row]) -> Sheet:
    tables = {"detection": _detection(rows), "correlations": _correlations(rows)}
    tables = {name: table for name, table in tables.items() if table.rows}
    texts = {f"{name}_caption": tr(_CAPTIONS[name]) for name in tables}
    whole = len(_by_what(rows, _CORRELATION))
    if whole > _MOST_CORRELATIONS:
        texts["correlations_caption"] += " " + tr("The {} strongest of {} are shown.").format(_MOST_CORRELATIONS, whole)
    return Sheet("findings", tr(_HEADING), texts, {}, {}, tables)


def _by_what(rows: Sequence[Row], figures: Sequence[str]) -> Dict[str, Dict[str, Row]]:
    """The rows over all pixels, by what they are of and by figure."""
    found: Dict[str, Dict[str, Row]] = {}
    for row in rows:
        if row["group"] == "all" and row["figure"] in figures:
            found.setdefault(row["of"], {})[row["figure"]] = row
    return found


def _detection(rows: Sequence[Row]) -> Table:
    found = {of: own for of, own in _by_what(rows, _DETECTION).items() if "auroc" in own}
    order = sorted(found, key=lambda of: -(number_of(found[of]["auroc"]["value"]) or 0.0))
    cells = tuple((of, *(_with_interval(found[of].get(name)) for name in _DETECTION)) for of in order)
    return Table((tr("layer"), "AUROC", "AUPR", "FPR95", "AURC", tr("gain")), cells, (0.16, *(0.158,) * 4, 0.208))


def _correlations(rows: Sequence[Row]) -> Table:
    found = _by_what(rows, _CORRELATION)
    strongest = sorted(found, key=lambda of: -abs(_pearson(found[of])))[:_MOST_CORRELATIONS]
    cells = []
    for of, own in ((of, own) for of, own in found.items() if of in strongest):
        pearson, spearman, partial = (own.get(name) for name in _CORRELATION)
        cells.append((of, _with_interval(pearson), _p_value(pearson), _alone(spearman), _alone(partial)))
    headings = (tr("reconstruction error"), "Pearson", tr("p (effective pixels)"), "Spearman", tr("partial"))
    return Table(headings, tuple(cells), (0.28, 0.26, 0.22, 0.12, 0.12))


def _pearson(own: Mapping[str, Row]) -> float:
    return (number_of(own["pearson"]["value"]) if "pearson" in own else None) or 0.0


def _alone(row: Any) -> str:
    value = number_of(row["value"]) if row else None
    return "–" if value is None else _coefficient(value)


def _with_interval(row: Any) -> str:
    low, high = (number_of(row[name]) if row else None for name in ("low", "high"))
    return _alone(row) + ("" if low is None or high is None else f" ({_coefficient(low)} … {_coefficient(high)})")


def _p_value(row: Any) -> str:
    value = number_of(row["p_value"]) if row else None
    if value is None:
        return "–"
    text = "< 0.001" if value < 0.001 else f"{value:.3f}"
    size = number_of(row.get("effective_size"))
    return text if size is None else f"{text} ({figure(size)})"


def _coefficient(value: float) -> str:
    """A number between −1 and 1."""
    return f"{value:.3f}".replace("-", "−")
