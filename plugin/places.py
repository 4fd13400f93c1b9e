"""What a scene's layers say at one place: a pixel, or the pixels of a polygon. Numbers only; charts draw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ..engine.jobs import OF_AUXILIARY
from ..models.card import LandClass
from ..models.members import player_names
from .pixels import read, read_bands
from .scenes import MappedScene

_SINGLE = ("uncertainty", "error_probability", "main_error")


@dataclass(frozen=True)
class Reading:
    """One auxiliary modality: ``(bands,)`` each, NaN where a layer is missing; ``unit`` is that of all three."""

    name: str
    bands: Tuple[str, ...]
    predicted: np.ndarray
    expected: np.ndarray
    observed: np.ndarray
    unit: str = ""


@dataclass(frozen=True)
class Place:
    """What the layers say here; over several pixels the mean, and for the class the most frequent.

    Attributes:
        pixels: Pixels of the place that have a value.
        mapped: The class; ``None`` for a regression or where there is none.
        estimate: A regression's estimate; NaN otherwise.
        shares: Classes and their share of the place's pixels, the largest first.
        probabilities: Classes and their probability, 0–1, in the bands' order.
        attributions: Players and their signed contribution to the mapped class's score, in the bands' order.
        bias: What attributions and it add up to is the score, or the estimate of a regression; NaN where unknown.
        values: ``uncertainty``, ``error_probability`` and ``main_error``, where there are such layers.
        readings: The auxiliary modalities.
    """

    pixels: int
    mapped: Optional[LandClass] = None
    estimate: float = float("nan")
    shares: Sequence[Tuple[LandClass, float]] = ()
    probabilities: Sequence[Tuple[LandClass, float]] = ()
    attributions: Sequence[Tuple[str, float]] = ()
    bias: float = float("nan")
    values: Mapping[str, float] = field(default_factory=dict)
    readings: Sequence[Reading] = ()

    @property
    def dominant(self) -> str:
        """The player that contributes most, for or against; empty without attributions."""
        known = [(abs(value), player) for player, value in self.attributions if np.isfinite(value)]
        return max(known)[1] if known else ""


def look(
    scene: MappedScene,
    classes: Sequence[LandClass],
    rows: slice,
    columns: slice,
    mask: Optional[np.ndarray] = None,
    units: Mapping[str, str] = {},
    leave_out: Sequence[str] = (),
) -> Place:
    """Read every layer of a scene at a place.

    Args:
        classes: Of the map; see ``cards.classes_of``.
        rows: Window around the place, inside the raster.
        columns: Likewise.
        mask: ``(rows, columns)`` boolean, the window's pixels that count; all where ``None``.
        units: Unit of each auxiliary modality, by its name.
        leave_out: Outputs that are not read; modalities are left out where all of theirs are.
    """
    if mask is None:
        mask = np.ones((rows.stop - rows.start, columns.stop - columns.start), bool)
    means = {name: _mean(scene, name, rows, columns, mask) for name in scene.layers if name not in ("map", *leave_out)}
    shares, estimate, pixels = _mapped(scene, classes, rows, columns, mask)
    return Place(
        pixels=pixels,
        mapped=shares[0][0] if shares else None,
        estimate=estimate,
        shares=shares,
        probabilities=_probabilities(scene, classes, means.get("probability")),
        attributions=list(zip(players(scene), means.get("attribution", np.empty(0)).tolist())),
        bias=_bias(scene, classes, shares) if "attribution" in means else float("nan"),
        values={name: float(means[name][0]) for name in _SINGLE if name in means},
        readings=_readings(scene, means, units) if set(means) & set(OF_AUXILIARY) else (),
    )


def _bias(scene: MappedScene, classes: Sequence[LandClass], shares: Sequence[Tuple[LandClass, float]]) -> float:
    """Mean over the place: each pixel's attributions are about its own class, or all about one."""
    biases, one = scene.biases, scene.attributed_class
    if not classes:
        return biases.get(0, float("nan"))
    own = [(c, 1.0) for c in classes if one in (c.name, str(c.value))] if one else shares
    return sum(share * biases.get(c.value, float("nan")) for c, share in own) if own else float("nan")


def players(scene: MappedScene) -> List[str]:
    """Names of the players, in the order of the attribution's bands; its last band tells the dominant one."""
    return player_names(scene.band_names("attribution"))


def _mean(scene: MappedScene, output: str, rows: slice, columns: slice, mask: np.ndarray) -> np.ndarray:
    layer = scene.layers[output]
    values = read_bands(layer, range(1, layer.bandCount() + 1), rows, columns)[:, mask]
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=1, dtype=np.float64) / np.where(
            known.any(axis=1), known.sum(1), np.nan
        )


def _mapped(
    scene: MappedScene, classes: Sequence[LandClass], rows: slice, columns: slice, mask: np.ndarray
) -> Tuple[List[Tuple[LandClass, float]], float, int]:
    if "map" not in scene.layers:
        return [], float("nan"), int(mask.sum())
    values = read(scene.layers["map"], 1, rows, columns)[mask]
    values = values[np.isfinite(values)]
    if not len(values) or not classes:
        return [], float(values.mean()) if len(values) else float("nan"), len(values)
    found, counts = np.unique(values.astype(int), return_counts=True)
    by_value = {c.value: c for c in classes}
    pairs = [
        (by_value.get(v, LandClass(v, str(v), "#9aa3ab")), n / len(values))
        for v, n in zip(found.tolist(), counts.tolist())
    ]
    return sorted(pairs, key=lambda pair: -pair[1]), float("nan"), len(values)


def _probabilities(
    scene: MappedScene, classes: Sequence[LandClass], values: Optional[np.ndarray]
) -> List[Tuple[LandClass, float]]:
    if values is None:
        return []
    by_name = {c.name: c for c in classes}
    names = scene.band_names("probability")
    return [(by_name.get(name, LandClass(0, name, "#9aa3ab")), p) for name, p in zip(names, values.tolist())]


def _readings(scene: MappedScene, means: Mapping[str, np.ndarray], units: Mapping[str, str]) -> List[Reading]:
    found, first = [], 0
    for name, bands in scene.modalities().items():
        part = slice(first, first + len(bands))
        nothing = np.full(len(bands), np.nan)
        predicted = means["reconstruction"][part] if "reconstruction" in means else nothing
        error = means["reconstruction_error"][part] if "reconstruction_error" in means else nothing
        expected = means["expected_error"][part] if "expected_error" in means else nothing
        found.append(Reading(name, tuple(bands), predicted, expected, predicted - error, units.get(name, "")))
        first = part.stop
    return found


def relative_errors(place: Place) -> Dict[str, float]:
    """Largest ratio of reconstruction error to expected error of each modality's bands; without those unknown."""
    ratios = {}
    for reading in place.readings:
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.abs(reading.predicted - reading.observed) / reading.expected
        if np.isfinite(ratio).any():
            ratios[reading.name] = float(np.nanmax(ratio))
    return ratios
