"""Figures of a whole mapped scene, in one pass over its layers, strip by strip: memory does not grow with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Tuple

import numpy as np
from qgis.core import QgsDistanceArea, QgsGeometry, QgsProject, QgsRectangle, QgsUnitTypes

from ...engine.jobs import OF_AUXILIARY
from ..pixels import centre_of, read, strips
from ..places import players
from ..scenes import MappedScene

LEVELS = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)  # bounds of the levels of error probability
_BINS = 1000
_SAMPLES = 64  # values of a strip's lines that the median place is chosen from, a line


@dataclass
class Moments:
    """Count, mean, root mean square of the values of one band."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: np.ndarray) -> None:
        known = values[np.isfinite(values)].astype(np.float64)
        self.count += known.size
        self.total += float(known.sum())
        self.squares += float(np.dot(known, known))

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else float("nan")

    @property
    def rms(self) -> float:
        return (self.squares / self.count) ** 0.5 if self.count else float("nan")

    @property
    def std(self) -> float:
        return max(0.0, self.rms**2 - self.mean**2) ** 0.5 if self.count else float("nan")


@dataclass
class Level:
    """A level of error probability: its bounds, area, and how often the map was expected to be and was wrong."""

    low: float
    high: float
    area: float = 0.0
    pixels: int = 0
    expected: float = 0.0
    compared: int = 0
    wrong: int = 0


@dataclass
class SceneFigures:
    """Figures of a mapped scene.

    Attributes:
        unit: Of areas: ``ha``, or ``px`` without a CRS.
        pixels: All pixels of the grid.
        valid: Those with a value (of the map where there is one).
        area: Of the valid ones.
        classes: Area of each class value; empty for a regression.
        estimate: Of a regression.
        moments: By output and band name.
        levels: Of error probability; empty without.
        dominant: Area by player.
        attributed: Mean absolute attribution by player.
        places: Row and column of the most certain, the median and the most doubtful pixel.
    """

    unit: str
    pixels: int
    valid: int = 0
    area: float = 0.0
    classes: Dict[int, float] = field(default_factory=dict)
    estimate: Moments = field(default_factory=Moments)
    moments: Dict[str, Dict[str, Moments]] = field(default_factory=dict)
    levels: List[Level] = field(default_factory=list)
    dominant: Dict[str, float] = field(default_factory=dict)
    attributed: Dict[str, float] = field(default_factory=dict)
    places: Dict[str, Tuple[int, int]] = field(default_factory=dict)
    auroc: float = float("nan")

    def mean(self, output: str) -> float:
        """Mean of an output's first band; NaN without it."""
        bands = self.moments.get(output)
        return next(iter(bands.values())).mean if bands else float("nan")


def measure(scene: MappedScene, is_classes: bool, going_on: Callable[[float], bool]) -> Optional[SceneFigures]:
    """Pass over a scene once.

    Args:
        is_classes: Whether the map shows classes; else numbers.
        going_on: Is told the share done, 0–1, and says whether to go on.

    Returns:
        The figures, ``None`` where it was stopped.
    """
    height, width = scene.size
    row_areas, unit = pixel_areas(scene)
    figures = SceneFigures(unit, height * width)
    for output in ("uncertainty", "error_probability", "main_error", *OF_AUXILIARY, "attribution"):
        if output in scene.layers and (output != "attribution" or players(scene)):
            figures.moments[output] = {name: Moments() for name in scene.band_names(output)}
    pass_over = _Pass(scene, figures, is_classes)
    for rows in strips(height):
        if not going_on(rows.start / height):
            return None
        pass_over.strip(rows, slice(0, width), row_areas[rows])
    pass_over.finish()
    return figures


def pixel_areas(scene: MappedScene) -> Tuple[np.ndarray, str]:
    """Area of a pixel of each row, ``(height,)``, and its unit: hectares, or pixels where no CRS tells their size.

    In a projection the area is that of the projection, as in ``accuracy``; in degrees that on the ellipsoid.
    """
    layer, (height, _) = scene.any_layer, scene.size
    crs, dx, dy = layer.crs(), layer.rasterUnitsPerPixelX(), layer.rasterUnitsPerPixelY()
    if not crs.toProj():
        return np.ones(height), "px"
    if not crs.isGeographic():
        metre = QgsUnitTypes.fromUnitToUnitFactor(crs.mapUnits(), QgsUnitTypes.DistanceUnit.DistanceMeters)
        return np.full(height, dx * dy * metre**2 / 1e4), "ha"
    measured = QgsDistanceArea()
    measured.setSourceCrs(crs, QgsProject.instance().transformContext())
    measured.setEllipsoid(crs.ellipsoidAcronym() or "EPSG:7030")
    areas = np.empty(height)
    for row in range(height):
        middle = centre_of(layer, row, 0)
        box = QgsRectangle.fromCenterAndSize(middle, dx, dy)
        areas[row] = measured.measureArea(QgsGeometry.fromRect(box)) / 1e4
    return areas, "ha"


