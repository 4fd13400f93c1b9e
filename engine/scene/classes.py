"""Classes of references: which there are, what they are called, and where they stand in a model."""

from __future__ import annotations

import contextlib
import logging
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import SceneError
from .bands import open_raster
from .features import class_numbers, is_table, is_text, placed, read_features, read_table
from .grid import Grid
from .reference import RasterReference, is_raster
from .window import plan

log = logging.getLogger("auxlens")

MAX_CLASSES = 255
IGNORE = -1  # class index of a pixel without reference
LARGEST_CLASS = 65_534  # maps are uint16 at most, with a value left for nodata

# Okabe and Ito's colour-blind safe palette, then muted tones; for classes that come without colours.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#f0e442", "#d55e00", "#56b4e9", "#cc79a7", "#999999",
    "#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#aa4499", "#661100",
)  # fmt: skip


def find_classes(references: Sequence[tuple[str, Grid]], field: str) -> tuple[LandClass, ...]:
    """The classes that occur in references, with names and colours where the files hold them.

    Of vectors, those of features that touch one of the grids. Values below 0 mean "no reference". Text classes of
    vectors get the values 1, 2, … in the order of their names; text is numbers only where it is in all of the files.

    Raises:
        SceneError: no class, one class only, more than 255 values (a regression, most likely), or numbers in one
            reference and names in another.
    """
    names: dict[int, str] = {}
    colors: dict[int, str] = {}
    texts: set[str] = set()
    grids: dict[str, list[Grid]] = {}
    for path, grid in references:
        grids.setdefault(path, []).append(grid)
    features = {p: (read_table if is_table(p) else read_features)(p, field) for p in grids if not is_raster(p)}
    written = [frame["value"] for frame in features.values() if is_text(frame["value"])]
    named = bool(written) and class_numbers(pd.concat(written)) is None
    for path, own in grids.items():
        if path not in features:
            for value in sorted({value for grid in own for value in _raster_values(path, grid)}):
                names.setdefault(value, "")
            found_names, found_colors = legend(path)
            names.update({v: found_names[v] for v in names if v in found_names and not names[v]})
            colors.update({v: found_colors[v] for v in names if v in found_colors})
        else:
            values = features[path]["value"]
            here = values.notna() if is_table(path) else values.notna() & _on_grids(features[path], own, path)
            if named and is_text(values):
                texts.update(str(v) for v in values[here])
            else:
                numbers = pd.to_numeric(values)
                for number in np.unique(numbers[here & (numbers >= 0)]):
                    names.setdefault(_whole(float(number), path), "")
        if len(names) + len(texts) > MAX_CLASSES:
            raise SceneError(
                f"The reference “{path}” has more than {MAX_CLASSES} different values; choose the task “regression”, "
                "or a field with classes."
            )
    if texts and names:
        numbered = ", ".join(str(v) for v in sorted(names)[:5])
        raise SceneError(
            f"Some references give classes as numbers ({numbered}), others as names "
            f"({', '.join(sorted(texts)[:5])}); give all of them in one way."
        )
    if texts:
        _warn_of_likeness(texts)
        names = dict(enumerate(sorted(texts), 1))
    if len(names) < 2:
        has = ", ".join(names[v] or str(v) for v in names) or "none"
        raise SceneError(
            f"A segmentation needs references of two classes or more; found: {has}. Check the reference, its field "
            "and its nodata value, and that it lies on the scene."
        )
    return tuple(
        LandClass(value, names[value] or f"class {value}", colors.get(value, PALETTE[i % len(PALETTE)]))
        for i, value in enumerate(sorted(names))
    )


def _warn_of_likeness(names: Collection[str]) -> None:
    """Warn of names that were probably meant to be one."""
    alike: dict[str, list[str]] = {}
    for name in sorted(names):
        alike.setdefault(" ".join(name.split()).casefold(), []).append(name)
    for group in alike.values():
        if len(group) > 1:
            called = " and ".join(f"“{name}”" for name in group)
            log.warning("%s differ in case or blanks only, and are different classes; correct the reference.", called)


def _on_grids(frame: gpd.GeoDataFrame, grids: Sequence[Grid], path: str) -> NDArray[np.bool_]:
    """``(n,)``: which features touch one of the grids."""
    here = np.zeros(len(frame), bool)
    for grid in grids:
        tree = shapely.STRtree(placed(frame, grid, path).geometry.to_numpy())
        here[tree.query(grid.outline_of(grid.whole), predicate="intersects")] = True
    return here


def to_indices(values: NDArray[np.float32], classes: Sequence[LandClass]) -> NDArray[np.int64]:
    """Class index (channel of the network) of each pixel; ``IGNORE`` where there is no or an unknown class."""
    known = np.array([c.value for c in classes], np.float32)
    order = np.argsort(known)
    at = np.clip(np.searchsorted(known[order], values), 0, len(known) - 1)
    return np.where(known[order][at] == values, order[at], IGNORE).astype(np.int64)


def _raster_values(path: str, grid: Grid) -> list[int]:
    reader = RasterReference(path, grid)
    found: set[float] = set()
    try:
        for tile in plan(grid.whole, grid.whole, 1024, 0):
            chip = reader.read(tile.core)
            found.update(float(v) for v in np.unique(chip[np.isfinite(chip)]) if v >= 0)
            if len(found) > MAX_CLASSES:
                break
    finally:
        reader.close()
    return [_whole(value, path) for value in sorted(found)]


def _whole(value: float, path: str) -> int:
    if value != int(value):
        raise SceneError(
            f"The reference “{path}” holds {value:g}, which is no class; choose the task “regression”, or a "
            "reference with whole numbers."
        )
    if value > LARGEST_CLASS:
        raise SceneError(
            f"The reference “{path}” holds the class {value:.0f}; a map's classes are 0 to {LARGEST_CLASS}. Number the "
            "classes anew, or name them in a text field."
        )
    return int(value)


def legend(path: str) -> tuple[dict[int, str], dict[int, str]]:
    """Class names (GDAL category names in the ``.aux.xml`` sidecar) and colours of a raster, as far as it has any."""
    colors: dict[int, str] = {}
    with open_raster(path) as dataset, contextlib.suppress(ValueError):  # no colour table
        colors = {v: "#{:02x}{:02x}{:02x}".format(*rgba[:3]) for v, rgba in dataset.colormap(1).items()}
    names: dict[int, str] = {}
    sidecar = f"{path}.aux.xml"
    if os.path.exists(sidecar):
        try:
            categories = ElementTree.parse(sidecar).find(".//PAMRasterBand[@band='1']/CategoryNames")  # nosec B314
        except ElementTree.ParseError:
            categories = None
        if categories is not None:
            names = {i: c.text for i, c in enumerate(categories) if c.text}
    return names, colors
