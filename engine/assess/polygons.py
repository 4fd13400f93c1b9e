"""Assessment of a map of polygons: each polygon counts once, and its truth is a field of the same or another layer."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from ...models.card import LandClass
from ...models.errors import SceneError
from ..jobs import CLASS_TASKS, AccuracyJob
from ..scene.classes import MAX_CLASSES, PALETTE
from ..scene.features import read_features
from ..scene.grid import Grid
from ..scene.objects import check_polygons
from ..scene.placing import place
from ..scene.reference import is_raster
from ..scene.validity import valid_polygons
from ..scene.vectors import read_layer, split_layer
from .agreement import Agreement, Density
from .areas import stratified
from .counts import ClassCounts
from .notes import class_notes, number_notes, polygon_sampling
from .reliability import Reliability
from .results import ClassResult, Compared, NumberResult, Result

POLYGONS = "polygons"
_LEAST_OVERLAP = 0.5  # of a polygon and its reference: intersection over union
_SIDE = 1000  # pixels of a grid around the map: how finely the reference's edges are brought there
_PROBABILITY = "probability_"


def assess_polygons(job: AccuracyJob) -> Result:
    """Compare the polygons of a map with their reference.

    Raises:
        SceneError: rasters beside the map, no polygons, no such field, nothing to compare, or values that the task
            cannot use.
    """
    beside = "probabilities" if job.probability else "uncertainty" if job.uncertainty else ""
    if beside:
        raise SceneError(
            f"The map “{job.map}” is of polygons, which have their {beside} as fields; leave the raster of the "
            f"{beside} out."
        )
    if is_raster(job.reference):
        raise SceneError(
            f"The map “{job.map}” is of polygons, the reference “{job.reference}” is a raster; give a layer of "
            "polygons with a field, which may be the map's own."
        )
    mapped = read_features(job.map, job.map_field)
    check_polygons(mapped, job.map)
    truth = _reference(job, mapped)
    known = mapped["value"].notna()
    if not known.any():
        raise SceneError(f"The field “{job.map_field}” of the map “{job.map}” is empty; choose the field with the map.")
    if not (known & truth.notna()).any():
        raise SceneError(
            f"No polygon of the map “{job.map}” has a reference: the field “{job.reference_field}” is empty there, or "
            "no polygon of the reference covers one of the map's by half of both. Check the field, the place and "
            "the CRS."
        )
    if job.task in CLASS_TASKS:
        return _classes(job, mapped, truth)
    return _numbers(job, mapped["value"], truth)


def _reference(job: AccuracyJob, mapped: gpd.GeoDataFrame) -> pd.Series:
    """The truth of each polygon of the map: of the same row, or of the polygon of another layer that it overlaps."""
    frame = read_features(job.reference, job.reference_field)
    if split_layer(job.map) == split_layer(job.reference) and len(frame) == len(mapped):
        return frame["value"]
    check_polygons(frame, job.reference)
    if (frame.crs is None) != (mapped.crs is None):
        raise SceneError("One of map and reference has a CRS, the other has none; set it.")
    shapes, _, within = place(frame.geometry.to_numpy(), frame.crs, _around(mapped))
    shapes = valid_polygons(shapes, job.reference)
    own = valid_polygons(mapped.geometry.to_numpy(), job.map)
    here, there = shapely.STRtree(shapes).query(own, predicate="intersects")
    common = shapely.area(shapely.intersection(own[here], shapes[there]))
    overlap = common / (shapely.area(own[here]) + (shapely.area(shapes) / within)[there] - common)
    pairs = pd.DataFrame({"map": here, "reference": there, "overlap": overlap})
    best = pairs[pairs["overlap"] >= _LEAST_OVERLAP].sort_values("overlap").drop_duplicates("map", keep="last")
    values = pd.Series([None] * len(mapped), dtype=object)
    values.iloc[best["map"].to_numpy()] = frame["value"].iloc[best["reference"].to_numpy()].to_numpy()
    return values


def _around(mapped: gpd.GeoDataFrame) -> Grid:
    """A grid that holds the polygons of a map."""
    crs = None if mapped.crs is None else CRS.from_user_input(mapped.crs)
    west, south, east, north = mapped.total_bounds
    transform = Affine((east - west) / _SIDE, 0.0, west, 0.0, (south - north) / _SIDE, north)
    return Grid(crs, transform, _SIDE, _SIDE)


def _classes(job: AccuracyJob, mapped: gpd.GeoDataFrame, truth: pd.Series) -> ClassResult:
    names, (own, given) = _named(mapped["value"], truth, job)
    counts = ClassCounts()
    counts.mapped.update(own[own >= 0].tolist())
    both = (own >= 0) & (given >= 0)
    counts.pairs.update(zip(given[both].tolist(), own[both].tolist(), strict=True))
    counts.unmapped = int(((own < 0) & (given >= 0)).sum())
    values = list(range(len(names)))
    classes = tuple(LandClass(i, name, PALETTE[i % len(PALETTE)]) for i, name in enumerate(names))
    matrix, number = counts.matrix(values), np.array([counts.mapped[i] for i in values], np.int64)
    estimates = stratified(matrix, number.astype(np.float64))
    reliability = _reliability(job, names, own, given)
    compared = Compared(
        *(job.map, job.reference, job.reference_field, "", counts.pixels, counts.mapped.total()),
        sampling=polygon_sampling(counts, classes, estimates),
        notes=class_notes(counts, classes, matrix, None, reliability, POLYGONS),
        counted=POLYGONS,
    )
    return ClassResult(compared, classes, matrix, number, number.astype(np.float64), POLYGONS, estimates, reliability)


def _named(
    mapped: pd.Series, truth: pd.Series, job: AccuracyJob
) -> tuple[list[str], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The names of all classes, and the index of each polygon's in map and reference; −1 for none."""
    own, given = (_texts(values) for values in (mapped, truth))
    names = sorted({*own.dropna(), *given.dropna()})
    if len(names) > MAX_CLASSES:
        raise SceneError(
            f"Map and reference have {len(names)} different values; choose the task “scene_regression”, or fields with "
            "classes."
        )
    if set(own.dropna()).isdisjoint(given.dropna()):
        some = (", ".join(sorted(set(values.dropna()))[:5]) for values in (given, own))
        raise SceneError(
            "No class of the reference ({}) is one of the map's ({}); choose fields with the same names.".format(*some)
        )
    if len(names) < 2:
        raise SceneError(f"Map and reference hold one class only ({names[0]}), so that nothing can be confused.")
    place = {name: i for i, name in enumerate(names)}
    index = [values.map(place).fillna(-1).to_numpy(np.int64) for values in (own, given)]
    return names, (index[0], index[1])


