"""Styles of layers that are already there: the same scale for the same output, whatever the layers are called."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from qgis.core import Qgis, QgsMapLayer, QgsRasterLayer
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP
from qgis.PyQt.QtGui import QColor

from ..engine.jobs import JobError
from ..engine.palettes import FROM_ZERO, PLAYER_COLORS, RAMPS, RIGHT_OR_WRONG, SHARES, SIGNED, colour_bands
from ..models.card import Card
from ..models.members import player_names
from . import renderers
from .cards import card_of, classes_of
from .pixels import box_in, sample, stretch
from .renderers import Range
from .scenes import MappedScene, band_names, reference_layer
from .sources import raster_path
from .words import AGREEMENT, figure, output_words, tr

_ENDS = {  # what the lowest and the highest values mean
    "probability": (
        QT_TRANSLATE_NOOP("AuxLens", "surely another class"),
        QT_TRANSLATE_NOOP("AuxLens", "surely this class"),
    ),
    "uncertainty": (QT_TRANSLATE_NOOP("AuxLens", "sure"), QT_TRANSLATE_NOOP("AuxLens", "unsure")),
    "expected_error": (
        QT_TRANSLATE_NOOP("AuxLens", "easy to predict"),
        QT_TRANSLATE_NOOP("AuxLens", "hard to predict"),
    ),
    "reconstruction_error": (
        QT_TRANSLATE_NOOP("AuxLens", "predicted too low"),
        QT_TRANSLATE_NOOP("AuxLens", "predicted too high"),
    ),
    "main_error": (QT_TRANSLATE_NOOP("AuxLens", "mapped too low"), QT_TRANSLATE_NOOP("AuxLens", "mapped too high")),
    "error_probability": (QT_TRANSLATE_NOOP("AuxLens", "surely right"), QT_TRANSLATE_NOOP("AuxLens", "surely wrong")),
    "attribution": (QT_TRANSLATE_NOOP("AuxLens", "speaks against"), QT_TRANSLATE_NOOP("AuxLens", "speaks for")),
}


@dataclass(frozen=True)
class Shown:
    """One layer that gets a style: its scene's card, and the band that it shows."""

    layer: QgsRasterLayer
    scene: MappedScene
    card: Optional[Card]
    output: str
    band: int

    @property
    def band_name(self) -> str:
        return band_names(self.layer)[self.band - 1]

    @property
    def holds_classes(self) -> bool:
        """Whether the band's values are numbers of classes or players."""
        whole = self.layer.dataProvider().dataType(self.band) in (Qgis.DataType.Byte, Qgis.DataType.UInt16)
        last = self.output == "attribution" and self.band == self.layer.bandCount() > 1  # of patches there is but one
        return last or (whole and self.output in ("map", "main_error"))


def restyle(scenes: Sequence[MappedScene], band: str, percentile: float, others: Iterable[QgsMapLayer]) -> List[str]:
    """Give the layers of scenes their styles; layers of one output and band share a scale.

    Args:
        scenes: Whose layers.
        band: Band to show where a layer has one of that name; empty for the default.
        percentile: Share of the values, in percent, that is cut off at either end of a scale.
        others: Further layers, among which are references that may be shown beside their reconstructions.

    Returns:
        A sentence for each scale, and about what could not be done.

    Raises:
        JobError: no layer has that band.
    """
    cards = [card_of(scene)[0] for scene in scenes]
    of_scenes = zip(scenes, cards)
    shown = [_shown(scene, card, output, band) for scene, card in of_scenes for output in scene.layers]
    if band and not any(band in band_names(item.layer) for item in shown):
        known = dict.fromkeys(name for item in shown for name in band_names(item.layer))
        raise JobError(f"No layer has a band “{band}”; their bands are {', '.join(known)}.")
    said = []
    scales: Dict[Tuple[str, str], List[Shown]] = {}
    for item in shown:
        colours = _colours(item, band)
        if colours:
            scales.setdefault(("colours", ",".join(map(str, colours))), []).append(item)
        elif item.holds_classes:
            _style(item.layer, renderers.as_classes(item.layer.dataProvider(), item.band, _entries(item)))
        else:
            name = item.band_name if item.layer.bandCount() > 1 and item.output != "probability" else ""
            scales.setdefault((item.output, name), []).append(item)
    references = {raster_path(layer): layer for layer in others if _is_file(layer)}
    for (output, name), items in scales.items():
        said.append(
            _stretch(items, percentile, references, band) if output == "colours" else _scale(items, percentile, name)
        )
    return said


def _shown(scene: MappedScene, card: Optional[Card], output: str, band: str) -> Shown:
    layer = scene.layers[output]
    names = band_names(layer)
    number = names.index(band) + 1 if band in names else layer.bandCount() if output == "attribution" else 1
    return Shown(layer, scene, card, output, number)


def _scale(items: Sequence[Shown], percentile: float, name: str) -> str:
    """Show the layers on one ramp, from and to the same values."""
    first = items[0]
    low, high = _range(first.output, [sample(item.layer, item.band) for item in items], percentile)
    unit = _unit(first)
    colors = [QColor(color) for color in RAMPS.get(first.output, RAMPS["map"])]
    ends = tuple(tr(words) for words in _ENDS.get(first.output, ("", "")))
    for item in items:
        _style(
            item.layer,
            renderers.on_ramp(item.layer.dataProvider(), item.band, (low, high), colors, unit, ends),
        )
    words = output_words(first.output) + (f" ({name})" if name else "")
    return tr("{}: {} to {} on {} layer(s).").format(words, figure(low, unit), figure(high, unit), len(items))


