"""The summary of a run: what became of each scene, as a table and as totals."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ....models.card import Card
from ...jobs import MapFolderJob
from ...textfile import write_text
from .statistics import VALID
from .tasks import EMPTY, FAILED, KEPT, MAPPED, Outcome

_NAMED = 3  # scenes that a sentence names


@dataclass(frozen=True)
class Summary:
    """What became of a job's scenes, in their order."""

    job: MapFolderJob
    card: Card
    outcomes: Sequence[Outcome]
    seconds: float

    @cached_property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == FAILED]

    @property
    def warning(self) -> str:
        """Which scenes have no value anywhere, in a sentence; empty where none is so."""
        found = [outcome for outcome in self.outcomes if outcome.figures.get(VALID) == 0]
        return f"{_some(found)}: {EMPTY}." if found else ""

    def count(self, status: str) -> int:
        return sum(outcome.status == status for outcome in self.outcomes)

    @cached_property
    def columns(self) -> list[str]:
        """Names of the scenes' figures: of those that any scene has, in the order of the layers."""
        return list(dict.fromkeys(name for outcome in self.outcomes for name in outcome.figures))

    @property
    def outputs(self) -> dict[str, str]:
        paths = {"folder": self.job.output_folder, "table": self.job.output_table, "report": self.job.output_report}
        return {name: path for name, path in paths.items() if path}

    @property
    def figures(self) -> dict[str, Any]:
        return {
            "scenes": len(self.outcomes),
            "mapped": self.count(MAPPED),
            "kept": self.count(KEPT),
            "failed": len(self.failed),
            "pixels": sum(int(o.figures["pixels"]) for o in self.outcomes if o.status == MAPPED),
            "seconds": round(self.seconds, 3),
        }

    @property
    def sentence(self) -> str:
        return (
            f"{self.count(MAPPED)} scenes mapped, {self.count(KEPT)} were up to date, {len(self.failed)} failed, in "
            f"{self.seconds:.1f} s."
        )

    @property
    def incomplete(self) -> str:
        """What failed, in one sentence for the end of the run."""
        shown = _some(self.failed)
        where = self.job.output_table or self.job.output_report
        some = len(self.failed) < len(self.outcomes)
        what = f"{len(self.failed)} of {len(self.outcomes)} scenes failed ({shown}); the others are mapped."
        why = f"Why is in “{where}”." if where else f"The first one: {self.failed[0].message}"
        return f"{what if some else f'All scenes failed ({shown}).'} {why} Correct them and run again."


def write_table(path: str, summary: Summary) -> None:
    """Write a CSV file with a row a scene.

    Raises:
        JobError: it cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["scene", "status", "seconds", *(name.replace(" ", "_") for name in summary.columns), "message"])
    for outcome in summary.outcomes:
        figures = [_text(outcome.figures.get(name)) for name in summary.columns]
        table.writerow([outcome.name, outcome.status, _text(outcome.seconds), *figures, outcome.message])
    write_text(path, text.getvalue())


def _some(outcomes: Sequence[Outcome]) -> str:
    """Names of the first scenes."""
    return ", ".join(outcome.name for outcome in outcomes[:_NAMED]) + " …" * (len(outcomes) > _NAMED)


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}" if isinstance(value, float) else str(value)
