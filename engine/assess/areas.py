"""Accuracy and area from a stratified sample whose strata are the map's classes.

After Olofsson, Foody, Herold, Stehman, Woodcock & Wulder 2014, "Good practices for estimating area and assessing
accuracy of land change", Remote Sensing of Environment 148: 42–57. Pure: counts and areas in, estimates out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scene.grid import Grid

HECTARE_M2 = 10_000.0
Z95 = 1.96  # standard errors on either side of an estimate that a 95 % interval holds
_WGS84_AXIS_M, _WGS84_E2 = 6_378_137.0, 0.006_694_379_990_14
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """Estimates with standard errors (``_se``) for ``q`` classes; a 95 % interval is ± ``Z95`` standard errors.

    Attributes:
        overall: Overall accuracy, 0–1.
        users: ``(q,)`` user's accuracies, 0–1; NaN for a class without a stratum.
        producers: ``(q,)`` producer's accuracies, 0–1; NaN for a class whose estimated area is 0.
        areas: ``(q,)`` areas of the classes in truth, in the unit of the mapped areas.
        left_out: Mapped classes with fewer than two reference pixels; the estimates are about the rest of the map.
    """

    overall: float
    overall_se: float
    users: Floats
    users_se: Floats
    producers: Floats
    producers_se: Floats
    areas: Floats
    areas_se: Floats
    left_out: tuple[int, ...]


def stratified(counts: NDArray[np.integer[Any]], mapped_areas: Floats) -> Estimates | None:
    """Estimate accuracies and areas (equations 1–11 of the paper).

    Args:
        counts: ``(q, q)`` sampled pixels, rows reference and columns map.
        mapped_areas: ``(q,)`` area of each class in the whole map, in any unit; 0 for a class that is not mapped.

    Returns:
        The estimates, ``None`` where no mapped class has two reference pixels.
    """
    sampled = np.asarray(counts, np.float64).T  # rows are strata, as in the paper
    sizes = sampled.sum(axis=1)
    used = (mapped_areas > 0) & (sizes >= 2)
    if not used.any():
        return None
    stratum = np.flatnonzero(used)  # class of each stratum
    area = np.asarray(mapped_areas, np.float64)[used]
    share = sampled[used] / sizes[used, None]
    variance = share * (1 - share) / (sizes[used] - 1)[:, None]
    line = np.arange(len(stratum))
    right, right_variance = share[line, stratum], variance[line, stratum]
    weight = area / area.sum()
    areas, areas_variance = area @ share, area**2 @ variance
    own = _spread(area * right, stratum, len(sampled))  # of a class's area, the part that is mapped as such
    own_variance = _spread(area**2 * right_variance, stratum, len(sampled))
    with np.errstate(invalid="ignore", divide="ignore"):
        producers = own / areas
        others = areas_variance - own_variance
        producers_variance = ((1 - producers) ** 2 * own_variance + producers**2 * others) / areas**2
    return Estimates(
        overall=float(weight @ right),
        overall_se=float(np.sqrt(weight**2 @ right_variance)),
        users=_spread(right, stratum, len(sampled), np.nan),
        users_se=_spread(np.sqrt(right_variance), stratum, len(sampled), np.nan),
        producers=producers,
        producers_se=np.sqrt(np.maximum(producers_variance, 0.0)),
        areas=areas,
        areas_se=np.sqrt(areas_variance),
        left_out=tuple(int(i) for i in np.flatnonzero((mapped_areas > 0) & ~used)),
    )


def pixel_areas_m2(latitudes: Floats, square_degrees: float) -> Floats:
    """Area of pixels of a grid in degrees, from the radii of curvature of the WGS 84 ellipsoid.

    Args:
        latitudes: Latitude of each pixel's middle, in degrees.
        square_degrees: Width times height of a pixel, in degrees.
    """
    phi = np.radians(latitudes)
    flat = 1 - _WGS84_E2 * np.sin(phi) ** 2
    meridian, normal = _WGS84_AXIS_M * (1 - _WGS84_E2) / flat**1.5, _WGS84_AXIS_M / np.sqrt(flat)
    areas: Floats = square_degrees * np.radians(1.0) ** 2 * meridian * normal * np.abs(np.cos(phi))
    return areas


def area_unit(grid: Grid) -> str:
    """Unit of areas: hectares, or pixels of a grid whose pixels have no known size, with a CRS or without."""
    return "px" if grid.gsd_m is None else "ha"


def row_areas(grid: Grid, row: int, count: int) -> Floats:
    """``(count,)`` area of a pixel of some rows of a grid, in its ``area_unit``."""
    transform = grid.transform
    if grid.crs is not None and grid.crs.is_geographic:
        rows = np.arange(row, row + count) + 0.5
        latitudes = transform.d * grid.width / 2 + transform.e * rows + transform.f
        return pixel_areas_m2(latitudes.astype(np.float64), abs(transform.determinant)) / HECTARE_M2
    return np.full(count, 1.0 if grid.gsd_m is None else grid.gsd_m**2 / HECTARE_M2)


def _spread(values: Floats, places: NDArray[np.intp], size: int, fill: float = 0.0) -> Floats:
    """``(size,)`` with values at their places."""
    spread = np.full(size, fill)
    spread[places] = values
    return spread