def _range(output: str, samples: Sequence[np.ndarray], percentile: float) -> Range:
    """A scale for all samples: from 0 to 1, evenly about 0, from 0, or between percentiles."""
    if output in SHARES:
        return 0.0, 1.0
    values = np.concatenate(samples) if samples else np.zeros(0)
    if not len(values):
        return 0.0, 1.0
    if output in SIGNED:
        reach = float(np.percentile(np.abs(values), 100 - percentile)) or 1.0
        return -reach, reach
    if output in FROM_ZERO:
        return 0.0, float(np.percentile(values, 100 - percentile)) or 1.0
    return stretch(values, percentile)


def _colours(item: Shown, band: str) -> List[int]:
    """The bands of a reconstruction that make a picture in colours; empty where there are fewer than three."""
    if item.output != "reconstruction":
        return []
    names = band_names(item.layer)
    for modality, bands in item.scene.modalities().items():
        own = [names.index(f"{modality}:{b}") + 1 for b in bands if f"{modality}:{b}" in names]
        if len(own) >= 3 and band not in names:
            return [own[at - 1] for at in colour_bands([names[number - 1].partition(":")[2] for number in own])]
    return []


def _stretch(items: Sequence[Shown], percentile: float, references: Dict[str, QgsRasterLayer], band: str) -> str:
    """Show reconstructions, and the references among the layers, in colours with the same stretch."""
    bands = _colours(items[0], band)
    beside = [pair for pair in (_reference(item, bands, references) for item in items) if pair]
    shown = []
    for at, number in enumerate(bands):
        samples = [sample(item.layer, number) for item in items]
        samples += [sample(layer, numbers[at], box_in(own, layer)) for layer, numbers, own in beside]
        shown.append(_range("reconstruction", samples, percentile))
    for layer, numbers in [(item.layer, bands) for item in items] + [pair[:2] for pair in beside]:
        _style(layer, renderers.as_colours(layer.dataProvider(), numbers, shown))
    names = ", ".join(band_names(items[0].layer)[number - 1] for number in bands)
    return tr("Reconstruction in colours ({}): the same stretch on {} layer(s) and {} reference(s).").format(
        names, len(items), len(beside)
    )


def _reference(
    item: Shown, bands: Sequence[int], references: Dict[str, QgsRasterLayer]
) -> Optional[Tuple[QgsRasterLayer, List[int], QgsRasterLayer]]:
    """The layer with the measured bands, where it is among those given, their numbers, and whose reference it is."""
    names = [band_names(item.layer)[number - 1].partition(":") for number in bands]
    found = reference_layer(item.scene, names[0][0])
    layer = references.get(raster_path(found[0])) if found else None
    return None if layer is None or found is None else (layer, [found[1][band] for _, _, band in names], item.layer)


def _entries(item: Shown) -> List[Tuple[int, QColor, str]]:
    if item.output == "attribution":
        players = player_names(band_names(item.layer))
        return [(n, QColor(color), name) for n, (color, name) in enumerate(zip(PLAYER_COLORS, players), 1)]
    if item.output == "main_error":
        return [(c.value, QColor(c.color), tr(name)) for c, name in zip(RIGHT_OR_WRONG, AGREEMENT)]
    classes = item.card.main.classes if item.card and item.card.main.classes else classes_of(item.scene, None)
    return [(c.value, QColor(c.color), c.name) for c in classes]


def _unit(item: Shown) -> str:
    """Unit of what is shown, from the card; empty without it."""
    if item.card is None or item.output in SHARES:
        return ""
    if item.output in ("map", "main_error") or (item.output == "uncertainty" and not item.card.main.classes):
        return item.card.main.unit
    modality = item.band_name.partition(":")[0]
    return next((m.unit for m in item.card.auxiliary if m.name == modality), "")


def _style(layer: QgsRasterLayer, renderer: object) -> None:
    layer.setRenderer(renderer)
    layer.triggerRepaint()
    layer.emitStyleChanged()


def save_styles(layers: Sequence[QgsRasterLayer], kinds: Sequence[str]) -> List[str]:
    """Write the styles beside the rasters.

    Args:
        layers: Whose styles.
        kinds: Of ``qml`` (which QGIS finds when it opens the raster again) and ``sld``.

    Returns:
        A sentence about each that cannot be written.
    """
    notes = []
    for layer in layers:
        stem = os.path.splitext(raster_path(layer))[0]
        for path, save in ((f"{stem}.{kind}", _saver(layer, kind)) for kind in kinds):
            message, written = save(path) if _may_write(path) else (tr("you may not write there"), False)
            if not written:
                notes.append(tr("“{}” cannot be written: {}").format(path, message))
    return notes


def _saver(layer: QgsRasterLayer, kind: str) -> Callable[[str], Tuple[str, bool]]:
    return layer.saveNamedStyle if kind == "qml" else layer.saveSldStyle


def _may_write(path: str) -> bool:
    """Asked first, because QGIS does not tell of an SLD file that it could not write."""
    return os.access(path if os.path.exists(path) else os.path.dirname(path), os.W_OK)


def _is_file(layer: QgsMapLayer) -> bool:
    return isinstance(layer, QgsRasterLayer) and layer.isValid() and layer.providerType() == "gdal"
