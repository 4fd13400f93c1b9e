"""Figures of each polygon, gathered from the pixels that it covers, as columns of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..assess.areas import area_unit
from ..names import distinct_names
from . import statistics
from .layers import Band, Layers

Columns = list[tuple[str, object]]  # names may be equal until all are there

LEVELS = (0.1, 0.5, 0.9)
_WITH_PERCENTILES = ("map", "uncertainty", "expected_error", "reconstruction_error", "error_probability")


def has_percentiles(band: Band) -> bool:
    """Whether percentiles are given beside the mean."""
    return band.output in _WITH_PERCENTILES and not band.categorical


@dataclass
class Sums:
    """What is known of one polygon; parts of it are added one after the other.

    Attributes:
        moments: See ``statistics.moments``, of all bands.
        area: Area with a value in the first band, in the ``area_unit``.
        classes: Area of each class of the map.
        dominant: Pixels of each dominant player.
        percentiles: ``(bands with percentiles, levels)``.
    """

    moments: NDArray[np.float64]
    area: float = 0.0
    classes: dict[int, float] = field(default_factory=dict)
    dominant: dict[int, float] = field(default_factory=dict)
    percentiles: NDArray[np.float64] | None = None

    def add(
        self,
        bands: Sequence[Band],
        values: NDArray[np.float32],
        shares: NDArray[np.float64],
        areas: NDArray[np.float64],
    ) -> None:
        """Add pixels.

        Args:
            bands: What the values are.
            values: ``(bands, n)``.
            shares: ``(n,)`` share of each pixel that the polygon covers.
            areas: ``(n,)`` area of each whole pixel.
        """
        self.moments += statistics.moments(values, shares)
        self.area += float((shares * areas)[np.isfinite(values[0])].sum())
        for band, line in zip(bands, values, strict=True):
            if band.categorical:
                of_map = band.output == "map"
                sums = self.classes if of_map else self.dominant
                for value, size in statistics.tally(line, shares * areas if of_map else shares).items():
                    sums[value] = sums.get(value, 0.0) + size

    @property
    def means(self) -> NDArray[np.float64]:
        """``(bands,)``; NaN for a band without a value."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means: NDArray[np.float64] = self.moments[1] / self.moments[0]
        return means

    def share_of(self, size: float) -> float:
        """Share of a polygon of ``size`` pixels that has a value in the first band."""
        return float(min(1.0, self.moments[0, 0] / size)) if size > 0 else 0.0


def deviations(bands: Sequence[Band], sums: Mapping[int, Sums], count: int) -> dict[str, NDArray[np.float64]]:
    """How far each modality's reconstruction is off, in standard deviations of the error that the network expects.

    The expected error is the scale ``b`` of a Laplace distribution, whose standard deviation is ``√2 b``: the mean
    squared error over the mean of ``2 b²``, averaged over the modality's bands, and the root of that.

    Returns:
        ``(count,)`` by modality; NaN without both errors.
    """
    place = {(band.output, band.name): i for i, band in enumerate(bands)}
    pairs = [
        (name.partition(":")[0], i, place["expected_error", name])
        for (output, name), i in place.items()
        if output == "reconstruction_error" and ("expected_error", name) in place and len(bands[i].sources) == 1
    ]
    moments = np.full((count, 3, len(bands)), np.nan)
    for number, own in sums.items():
        moments[number] = own.moments
    ratios: dict[str, list[NDArray[np.float64]]] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = moments[:, 2] / moments[:, 0]
        for modality, error, expected in pairs:
            ratios.setdefault(modality, []).append(squares[:, error] / (2.0 * squares[:, expected]))
    return {modality: np.sqrt(np.mean(lines, axis=0)) for modality, lines in ratios.items()}


def table(
    layers: Layers, sums: Mapping[int, Sums], sizes: NDArray[np.float64], off: Mapping[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """The figures as columns, a line a polygon; empty where there is nothing.

    Args:
        layers: What was read.
        sums: By polygon number; polygons elsewhere are missing.
        sizes: ``(polygons,)`` their areas in pixels.
        off: See ``deviations``.
    """
    bands = layers.bands
    mean = np.full((len(sizes), len(bands)), np.nan)
    for number, own in sums.items():
        mean[number] = own.means
    columns: Columns = [
        (f"area_{area_unit(layers.grid)}", _each(sums, len(sizes), lambda own: own.area)),
        ("mapped_share", [sums[i].share_of(size) if i in sums else 0.0 for i, size in enumerate(sizes)]),
    ]
    columns += _classes(layers, sums, len(sizes))
    at = 0
    for i, band in enumerate(bands):
        if band.categorical:
            continue
        name = _column(band)
        columns.append((name if band.output in ("probability", "attribution") else f"{name}_mean", mean[:, i]))
        if has_percentiles(band):
            lines = _percentiles(sums, len(sizes), at)
            columns += [(f"{name}_p{100 * level:.0f}", lines[:, j]) for j, level in enumerate(LEVELS)]
            at += 1
    columns += _dominant(layers, sums, len(sizes))
    columns += [(f"deviation_{_plain(modality)}", values) for modality, values in off.items()]
    names, values = zip(*columns, strict=True)
    return pd.DataFrame(dict(zip(distinct_names(names), values, strict=True)))


def _classes(layers: Layers, sums: Mapping[int, Sums], count: int) -> Columns:
    """The largest class and its share, and the area of every class."""
    if not any(band.output == "map" and band.categorical for band in layers.bands):
        return []
    found = {value for own in sums.values() for value in own.classes}
    names = {value: layers.class_name(value) for value in sorted(found | set(layers.classes))}
    columns: Columns = [
        ("class", _each(sums, count, lambda own: names[largest(own.classes)] if own.classes else None, None)),
        ("class_share", _each(sums, count, lambda own: _share(own.classes))),
    ]
    unit = area_unit(layers.grid)
    areas = {value: [sums[i].classes.get(value, 0.0) if i in sums else np.nan for i in range(count)] for value in names}
    return columns + [(f"{_plain(name)}_{unit}", areas[value]) for value, name in names.items()]


def _dominant(layers: Layers, sums: Mapping[int, Sums], count: int) -> Columns:
    if not any(band.output == "attribution" and band.categorical for band in layers.bands):
        return []
    names = dict(enumerate(layers.players, 1))
    return [
        (
            "dominant_player",
            _each(sums, count, lambda own: names.get(largest(own.dominant)) if own.dominant else None, None),
        ),
        ("dominant_share", _each(sums, count, lambda own: _share(own.dominant))),
    ]


def largest(sums: Mapping[int, float]) -> int:
    """The value with the largest sum; the smaller one of two that are equal."""
    return max(sorted(sums), key=lambda value: sums[value])


def _share(sums: Mapping[int, float]) -> float:
    return sums[largest(sums)] / sum(sums.values()) if sums else float("nan")


def _percentiles(sums: Mapping[int, Sums], count: int, at: int) -> NDArray[np.float64]:
    lines = np.full((count, len(LEVELS)), np.nan)
    for number, own in sums.items():
        if own.percentiles is not None:
            lines[number] = own.percentiles[at]
    return lines


def _each(
    sums: Mapping[int, Sums], count: int, figure: Callable[[Sums], object], nothing: object = float("nan")
) -> list[object]:
    return [figure(sums[i]) if i in sums else nothing for i in range(count)]


def _column(band: Band) -> str:
    """``expected_error_s1_VV``; outputs of one band are called by the output alone."""
    alone = band.output in ("map", "uncertainty", "main_error", "error_probability")
    return band.output if alone else f"{band.output}_{_plain(band.name)}"


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_")
