"""Polygons that cross themselves, made into such that have an area and can be laid over each other."""

from __future__ import annotations

import logging

import numpy as np
import shapely
from numpy.typing import NDArray

log = logging.getLogger("auxlens")


def valid_polygons(shapes: NDArray[np.object_], path: str) -> NDArray[np.object_]:
    """Polygons that enclose nothing twice, with a warning where some did.

    Args:
        shapes: ``(n,)`` geometries or ``None``.
        path: Where they come from, for the warning.

    Returns:
        ``(n,)`` those that are valid as they are; of others what they enclose, an empty polygon where that is nothing.
    """
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if not broken.any():
        return shapes
    log.warning("Polygons that cross themselves in “%s”: %d; what they enclose is counted once.", path, broken.sum())
    found = shapes.copy()
    found[broken] = enclosed(shapes[broken])
    return found


def enclosed(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """``(n,)`` what geometries enclose, nothing twice; an empty one where that is nothing."""
    return np.asarray(shapely.make_valid(shapes, method="structure", keep_collapsed=False))