def _texts(values: pd.Series) -> pd.Series:
    """The classes' names; empty where there is no value."""
    if values.dtype == np.float32:  # 1.1 is then 1.10000002384 to others
        values = values.astype(str).astype(np.float64)
    return values.where(values.notna(), None).map(_text, na_action="ignore")


def _text(value: object) -> str:
    """A class's name; numbers in full, without the decimals that a field with gaps gives to whole ones."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _reliability(
    job: AccuracyJob, names: list[str], own: NDArray[np.int64], given: NDArray[np.int64]
) -> Reliability | None:
    """Of the fields ``probability_<class>``, where the map has them."""
    frame = read_layer(job.map, "map")
    frame = frame[~(frame.geometry.is_empty | frame.geometry.isna())]
    fields = [name for name in frame.columns if name.startswith(_PROBABILITY)]
    if not fields:
        return None
    values = frame[fields].to_numpy(np.float64)
    known = (own >= 0) & (given >= 0) & np.isfinite(values).all(axis=1)
    found = Reliability()
    found.add(np.clip(values[known].max(axis=1), 0, 1), own[known] == given[known])
    best = np.array([name.removeprefix(_PROBABILITY) for name in fields])[values[known].argmax(axis=1)]
    found.otherwise = int((best != np.array(names)[own[known]]).sum())
    return found if found.pixels.any() else None


def _numbers(job: AccuracyJob, mapped: pd.Series, truth: pd.Series) -> NumberResult:
    columns = []
    for values, what in ((mapped, f"map “{job.map}”"), (truth, f"reference “{job.reference}”")):
        numbers = pd.to_numeric(values, errors="coerce")
        if (numbers.isna() & values.notna()).any():
            wrong = values[numbers.isna() & values.notna()].iloc[0]
            raise SceneError(f"The {what} holds “{wrong}”, which is no number; choose the task “scene_classification”.")
        columns.append(numbers.to_numpy(np.float64))
    agreement = Agreement()
    agreement.add(*columns)
    density = Density(agreement.span(), bins=60)
    density.add(*columns)
    compared = Compared(
        *(job.map, job.reference, job.reference_field, "", agreement.count, int(np.isfinite(columns[0]).sum())),
        notes=number_notes(agreement, density, POLYGONS),
        counted=POLYGONS,
    )
    return NumberResult(compared, agreement, density)
