"""Outputs of a scene-level model: a table of polygons, and rasters in which each polygon is filled with its values."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...models.errors import Canceled
from ..jobs import Progress
from ..names import RESERVED, distinct_names
from ..scene.geopackage import write_geopackage
from ..scene.window import Tile, Window
from .object_products import ObjectProducts
from .object_styles import polygon_style
from .products import Arrays
from .stream import Stages, stream

log = logging.getLogger("auxlens")


def table_of(products: ObjectProducts) -> gpd.GeoDataFrame:
    """The polygons with their own fields, and then one for each result; empty where a polygon has no valid pixel.

    The fields are ``map`` (the class's name, or the estimate), for classes ``map_value`` and ``probability_<class>``,
    ``uncertainty``, ``error_probability`` where the model has one, those of ``ObjectProducts.of_modalities``, those of
    ``ObjectAttributions.of_objects`` if attributions are wanted, and ``pixels``. A field of the layer that has one of
    these names is kept as ``<name>_given``. Names that differ by case alone get a number.
    """
    card, frame, found = products.card, products.polygons.frame, products.of_objects()
    columns: dict[str, object] = {}
    if card.main.classes:
        names = {c.value: c.name for c in card.main.classes}
        columns["map"] = [names.get(value) for value in found["map"][0].tolist()]
        columns["map_value"] = pd.array(found["map"][0], dtype="Int32")
        for c, values in zip(card.main.classes, found["probability"], strict=True):
            columns[f"probability_{c.name}"] = values
    else:
        columns["map"] = found["map"][0]
    columns["uncertainty"] = found["uncertainty"][0]
    if "error_probability" in found:
        columns["error_probability"] = found["error_probability"][0]
    columns = {**columns, **products.of_modalities(), **products.explained, "pixels": products.pixels}
    columns = dict(zip(distinct_names(columns, RESERVED), columns.values(), strict=True))
    renamed = _renamed([name for name in frame.columns if name != frame.geometry.name], (*columns, *RESERVED))
    if renamed:
        log.warning("The polygons' fields %s are kept as %s.", ", ".join(renamed), ", ".join(renamed.values()))
    return frame.rename(columns=renamed).assign(**columns)


def _renamed(fields: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Old and new names of the fields that cannot keep theirs, because it is taken or another field's but for case."""
    results = {name.lower() for name in taken}
    clashing = [name for name in fields if name.lower() in results]
    ordered = [*(name for name in fields if name not in clashing), *clashing]  # who can keep a name comes first
    wanted = [f"{name}_given" if name in clashing else name for name in ordered]
    pairs = zip(ordered, distinct_names(wanted, taken), strict=True)
    return {old: new for old, new in pairs if old != new}


def write_polygons(path: str, products: ObjectProducts, tags: dict[str, str]) -> None:
    """Write the table as a GeoPackage with its style inside.

    Raises:
        SceneError: as ``write_geopackage``.
    """
    card = products.card
    write_geopackage(path, table_of(products), Path(path).stem, polygon_style(card), card.name, tags)


def map_objects(tiles: Sequence[Tile], stages: Stages, products: ObjectProducts, progress: Progress) -> None:
    """As ``stream``; then the rasters of the main task are filled, polygon by polygon, in a second pass.

    Args:
        tiles: The window plan.
        stages: What happens to each tile.
        products: Those of ``stages``.
        progress: Told after every batch, and asked whether to stop.

    Raises:
        Canceled: the user asked to stop.
    """
    polygons = products.polygons
    needed = tiles if products.dense else [tile for tile in tiles if polygons.touching(tile.core)]
    stream(needed, stages, progress)
    found = {name: values for name, values in products.of_objects().items() if name in products.filled}
    for number, tile in enumerate(tiles if found else (), 1):
        progress.report(1.0, f"Filling polygons: window {number} of {len(tiles)}")
        if progress.canceled():
            raise Canceled("The mapping was canceled.")
        stages.write(_filled(tile.core, stages.read(tile).valid, products, found), tile.core)


def _filled(
    window: Window, valid: NDArray[np.bool_], products: ObjectProducts, values: dict[str, NDArray[np.float64]]
) -> Arrays:
    """Arrays ``(bands, H, W)`` in which the valid pixels of each polygon hold its values ``(bands, polygons)``."""
    numbers = products.polygons.numbers(window)
    numbers[~valid] = -1
    arrays: Arrays = {}
    for name, columns in values.items():
        nodata = products.nodata(name)
        known = np.where(np.isnan(columns), nodata, columns).astype(products.dtype(name))
        padded = np.c_[known, np.full(len(known), nodata, known.dtype)]  # −1, for no polygon, is the last column
        arrays[name] = padded[:, numbers]
    return arrays
