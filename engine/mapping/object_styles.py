"""The QGIS style of a scene-level model's polygons, from the card alone (see ``styles.py``)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from ...models.card import Card
from ..palettes import VIRIDIS
from ..qml import fill_symbol, rgba_text, vector_style
from .styles import scale

_OUTLINE = "35,35,35,255"
_OPACITY = "160"  # of 255: the scene stays visible under the fill


def polygon_style(card: Card) -> str:
    """The text of a ``.qml``: classes in their colours, or numbers on the ramp and in the range of a raster map."""
    return vector_style(_classes(card) if card.main.classes else _numbers(card))


def _classes(card: Card) -> ElementTree.Element:
    renderer = _renderer("categorizedSymbol")
    categories = ElementTree.SubElement(renderer, "categories")
    for i, c in enumerate(card.main.classes):
        ElementTree.SubElement(
            categories, "category", symbol=str(i), value=c.name, type="string", label=c.name, render="true"
        )
    _symbols(renderer, [c.color for c in card.main.classes])
    return renderer


def _numbers(card: Card) -> ElementTree.Element:
    shown = scale("map", card, card.main.name)
    renderer = _renderer("graduatedSymbol", graduatedMethod="GraduatedColor")
    ranges = ElementTree.SubElement(renderer, "ranges")
    steps = len(VIRIDIS)
    edges = [shown.low + (shown.high - shown.low) * i / steps for i in range(steps + 1)]
    unit = f" {shown.unit}" if shown.unit else ""
    for i, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        label = f"{low:.3g} – {high:.3g}{unit}".replace("-", "−")
        if i in (0, steps - 1):  # the outer steps hold everything beyond, too
            label = f"{'<' if i == 0 else '>'} {high if i == 0 else low:.3g}{unit}".replace("-", "−")
        low, high = (-1e30 if i == 0 else low), (1e30 if i == steps - 1 else high)
        ElementTree.SubElement(
            ranges, "range", symbol=str(i), lower=f"{low:.9g}", upper=f"{high:.9g}", label=label, render="true"
        )
    _symbols(renderer, VIRIDIS)
    return renderer


def _renderer(kind: str, **attributes: str) -> ElementTree.Element:
    fixed = {"type": kind, "attr": "map", "symbollevels": "0", "enableorderby": "0", "forceraster": "0"}
    return ElementTree.Element("renderer-v2", {**fixed, **attributes})


def _symbols(renderer: ElementTree.Element, colors: Sequence[str]) -> None:
    symbols = ElementTree.SubElement(renderer, "symbols")
    for i, color in enumerate(colors):
        symbols.append(fill_symbol(i, rgba_text(color, _OPACITY), _OUTLINE, "0.26"))
