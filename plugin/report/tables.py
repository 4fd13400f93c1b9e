"""Tables of a report: rows of text; and those that other algorithms wrote, read back."""

from __future__ import annotations

import csv
import json
import math
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ...engine.jobs import JobError
from ..words import figure

_MOST_COLUMNS = 9  # that fit on a page
Row = Dict[str, Any]
_NARROW, _WIDE = 10, 30  # characters that a column is given room for


@dataclass(frozen=True)
class Table:
    """Headings and rows of text; ``shares`` of the width that each column takes, alike where empty."""

    headings: Tuple[str, ...]
    rows: Tuple[Tuple[str, ...], ...]
    shares: Tuple[float, ...] = ()
    title: str = ""

    def parts(self, most: int) -> List[Table]:
        """The table in pieces of at most so many rows."""
        starts = range(0, max(1, len(self.rows)), most)
        return [Table(self.headings, self.rows[start : start + most], self.shares, self.title) for start in starts]


def pairs(entries: Sequence[Tuple[str, str]], title: str = "") -> Table:
    """A table of two columns: what, and its value."""
    return Table(("", ""), tuple(entries), (0.3, 0.7), title)


def read_accuracy(path: str) -> Dict[str, Any]:
    """What ``accuracy`` wrote as JSON or CSV: ``overall`` figures and a row for each of ``classes``.

    Raises:
        JobError: the file cannot be read, or is neither.
    """
    if path.lower().endswith(".csv"):
        rows = read_rows(path)
        classes = [row for row in rows if str(row.get("value", "")) != ""]
        overall = next((row for row in rows if row.get("class") == "overall"), rows[0] if not classes else {})
        figures = _numbers(overall)
        found = {"classes": [_numbers(row) for row in classes], "unit": figures.pop("unit", ""), "overall": figures}
    else:
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
    if not isinstance(found, dict) or not isinstance(found.get("overall"), dict) or not found["overall"]:
        raise JobError(f"“{path}” is no table of accuracies; choose the JSON or CSV file that “accuracy” wrote.")
    return {**found, "classes": [row for row in found.get("classes") or [] if isinstance(row, dict)]}


def as_table(rows: Sequence[Row], title: str, most_rows: int) -> Tuple[Table, int]:
    """Rows of any CSV file as a table; columns beyond those that fit a page are left out.

    Returns:
        The table, and how many rows it has no room for.
    """
    names = [name for name in rows[0] if name][:_MOST_COLUMNS]
    shown = tuple(tuple(_text(row.get(name)) for name in names) for row in rows[:most_rows])
    headings = tuple(name.replace("_", " ") for name in names)
    longest = [max(len(text) for text in column) for column in zip(headings, *shown)]
    shares = tuple(float(min(max(size, _NARROW), _WIDE)) for size in longest)
    return Table(headings, shown, shares, title), len(rows) - len(shown)


def read_rows(path: str) -> List[Row]:
    """The rows of a CSV file, by the names in its first line.

    Raises:
        JobError: the file cannot be read, or has no rows.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, error) from error
    if not rows:
        raise JobError(f"“{path}” has no rows; choose a CSV file with a line of headings and at least one more.")
    return rows


def _unreadable(path: str, error: Exception) -> JobError:
    if not os.path.exists(path):
        return JobError(f"The table “{path}” does not exist; check the path.")
    return JobError(f"The table “{path}” cannot be read: {error}.")


def number_of(value: Any) -> Optional[float]:
    """A cell's number; ``None`` where it holds none, or no finite one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _numbers(row: Mapping[str, Any]) -> Dict[str, Any]:
    cells = {name: (number_of(value), value) for name, value in row.items() if name and value not in (None, "")}
    # A class may be called by a number, a year for example.
    return {name: value if number is None or name == "class" else number for name, (number, value) in cells.items()}


def _text(value: Any) -> str:
    number = number_of(value)
    if number is None:
        return str(value or "")
    whole = number == int(number) and "." not in str(value)
    return str(value) if whole else figure(number)
