"""Are main errors explained by the auxiliary tasks? Statistics over mapped scenes, from planes to figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..assess.reliability import Reliability
from . import association, detection
from .mapped import Plane, Thinned
from .scores import ALONE, ERROR_PROBABILITY, combined

Values = NDArray[np.float64]
_MIN_UNITS = 8  # scenes, from which on they are resampled; with fewer, blocks of them
_BLOCKS = 8  # along the longer side of a scene
QUANTILES = 10
SHIFTS = 199
_TOLD_SHIFTS = 20  # after so many progress is told
_FEW = 30  # pixels of a group
SHIFTED, SHIFTED_ANY = "pearson, shifted at random", "pearson, largest of all bands shifted at random"


@dataclass(frozen=True)
class Line:
    """One figure: what it is, of which band or score, in which group of pixels; NaN where undefined."""

    figure: str
    of: str
    group: str
    value: float
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    effective: float = np.nan
    pixels: int = 0


@dataclass(frozen=True)
class Findings:
    """Everything that was found; curves and bins for the charts.

    A regression is wrong where its error exceeds ``tolerance``: that of its error probability, or else the RMSE.
    """

    lines: tuple[Line, ...]
    curves: Mapping[str, tuple[Values, Values]]
    quantiles: Mapping[str, Values]
    reliability: Reliability | None
    tolerance: float
    error_rate: float
    pixels: int
    unit: str
    units: int
    notes: tuple[str, ...]

    def line(self, figure: str, of: str, group: str = "all") -> Line | None:
        return next((x for x in self.lines if (x.figure, x.of, x.group) == (figure, of, group)), None)


@dataclass(frozen=True)
class Pixels:
    """Pixels of all scenes in a row: what ``(n,)`` arrays say of each."""

    scenes: Sequence[Thinned]
    known: Sequence[NDArray[np.bool_]]
    unit: NDArray[np.int64]

    def of(self, planes: Iterable[Plane]) -> Values:
        return np.concatenate([p[k] for p, k in zip(planes, self.known, strict=True)]).astype(np.float64)


@dataclass(frozen=True)
class Shifted:
    """A correlation, and what it is with one raster shifted at random, ``(SHIFTS,)``."""

    real: float
    null: Values


def explore(scenes: Sequence[Thinned], seed: int, on_share: Callable[[float], None] = lambda share: None) -> Findings:
    """Compute all statistics; ``on_share`` is told, a few times a band, which share of them is done."""
    is_regression = not scenes[0].scene.classes and any(np.nanmax(np.abs(s.error % 1), initial=0) > 0 for s in scenes)
    merged = combined(scenes)
    names = sorted(set.intersection(*(set(s) for s in merged)))
    planes = {name: [s[name] for s in merged] for name in names}
    bands = [b for b in scenes[0].auxiliary if all(b in s.auxiliary for s in scenes)]
    known = [
        np.isfinite(s.error) & np.all([np.isfinite(p[i]) for p in planes.values()], axis=0)
        for i, s in enumerate(scenes)
    ]
    unit_name, pixels = _units(scenes, known)
    notes = []
    units = int(pixels.unit.max()) + 1 if len(pixels.unit) else 0
    if unit_name == "block" and len(scenes) > 1:
        notes.append(f"With {len(scenes)} scenes, blocks of scenes were resampled; intervals may be too narrow.")
    if units < 2:
        notes.append("There is one unit only to resample; intervals are left out.")
    size = np.abs(pixels.of(s.error for s in scenes))
    tolerance = _tolerance(scenes, size) if is_regression and len(size) else 0.0
    wrong = size > tolerance
    lines: list[Line] = []
    quantiles: dict[str, Values] = {}
    if not len(size):
        bands = []
    elif not bands:
        notes.append("No reconstruction errors are given; correlations with them are left out.")
    shifted: dict[str, Shifted] = {}
    for number, band in enumerate(bands):
        tell = partial(on_share, number / len(bands))
        forms = {"signed": [s.auxiliary[band] for s in scenes], "absolute": [s.size(band) for s in scenes]}
        if np.ptp(pixels.of(forms["signed"])) == 0:
            notes.append(f"The reconstruction error of {band} is the same everywhere; its figures are left out.")
            continue
        for form, errors in forms.items():
            tell()
            test = association.tested(_masked(errors, pixels))
            tell()
            of = f"{band} ({form})"
            lines += _correlations(of, pixels.of(errors), size, test, pixels, planes.get(ALONE), seed)
        shifted[band] = _shifted(_masked(forms["absolute"], pixels), seed, tell)
        quantiles[band] = _by_quantile(pixels.of(forms["absolute"]), wrong)
    lines += _by_chance(shifted, len(size))
    curves: dict[str, tuple[Values, Values]] = {}
    reliability = None
    if len(wrong) and 0 < wrong.mean() < 1:
        scores = {name: pixels.of(p) for name, p in planes.items()}
        scores["random"] = np.random.default_rng(seed).random(len(wrong))
        lines += _detection(scores, wrong, pixels, seed, curves)
        if ERROR_PROBABILITY in scores:
            reliability = Reliability()
            reliability.add(scores[ERROR_PROBABILITY], wrong)
            lines.append(Line("ece", ERROR_PROBABILITY, "all", reliability.figures()["ece"], pixels=len(wrong)))
    else:
        what = "wrong" if len(wrong) and wrong.all() else "right"
        notes.append(f"Every compared pixel is {what}; there is nothing to tell apart, detection is left out.")
    return Findings(
        tuple(lines), curves, quantiles, reliability, tolerance, float(wrong.mean()) if len(wrong) else np.nan,
        len(wrong), unit_name, units, tuple(notes),
    )  # fmt: skip


def _tolerance(scenes: Sequence[Thinned], size: Values) -> float:
    """From which error on a regression counts as wrong: as its error probability was fitted, if the layers say so."""
    told = {s.scene.tolerance for s in scenes}
    (only,) = told if len(told) == 1 else (None,)
    return float(np.sqrt((size**2).mean())) if only is None else only


def _units(scenes: Sequence[Thinned], known: Sequence[NDArray[np.bool_]]) -> tuple[str, Pixels]:
    """Number the units that are resampled: whole scenes, or blocks where there are few scenes."""
    by_scene = len(scenes) >= _MIN_UNITS
    numbers = []
    for i, mask in enumerate(known):
        side = max(1, -(-max(mask.shape) // _BLOCKS))
        rows, cols = np.indices(mask.shape) // side
        block = np.full(mask.shape, i) if by_scene else (i * _BLOCKS + rows) * _BLOCKS + cols
        numbers.append(block[mask])
    joined = np.concatenate(numbers)
    return "scene" if by_scene else "block", Pixels(scenes, known, np.unique(joined, return_inverse=True)[1])


def _correlations(
    of: str,
    values: Values,
    size: Values,
    test: association.Correlation,
    pixels: Pixels,
    uncertainty: Sequence[Plane] | None,
    seed: int,
) -> list[Line]:
    """Correlations of the main error's size with one form of a reconstruction error."""
    lines, scenes = [], pixels.scenes
    mapped = pixels.of(s.mapped for s in scenes)
    classes = [c for c in scenes[0].scene.classes if (mapped == c.value).sum() >= _FEW]
    low, high = _pearson_interval(values, size, pixels.unit, seed)
    lines.append(Line("pearson", of, "all", test.r, low, high, test.p, test.effective, len(size)))
    rank = association.spearman(values, size)
    lines.append(Line("spearman", of, "all", rank, p=association.p_value(rank, test.effective),
                      effective=test.effective, pixels=len(size)))  # fmt: skip
    controls = [(mapped == c.value).astype(np.float64) for c in classes[1:]]
    controls += [pixels.of(uncertainty)] if uncertainty is not None else []
    if controls:
        r = association.partial(values, size, controls)
        lines.append(Line("partial, given uncertainty and class", of, "all", r, pixels=len(size)))
    groups = [(f"class {c.name}", mapped == c.value) for c in classes]
    if len(scenes) > 1:
        number = np.repeat(np.arange(len(scenes)), [int(k.sum()) for k in pixels.known])
        groups += [(f"scene {s.scene.name}", number == i) for i, s in enumerate(scenes)]
    for group, inside in groups:
        if inside.sum() >= _FEW:
            pair = values[inside], size[inside]
            for figure, measure in (("pearson", association.pearson), ("spearman", association.spearman)):
                lines.append(Line(figure, of, group, measure(*pair), pixels=int(inside.sum())))
    return lines


