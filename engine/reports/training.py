"""The training report: one static HTML file that says how well a model was learnt, and from what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.card import Card
from ..mapping.styles import scale
from ..palettes import RIGHT_OR_WRONG
from ..textfile import write_text
from . import figures as fig
from .page import flattened, render

_MOST_EXAMPLES = 6
_MOST_BANDS = 4  # of the auxiliary modalities, in an example


@dataclass(frozen=True)
class Example:
    """A chip that the model did not learn from.

    Attributes:
        name: Where it is from.
        rgb: ``(H, W, 3)`` 0–1, the input.
        reference: ``(H, W)`` class values or numbers, NaN where there is none.
        estimate: ``(H, W)`` the same from the model, NaN outside.
        auxiliary: Band name (``modality:band``), unit, reference, reconstruction and expected error, ``(H, W)`` each.
    """

    name: str
    rgb: NDArray[np.floating[Any]]
    reference: NDArray[np.floating[Any]]
    estimate: NDArray[np.floating[Any]]
    auxiliary: list[
        tuple[str, str, NDArray[np.floating[Any]], NDArray[np.floating[Any]], NDArray[np.floating[Any]]]
    ] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingReport:
    """What a training report shows.

    Attributes:
        card: The finished model's card, with its manifest.
        history: For each epoch ``epoch``, ``train_loss``, ``val_loss``, ``score``, ``seconds`` since the start.
        confusion: Pixels (scene-level: objects) on test, rows are the reference's classes, columns the map's; ``None``
            for a regression.
        figures: Under ``validation`` and ``test``: name → figure.
        examples: Chips with everything side by side.
    """

    card: Card
    history: list[dict[str, float]]
    confusion: NDArray[np.integer[Any]] | None
    figures: Mapping[str, Mapping[str, float]]
    examples: list[Example]


def write_training_report(path: str | os.PathLike[str], report: TrainingReport) -> None:
    """Write the report as one HTML file without scripts; the file appears when it is complete.

    Raises:
        JobError: the file cannot be written.
    """
    write_text(path, render_training_report(report))


def render_training_report(report: TrainingReport) -> str:
    """The report as HTML text."""
    card = report.card
    splits = [name for name in ("validation", "test") if report.figures.get(name)]
    names = list(dict.fromkeys(name for split in splits for name in report.figures[split]))
    return render(
        "training.html",
        card=card,
        classes=card.main.classes,
        unit="objects" if card.main.is_scene_level else "pixels",
        splits=splits,
        names=names,
        figures=report.figures,
        headline=list(report.figures[splits[-1]].items())[:4] if splits else [],
        error_names=list(dict.fromkeys(name for model in card.error_models.values() for name in model.figures)),
        history=report.history,
        curves=_curves(report) if report.history else "",
        confusion=_confusion_rows(report),
        accuracies=_class_accuracies(report),
        examples=[(e.name, _example_picture(e, card)) for e in report.examples[:_MOST_EXAMPLES]],
        manifest=flattened(card.training),
    )


def _curves(report: TrainingReport) -> str:
    made = fig.figure(9.6, 3.1)
    weights = {epoch.get("auxiliary_weight") for epoch in report.history}
    loss, score, *more = made.subplots(1, 2 if len(weights) == 1 else 3)
    fig.draw_curves(loss, report.history, {"train_loss": ("training", fig.QUIET), "val_loss": ("validation", fig.BLUE)})
    fig.draw_curves(score, report.history, {"score": ("validation", fig.GREEN)})
    for axes in more:
        fig.draw_curves(axes, report.history, {"auxiliary_weight": ("learned", fig.ORANGE)})
    for axes, title in zip((loss, score, *more), ("Loss", "Score", "Weight of auxiliary tasks"), strict=False):
        axes.set_title(title, loc="left", fontsize=10, color=fig.INK)
    return fig.as_svg(made)


def _confusion_rows(report: TrainingReport) -> list[dict[str, Any]]:
    if report.confusion is None:
        return []
    counts = np.asarray(report.confusion)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return [
        {"of": c, "cells": [(int(n), float(s)) for n, s in zip(counts[row], shares[row], strict=True)], "row": row}
        for row, c in enumerate(report.card.main.classes)
    ]


def _class_accuracies(report: TrainingReport) -> list[dict[str, Any]]:
    """User's and producer's accuracy, F1 and IoU a class; ``nan`` where a class is neither mapped nor referenced."""
    if report.confusion is None:
        return []
    counts = np.asarray(report.confusion, np.float64)
    hit, referenced, mapped = np.diag(counts), counts.sum(1), counts.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "user": hit / mapped,
            "producer": hit / referenced,
            "f1": 2.0 * hit / (mapped + referenced),
            "iou": hit / (mapped + referenced - hit),
        }
    return [
        {"of": c, "pixels": int(referenced[row]), **{name: float(values[row]) for name, values in columns.items()}}
        for row, c in enumerate(report.card.main.classes)
    ]


def _example_picture(example: Example, card: Card) -> str:
    """First line: input, reference, map, main error; then a line an auxiliary band."""
    bands = example.auxiliary[:_MOST_BANDS]
    made = fig.figure(9.6, 2.55 * (1 + len(bands)))
    panels = made.subplots(1 + len(bands), 4, squeeze=False)
    _draw_main(panels[0], example, card)
    for line, (band, unit, reference, reconstruction, expected) in zip(panels[1:], bands, strict=True):
        level = scale("reconstruction", card, band)
        fig.draw_values(line[0], reference, level, f"{band}, reference")
        fig.draw_values(line[1], reconstruction, level, f"{band}, reconstruction")
        signed = scale("reconstruction_error", card, band)
        fig.draw_values(line[2], reconstruction - reference, signed, "reconstruction error")
        fig.draw_values(
            line[3],
            expected,
            scale("expected_error", card, band),
            f"expected error{f' ({unit})' * (not signed.unit and bool(unit))}",
        )
    return fig.as_png(made)


def _draw_main(line: Any, example: Example, card: Card) -> None:
    fig.draw_image(line[0], example.rgb, "input")
    known = np.isfinite(example.reference) & np.isfinite(example.estimate)
    if card.main.classes:
        fig.draw_image(line[1], fig.class_colours(example.reference, card.main.classes), "reference")
        fig.draw_image(line[2], fig.class_colours(example.estimate, card.main.classes), "map")
        wrong = np.where(known, (example.reference != example.estimate).astype(np.float32), np.nan)
        fig.draw_image(line[3], fig.class_colours(wrong, RIGHT_OR_WRONG), "main error")
        return
    level = scale("map", card, card.main.name)
    fig.draw_values(line[1], example.reference, level, "reference")
    fig.draw_values(line[2], example.estimate, level, "map")
    difference = np.where(known, example.estimate - example.reference, np.nan)
    fig.draw_values(line[3], difference, scale("main_error", card, card.main.name), "main error")
