"""Pages: templates filled in, and figures as readers expect them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

_ABBREVIATIONS = {name.lower(): name for name in ("AUROC", "AUPR", "ECE", "F1", "IoU", "MAE", "RMSE")} | {"r2": "R²"}
_COUNTS = ("pixels", "polygons", "objects")
_TEMPLATES = Path(__file__).parents[2] / "resources" / "templates"


def render(template: str, **content: Any) -> str:
    """Fill in a template; text is escaped, a name that is missing is an error."""
    loader = jinja2.FileSystemLoader(_TEMPLATES)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["figure"] = figure_text
    environment.filters["label"] = label
    return environment.get_template(template).render(**content)


def label(name: str) -> str:
    """What a figure is called: ``mean_iou`` → “mean IoU”."""
    return " ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_"))


def figure_text(value: float | None, name: str = "") -> str:
    """A figure as readers expect it: three decimals, none of a count, a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "–"
    if isinstance(value, int) or name in _COUNTS or (abs(value) >= 1000 and float(value).is_integer()):
        return f"{int(value):,}".replace(",", " ")
    text = f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}".replace(",", " ")
    return text.replace("-", "−")


def flattened(content: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as lines: path of keys, value."""
    if isinstance(content, Mapping):
        return [
            line
            for key, value in content.items()
            for line in flattened(value, f"{prefix} › {key}" if prefix else str(key))
        ]
    if isinstance(content, (list, tuple)):
        if not any(isinstance(value, (Mapping, list, tuple)) for value in content):
            return [(prefix, ", ".join(_plain(value) for value in content))]
        return [line for at, value in enumerate(content, 1) for line in flattened(value, f"{prefix} › {at}")]
    return [(prefix, _plain(content))]


def _plain(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
