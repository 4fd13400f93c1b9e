"""Opening of what is compared: a map, a reference on its grid, and the classes that both speak of."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import SceneError
from ..jobs import CLASS_TASKS, AccuracyJob
from ..scene.bands import ModalitySource, bands_of, open_raster
from ..scene.classes import LARGEST_CLASS, PALETTE, legend
from ..scene.features import UNKNOWN, class_numbers, placed, read_features
from ..scene.grid import Grid, grid_of
from ..scene.reading import ModalityReader
from ..scene.reference import ReferenceReader, is_raster, open_reference
from .areas import area_unit, row_areas
from .coverage import Coverage, coverage_of

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Comparison:
    """An open map, its reference on the map's grid, and its probabilities or uncertainty with the coverage to gather.

    ``names`` and ``colors`` are by class value, as far as the files hold them.
    """

    job: AccuracyJob
    grid: Grid
    map: ModalityReader
    reference: ReferenceReader
    probability: ModalityReader | None
    uncertainty: ModalityReader | None
    coverage: Coverage | None
    names: dict[int, str]
    colors: dict[int, str]
    unit: str

    def classes(self, values: list[int]) -> tuple[LandClass, ...]:
        """Values with names and colours."""
        return tuple(
            LandClass(value, self.name(value), self.colors.get(value, PALETTE[i % len(PALETTE)]))
            for i, value in enumerate(values)
        )

    def name(self, value: int) -> str:
        return self.names.get(value) or f"class {value}"

    @property
    def band_values(self) -> NDArray[np.int64] | None:
        """Class value of each probability band; ``None`` where the bands are not named after the map's classes."""
        by_name = {name: value for value, name in self.names.items()}
        bands = self.probability.source.bands if self.probability else ()
        values = [by_name.get(band.name, -1) for band in bands]
        return np.array(values, np.int64) if values and min(values) >= 0 else None

    @property
    def strange_bands(self) -> tuple[str, ...]:
        """Names of probability bands that are no class of the map; none where one of the two has no names."""
        bands = self.probability.source.bands if self.probability and self.names else ()
        known = set(self.names.values())
        return tuple(b.name for b in bands if b.name not in known and b.name != f"band {b.number}")

    def check_classes(self, values: Values, role: str) -> None:
        """Check that values are classes: whole, and not too large. ``role`` is ``map`` or ``reference``.

        Raises:
            SceneError: they are not.
        """
        path = self.job.map if role == "map" else self.job.reference
        known = values[values >= 0]
        whole = known == np.floor(known)
        if not whole.all():
            raise SceneError(
                f"The {role} “{path}” holds {known[~whole][0]:g}, which is no class; choose the task “regression”, or "
                f"a {role} with whole numbers."
            )
        if len(known) and known.max() > LARGEST_CLASS and not (known.max() == UNKNOWN and UNKNOWN in self.names):
            raise SceneError(f"The {role} “{path}” holds {known.max():.0f}; classes are 0 to {LARGEST_CLASS}.")

    @property
    def area_unit(self) -> str:
        return area_unit(self.grid)

    @property
    def pixel_area(self) -> float:
        """Area of a pixel in ``area_unit``, of a grid that is not in degrees."""
        return float(row_areas(self.grid, 0, 1)[0])

    def row_areas(self, row: int, count: int) -> NDArray[np.float64] | None:
        """Area in ha of a pixel of each of some rows of a grid in degrees; ``None`` where all pixels are alike."""
        if self.grid.crs is None or not self.grid.crs.is_geographic:
            return None
        return row_areas(self.grid, row, count)


