"""The sheet about where the map is doubtful: error probability, its levels, and the observed errors."""

from __future__ import annotations

from typing import Dict, Optional

from ...engine.palettes import MAGMA
from ..charts import Chart, ramp_color, share_bars
from ..words import figure, percent, tr
from .sheets import Sheet
from .subject import Subject, plain_map
from .tables import Table


def error_sheet(subject: Subject) -> Optional[Sheet]:
    """Where the map is doubtful: error probability, the share of each level, and how it compares with the reference."""
    scene, figures = subject.scene, subject.figures
    if not scene.doubt:
        subject.leave_out(tr("where the map is doubtful"), tr("there is no layer “error probability” or “uncertainty”"))
        return None
    maps = {"map": plain_map(scene, scene.doubt)}
    beside = next((name for name in ("main_error", "uncertainty") if name in scene.layers and name != scene.doubt), "")
    if beside:
        words_ = tr("Main error: where map and reference differ") if beside == "main_error" else ""
        maps["beside"] = plain_map(scene, beside, words_)
    caption = tr("The uncertainty is how evenly the probability is spread over the classes; it is no rate of errors.")
    if not subject.classes:
        caption = tr("The uncertainty is how large the network expects the error of the estimate to be.")
    charts: Dict[str, Chart] = {}
    tables = {}
    if figures.levels:
        charts["levels"] = level_chart(subject)
        tables["levels_table"] = _level_table(subject)
        caption = tr(
            "The error probability is set to the rate of errors on held-out references: {} of this map is expected "
            "to be wrong."
        ).format(percent(figures.mean("error_probability")))
        if scene.tolerance > 0:
            caption += " " + tr("Wrong is an estimate that is off by more than {}.").format(
                figure(scene.tolerance, subject.unit)
            )
        if figures.auroc == figures.auroc:
            caption += " " + tr("It ranks wrong above right pixels with an AUROC of {}.").format(figure(figures.auroc))
    return Sheet("error", tr("Where the map is doubtful"), {"caption": caption}, maps, charts, tables)


def _level_name(low: float, high: float) -> str:
    return f"{100 * low:.0f} – {100 * high:.0f} %"


def level_chart(subject: Subject) -> Chart:
    """Share of the area of each level of error probability, in the colours of its map."""
    levels, area = subject.figures.levels, subject.figures.area or 1.0
    shares = [(_level_name(v.low, v.high), ramp_color(MAGMA, (v.low + v.high) / 2), v.area / area) for v in levels]
    return share_bars(shares, tr("Share of the area by error probability"))


def _level_table(subject: Subject) -> Table:
    figures, compared = subject.figures, any(level.compared for level in subject.figures.levels)
    rows = []
    for level in figures.levels:
        row = [_level_name(level.low, level.high), figure(level.area), percent(level.area / (figures.area or 1.0))]
        row.append(percent(level.expected / level.pixels) if level.pixels else "–")
        if compared:
            row.append(percent(level.wrong / level.compared) if level.compared else "–")
        rows.append(tuple(row))
    headings = [tr("error probability"), tr("area ({})").format(figures.unit), tr("share"), tr("expected wrong")]
    return Table(tuple(headings + ([tr("observed wrong")] if compared else [])), tuple(rows))
