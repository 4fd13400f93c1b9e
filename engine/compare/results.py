"""What a comparison found: trials, and how far pairs of them differ."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ..assess.bootstrap import Difference, differences, replicate
from ..assess.sums import figures_of
from .baselines import BASELINES

ALL_MODALITIES = ", all modalities"  # a baseline that is given what “multimodal” is given
UNLABELLED_REST = "multitask, unlabelled rest"  # learns the auxiliary tasks where references were taken out, too
_MOST_CLASSES = 6  # whose IoU is compared one by one

# What each claim compares: the first is expected to be better.
PAIRS = (
    ("multitask", "single"),
    ("multimodal", "single"),
    ("multitask", "multimodal"),
    ("multitask", "shuffled"),
    *(("multitask", name) for name in BASELINES),
    (UNLABELLED_REST, "multitask"),
    (UNLABELLED_REST, "single"),
)


@dataclass(frozen=True)
class Trial:
    """All repetitions of one method with one share of the training references.

    Attributes:
        method: A strategy or a baseline.
        share: Of the training references, 0–1.
        inputs: Modalities that it needs to map.
        sums: ``(repetitions, units, …)`` as from ``measure``.
        seconds: Of the learning of each repetition.
        histories: Of a network's trainings.
    """

    method: str
    share: float
    inputs: tuple[str, ...]
    sums: NDArray[np.float64]
    seconds: tuple[float, ...]
    histories: Sequence[Sequence[Mapping[str, float]]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Comparison:
    """All trials, on the same split.

    Attributes:
        classes: Empty for a regression.
        unit: What was held out, and is drawn in bootstraps: ``scene`` or ``block``.
        seeds: Of the repetitions.
        trials: In the order in which they are shown.
        auxiliary: Names of the auxiliary modalities.
        chips: Training chips that each network saw an epoch.
    """

    classes: tuple[LandClass, ...]
    unit: str
    seeds: tuple[int, ...]
    trials: tuple[Trial, ...]
    auxiliary: tuple[str, ...]
    chips: int

    @property
    def headline(self) -> str:
        """The figure that methods are judged by."""
        return "mean_iou" if self.classes else "r2"

    @property
    def units(self) -> int:
        return int(self.trials[0].sums.shape[1])

    @property
    def compared(self) -> tuple[str, ...]:
        """Figures whose differences are told, the headline first."""
        if not self.classes:
            return "r2", "rmse"
        by_class = [f"iou {c.name}" for c in self.classes] if len(self.classes) <= _MOST_CLASSES else []
        return ("mean_iou", "overall_accuracy", *by_class)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        return tuple(sorted({trial.share for trial in self.trials}, reverse=True))

    def trial(self, method: str, share: float = 1.0) -> Trial:
        """The trial of a method; ``KeyError`` if there is none."""
        found = next((t for t in self.trials if t.method == method and t.share == share), None)
        if found is None:
            raise KeyError(method, share)
        return found

    def figures(self, trial: Trial) -> list[dict[str, float]]:
        """Figures of each repetition, on all test units together."""
        return [figures_of(sums.sum(axis=0), self.classes) for sums in trial.sums]

    def values(self, trial: Trial, figure: str) -> NDArray[np.float64]:
        """One figure of each repetition."""
        return np.array([figures[figure] for figures in self.figures(trial)])

    def difference(self, first: str, second: str, share: float = 1.0, figure: str = "") -> Difference:
        """Paired difference of two methods, the headline's by default."""
        name = figure or self.headline
        return self._differences[first, second, share, name]

    @cached_property
    def _differences(self) -> dict[tuple[str, str, float, str], Difference]:
        def figures(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            found = figures_of(sums, self.classes)
            return np.array([found[name] for name in self.compared])

        pairs = list(self.pairs())
        wanted = {(method, share) for first, second, share in pairs for method in (first, second)}
        drawn = {key: replicate(self.trial(*key).sums, figures) for key in wanted}
        return {
            (first, second, share, name): found
            for first, second, share in pairs
            for name, found in zip(self.compared, differences(drawn[first, share], drawn[second, share]), strict=True)
        }

    def pairs(self) -> Iterator[tuple[str, str, float]]:
        """The pairs of methods that are compared, at each share at which both were tried."""
        tried = {(trial.method, trial.share) for trial in self.trials}
        for share in self.shares:
            for first, second in PAIRS:
                if {(first, share), (second, share)} <= tried:
                    yield first, second, share


def table(comparison: Comparison) -> str:
    """Everything as CSV, a row a value: figures of each repetition, their mean ± sd, and differences with intervals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["reference_share", "method", "against", "seed", "figure", "value", "sd", "low95", "high95"])
    for trial in comparison.trials:
        figures = comparison.figures(trial)
        for seed, found in zip(comparison.seeds, figures, strict=True):
            writer.writerows(
                [trial.share, trial.method, "", seed, name, value, "", "", ""] for name, value in found.items()
            )
        for name in figures[0]:
            values = comparison.values(trial, name)
            row = [trial.share, trial.method, "", "mean", name, values.mean(), values.std(ddof=1), "", ""]
            writer.writerow(row)
    for first, second, share in comparison.pairs():
        for name in comparison.compared:
            of = comparison.difference(first, second, share, name)
            writer.writerow([share, first, second, "difference", name, of.value, "", of.low, of.high])
    return text.getvalue()