def _masked(planes: Iterable[Plane], pixels: Pixels) -> list[tuple[Plane, Plane]]:
    """Size of the main error, and another plane, of each scene; NaN where a pixel does not count."""
    return [
        (np.where(known, np.abs(s.error), np.nan), np.where(known, plane, np.nan))
        for s, plane, known in zip(pixels.scenes, planes, pixels.known, strict=True)
    ]


def _moments(x: Values, y: Values, unit: NDArray[np.int64]) -> Values:
    """Sums of 1, x, y, xx, yy, xy by unit, ``(units, 6)``."""
    return np.stack([np.bincount(unit, v) for v in (np.ones(len(x)), x, y, x * x, y * y, x * y)], axis=1)


def _pearson_of(sums: Values) -> Values:
    """Pearson's correlation from ``(…, 6)`` sums."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((n * xy - x * y) / np.sqrt((n * xx - x * x) * (n * yy - y * y)))


def _pearson_interval(x: Values, y: Values, unit: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """95 % interval of Pearson's correlation over resampled units."""
    sums = _moments(x - x.mean(), y - y.mean(), unit)
    units = len(sums)
    if units < 2:
        return np.nan, np.nan
    drawn = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), detection.DRAWS)
    found = _pearson_of(drawn @ sums)
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def _shifted(pairs: Sequence[tuple[Plane, Plane]], seed: int, tell: Callable[[], None] = lambda: None) -> Shifted:
    """What shifting one plane against the other (around the border) makes of the correlation.

    It keeps both autocorrelations and breaks what they have to do with each other. The shifts are those of the seed,
    the same for all bands. ``tell`` is called every few of them.
    """
    rng = np.random.default_rng(seed)

    def correlation(shifts: Sequence[tuple[int, int]]) -> float:
        sums = np.zeros(6)
        for (x, y), shift in zip(pairs, shifts, strict=True):
            moved = np.roll(y, shift, (0, 1))
            both = np.isfinite(x) & np.isfinite(moved)
            a, b = x[both].astype(np.float64), moved[both].astype(np.float64)
            sums += np.array([len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b])
        return float(_pearson_of(sums))

    def draw() -> list[tuple[int, int]]:
        return [(int(rng.integers(1, max(2, x.shape[0]))), int(rng.integers(1, max(2, x.shape[1])))) for x, _ in pairs]

    null = np.empty(SHIFTS)
    for number in range(SHIFTS):
        if number % _TOLD_SHIFTS == 0:
            tell()
        null[number] = correlation(draw())
    return Shifted(correlation([(0, 0)] * len(pairs)), null)


