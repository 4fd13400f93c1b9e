"""How the demo's rasters open in QGIS: natural colour, decibels and metres in greys, categories in their colours."""

from __future__ import annotations

from typing import Any

from ...models.card import LandClass
from ..palettes import GREYS, Scale
from ..qml import multiband, paletted, pseudocolor, raster_style
from .recipe import recipe

_BRIGHTEST = 1800  # digital number of white in natural colour; 10000 is a reflectance of 1
_DECIBELS, _METRES = (-20.0, 0.0), (0.0, 1000.0)


def scene_styles() -> dict[str, str]:
    """The text of a ``.qml`` for each raster that is no categories, by its name."""
    bands = recipe()["bands"]
    natural = [(bands.index(name) + 1, 0.0, _BRIGHTEST) for name in ("B4", "B3", "B2")]
    return {
        "s2": raster_style(multiband(natural)),
        "s1": raster_style(pseudocolor(Scale(*_DECIBELS, GREYS, "dB"))),
        "dem": raster_style(pseudocolor(Scale(*_METRES, GREYS, "m"))),
    }


def category_style(categories: list[dict[str, Any]]) -> str:
    """The text of a ``.qml`` for a raster of categories."""
    return raster_style(paletted([LandClass(int(c["value"]), str(c["name"]), c["color"]) for c in categories]))
