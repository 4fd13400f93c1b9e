"""The report of a comparison of strategies: one static HTML file with a verdict for each claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..compare.results import ALL_MODALITIES, UNLABELLED_REST, Comparison, Trial
from ..compare.verdicts import FIGURES, verdicts
from ..jobs import CompareJob
from ..version import plugin_version
from . import figures as fig
from .page import render

_COLORS: Mapping[str, str] = {
    "single": fig.QUIET,
    "multitask": fig.BLUE,
    UNLABELLED_REST: "#56b4e9",
    "multimodal": fig.ORANGE,
    "shuffled": "#cc79a7",
    "random forest": fig.GREEN,
    "gradient boosting": "#e69f00",
}


def render_comparison(comparison: Comparison, job: CompareJob) -> str:
    """The report as HTML text."""
    full = [trial for trial in comparison.trials if trial.share == 1]
    return render(
        "comparison.html",
        job=job,
        version=plugin_version(),
        comparison=comparison,
        figure_name=FIGURES[comparison.headline],
        verdicts=verdicts(comparison),
        marks={True: ("supported", "yes"), False: ("contradicted", "no"), None: ("not told", "open")},
        names=[(name, FIGURES.get(name, name.replace("iou ", "IoU of "))) for name in comparison.compared],
        methods=[_line(comparison, trial) for trial in full],
        differences=_differences(comparison),
        dots=_dots(comparison, full),
        curves=_curves(comparison),
        shares=_shares(comparison) if len(comparison.shares) > 1 else "",
    )


def _line(comparison: Comparison, trial: Trial) -> dict[str, Any]:
    values = {name: comparison.values(trial, name) for name in comparison.compared}
    return {
        "name": trial.method,
        "color": _color(trial.method),
        "inputs": ", ".join(trial.inputs),
        "cells": [(float(v.mean()), float(v.std(ddof=1))) for v in values.values()],
        "seconds": float(np.mean(trial.seconds)),
    }


def _differences(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{first} − {second}",
            "share": 100 * share,
            "cells": [comparison.difference(first, second, share, name) for name in comparison.compared],
        }
        for first, second, share in comparison.pairs()
    ]


def _dots(comparison: Comparison, trials: list[Trial]) -> str:
    """Each repetition's headline as a dot, a line a method."""
    made = fig.figure(9.6, 0.8 + 0.34 * len(trials))
    axes = made.subplots()
    for row, trial in enumerate(trials):
        values = comparison.values(trial, comparison.headline)
        color = _color(trial.method)
        axes.plot(values, np.full(len(values), row), "o", color=color, markersize=6, alpha=0.75, markeredgewidth=0)
        axes.plot([values.mean()] * 2, [row - 0.3, row + 0.3], color=color, linewidth=2.4)
    axes.set_yticks(range(len(trials)), [trial.method for trial in trials], parse_math=False)
    axes.set_ylim(len(trials) - 0.4, -0.6)
    axes.set_xlabel(f"{FIGURES[comparison.headline]} on test", fontsize=9, color=fig.INK)
    fig.plain(axes, 9)
    axes.grid(axis="y", visible=False)
    return fig.as_svg(made)


def _curves(comparison: Comparison) -> str:
    """Validation scores over the epochs: a thin line a repetition, a thick one for their mean."""
    made = fig.figure(9.6, 3.6)
    axes = made.subplots()
    for trial in comparison.trials:
        if trial.share < 1 or not trial.histories:
            continue
        color = _color(trial.method)
        scores = [[epoch["score"] for epoch in history] for history in trial.histories]
        for line in scores:
            axes.plot(np.arange(1, len(line) + 1), line, color=color, linewidth=0.7, alpha=0.4)
        shortest = min(map(len, scores))
        mean = np.mean([line[:shortest] for line in scores], axis=0)
        axes.plot(np.arange(1, shortest + 1), mean, color=color, linewidth=2.2, label=trial.method)
    axes.set_xlabel("epoch", fontsize=9, color=fig.INK)
    axes.set_ylabel(f"{FIGURES[comparison.headline]} on validation", fontsize=9, color=fig.INK)
    axes.locator_params(axis="x", integer=True)
    axes.legend(frameon=False, fontsize=9, labelcolor=fig.INK)
    fig.plain(axes, 9)
    return fig.as_svg(made)


def _shares(comparison: Comparison) -> str:
    """The headline over the share of references: mean and range of the repetitions."""
    made = fig.figure(9.6, 3.8)
    axes = made.subplots()
    for method in dict.fromkeys(trial.method for trial in comparison.trials if trial.share < 1):
        shares = np.array(sorted(comparison.shares))
        at_all = "multitask" if method == UNLABELLED_REST else method  # with every reference there is no rest
        values = np.stack(
            [comparison.values(comparison.trial(method if s < 1 else at_all, s), comparison.headline) for s in shares]
        )
        color, mean = _color(method), values.mean(axis=1)
        axes.fill_between(100 * shares, values.min(axis=1), values.max(axis=1), color=color, alpha=0.14, linewidth=0)
        axes.plot(100 * shares, mean, color=color, marker="o", markersize=5, linewidth=2, label=method)
    axes.set_xscale("log")
    axes.set_xticks([100 * s for s in comparison.shares], [f"{100 * s:g} %" for s in comparison.shares])
    axes.minorticks_off()
    axes.set_xlabel("share of the training references", fontsize=9, color=fig.INK)
    axes.set_ylabel(f"{FIGURES[comparison.headline]} on test", fontsize=9, color=fig.INK)
    axes.legend(frameon=False, fontsize=9, labelcolor=fig.INK)
    fig.plain(axes, 9)
    return fig.as_svg(made)


def _color(method: str) -> str:
    return _COLORS[method.removesuffix(ALL_MODALITIES)]
