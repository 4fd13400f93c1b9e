"""The report on explained errors: one static HTML file with a verdict, charts, tables and windows to look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..explain.findings import QUANTILES, Findings, Line
from ..explain.mapped import REFERENCE, MappedScene, Plane
from ..explain.scores import ALONE, COMBINED_ERROR, COMBINED_EXPECTED, ERROR_PROBABILITY
from ..palettes import BLUE_WHITE_RED, GREYS, MAGMA, RIGHT_OR_WRONG, VIRIDIS, Scale
from ..scene.window import Window
from ..version import plugin_version
from . import figures as fig
from .page import render
from .reliability_chart import Words, reliability_chart

_COLOURS = {
    ALONE: fig.QUIET, COMBINED_EXPECTED: "#56b4e9", COMBINED_ERROR: fig.BLUE, ERROR_PROBABILITY: fig.ORANGE,
    "random": "#c9d0d6", "maximum probability": "#cc79a7", "margin": fig.GREEN,
}  # fmt: skip
_SCORES = ("auroc", "aupr", "fpr95", "aurc")
_CORRELATIONS = ("pearson", "spearman", "partial, given uncertainty and class")
_RELIABILITY = Words("found", "as predicted", "share of wrong pixels", "share of pixels", "error probability")
DRAWN = ("map", REFERENCE, "main_error", "reconstruction", "reconstruction_error", "error_probability")


@dataclass(frozen=True)
class Example:
    """A window to look at: each of the layers that are ``DRAWN`` as ``(bands, H, W)``."""

    title: str
    r: float
    scene: MappedScene
    window: Window
    layers: dict[str, Plane]


def render_errors_report(found: Findings, verdict: Sequence[str], examples: Sequence[Example], step: int) -> str:
    """The report as HTML text."""
    return render(
        "errors.html",
        version=plugin_version(),
        found=found,
        verdict=verdict,
        step=step,
        headline=_headline(found),
        correlations=_correlations(found),
        groups=_groups(found),
        detection=_detection(found),
        gains=[line for line in found.lines if line.figure == "auroc gain over uncertainty"],
        curve_chart=_curve_chart(found) if found.curves else "",
        quantile_chart=_quantile_chart(found) if found.quantiles else "",
        reliability_chart=reliability_chart(found.reliability, _RELIABILITY, fig.ORANGE) if found.reliability else "",
        ece=found.line("ece", ERROR_PROBABILITY),
        p_text=p_text,
        windows=[(e, _window_figure(e)) for e in examples],
    )


def _headline(found: Findings) -> list[tuple[float, str]]:
    wanted = [("auroc", name, f"AUROC, {name}") for name in (ALONE, COMBINED_ERROR, ERROR_PROBABILITY)]
    lines = [(found.line(figure, of), text) for figure, of, text in wanted]
    return [(found.error_rate, "of the pixels are wrong"), *((x.value, text) for x, text in lines if x is not None)]


def _correlations(found: Findings) -> list[dict[str, Any]]:
    """A row a band and form, over all pixels."""
    rows: dict[str, dict[str, Any]] = {}
    for line in found.lines:
        if line.group == "all" and (line.figure in _CORRELATIONS or line.figure.startswith("pearson,")):
            rows.setdefault(line.of, {})[line.figure.split(",")[0] if "partial" in line.figure else line.figure] = line
    return [{"of": of, **row} for of, row in rows.items()]


def _groups(found: Findings) -> list[dict[str, Any]]:
    """Pearson's correlation of absolute errors by class and scene: a row a group, a column a band."""
    lines = [x for x in found.lines if x.figure == "pearson" and x.group != "all" and x.of.endswith("(absolute)")]
    groups = dict.fromkeys(x.group for x in lines)
    return [
        {"group": group, "pixels": max(x.pixels for x in lines if x.group == group),
         "values": {x.of: x.value for x in lines if x.group == group}}
        for group in groups
    ]  # fmt: skip


def _detection(found: Findings) -> list[tuple[str, list[Line]]]:
    names = dict.fromkeys(x.of for x in found.lines if x.figure == "auroc")
    rows = [(name, [x for figure in _SCORES if (x := found.line(figure, name)) is not None]) for name in names]
    return sorted(rows, key=lambda row: -row[1][0].value)


def _curve_chart(found: Findings) -> str:
    made = fig.figure(6.4, 4.4)
    axes = made.subplots()
    for name, (coverage, risk) in found.curves.items():
        shown = coverage >= 0.02  # the first pixels are too few for a rate
        axes.plot(coverage[shown], risk[shown], color=_COLOURS.get(name, fig.INK), label=name, linewidth=1.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("coverage: share of pixels kept, surest first", fontsize=9, color=fig.INK)
    axes.set_ylabel("risk: share of wrong pixels among them", fontsize=9, color=fig.INK)
    # Above the axes, where no curve is.
    axes.legend(frameon=False, fontsize=8, labelcolor=fig.INK, ncols=3, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    fig.plain(axes)
    return fig.as_svg(made)


def _quantile_chart(found: Findings) -> str:
    made = fig.figure(6.4, 4.0)
    axes = made.subplots()
    at = np.arange(QUANTILES) + 0.5
    for (band, rates), color in zip(
        found.quantiles.items(), (fig.BLUE, fig.ORANGE, fig.GREEN, "#cc79a7", fig.QUIET) * 9, strict=False
    ):
        axes.plot(at * 100 / QUANTILES, rates, color=color, label=band, marker="o", markersize=4, linewidth=1.6)
    axes.axhline(found.error_rate, color=fig.QUIET, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.set_xlim(0, 100)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("percentile of the reconstruction error’s size", fontsize=9, color=fig.INK)
    axes.set_ylabel("share of wrong pixels", fontsize=9, color=fig.INK)
    axes.legend(frameon=False, fontsize=9, labelcolor=fig.INK)
    fig.plain(axes)
    return fig.as_svg(made)


def _window_figure(example: Example) -> str:
    """Map, reference, main error, reconstruction, reconstruction error and error probability, side by side."""
    layers, classes = example.layers, example.scene.classes
    drawn = [name for name in DRAWN if name in layers]
    made = fig.figure(2.25 * len(drawn), 2.9)
    for axes, name in zip(np.atleast_1d(made.subplots(1, len(drawn))), drawn, strict=True):
        values, band = layers[name][0], ""
        if name.startswith("reconstruction"):
            band = f", {example.scene.bands[0]}"
        title = name.replace("_", " ") + band
        if name in ("map", "reference") and classes:
            fig.draw_image(axes, fig.class_colours(values, classes), title)
        elif name == "main_error" and classes:
            fig.draw_image(axes, fig.class_colours(values, RIGHT_OR_WRONG), title)
        else:
            fig.draw_values(axes, values, _scale(name, values), title)
    return fig.as_png(made)


def _scale(name: str, values: Plane) -> Scale:
    known = values[np.isfinite(values)]
    if name == "error_probability":
        return Scale(0.0, 1.0, MAGMA)
    if name in ("main_error", "reconstruction_error"):
        reach = float(np.percentile(np.abs(known), 98)) if len(known) else 1.0
        return Scale(-(reach or 1.0), reach or 1.0, BLUE_WHITE_RED)
    low, high = np.percentile(known, [2, 98]) if len(known) else (0.0, 1.0)
    return Scale(
        float(low), float(high) if high > low else float(low) + 1.0, GREYS if name == "reconstruction" else VIRIDIS
    )


def p_text(value: float) -> str:
    """A p-value as readers expect it."""
    if not math.isfinite(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
