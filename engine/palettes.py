"""The colours of the outputs, one set for styles, reports and panels.

Ramps are perceptually uniform and safe for colour-blind readers: viridis, magma and cividis (Smith & van der Walt;
Nuñez et al. 2018) for amounts, ColorBrewer's RdBu for signed values. Standard library only, because both sides of the
process boundary draw with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Mapping, Sequence, Tuple

from ..models.card import LandClass

Ramp = Tuple[str, ...]  # colours at even steps, from the smallest value to the largest

VIRIDIS: Ramp = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725")
MAGMA: Ramp = ("#000004", "#1d1147", "#51127c", "#832681", "#b73779", "#e75263", "#fc8961", "#fec488", "#fcfdbf")
CIVIDIS: Ramp = ("#00224e", "#1b3a6d", "#434e6c", "#62646f", "#7d7c78", "#9b9476", "#bcaf6f", "#dfcc5f", "#fee838")
GREYS: Ramp = ("#000000", "#404040", "#808080", "#bfbfbf", "#ffffff")
BLUE_WHITE_RED: Ramp = (
    "#053061", "#2166ac", "#4393c3", "#92c5de", "#d1e5f0", "#f7f7f7", "#fddbc7", "#f4a582", "#d6604d", "#b2182b",
    "#67001f",
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """A ramp between two values; ``unit`` goes into the legend."""

    low: float
    high: float
    ramp: Ramp
    unit: str = ""


RIGHT_OR_WRONG = (LandClass(0, "map = reference", "#e8e8e4"), LandClass(1, "map ≠ reference", "#d55e00"))
PLAYER_COLORS = (  # Okabe & Ito 2008, then Tol's muted scheme: sixteen that colour-blind readers tell apart
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999",
    "#332288", "#117733", "#882255", "#ddcc77", "#88ccee", "#aa4499", "#44aa99", "#661100",
)  # fmt: skip

_NATURAL_COLOUR = (("B4", "B04", "red", "Red"), ("B3", "B03", "green", "Green"), ("B2", "B02", "blue", "Blue"))

RAMPS: Mapping[str, Ramp] = {  # of the outputs that are amounts
    "map": VIRIDIS,
    "probability": VIRIDIS,
    "uncertainty": CIVIDIS,
    "reconstruction": GREYS,
    "expected_error": MAGMA,
    "reconstruction_error": BLUE_WHITE_RED,
    "main_error": BLUE_WHITE_RED,
    "error_probability": MAGMA,
    "attribution": BLUE_WHITE_RED,
}
SIGNED = ("reconstruction_error", "main_error", "attribution")  # shown evenly about 0
FROM_ZERO = ("uncertainty", "expected_error")
SHARES = ("probability", "error_probability")  # always shown from 0 to 1


def colour_bands(names: Sequence[str]) -> List[int]:
    """Numbers of the three bands that show a modality in colours: natural ones where names tell, else the first three.

    Empty where it has fewer.
    """
    if len(names) < 3:
        return []
    natural = [next((names.index(name) + 1 for name in options if name in names), 0) for options in _NATURAL_COLOUR]
    return natural if all(natural) else [1, 2, 3]
