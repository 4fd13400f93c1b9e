"""The accuracy report: one static HTML file that says how right a map is, and how sure that is."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..assess.areas import Z95
from ..assess.classes import by_class, means
from ..assess.reliability import Reliability
from ..assess.results import MEANS, TASK_OF, ClassResult, NumberResult, Result, estimate_rows
from ..version import plugin_version
from . import accuracy_charts as charts, figures as fig
from .page import render
from .reliability_chart import Words, reliability_chart

_REGRESSION = {
    "bias": "bias (map − reference)",
    "mae": "mean absolute error",
    "rmse": "root mean square error",
    "r2": "R² (share of the reference’s variance that the map explains)",
    "squared_correlation": "r² (squared correlation)",
    "slope": "slope of the least-squares line of the map on the reference",
    "intercept": "intercept of that line",
    "ccc": "concordance correlation coefficient",
    "mean_map": "mean of the map",
    "mean_reference": "mean of the reference",
    "sd_map": "standard deviation of the map",
    "sd_reference": "standard deviation of the reference",
}
_WITH_UNIT = ("bias", "mae", "rmse", "intercept", "mean_map", "mean_reference", "sd_map", "sd_reference")


def render_accuracy_report(result: Result) -> str:
    """The report as HTML text."""
    content = _of_classes(result) if isinstance(result, ClassResult) else _of_numbers(result)
    compared = result.compared
    return render(
        "accuracy.html",
        title=os.path.basename(compared.map),
        compared=compared,
        version=plugin_version(),
        share=100 * compared.pixels / compared.mapped_pixels,
        **content,
    )


def _of_classes(result: ClassResult) -> dict[str, Any]:
    overall, reliability = result.overall, result.reliability
    headline = [
        (overall["overall_accuracy"], "overall accuracy"),
        (overall["mean_f1"], "mean F1"),
        (overall["mean_iou"], "mean IoU"),
        (overall["kappa"], "kappa"),
    ]
    estimates = result.estimates
    return {
        "task": TASK_OF[result.compared.counted][0],
        "headline": headline + ([(overall["ece"], "expected calibration error")] if reliability else []),
        "classes": result.classes,
        "confusion": _confusion(result),
        "lines": _lines(result),
        "means": [
            (MEANS[kind].replace("pixels", result.compared.counted), values)
            for kind, values in means(result.matrix).items()
        ],
        "class_chart": charts.class_chart(result),
        "area_unit": result.area_unit,
        "estimates": estimates,
        "overall_half": Z95 * estimates.overall_se if estimates else None,
        "adjusted": _adjusted(result),
        "area_chart": charts.area_chart(result) if estimates else "",
        "reliability": reliability.figures() if reliability else {},
        "reliability_chart": _reliability(reliability, result.compared.counted) if reliability else "",
    }


def _reliability(reliability: Reliability, counted: str) -> str:
    words = Words(
        "map",
        "as confident as right",
        f"share of right {counted}",
        f"share of {counted}",
        "confidence (largest probability)",
    )
    return reliability_chart(reliability, words, fig.BLUE)


def _of_numbers(result: NumberResult) -> dict[str, Any]:
    overall, unit = result.overall, f" ({result.unit})" if result.unit else ""
    return {
        "task": TASK_OF[result.compared.counted][1],
        "headline": [
            (overall["r2"], "R²"),
            (overall["rmse"], f"RMSE{unit}"),
            (overall["bias"], f"bias{unit}"),
            (overall["ccc"], "concordance (CCC)"),
        ],
        "numbers": [(label, overall[k], result.unit * (k in _WITH_UNIT)) for k, label in _REGRESSION.items()],
        "coverage": result.coverage,
        "expected_mae": overall.get("expected_mae"),
        "unit": f" {result.unit}" if result.unit else "",
        "scatter_chart": charts.scatter_chart(result),
    }


def _confusion(result: ClassResult) -> list[dict[str, Any]]:
    counts = result.matrix
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    producers = by_class(counts)["producers_accuracy"]
    return [
        {
            "of": c,
            "row": row,
            "cells": [(int(n), float(s)) for n, s in zip(counts[row], shares[row], strict=True)],
            "total": int(counts[row].sum()),
            "producer": float(producers[row]),
        }
        for row, c in enumerate(result.classes)
    ]


def _lines(result: ClassResult) -> list[dict[str, Any]]:
    single, counts = by_class(result.matrix), result.matrix
    return [
        {
            "of": c,
            "reference": int(counts[i].sum()),
            "mapped": int(counts[:, i].sum()),
            **{name: float(values[i]) for name, values in single.items()},
        }
        for i, c in enumerate(result.classes)
    ]


def _adjusted(result: ClassResult) -> list[dict[str, Any]]:
    """Area-adjusted estimates a class; areas as text, all with as many decimals as the largest needs."""
    largest = float(result.mapped_areas.max())
    decimals = 0 if largest >= 1000 else 2 if largest >= 1 else 4
    rows = estimate_rows(result)
    return [
        {
            **row,
            "of": c,
            **{k: f"{v:,.{decimals}f}".replace(",", " ") for k, v in (("mapped", mapped), *_areas_of(row))},
        }
        for c, mapped, row in zip(result.classes, result.mapped_areas.tolist(), rows, strict=False)
    ]


def _areas_of(row: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return ("area", row["area"]), ("area_ci95", row["area_ci95"])
