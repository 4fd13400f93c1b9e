"""What a report is about: a mapped scene with its figures, classes and card, and what is left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from qgis.PyQt.QtGui import QColor

from ...engine.palettes import RIGHT_OR_WRONG
from ...models.card import Card, LandClass
from ..cards import classes_of, main_unit
from ..charts import swatches
from ..pictures import is_classes, legend
from ..scenes import MappedScene
from ..sources import raster_path
from ..words import AGREEMENT, figure, output_words, percent, tr
from .sheets import MapPicture
from .statistics import SceneFigures


@dataclass(frozen=True)
class Subject:
    """A mapped scene with everything that the report says about it."""

    scene: MappedScene
    figures: SceneFigures
    card: Optional[Card]
    classes: Sequence[LandClass]
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    notes: List[str] = field(default_factory=list)

    @property
    def date(self) -> str:
        """When the map was made, by its file."""
        try:
            changed = os.path.getmtime(raster_path(self.scene.any_layer))
        except OSError:
            return ""
        return datetime.fromtimestamp(changed).strftime("%Y-%m-%d")

    @property
    def unit(self) -> str:
        """Of the quantity that is mapped; empty for classes."""
        return main_unit(self.card)

    def leave_out(self, what: str, why: str) -> None:
        """Remember a page that is left out, for the first page and the log."""
        self.notes.append(tr("Left out: {} ({}).").format(what, why))


def subject_of(
    scene: MappedScene, figures: SceneFigures, card: Optional[Card], why: str, accuracy: Mapping[str, Any]
) -> Subject:
    """Put together what the sheets of a scene need; ``why`` says why there is no card."""
    subject = Subject(scene, figures, card, classes_of(scene, card), accuracy)
    if card is None:
        subject.leave_out(tr("the model's card"), why.rstrip("."))
    return subject


def key_figures(subject: Subject) -> List[Tuple[str, str]]:
    """Up to four figures that sum a scene up: value and what it is."""
    figures, scene = subject.figures, subject.scene
    found = [(figure(figures.area, figures.unit), tr("mapped area"))]
    if figures.levels:
        found.append((percent(figures.mean("error_probability")), tr("expected to be wrong")))
        doubtful = sum(level.area for level in figures.levels if level.low >= 0.5)
        found.append(
            (percent(doubtful / figures.area if figures.area else float("nan")), tr("more likely wrong than right"))
        )
    elif "uncertainty" in scene.layers:
        found.append((figure(figures.mean("uncertainty"), subject.unit), tr("mean uncertainty")))
    if "main_error" in scene.layers:
        error = figures.moments["main_error"]
        first = next(iter(error.values()))
        if subject.classes:
            found.append((percent(first.mean), tr("wrong by the reference")))
        else:
            found.append((figure(first.rms, subject.unit), tr("RMSE by the reference")))
    elif "overall_accuracy" in subject.accuracy.get("overall", {}):
        found.append((percent(subject.accuracy["overall"]["overall_accuracy"]), tr("overall accuracy")))
    return found[:4]


def key_texts(subject: Subject) -> Dict[str, str]:
    """The key figures as texts of ``figure_1`` … ``figure_4`` and ``figure_1_name`` …; empty beyond the last."""
    found = [*key_figures(subject), *[("", "")] * 4][:4]
    texts = {f"figure_{at}": value for at, (value, _) in enumerate(found, 1)}
    return {**texts, **{f"figure_{at}_name": name for at, (_, name) in enumerate(found, 1)}}


def plain_map(scene: MappedScene, output: str, caption: str = "") -> MapPicture:
    """An output in its layer's own style."""
    layer = scene.layers[output]
    key = legend(layer)
    if output == "main_error" and is_classes(layer):
        key = swatches([(QColor(c.color), tr(name)) for c, name in zip(RIGHT_OR_WRONG, AGREEMENT)])
    return MapPicture([layer], caption or output_words(output), key)
