"""The report of a mapped folder: one static HTML file with a row and a thumbnail a scene."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from ..mapping.folder.summary import Summary
from ..mapping.folder.tasks import FAILED, KEPT, MAPPED, Outcome, folder_of
from ..mapping.folder.thumbnail import NAME
from ..textfile import write_text
from ..version import plugin_version
from .page import render

_MOST_ROWS = 2000  # a browser shows them; the table has all


def write_folder_report(path: str, summary: Summary) -> None:
    """Write the report; thumbnails stay in the output folder and are linked from it.

    Raises:
        JobError: it cannot be written.
    """
    text = render(
        "folder.html",
        title=os.path.basename(summary.job.scenes),
        version=plugin_version(),
        summary=summary,
        card=summary.card,
        headline=[
            (summary.count(MAPPED), "mapped in this run"),
            (summary.count(KEPT), "up to date from before"),
            (len(summary.failed), "failed"),
            (summary.figures["pixels"] / max(summary.seconds, 1e-9) / 1e6, "million pixels a second"),
        ],
        layers=", ".join(name.replace("_", " ") for name in summary.job.layers),
        means=[name for name in summary.columns if name.startswith("mean ")],
        totals=_totals(summary),
        rows=[_row(path, summary, o) for o in summary.outcomes if o.status != FAILED][:_MOST_ROWS],
        most=_MOST_ROWS,
    )
    write_text(path, text)


def _totals(summary: Summary) -> list[tuple[str, str, float, float | None]]:
    """Name, colour, share of the mapped pixels and hectares of each class, over all scenes."""
    figures = [outcome.figures for outcome in summary.outcomes]
    pixels = [sum(f.get(f"{c.name} px", 0) for f in figures) for c in summary.card.main.classes]
    if not sum(pixels):
        return []
    hectares = [
        sum(f[f"{c.name} ha"] for f in figures if f"{c.name} ha" in f)
        if any(f"{c.name} ha" in f for f in figures)
        else None
        for c in summary.card.main.classes
    ]
    return [
        (c.name, c.color, count / sum(pixels), area)
        for c, count, area in zip(summary.card.main.classes, pixels, hectares, strict=True)
    ]


def _row(path: str, summary: Summary, outcome: Outcome) -> dict[str, object]:
    pixels = [(c, outcome.figures.get(f"{c.name} px", 0)) for c in summary.card.main.classes]
    total = sum(count for _, count in pixels)
    picture = Path(summary.job.output_folder, folder_of(outcome.name), NAME)
    return {
        "outcome": outcome,
        "picture": _link(picture, Path(path).parent) if picture.exists() else "",
        "shares": [(c, count / total) for c, count in pixels if count] if total else [],
    }


def _link(target: Path, folder: Path) -> str:
    """A link from a page in ``folder``; absolute where they lie on different drives."""
    try:
        return quote(Path(os.path.relpath(target, folder)).as_posix())
    except ValueError:
        return target.resolve().as_uri()
