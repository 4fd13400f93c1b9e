"""References that are no rasters: features of vector files and lines of tables, and what their values mean."""

from __future__ import annotations

import csv
import os
import re
import sqlite3
from collections.abc import Collection, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from numpy.typing import NDArray

from ...models.card import LandClass
from ...models.errors import SceneError
from .grid import Grid
from .placing import place
from .vectors import layer_names, split_layer

UNKNOWN = 65_535.0  # value of a named class that the model does not know
_WHOLE = re.compile(r"0|-?[1-9][0-9]*")  # a whole number as one writes it, and
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"  # any number, in a table


def read_features(path: str, field: str, grid: Grid | None = None) -> gpd.GeoDataFrame:
    """Features of a vector reference with their attribute in a column ``value``, in the grid's CRS.

    Without a field, a file of several layers is read whole and the layer's name is the class.

    Raises:
        SceneError: missing, unreadable, empty, without the field, or without a CRS where one is needed.
    """
    file, layer = split_layer(path)
    if not os.path.exists(file):
        raise SceneError(f"The reference “{file}” does not exist; check the path.")
    try:
        layers = layer_names(file)
        if layer and layer not in layers:
            raise SceneError(
                f"The reference “{file}” has no layer “{layer}”; its layers are: {', '.join(layers) or 'none'}."
            )
        chosen = [layer] if layer else (layers if not field else layers[:1])
        frames = [_layer(file, name, field, len(chosen) > 1) for name in chosen]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, sqlite3.Error) as error:
        raise SceneError(f"“{file}” is neither a raster nor a vector file that can be read; check the file.") from error
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        raise SceneError(f"The reference “{path}” has no features; give one with polygons, lines or points.")
    crs = frames[0].crs
    if any((frame.crs is None) != (crs is None) for frame in frames):
        raise SceneError(f"Some layers of the reference “{file}” have no CRS; set it.")
    joined = gpd.GeoDataFrame(pd.concat([frame.to_crs(crs) if crs else frame for frame in frames]), crs=crs)
    joined = joined[~(joined.geometry.is_empty | joined.geometry.isna())].reset_index(drop=True)
    return joined if grid is None else placed(joined, grid, path)


def placed(frame: gpd.GeoDataFrame, grid: Grid, path: str) -> gpd.GeoDataFrame:
    """Features on a scene's grid, without geometry where they lie elsewhere; as they are where it has no CRS."""
    if grid.crs is None:
        return frame
    if frame.crs is None:
        raise SceneError(f"The reference “{path}” has no CRS, the scene has one; set the reference's CRS.")
    shapes, _, _ = place(frame.geometry.to_numpy(), frame.crs, grid)
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=shapes, crs=grid.crs)


def is_table(path: str) -> bool:
    """Whether a reference is a CSV table, which names scenes instead of places."""
    return path.lower().endswith(".csv")


def read_table(path: str, field: str) -> pd.DataFrame:
    """A CSV table as columns ``scene`` (its first column) and ``value``: text, or numbers where some have decimals.

    Raises:
        SceneError: missing, unreadable, or without the column.
    """
    try:
        table = pd.read_csv(path, sep=None, engine="python", dtype=str, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SceneError(f"The reference “{path}” does not exist; check the path.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise SceneError(
            f"The table “{path}” cannot be read ({error}); give a CSV file with a line a scene."
        ) from error
    if field not in table.columns[1:]:
        has = ", ".join(map(str, table.columns[1:])) or "none"
        raise SceneError(
            f"The table “{path}” has no column “{field}” beside its first, which names the scenes; its columns are: "
            f"{has}. Choose the reference field among them."
        )
    values = table[field].str.strip()
    values = values.where(values != "")
    if _has_decimals(values.dropna()):
        values = pd.to_numeric(values)
    return pd.DataFrame({"scene": table.iloc[:, 0].astype(str).str.strip(), "value": values})


def _has_decimals(texts: pd.Series) -> bool:
    """Whether texts are numbers that are not all whole, or that a program wrote into a column with gaps: “1.0”."""
    return bool(texts.str.contains(".", regex=False).any() and texts.str.fullmatch(_NUMBER).all())


def _layer(file: str, name: str, field: str, several: bool) -> gpd.GeoDataFrame:
    frame = gpd.read_file(file, layer=name)
    if field and field not in frame.columns:
        has = ", ".join(c for c in frame.columns if c != "geometry") or "none"
        raise SceneError(f"The reference “{file}” has no field “{field}”; its fields are: {has}.")
    if not field and not several:
        has = ", ".join(c for c in frame.columns if c != "geometry") or "none"
        raise SceneError(f"Choose the field of the reference “{file}” that holds the classes or numbers ({has}).")
    value = frame[field] if field else pd.Series([name] * len(frame), dtype=object)
    value = value.where(value != "")  # an empty text is no value
    return gpd.GeoDataFrame({"value": value}, geometry=frame.geometry, crs=frame.crs)


def numbers_of(values: pd.Series, classes: Sequence[LandClass], path: str, field: str) -> NDArray[np.float64]:
    """The number that each feature burns; NaN for features without a value."""
    given = values.notna()
    by_name = {c.name: float(c.value) for c in classes}
    numbers = class_numbers(values, by_name) if classes else pd.to_numeric(values, errors="coerce")
    if numbers is not None and numbers[given].notna().all():
        return np.asarray(numbers, np.float64)
    named = [by_name.get(str(v), UNKNOWN) if known else np.nan for v, known in zip(values, given, strict=True)]
    if set(named).isdisjoint(by_name.values()):
        what = f"The values of the reference “{path}”{f', field “{field}”,' if field else ''} ({_some(values[given])})"
        if not classes:
            raise SceneError(f"{what} are not all numbers, which a regression needs; choose another field.")
        raise SceneError(
            f"{what} are not among the model's classes ({', '.join(by_name)}); choose the field with these classes."
        )
    return np.array(named, np.float64)


def class_numbers(values: pd.Series, names: Collection[str] = ()) -> pd.Series | None:
    """The values of classes as numbers; ``None`` where they are names.

    Text is names, unless all of it is whole numbers as one writes them and none of it is among ``names``: “91E0” and
    “007” are codes and no numbers, and so is “3260” where a class is called that.
    """
    if is_text(values):
        texts = {str(value) for value in values.dropna()}
        if not texts.isdisjoint(names) or not all(map(_WHOLE.fullmatch, texts)):
            return None
    return pd.to_numeric(values)


def is_text(values: pd.Series) -> bool:
    """Whether values are texts, be they numbers or names."""
    return not pd.api.types.is_numeric_dtype(values)


def _some(values: pd.Series) -> str:
    """A few of the values that occur, for a message."""
    found = sorted({str(v) for v in values})
    return ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