def open_comparison(job: AccuracyJob, stack: ExitStack) -> Comparison:
    """Open a job's files on ``stack``.

    Raises:
        SceneError: a file is missing or unreadable, they do not overlap, the map has several bands, or the
            reference's values cannot be matched with it.
    """
    bands = bands_of(job.map)
    if len(bands) != 1:
        raise SceneError(f"“{job.map}” has {len(bands)} bands; a map has one. Choose the map itself.")
    with open_raster(job.map) as dataset:
        grid, unit = grid_of(dataset), dataset.units[0] or ""
    names: dict[int, str] = {}
    colors: dict[int, str] = {}
    if job.task in CLASS_TASKS:
        names, colors = _legend(job)
    elif legend(job.map)[0]:
        raise SceneError(f"The map “{job.map}” has named classes and no numbers; choose the task “segmentation”.")
    reader = stack.enter_context(ModalityReader(ModalitySource("map", bands), grid, categorical=True))
    known = _known(job, grid, names)
    if known:
        names = {**names, int(UNKNOWN): "names that the map does not have"}
    reference = open_reference(job.reference, job.reference_field, grid, known, job.task in CLASS_TASKS)
    stack.callback(reference.close)
    probability, (uncertainty, coverage) = _probability(job, grid, stack), _uncertainty(job, grid, stack)
    return Comparison(job, grid, reader, reference, probability, uncertainty, coverage, names, colors, unit)


def _legend(job: AccuracyJob) -> tuple[dict[int, str], dict[int, str]]:
    """Names and colours of the map, else of a raster reference."""
    names, colors = legend(job.map)
    if is_raster(job.reference):
        more_names, more_colors = legend(job.reference)
        names = {**more_names, **names}
        colors = colors or more_colors
    black = "#000000"  # stands in colour tables for what has no colour
    return names, {value: color for value, color in colors.items() if color != black or value in names}


def _known(job: AccuracyJob, grid: Grid, names: dict[int, str]) -> tuple[LandClass, ...]:
    """The classes by which a vector reference's texts are read.

    Raises:
        SceneError: it lies elsewhere, or holds texts that are not among the map's class names.
    """
    if is_raster(job.reference):
        return ()
    frame = read_features(job.reference, job.reference_field)
    bounds, shapes = grid.bounds, placed(frame, grid, job.reference).geometry
    if not len(shapes.cx[bounds.left : bounds.right, bounds.bottom : bounds.top]):
        here, there = (", ".join(f"{v:.8g}" for v in box) for box in (frame.total_bounds, bounds))
        raise SceneError(
            f"The reference “{job.reference}” ({here}) does not overlap with the map ({there}); give one of the same "
            "place, and check its CRS."
        )
    values = frame["value"].dropna()
    if job.task not in CLASS_TASKS or class_numbers(values, names.values()) is not None:
        return ()
    found = sorted({str(v) for v in values})
    texts = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
    if not names:
        raise SceneError(
            f"The reference “{job.reference}” names its classes ({texts}), but the map has no class names; choose a "
            "field with the map's numbers."
        )
    if set(found).isdisjoint(names.values()):
        raise SceneError(
            f"No class name of the reference “{job.reference}” ({texts}) is one of the map's "
            f"({', '.join(names.values())}); choose the field with these names."
        )
    return tuple(LandClass(value, name, "#000000") for value, name in names.items())


def _uncertainty(job: AccuracyJob, grid: Grid, stack: ExitStack) -> tuple[ModalityReader | None, Coverage | None]:
    if not job.uncertainty:
        return None, None
    bands = bands_of(job.uncertainty)
    if len(bands) != 1:
        raise SceneError(f"“{job.uncertainty}” has {len(bands)} bands; an uncertainty has one.")
    with open_raster(job.uncertainty) as dataset:
        coverage = coverage_of(dataset.tags(), job.uncertainty)
    return stack.enter_context(ModalityReader(ModalitySource("uncertainty", bands), grid)), coverage


def _probability(job: AccuracyJob, grid: Grid, stack: ExitStack) -> ModalityReader | None:
    if not job.probability:
        return None
    bands = bands_of(job.probability)
    if len(bands) < 2:
        raise SceneError(f"“{job.probability}” has one band; probabilities have a band a class.")
    return stack.enter_context(ModalityReader(ModalitySource("probability", bands), grid))
