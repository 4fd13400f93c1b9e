"""What an assessment found, and the tables that say it: JSON with everything, CSV with a row a class."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ..json_text import json_text, plain
from .agreement import Agreement, Density
from .areas import Z95, Estimates
from .classes import by_class, figures, means
from .coverage import Coverage
from .reliability import Reliability

TASK_OF = {"pixels": ("segmentation", "regression"), "polygons": ("scene_classification", "scene_regression")}
MEANS = {"macro": "mean of classes", "weighted": "mean weighted by reference pixels"}


@dataclass(frozen=True)
class Compared:
    """What was compared with what.

    Attributes:
        map: File of the map.
        reference: File of the reference, and its field.
        probability: File of the probabilities, or empty.
        pixels: Pixels compared, where both have a value.
        mapped_pixels: Pixels of the map that have a value.
        sampling: Whether the area-adjusted estimates and their intervals hold, in words.
        notes: What the reader must know besides.
        counted: What is counted: ``pixels``, or ``polygons`` of a map of polygons.
    """

    map: str
    reference: str
    reference_field: str
    probability: str
    pixels: int
    mapped_pixels: int
    sampling: str = ""
    notes: tuple[str, ...] = ()
    counted: str = "pixels"


@dataclass(frozen=True)
class ClassResult:
    """Of a segmentation; arrays are in the order of ``classes``.

    Attributes:
        classes: Those that occur in the map or in the reference.
        matrix: ``(q, q)`` pixels, rows reference and columns map.
        mapped_pixels: ``(q,)`` pixels of the whole map.
        mapped_areas: ``(q,)`` their areas in ``area_unit``.
        area_unit: ``ha``, or ``px`` where the size of the map's pixels is not known.
        estimates: Area-adjusted, ``None`` where there are too few reference pixels.
        reliability: Of the probabilities, where they are given.
    """

    compared: Compared
    classes: tuple[LandClass, ...]
    matrix: NDArray[np.int64]
    mapped_pixels: NDArray[np.int64]
    mapped_areas: NDArray[np.float64]
    area_unit: str
    estimates: Estimates | None
    reliability: Reliability | None = None

    @property
    def overall(self) -> dict[str, float]:
        """Overall accuracy, mean IoU and F1, kappa, pixels; and the calibration's figures."""
        calibration = self.reliability.figures() if self.reliability else {}
        found = {name: value for name, value in figures(self.matrix).items() if name != "pixels"}
        found[self.compared.counted] = self.compared.pixels
        return {**found, "ece": calibration["ece"]} if calibration else found


@dataclass(frozen=True)
class NumberResult:
    """Of a regression; ``density`` is for the scatter plot, ``coverage`` is there where the uncertainty is given."""

    compared: Compared
    agreement: Agreement
    density: Density
    unit: str = ""
    coverage: Coverage | None = None
    overall: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        found = {name: value for name, value in self.agreement.figures().items() if name != "pixels"}
        held = self.coverage.figures() if self.coverage else {}
        object.__setattr__(self, "overall", {**found, **held, self.compared.counted: self.compared.pixels})


Result = ClassResult | NumberResult


def to_json(result: Result) -> str:
    """Everything, as JSON; what is not defined is null."""
    compared = vars(result.compared)
    content = _class_content(result) if isinstance(result, ClassResult) else _number_content(result)
    return json_text({"compared": compared, **content}, ensure_ascii=False, indent=2) + "\n"


def to_csv(result: Result) -> str:
    """A row a class, then the means and the overall figures (regression: one row); empty where undefined."""
    rows = _class_rows(result) if isinstance(result, ClassResult) else [{"unit": result.unit, **result.overall}]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in plain(row).items()} for row in rows)
    return text.getvalue()


def estimate_rows(result: ClassResult) -> list[dict[str, float]]:
    """The area-adjusted estimates of each class; empty without."""
    e = result.estimates
    if e is None:
        return []
    columns: Mapping[str, NDArray[np.float64]] = {
        "adjusted_users_accuracy": e.users,
        "adjusted_users_accuracy_se": e.users_se,
        "adjusted_users_accuracy_ci95": Z95 * e.users_se,
        "adjusted_producers_accuracy": e.producers,
        "adjusted_producers_accuracy_se": e.producers_se,
        "adjusted_producers_accuracy_ci95": Z95 * e.producers_se,
        "area": e.areas,
        "area_se": e.areas_se,
        "area_ci95": Z95 * e.areas_se,
    }
    return [{name: float(values[i]) for name, values in columns.items()} for i in range(len(result.classes))]


def _class_rows(result: ClassResult) -> list[dict[str, Any]]:
    single, adjusted, counted = by_class(result.matrix), estimate_rows(result), result.compared.counted
    rows: list[dict[str, Any]] = []
    for i, c in enumerate(result.classes):
        rows.append(
            {
                "class": c.name,
                "value": c.value,
                f"reference_{counted}": int(result.matrix[i].sum()),
                f"mapped_{counted}": int(result.matrix[:, i].sum()),
                **{name: float(values[i]) for name, values in single.items()},
                "mapped_area": float(result.mapped_areas[i]),
                "area_unit": result.area_unit,
                **(adjusted[i] if adjusted else {}),
            }
        )
    rows += [
        {"class": MEANS[kind].replace("pixels", counted), **values} for kind, values in means(result.matrix).items()
    ]
    pixels = result.compared.pixels
    overall = {k: v for k, v in result.overall.items() if k in ("overall_accuracy", "kappa", "ece")}
    rows.append(
        {
            "class": "overall",
            f"reference_{counted}": pixels,
            f"mapped_{counted}": pixels,
            **overall,
            **_adjusted(result),
        }
    )
    return rows


def _adjusted(result: ClassResult) -> dict[str, float]:
    e = result.estimates
    if e is None:
        return {}
    return {
        "adjusted_overall_accuracy": e.overall,
        "adjusted_overall_accuracy_se": e.overall_se,
        "adjusted_overall_accuracy_ci95": Z95 * e.overall_se,
    }


def _class_content(result: ClassResult) -> dict[str, Any]:
    left_out = [result.classes[i].name for i in result.estimates.left_out] if result.estimates else []
    content: dict[str, Any] = {
        "task": TASK_OF[result.compared.counted][0],
        "overall": {**result.overall, **_adjusted(result)},
        "means": means(result.matrix),
        "classes": [
            {**row, "color": c.color, f"mapped_{result.compared.counted}_in_whole_map": int(n)}
            for row, c, n in zip(_class_rows(result), result.classes, result.mapped_pixels, strict=False)
        ],
        "confusion": {
            "rows": "reference",
            "columns": "map",
            "classes": [c.name for c in result.classes],
            result.compared.counted: result.matrix,
        },
        "not_estimated": left_out,
    }
    if result.reliability:
        r = result.reliability
        bins = {"pixels": r.pixels, "mean_confidence": r.mean_confidence, "accuracy": r.accuracy}
        content["reliability"] = {**r.figures(), "bins": bins}
    return content


def _number_content(result: NumberResult) -> dict[str, Any]:
    low, high = result.density.span
    density = {"low": low, "high": high, "rows": "map", "columns": "reference", "pixels": result.density.counts}
    return {
        "task": TASK_OF[result.compared.counted][1],
        "unit": result.unit,
        "overall": result.overall,
        "density": density,
        **({"intervals": result.coverage.levels} if result.coverage else {}),
    }
