"""The recipe of the demo scenes: classes, spectra and radar coefficients, read from ``resources``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .noise import Field

_FILE = Path(__file__).parents[2] / "resources" / "demo_recipe.json"


@cache
def recipe() -> dict[str, Any]:
    """The recipe as written; see its own ``about``."""
    content: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return content


def land_classes() -> list[dict[str, Any]]:
    """Every class, the unseen one last; ``value`` runs from 1."""
    return [*recipe()["classes"], recipe()["unseen_class"]]


def class_value(name: str) -> int:
    """The value of a class in the label."""
    return int(next(c["value"] for c in land_classes() if c["name"] == name))


def at_state(states: list[list[float]], state: NDArray[np.float32]) -> Field:
    """Interpolate along a class's states.

    Args:
        states: ``(S, B)`` spectra or backscatter, from the first state to the last.
        state: ``(N,)`` 0–1.

    Returns:
        ``(B, N)``.
    """
    known = np.linspace(0.0, 1.0, len(states))
    return np.stack([np.interp(state, known, band) for band in np.asarray(states).T]).astype(np.float32)
