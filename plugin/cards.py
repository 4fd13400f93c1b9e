"""The model behind a mapped scene: its card, and the classes that the map's values stand for."""

from __future__ import annotations

import os
from typing import Dict, List, Optional, Sequence, Tuple

from qgis.core import QgsPalettedRasterRenderer

from ..engine.jobs import JobError, ModelFileError
from ..engine.scene.hashing import sha256_of_models
from ..models.card import Card, LandClass
from ..models.members import paths_of, read_cards
from .renderers import own_classes
from .scenes import MappedScene
from .words import tr

_GREY = "#9aa3ab"


def card_of(scene: MappedScene, model: str = "") -> Tuple[Optional[Card], str]:
    """The card of the model, or of the models together, that mapped a scene; else a sentence why there is none.

    Args:
        model: Model file, or several as in the job; empty for what the job names.
    """
    model = model or str(scene.tags.job.get("model") or "")
    for path in paths_of(model):
        if not os.path.exists(path):
            return None, tr("The model file “{}” does not exist any more.").format(path)
    try:
        sha256 = sha256_of_models(model)
    except OSError as error:
        return None, tr("The model file “{}” cannot be read: {}.").format(error.filename or model, error.strerror)
    if scene.tags.model_sha256 and sha256 != scene.tags.model_sha256:
        return None, tr("The model file “{}” is not the one that made this map (its SHA-256 differs).").format(model)
    try:
        return read_cards(model), ""
    except (ModelFileError, JobError) as error:
        return None, str(error)


def units_of(card: Optional[Card]) -> Dict[str, str]:
    """Unit of each auxiliary modality, by its name; empty without a card."""
    return {modality.name: modality.unit for modality in card.auxiliary} if card else {}


def main_unit(card: Optional[Card]) -> str:
    """Unit of the quantity that is mapped; empty for classes and without a card."""
    return card.main.unit if card else ""


def classes_of(scene: MappedScene, card: Optional[Card]) -> List[LandClass]:
    """Classes of a scene's map, as its layer shows them, else as the card or the file has them; without any of these
    they are called by their numbers. Empty for a regression.
    """
    layer = scene.layers.get("map")
    renderer = layer.renderer() if layer is not None else None
    if isinstance(renderer, QgsPalettedRasterRenderer):
        return _land_classes(own_classes(layer, renderer.classes(), renderer.usesBands()[0]))
    if card is not None and card.main.classes:
        return list(card.main.classes)
    table = layer.dataProvider().colorTable(1) if layer is not None else []
    named = own_classes(layer, QgsPalettedRasterRenderer.colorTableToClassData(table), 1)
    # The probability's bands have names, but nothing there says which values of the map they belong to.
    numbers = range(1, 1 + len(scene.band_names("probability")))
    return _land_classes(named) or [LandClass(number, str(number), _GREY) for number in numbers]


def _land_classes(found: Sequence[QgsPalettedRasterRenderer.Class]) -> List[LandClass]:
    return [LandClass(int(c.value), c.label, c.color.name()) for c in found]
