"""The report on attributions: one static HTML file that says what a model's explanations are worth."""

from __future__ import annotations

import math
import os

import numpy as np

from ..attribution.methods import EXPLAINER
from ..attribution.results import MEASURES, Quality, verdicts
from ..palettes import PLAYER_COLORS
from ..version import plugin_version
from . import figures as fig
from .page import render

_COLORS = (fig.BLUE, fig.ORANGE, fig.GREEN, "#cc79a7", fig.QUIET)
REMOVALS = {
    "mean": "their mean, and the network is told, as in its training",
    "blur": "a blurred copy of themselves",
    "noise": "noise of their mean and deviation",
}


def render_attribution_report(quality: Quality) -> str:
    """The report as HTML text."""
    own, samples = quality.figures[EXPLAINER], "polygons" if quality.patches else "pixels"
    return render(
        "attribution.html",
        quality=quality,
        scene=os.path.basename(quality.scene),
        version=plugin_version(),
        removal=REMOVALS[quality.removal],
        headline=[
            (own["rank_correlation"], "rank correlation with Shapley values"),
            (own["r2"], "R² against Shapley values"),
            (own["same_dominant"], f"share of {samples} with the right dominant player"),
        ],
        verdicts=verdicts(quality),
        measures=[(name, *MEASURES[name]) for name in MEASURES if name in own],
        best={name: _best(quality, name) for name in own},
        controls=quality.controls,
        example=_patches(quality) if quality.patches else _example(quality),
        samples=samples,
        curves=_curves(quality) if quality.curves else "",
    )


def _best(quality: Quality, measure: str) -> str:
    """The method that does best by a measure; what means nothing does not compete."""
    values = {name: f[measure] for name, f in quality.figures.items() if name != "random" and np.isfinite(f[measure])}
    choose = max if MEASURES[measure][1] == "higher" else min
    return choose(values, key=lambda name: values[name]) if values else ""


def _example(quality: Quality) -> str:
    """Bars of a few pixels: what each player contributes by definition, and what the explainer says."""
    count, players = len(quality.shapley), quality.players
    made = fig.figure(9.6, 0.5 + 0.24 * len(players) * -(-count // 3))
    panels = made.subplots(-(-count // 3), min(3, count), squeeze=False, sharex=True).flat
    at = np.arange(len(players))
    for number, (axes, exact, said) in enumerate(zip(panels, quality.shapley, quality.explained, strict=False), 1):
        axes.barh(at, exact, 0.78, color="#d5dade", label="Shapley value")
        axes.barh(at, said, 0.36, color=[PLAYER_COLORS[i] for i in at], label="explainer")
        axes.axvline(0, color=fig.INK, linewidth=0.8)
        axes.set_yticks(at, players if number % 3 == 1 else [""] * len(players), fontsize=8, color=fig.INK)
        axes.invert_yaxis()
        axes.set_title(f"pixel {number}", fontsize=8, color=fig.QUIET, loc="left")
        axes.tick_params(axis="x", labelsize=7, colors=fig.INK)
        axes.spines[["top", "right", "left"]].set_visible(False)
    for axes in list(panels)[count:]:
        axes.set_visible(False)
    return fig.as_svg(made)


def _patches(quality: Quality) -> str:
    """The chips of a few objects: what each patch contributes by definition, and below what the explainer says."""
    side = math.isqrt(len(quality.players))
    made = fig.figure(9.6, 3.8)
    grid = made.subplots(2, len(quality.shapley), squeeze=False)
    for number, columns in enumerate(zip(quality.shapley, quality.explained, strict=True)):
        reach = max(abs(value) for values in columns for value in values) or 1.0
        for row, (values, said) in enumerate(zip(columns, ("Shapley value", "explainer"), strict=True)):
            axes, image = grid[row][number], np.reshape(values, (side, side))
            axes.imshow(image, cmap="RdBu", vmin=-reach, vmax=reach)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(f"±{reach:.2g}" if row == 0 else "", fontsize=8, color=fig.QUIET)
            axes.set_ylabel(said if number == 0 else "", fontsize=8, color=fig.INK)
    return fig.as_svg(made)


def _curves(quality: Quality) -> str:
    """Mean score as players are added or removed, a line a method."""
    made = fig.figure(9.6, 3.0)
    for axes, way in zip(made.subplots(1, 2, sharey=True), ("insertion", "deletion"), strict=True):
        for (method, curves), color in zip(quality.curves.items(), _COLORS, strict=True):
            wide = 2.6 if method == EXPLAINER else 1.3
            axes.plot(curves[way], color=color, label=method, linewidth=wide, marker="o", markersize=3)
        axes.set_title(f"{way}: players {'added' if way == 'insertion' else 'removed'}, largest first", fontsize=9,
                       color=fig.INK, loc="left")  # fmt: skip
        axes.set_xlabel("players", fontsize=9, color=fig.INK)
        axes.tick_params(labelsize=8, colors=fig.INK)
        axes.grid(color="#e3e7ea", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.locator_params(axis="x", integer=True)
    axes = made.axes[0]
    axes.set_ylabel(f"mean score ({quality.unit})", fontsize=9, color=fig.INK)
    axes.legend(frameon=False, fontsize=8, labelcolor=fig.INK)
    return fig.as_svg(made)
