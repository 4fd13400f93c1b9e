"""QGIS styles of the output rasters, from the card alone, so that a batch of scenes shares one scale.

A style is a ``.qml`` text that QGIS 3.22 and newer read; its colours are those of ``engine.palettes``.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass

from ...models.card import Card, LandClass, Modality, Player
from ..jobs import MAP_OUTPUTS
from ..palettes import (
    BLUE_WHITE_RED,
    CIVIDIS,
    GREYS,
    MAGMA,
    PLAYER_COLORS,
    RIGHT_OR_WRONG,
    VIRIDIS,
    Ramp,
)

_DEVIATIONS = 2.0  # a stretch reaches this many standard deviations (or RMSE) from its middle
_LOGITS = 4.0  # of a score, where the model was not measured
_NATURAL_COLOUR = (("B4", "B04", "red", "Red"), ("B3", "B03", "green", "Green"), ("B2", "B02", "blue", "Blue"))


@dataclass(frozen=True)
class Scale:
    """A ramp between two values; ``unit`` goes into the legend."""

    low: float
    high: float
    ramp: Ramp
    unit: str = ""


def qml(kind: str, card: Card, bands: tuple[str, ...]) -> str:
    """The style of an output raster.

    Args:
        kind: One of ``MAP_OUTPUTS``.
        card: The model's card; every range comes from it.
        bands: The raster's band names.

    Returns:
        The text of a ``.qml`` file.
    """
    if kind not in MAP_OUTPUTS:
        raise ValueError(f"no style for the output {kind!r}; known are {', '.join(MAP_OUTPUTS)}")
    if kind == "map" and card.main.classes:
        return _document(_paletted(card.main.classes))
    if kind == "main_error" and card.main.classes:
        return _document(_paletted(RIGHT_OR_WRONG))
    if kind == "attribution":  # the dominant player, which is the last band
        return _document(_paletted(_player_classes(card.players), band=len(bands)))
    if kind == "reconstruction":
        modality = _modality_of(card, bands[0])
        if modality is not None and len(modality.bands) >= 3:
            return _document(_multiband(modality, bands))
    return _document(_pseudocolor(scale(kind, card, bands[0])))


def pseudocolor_qml(shown: Scale) -> str:
    """The style of a raster whose first band is drawn with a ramp: the text of a ``.qml`` file."""
    return _document(_pseudocolor(shown))


def players_qml(players: Sequence[Player], band: int) -> str:
    """The style of a raster whose given band holds numbers of players, from 1: the text of a ``.qml`` file."""
    return _document(_paletted(_player_classes(players), band=band))


def scale(kind: str, card: Card, band: str) -> Scale:
    """Range, ramp and unit in which one band of an output is shown.

    Probabilities are shown from 0 to 1, signed values evenly about 0, amounts from 0. Without a measured RMSE in
    ``card.training["auxiliary_rmse"]`` the band's standard deviation takes its place.
    """
    main, reach = card.main, _DEVIATIONS * card.main.std
    if kind == "probability":
        return Scale(0.0, 1.0, VIRIDIS)
    if kind == "error_probability":
        return Scale(0.0, 1.0, MAGMA)
    if kind == "uncertainty":
        return Scale(0.0, 1.0, CIVIDIS) if main.classes else Scale(0.0, main.std, CIVIDIS, main.unit)
    if kind == "map":
        return Scale(main.mean - reach, main.mean + reach, VIRIDIS, main.unit)
    if kind == "main_error":
        return Scale(-main.std, main.std, BLUE_WHITE_RED, main.unit)
    if kind == "attribution":
        reach = float(card.training.get("attribution", {}).get("reach") or reach or _LOGITS)
        return Scale(-reach, reach, BLUE_WHITE_RED, main.unit)
    modality = _modality_of(card, band)
    unit = modality.unit if modality else ""
    mean, std = _moments(modality, band)
    if kind == "reconstruction":
        return Scale(mean - _DEVIATIONS * std, mean + _DEVIATIONS * std, GREYS, unit)
    reach = _DEVIATIONS * float(card.training.get("auxiliary_rmse", {}).get(band) or std)
    if kind == "expected_error":
        return Scale(0.0, reach, MAGMA, unit)
    return Scale(-reach, reach, BLUE_WHITE_RED, unit)


def _modality_of(card: Card, band: str) -> Modality | None:
    return next((m for m in card.auxiliary if band in m.band_names), None)


def _moments(modality: Modality | None, band: str) -> tuple[float, float]:
    if modality is None:
        return 0.0, 1.0
    at = modality.band_names.index(band)
    return modality.mean[at], modality.std[at] or 1.0


def _player_classes(players: Sequence[Player]) -> tuple[LandClass, ...]:
    return tuple(
        LandClass(number, player.name, color)
        for number, (player, color) in enumerate(zip(players, PLAYER_COLORS, strict=False), 1)
    )


def _paletted(classes: Sequence[LandClass], band: int = 1) -> ElementTree.Element:
    renderer = _renderer("paletted", band=str(band))
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for c in classes:
        ElementTree.SubElement(palette, "paletteEntry", value=str(c.value), label=c.name, color=c.color, alpha="255")
    return renderer


def _pseudocolor(shown: Scale) -> ElementTree.Element:
    low, high = shown.low, shown.high if shown.high > shown.low else shown.low + 1.0
    renderer = _renderer(
        "singlebandpseudocolor", band="1", classificationMin=_number(low), classificationMax=_number(high)
    )
    shader = ElementTree.SubElement(
        ElementTree.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=_number(low),
        maximumValue=_number(high),
        labelPrecision="3",
    )
    shader.append(_source_ramp(shown.ramp))
    suffix = f" {shown.unit}" if shown.unit else ""
    for step, color in enumerate(shown.ramp):
        last = len(shown.ramp) - 1
        value = (low * (last - step) + high * step) / last  # exactly 0 in the middle of a scale that is even about it
        label = f"{value:.3g}{suffix}".replace("-", "−")
        ElementTree.SubElement(shader, "item", value=_number(value), label=label, color=color, alpha="255")
    legend = ElementTree.SubElement(
        shader,
        "rampLegendSettings",
        minimumLabel=f"{low:.3g}{suffix}".replace("-", "−"),
        maximumLabel=f"{high:.3g}{suffix}".replace("-", "−"),
        prefix="",
        suffix=suffix,
        direction="0",
        orientation="1",
        useContinuousLegend="1",
    )
    ElementTree.SubElement(legend, "numericFormat", id="basic")
    return renderer


def _source_ramp(ramp: Ramp) -> ElementTree.Element:
    last = len(ramp) - 1
    stops = ":".join(f"{step / last:.4g};{rgba_text(color)}" for step, color in enumerate(ramp[1:-1], 1))
    source = ElementTree.Element("colorramp", name="[source]", type="gradient")
    options = ElementTree.SubElement(source, "Option", type="Map")
    for key, value in (
        ("color1", rgba_text(ramp[0])),
        ("color2", rgba_text(ramp[-1])),
        ("discrete", "0"),
        ("rampType", "gradient"),
        ("stops", stops),
    ):
        ElementTree.SubElement(options, "Option", name=key, type="QString", value=value)
        ElementTree.SubElement(source, "prop", k=key, v=value)  # what QGIS before 3.26 also wrote
    return source


def _multiband(modality: Modality, bands: tuple[str, ...]) -> ElementTree.Element:
    """Natural colour where the modality has it, otherwise its first three bands; mean ± 2 standard deviations."""
    natural = [next((b for b in modality.bands if b in names), "") for names in _NATURAL_COLOUR]
    chosen = natural if all(natural) else list(modality.bands[:3])
    names = [f"{modality.name}:{band}" for band in chosen]
    if not set(names) <= set(bands):
        names = list(bands[:3])
    order = {f"{color}Band": str(bands.index(name) + 1) for color, name in zip(("red", "green", "blue"), names)}
    renderer = _renderer("multibandcolor", **order)
    for color, name in zip(("red", "green", "blue"), names):
        mean, std = _moments(modality, name)
        stretch = ElementTree.SubElement(renderer, f"{color}ContrastEnhancement")
        ElementTree.SubElement(stretch, "minValue").text = _number(mean - _DEVIATIONS * std)
        ElementTree.SubElement(stretch, "maxValue").text = _number(mean + _DEVIATIONS * std)
        ElementTree.SubElement(stretch, "algorithm").text = "StretchToMinimumMaximum"
    return renderer


def _renderer(kind: str, **attributes: str) -> ElementTree.Element:
    fixed = {"type": kind, "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
    renderer = ElementTree.Element("rasterrenderer", {**fixed, **attributes})
    ElementTree.SubElement(renderer, "rasterTransparency")
    origin = ElementTree.SubElement(renderer, "minMaxOrigin")
    # "None": the range is fixed; QGIS never stretches it to what one scene happens to hold.
    for key, value in (("limits", "None"), ("extent", "WholeRaster"), ("statAccuracy", "Estimated")):
        ElementTree.SubElement(origin, key).text = value
    return renderer


def _document(renderer: ElementTree.Element) -> str:
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = ElementTree.SubElement(root, "pipe")
    provider = ElementTree.SubElement(pipe, "provider")
    ElementTree.SubElement(
        provider,
        "resampling",
        enabled="false",
        maxOversampling="2",
        zoomedInResamplingMethod="nearestNeighbour",
        zoomedOutResamplingMethod="nearestNeighbour",
    )
    pipe.append(renderer)
    ElementTree.SubElement(root, "blendMode").text = "0"
    return _text(root)


def style_document(renderer: ElementTree.Element) -> str:
    """The style of a vector layer with a renderer, as text."""
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology")
    root.append(renderer)
    return _text(root)


def _text(root: ElementTree.Element) -> str:
    ElementTree.indent(root, "  ")
    head = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + ElementTree.tostring(root, encoding="unicode") + "\n"


def rgba_text(color: str, alpha: str = "255") -> str:
    """``#rrggbb`` as QGIS writes colours."""
    return ",".join(str(channel) for channel in bytes.fromhex(color.lstrip("#"))) + f",{alpha}"


def _number(value: float) -> str:
    return f"{value:.9g}"