class _Pass:
    """One pass over a scene: takes strips, fills in figures."""

    def __init__(self, scene: MappedScene, figures: SceneFigures, is_classes: bool) -> None:
        self._scene, self._figures, self._is_classes = scene, figures, is_classes
        self._all = np.zeros(_BINS, np.int64)  # pixels by error probability, where the truth is known
        self._wrong = np.zeros(_BINS, np.int64)
        self._tolerance = scene.tolerance
        self._sizes = np.zeros(len(players(scene)))
        self._sized = 0
        self._lowest, self._highest = np.inf, -np.inf
        self._sample: List[Tuple[float, int, int]] = []
        if "error_probability" in scene.layers:
            figures.levels = [Level(low, high) for low, high in zip(LEVELS, LEVELS[1:])]

    def strip(self, rows: slice, columns: slice, row_areas: np.ndarray) -> None:
        layers = self._scene.layers
        areas = np.broadcast_to(row_areas[:, None], (rows.stop - rows.start, columns.stop))
        first = "map" if "map" in layers else next(iter(layers))
        mapped = read(layers[first], 1, rows, columns)
        valid = np.isfinite(mapped)
        self._figures.valid += int(valid.sum())
        self._figures.area += float(areas[valid].sum())
        if "map" in layers:
            self._map(mapped[valid], areas[valid])
        doubt = {}
        for output, bands in self._figures.moments.items():
            if output == "attribution":
                self._attribution(rows, columns, areas)
                continue
            for number, moments in enumerate(bands.values(), 1):
                values = read(layers[output], number, rows, columns)
                moments.add(values)
                doubt.setdefault(output, values)
        if "error_probability" in doubt:
            self._levels(doubt["error_probability"], self._wrong_where(doubt.get("main_error")), areas)
        if self._scene.doubt:
            self._candidates(doubt[self._scene.doubt], rows.start)

    def finish(self) -> None:
        """What can be said when every strip was seen."""
        if self._sample:
            self._sample.sort()
            _, row, column = self._sample[len(self._sample) // 2]
            self._figures.places["median"] = row, column
        if self._sized:
            named = players(self._scene)
            self._figures.attributed = dict(zip(named, (self._sizes / self._sized).tolist()))
        self._figures.auroc = auroc(self._all - self._wrong, self._wrong)
        self._figures.moments.pop("attribution", None)

    def _map(self, values: np.ndarray, areas: np.ndarray) -> None:
        if not self._is_classes:
            self._figures.estimate.add(values)
            return
        sums = np.bincount(values.astype(np.int64), areas)
        for value in np.flatnonzero(sums).tolist():
            self._figures.classes[value] = self._figures.classes.get(value, 0.0) + float(sums[value])

    def _wrong_where(self, error: Optional[np.ndarray]) -> Optional[np.ndarray]:
        """1 where the map is wrong, NaN where that is not known; a regression is, where it is too far off."""
        if error is None or self._is_classes:
            return error
        return np.where(np.isfinite(error), np.abs(error) > self._tolerance, np.nan) if self._tolerance > 0 else None

    def _levels(self, probability: np.ndarray, wrong: Optional[np.ndarray], areas: np.ndarray) -> None:
        known = np.isfinite(probability)
        values = np.clip(probability[known], 0, 1)
        step = np.digitize(values, LEVELS[1:-1])
        area = np.bincount(step, areas[known], len(self._figures.levels))
        expected = np.bincount(step, values, len(self._figures.levels))
        pixels = np.bincount(step, minlength=len(self._figures.levels))
        for at, level in enumerate(self._figures.levels):
            level.area += float(area[at])
            level.expected += float(expected[at])
            level.pixels += int(pixels[at])
        if wrong is None:
            return
        found = wrong[known]
        compared = np.isfinite(found)
        counts = np.bincount(step[compared], minlength=len(self._figures.levels))
        wrongs = np.bincount(step[compared], found[compared], len(self._figures.levels))
        for at, level in enumerate(self._figures.levels):
            level.compared += int(counts[at])
            level.wrong += int(wrongs[at])
        place = np.minimum((values[compared] * _BINS).astype(np.int64), _BINS - 1)
        self._all += np.bincount(place, minlength=_BINS)
        self._wrong += np.bincount(place[found[compared] == 1], minlength=_BINS)

    def _attribution(self, rows: slice, columns: slice, areas: np.ndarray) -> None:
        layer, named = self._scene.layers["attribution"], players(self._scene)
        for at in range(len(named)):
            values = read(layer, at + 1, rows, columns)
            known = np.isfinite(values)
            self._sizes[at] += float(np.abs(values[known]).sum())
        self._sized += int(known.sum())
        dominant = read(layer, layer.bandCount(), rows, columns)
        known = np.isfinite(dominant)
        sums = np.bincount(dominant[known].astype(np.int64), areas[known], len(named) + 1)[1 : len(named) + 1]
        for name, area in zip(named, sums.tolist()):
            self._figures.dominant[name] = self._figures.dominant.get(name, 0.0) + area

    def _candidates(self, values: np.ndarray, first_row: int) -> None:
        known = np.isfinite(values)
        if not known.any():
            return
        low, high = np.where(known, values, np.inf), np.where(known, values, -np.inf)
        for name, flat in (("certain", int(low.argmin())), ("doubtful", int(high.argmax()))):
            row, column = divmod(flat, values.shape[1])
            value = float(values[row, column])
            if name == "certain" and value < self._lowest:
                self._lowest = value
            elif name == "doubtful" and value > self._highest:
                self._highest = value
            else:
                continue
            self._figures.places[name] = first_row + row, column
        step = max(1, values.shape[1] // _SAMPLES)
        thinned = values[::8, step // 2 :: step]
        for row, column in zip(*np.nonzero(np.isfinite(thinned))):
            self._sample.append((float(thinned[row, column]), first_row + 8 * int(row), step // 2 + step * int(column)))


def auroc(right: np.ndarray, wrong: np.ndarray) -> float:
    """Area under the ROC curve of a score from its histograms, ``(bins,)`` each; NaN where one is empty."""
    if not right.sum() or not wrong.sum():
        return float("nan")
    below = np.cumsum(right) - right
    return float((wrong * (below + right / 2)).sum() / (right.sum() * wrong.sum()))