def _by_chance(shifted: Mapping[str, Shifted], pixels: int) -> list[Line]:
    """How each band's correlation compares with its own when shifted, and with the largest of all bands when shifted.

    The latter is what chance makes of the best of many bands (Westfall and Young 1993).
    """
    if not shifted:
        return []
    lines = []
    largest = np.max([np.nan_to_num(np.abs(s.null)) for s in shifted.values()], axis=0)
    for band, found in shifted.items():
        null = found.null[np.isfinite(found.null)]
        if not len(null) or not np.isfinite(found.real):
            continue
        low, high = (float(value) for value in np.percentile(null, [2.5, 97.5]))
        alone, of_any = (
            float((1 + (against >= abs(found.real)).sum()) / (1 + len(against))) for against in (np.abs(null), largest)
        )
        of = f"{band} (absolute)"
        lines.append(Line(SHIFTED, of, "all", found.real, low, high, alone, pixels=pixels))
        lines.append(Line(SHIFTED_ANY, of, "all", found.real, p=of_any, pixels=pixels))
    return lines


def _by_quantile(size: Values, wrong: NDArray[np.bool_]) -> Values:
    """Error rate in tenths of the pixels by the size of the reconstruction error, smallest first."""
    order = np.argsort(size, kind="stable")
    return np.array([wrong[part].mean() if len(part) else np.nan for part in np.array_split(order, QUANTILES)])


def _detection(
    scores: Mapping[str, Values],
    wrong: NDArray[np.bool_],
    pixels: Pixels,
    seed: int,
    curves: dict[str, tuple[Values, Values]],
) -> list[Line]:
    """Figures of error detection of each score, and their differences to the uncertainty alone."""
    lines = []
    binned = {name: detection.counts(values, wrong, pixels.unit) for name, values in scores.items()}
    drawn = detection.resampled(binned, seed)
    for name, figures in drawn.items():
        curves[name] = detection.risk_coverage(binned[name])
        for figure, values in figures.items():
            found = detection.interval(values)
            lines.append(Line(figure, name, "all", found.value, found.low, found.high, pixels=len(wrong)))
        if ALONE in drawn and name != ALONE:
            gain = detection.interval(figures["auroc"] - drawn[ALONE]["auroc"])
            lines.append(Line("auroc gain over uncertainty", name, "all", gain.value, gain.low, gain.high))
    return lines
