"""Styles as QGIS 3.22 and newer read them (``.qml``): how amounts, classes, colours and polygons are drawn, as text.

What a layer's classes and ranges are is said elsewhere; here is only how QGIS wants to be told.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from ..models.card import LandClass
from .palettes import Ramp, Scale

RasterRenderer = ElementTree.Element


def raster_style(renderer: RasterRenderer) -> str:
    """The style of a raster that is drawn by ``pseudocolor``, ``paletted`` or ``multiband``."""
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


def vector_style(renderer: ElementTree.Element, map_tip: str = "") -> str:
    """The style of a vector layer with a ``renderer-v2``; ``map_tip`` is an expression shown under the mouse."""
    categories = "Symbology|MapTips" if map_tip else "Symbology"
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories=categories)
    root.append(renderer)
    if map_tip:
        ElementTree.SubElement(root, "mapTip").text = map_tip
    return _text(root)


def paletted(classes: Sequence[LandClass], band: int = 1) -> RasterRenderer:
    """A band, from 1, that holds numbers of classes: each in its colour."""
    renderer = _raster_renderer("paletted", band=str(band))
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for c in classes:
        ElementTree.SubElement(palette, "paletteEntry", value=str(c.value), label=c.name, color=c.color, alpha="255")
    return renderer


def pseudocolor(shown: Scale) -> RasterRenderer:
    """The first band on a ramp."""
    low, high = shown.low, shown.high if shown.high > shown.low else shown.low + 1.0
    renderer = _raster_renderer(
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
        label = f"{_label(value)}{suffix}"
        ElementTree.SubElement(shader, "item", value=_number(value), label=label, color=color, alpha="255")
    legend = ElementTree.SubElement(
        shader,
        "rampLegendSettings",
        minimumLabel=_label(low),  # QGIS appends the suffix
        maximumLabel=_label(high),
        prefix="",
        suffix=suffix,
        direction="0",
        orientation="1",
        useContinuousLegend="1",
    )
    ElementTree.SubElement(legend, "numericFormat", id="basic")
    return renderer


def multiband(channels: Sequence[tuple[int, float, float]]) -> RasterRenderer:
    """Three bands as red, green and blue: number, from 1, and the values of its darkest and brightest step each."""
    colors = ("red", "green", "blue")
    bands = {f"{color}Band": str(number) for color, (number, _, _) in zip(colors, channels, strict=True)}
    renderer = _raster_renderer("multibandcolor", **bands)
    for color, (_, low, high) in zip(colors, channels, strict=True):
        stretch = ElementTree.SubElement(renderer, f"{color}ContrastEnhancement")
        ElementTree.SubElement(stretch, "minValue").text = _number(low)
        ElementTree.SubElement(stretch, "maxValue").text = _number(high)
        ElementTree.SubElement(stretch, "algorithm").text = "StretchToMinimumMaximum"
    return renderer


def fill_symbol(number: int, color: str, outline: str, width_mm: str) -> ElementTree.Element:
    """The symbol of a polygon; colours as ``rgba_text``."""
    symbol = ElementTree.Element("symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1", force_rhr="0")
    layer = ElementTree.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"})
    options = ElementTree.SubElement(layer, "Option", type="Map")
    for key, value in (
        ("color", color),
        ("style", "solid"),
        ("outline_color", outline),
        ("outline_style", "solid"),
        ("outline_width", width_mm),
        ("outline_width_unit", "MM"),
    ):
        _setting(layer, options, key, value)
    return symbol


def rgba_text(color: str, alpha: str = "255") -> str:
    """``#rrggbb`` as QGIS writes colours."""
    return ",".join(str(channel) for channel in bytes.fromhex(color.lstrip("#"))) + f",{alpha}"


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
        _setting(source, options, key, value)
    return source


def _setting(owner: ElementTree.Element, options: ElementTree.Element, key: str, value: str) -> None:
    ElementTree.SubElement(options, "Option", name=key, type="QString", value=value)
    ElementTree.SubElement(owner, "prop", k=key, v=value)  # what QGIS before 3.26 reads


def _raster_renderer(kind: str, **attributes: str) -> RasterRenderer:
    fixed = {"type": kind, "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
    renderer = ElementTree.Element("rasterrenderer", {**fixed, **attributes})
    ElementTree.SubElement(renderer, "rasterTransparency")
    origin = ElementTree.SubElement(renderer, "minMaxOrigin")
    # "None": the range is fixed; QGIS never stretches it to what one scene happens to hold.
    for key, value in (("limits", "None"), ("extent", "WholeRaster"), ("statAccuracy", "Estimated")):
        ElementTree.SubElement(origin, key).text = value
    return renderer


def _text(root: ElementTree.Element) -> str:
    ElementTree.indent(root, "  ")
    head = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    return head + ElementTree.tostring(root, encoding="unicode") + "\n"


def _label(value: float) -> str:
    """A number as legends show it."""
    text = f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")


def _number(value: float) -> str:
    return f"{value:.9g}"
