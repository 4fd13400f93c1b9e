"""The report on sensitivity: one static HTML file that says which bands each task leans on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..sensitivity.results import Sensitivity, agreement, condensed, verdict
from ..version import plugin_version
from . import figures as fig
from .attribution import REMOVALS
from .page import render

PANELS = 24  # of the chart at most: more are no longer compared by eye; the table has every task
_ACROSS = 6


def render_sensitivity_report(found: Sensitivity) -> str:
    """The report as HTML text."""
    found = condensed(found)
    return render(
        "sensitivity.html",
        version=plugin_version(),
        found=found,
        removal="their mean" if found.removal == "mean" and not found.told else REMOVALS[found.removal],
        verdict=verdict(found),
        chart=_chart(found),
        panels=PANELS,
        groups=[_group(*group) for group in found.groups],
        pixels=int(found.sums.pixels.sum()),
    )


def _group(name: str, pixels: int, changes: NDArray[np.float64]) -> dict[str, Any]:
    largest = np.maximum(changes.max(axis=0), 1e-12)
    return {
        "name": name,
        "pixels": pixels,
        "rows": [
            [(float(v), float(s)) for v, s in zip(row, row / largest, strict=True)] for row in changes
        ],
        "ranks": [float(r) for r in agreement(changes)],
    }  # fmt: skip


def _chart(found: Sensitivity) -> str:
    """Bars: each task's changes by player, as shares of its largest; of the first tasks where there are very many."""
    changes, tasks = found.overall, found.tasks[:PANELS]
    shares = changes / np.maximum(changes.max(axis=0), 1e-12)
    across = min(len(tasks), _ACROSS)
    down = -(-len(tasks) // across)
    made = fig.figure(9.6, down * (0.8 + 0.28 * len(found.players)))
    panels = made.subplots(down, across, sharey=True, squeeze=False)
    at = np.arange(len(found.players))
    for axes in panels.flat[len(tasks) :]:
        axes.set_visible(False)
    for number, (axes, task) in enumerate(zip(panels.flat, tasks, strict=False)):
        axes.barh(at, shares[:, number], 0.66, color=fig.ORANGE if number == 0 else fig.BLUE, linewidth=0)
        axes.set_title(f"map: {task}" if number == 0 else task, fontsize=9, color=fig.INK, loc="left", parse_math=False)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(len(at) - 0.45, -0.55)
        axes.tick_params(labelsize=8, colors=fig.INK)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_yticks(at, found.players, parse_math=False)
    return fig.as_svg(made)
