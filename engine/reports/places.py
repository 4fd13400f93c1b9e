"""A drawn map of places on the Earth: where they lie, and how they lie to each other."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from . import figures as fig

_LAND = Path(__file__).parents[2] / "resources" / "land.json"  # Natural Earth, public domain, simplified to 0.1°
_SEA, _GROUND, _PAPER = "#eef3f7", "#d5dad6", "#f6f7f5"
_COARSEST_LAND_DEG = 2.0  # closer views show no coast: it is drawn too coarsely
_MOST_NUMBERS = 40
_KM_PER_DEGREE = 111.32
Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees; west > east across the date line


@dataclass(frozen=True)
class Place:
    """A rectangle on the Earth. ``label`` is written into it, ``kind`` goes into the legend with its ``color``."""

    label: str
    bounds: Bounds
    kind: str
    color: str


def draw_places(places: Sequence[Place]) -> str:
    """Draw the world with a mark at each place, and beside it the places at their own scale.

    Returns:
        A PNG as data URI.
    """
    made = fig.figure(9.6, 3.9)
    world, near = made.subplots(1, 2, width_ratios=(1.35, 1.0))
    _draw_world(world, places)
    _draw_near(near, places)
    kinds = dict.fromkeys((place.kind, place.color) for place in places)
    made.legend(
        handles=[Patch(facecolor=color, alpha=0.45, edgecolor=color, label=kind) for kind, color in kinds],
        loc="outside lower center", ncols=max(1, len(kinds)), frameon=False, fontsize=9, labelcolor=fig.INK,
    )  # fmt: skip
    return fig.as_png(made, dpi=130)


def _draw_world(axes: Axes, places: Sequence[Place]) -> None:
    _prepare(axes, (-180.0, -60.0, 180.0, 84.0))
    _draw_land(axes, 0.0)
    for place in places:
        west, south, east, north = _unrolled(place.bounds)
        middle = (west + east) / 2
        axes.plot(
            [middle - 360 if middle > 180 else middle], [(south + north) / 2],
            marker="o", markersize=5.5, color=place.color, markeredgecolor="white", markeredgewidth=0.8,
        )  # fmt: skip
    axes.set_xticks(range(-120, 180, 60))
    axes.set_yticks(range(-30, 90, 30))


def _draw_near(axes: Axes, places: Sequence[Place]) -> None:
    boxes = [_unrolled(place.bounds) for place in places]
    if any(box[2] > 180 for box in boxes):  # across the date line: count all longitudes eastwards
        boxes = [(w + 360, s, e + 360, n) if e < 0 else (w, s, e, n) for w, s, e, n in boxes]
    view = _view(boxes)
    _prepare(axes, view)
    if view[2] - view[0] >= _COARSEST_LAND_DEG:
        _draw_land(axes, 0.0)
        _draw_land(axes, 360.0)
    else:
        axes.set_facecolor(_PAPER)
    labels: dict[Bounds, list[str]] = {}
    for place, (west, south, east, north) in zip(places, boxes, strict=True):
        labels.setdefault((west, south, east, north), []).append(place.label)
        size = east - west, north - south
        axes.add_patch(Rectangle((west, south), *size, facecolor=place.color, alpha=0.3, linewidth=0))
        axes.add_patch(Rectangle((west, south), *size, fill=False, edgecolor=place.color, linewidth=1.1))
    if len(labels) <= _MOST_NUMBERS:
        for (west, south, east, north), texts in labels.items():
            if east - west > 0.05 * (view[2] - view[0]):
                axes.annotate(
                    ", ".join(texts), ((west + east) / 2, (south + north) / 2),
                    ha="center", va="center", fontsize=8, color=fig.INK, parse_math=False,
                )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    _draw_scale_bar(axes, view)


def _view(boxes: Sequence[Bounds]) -> Bounds:
    """The rectangle that holds all boxes with a frame around, about as high as wide on the ground."""
    sides = np.array(boxes)
    west, south, east, north = sides[:, 0].min(), sides[:, 1].min(), sides[:, 2].max(), sides[:, 3].max()
    shrink = _shrink((south + north) / 2)
    half = 0.58 * max((east - west) * shrink, north - south, 1e-4)
    middle = (west + east) / 2, (south + north) / 2
    return (middle[0] - half / shrink, middle[1] - half, middle[0] + half / shrink, middle[1] + half)


def _draw_scale_bar(axes: Axes, view: Bounds) -> None:
    west, south, east, north = view
    degree_km = _KM_PER_DEGREE * _shrink(south + 0.06 * (north - south))
    longest = (east - west) * degree_km / 3
    step = 10.0 ** math.floor(math.log10(longest))
    length = max(step * factor for factor in (1, 2, 5) if step * factor <= longest)
    x, y = west + 0.05 * (east - west), south + 0.05 * (north - south)
    axes.add_line(Line2D([x, x + length / degree_km], [y, y], color=fig.INK, linewidth=2.2, solid_capstyle="butt"))
    text = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    axes.annotate(text, (x, y + 0.015 * (north - south)), ha="left", va="bottom", fontsize=8, color=fig.INK)


def _prepare(axes: Axes, view: Bounds) -> None:
    west, south, east, north = view
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1.0 / _shrink((south + north) / 2) if east - west < 120 else 1.0)
    axes.set_facecolor(_SEA)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _degrees((x + 180) % 360 - 180, "E", "W")))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: _degrees(y, "N", "S")))
    axes.tick_params(labelsize=7, colors=fig.QUIET, length=2)
    axes.spines[:].set_color("#c3ccd3")
    axes.grid(color="white", linewidth=0.5)
    axes.set_axisbelow(True)


def _draw_land(axes: Axes, shift: float) -> None:
    rings = [ring + np.array([shift, 0.0]) for ring in _land()]
    axes.add_collection(PolyCollection(rings, facecolor=_GROUND, edgecolor="white", linewidth=0.3), autolim=False)


@lru_cache(maxsize=1)
def _land() -> list[Any]:
    """Outlines of the land, ``(n, 2)`` degrees each; lakes are left out."""
    content = json.loads(_LAND.read_text(encoding="utf-8"))
    return [np.array(polygon[0]) for polygon in content["coordinates"]]


def _unrolled(bounds: Bounds) -> Bounds:
    west, south, east, north = bounds
    return (west, south, east + 360 if east < west else east, north)


def _shrink(latitude: float) -> float:
    """Length of a degree of longitude, in degrees of latitude."""
    return max(0.05, math.cos(math.radians(latitude)))


def _degrees(value: float, positive: str, negative: str) -> str:
    if abs(value) < 1e-9:
        return "0°"
    return f"{abs(value):.5g}° {positive if value > 0 else negative}"
