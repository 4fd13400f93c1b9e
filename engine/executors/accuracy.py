"""The accuracy job: a map against a reference, window by window of the map's grid."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.errors import Canceled, SceneError
from ..assess.agreement import Agreement, Density
from ..assess.areas import stratified
from ..assess.counts import ClassCounts
from ..assess.notes import class_notes, number_notes, sampling
from ..assess.opening import Comparison, Values, open_comparison
from ..assess.polygons import assess_polygons
from ..assess.reliability import Reliability
from ..assess.results import ClassResult, Compared, NumberResult, Result, to_csv, to_json
from ..checks import check_accuracy
from ..jobs import CLASS_TASKS, AccuracyJob, Progress, outputs_of
from ..reports.accuracy import render_accuracy_report
from ..scene.classes import MAX_CLASSES
from ..scene.reference import is_vector
from ..scene.window import Window, plan
from ..scene.writing import check_writable
from ..textfile import write_text

log = logging.getLogger("auxlens")

WINDOW_PX = 1024  # even, so that neighbours are counted alike whatever it is


def run(job: AccuracyJob, progress: Progress) -> dict[str, Any]:
    """Compare a map with a reference and write what was found.

    Returns:
        ``outputs``: the files written, by name; ``figures``: the overall figures and how long it took.

    Raises:
        AuxLensError: the files do not fit together or with the task, or cannot be written.
    """
    started = time.perf_counter()
    check_accuracy(job)
    outputs = dict(outputs_of(job))
    check_writable(list(outputs.values()))
    result = assess(job, progress)
    for note in result.compared.notes:
        log.warning("%s", note)
    for name, render in (("report", render_accuracy_report), ("table", to_csv), ("json", to_json)):
        if name in outputs:
            write_text(outputs[name], render(result))
    compared = result.compared
    log.info("Compared %d of %d mapped %s.", compared.pixels, compared.mapped_pixels, compared.counted)
    return {"outputs": outputs, "figures": {**result.overall, "seconds": round(time.perf_counter() - started, 3)}}


def assess(job: AccuracyJob, progress: Progress, window_px: int = WINDOW_PX) -> Result:
    """Compare a map with a reference.

    Raises:
        SceneError: nothing to compare, or values that the task cannot use.
        Canceled: stopped by the user.
    """
    if is_vector(job.map):
        return assess_polygons(job)
    with ExitStack() as stack:
        opened = open_comparison(job, stack)
        whole = opened.grid.whole
        windows = [tile.core for tile in plan(whole, whole, window_px, 0)]
        return (_classes if job.task in CLASS_TASKS else _numbers)(opened, windows, progress)


def _classes(opened: Comparison, windows: list[Window], progress: Progress) -> ClassResult:
    job, counts, reliability = opened.job, ClassCounts(), Reliability()
    for window in _each(windows, progress):
        mapped, truth = opened.map.read(window)[0], opened.reference.read(window)
        opened.check_classes(mapped, "map")
        opened.check_classes(truth, "reference")
        counts.add(mapped, truth, opened.row_areas(window.row, window.height))
        counts.disputed += int((opened.reference.disputed(window) & (mapped >= 0)).sum())
        if counts.too_many:
            raise SceneError(
                f"Map or reference have more than {MAX_CLASSES} different values; choose the task “regression”, or a "
                "field with classes."
            )
        if opened.probability:
            _add_probability(reliability, opened, opened.probability.read(window), mapped, truth)
    _check_common(counts.pixels, counts.mapped.total(), job)
    values = sorted({*counts.mapped, *(truth for truth, _ in counts.pairs)})
    if len(values) < 2:
        raise SceneError(
            f"Map and reference hold one class only ({opened.name(values[0])}), so that nothing can be confused; check "
            "both, and their nodata values."
        )
    matrix = counts.matrix(values)
    pixels = np.array([counts.mapped[value] for value in values], np.int64)
    areas = np.array([counts.areas_ha.get(value, counts.mapped[value] * opened.pixel_area) for value in values])
    classes, estimates = opened.classes(values), stratified(matrix, areas)
    shown = reliability if opened.probability and reliability.pixels.any() else None
    compared = Compared(
        *(job.map, job.reference, job.reference_field, job.probability, counts.pixels, counts.mapped.total()),
        sampling=sampling(counts, classes, estimates),
        notes=class_notes(counts, classes, matrix, opened.grid, shown, strange_bands=opened.strange_bands),
    )
    return ClassResult(compared, classes, matrix, pixels, areas, opened.area_unit, estimates, shown)


def _numbers(opened: Comparison, windows: list[Window], progress: Progress) -> NumberResult:
    """Two passes: the chart's range has to be known before pixels are counted in it."""
    job, agreement, mapped_pixels, disputed = opened.job, Agreement(), 0, 0
    density: Density | None = None
    for number, window in enumerate(_each(windows * 2, progress)):
        mapped, truth = opened.map.read(window)[0], opened.reference.read(window)
        if number < len(windows):
            agreement.add(mapped, truth)
            mapped_pixels += int(np.isfinite(mapped).sum())
            disputed += int((opened.reference.disputed(window) & np.isfinite(mapped)).sum())
            if opened.uncertainty and opened.coverage:
                opened.coverage.add(mapped, truth, opened.uncertainty.read(window)[0])
            continue
        if density is None:
            _check_common(agreement.count, mapped_pixels, job)
            density = Density(agreement.span())
        density.add(mapped, truth)
    assert density is not None
    compared = Compared(
        *(job.map, job.reference, job.reference_field, "", agreement.count, mapped_pixels),
        notes=number_notes(agreement, density, disputed=disputed),
    )
    return NumberResult(compared, agreement, density, opened.unit, opened.coverage)


def _each(windows: list[Window], progress: Progress) -> Iterator[Window]:
    for number, window in enumerate(windows, 1):
        if progress.canceled():
            raise Canceled("The assessment was canceled.")
        yield window
        progress.report(number / len(windows), f"Comparing window {number} of {len(windows)}")


def _add_probability(
    reliability: Reliability, opened: Comparison, probability: Values, mapped: Values, truth: Values
) -> None:
    known: NDArray[np.bool_] = (mapped >= 0) & (truth >= 0) & np.isfinite(probability).all(axis=0)
    values = probability[:, known]
    if values.size and (values.min() < -1e-3 or values.max() > 1 + 1e-3):
        wrong = values.min() if values.min() < -1e-3 else values.max()
        raise SceneError(f"“{opened.job.probability}” holds {wrong:g}; probabilities are 0 to 1.")
    reliability.add(np.clip(values.max(axis=0), 0, 1), mapped[known] == truth[known])
    bands = opened.band_values
    if bands is not None:
        reliability.otherwise += int((bands[values.argmax(axis=0)] != mapped[known]).sum())


def _check_common(pixels: int, mapped_pixels: int, job: AccuracyJob) -> None:
    if not mapped_pixels:
        raise SceneError(f"The map “{job.map}” has no valid pixel; check its nodata value.")
    if not pixels:
        raise SceneError(
            f"The reference “{job.reference}” covers no pixel that the map has a value for; check its place, field and "
            "nodata value."
        )
