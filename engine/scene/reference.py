"""References: the truth of the main task, from a raster or from vector features, by window."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import sqlite3
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio.features
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import RasterioError

from ...models.card import LandClass
from ...models.errors import SceneError
from .bands import ModalitySource, bands_of, open_raster
from .grid import Grid
from .reading import ModalityReader
from .vectors import file_stamp, layer_names, split_layer
from .window import Window, plan

MAX_CLASSES = 255
IGNORE = -1  # class index of a pixel without reference
LARGEST_CLASS = 65_534  # maps are uint16 at most, with a value left for nodata
UNKNOWN = 65_535.0  # value of a named class that the model does not know
_WHOLE = re.compile(r"0|-?[1-9][0-9]*")  # a whole number as one writes it, and
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"  # any number, in a table

# Okabe and Ito's colour-blind safe palette, then muted tones; for classes that come without colours.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#f0e442", "#d55e00", "#56b4e9", "#cc79a7", "#999999",
    "#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#aa4499", "#661100",
)  # fmt: skip


class ReferenceReader(Protocol):
    """Reads windows of a reference as float32 values on the scene's grid, NaN where there is none."""

    def read(self, window: Window) -> NDArray[np.float32]:
        """``(window.height, window.width)`` float32: class values or numbers."""

    def close(self) -> None:
        """Release the files."""


@dataclass(frozen=True)
class VectorReference:
    """Features in the scene's CRS with the number that each burns into the raster."""

    geometries: NDArray[np.object_]
    values: NDArray[np.float64]
    tree: shapely.STRtree
    grid: Grid

    @property
    def is_empty(self) -> bool:
        """Whether no feature touches the scene."""
        return not len(self.tree.query(shapely.box(*self.grid.bounds)))

    def read(self, window: Window) -> NDArray[np.float32]:
        bounds = self.grid.bounds_of(window)
        hits = np.sort(self.tree.query(shapely.box(*bounds)))
        chip = np.full((window.height, window.width), np.nan, np.float32)
        if len(hits):
            rasterio.features.rasterize(
                zip(self.geometries[hits], self.values[hits], strict=True),
                out=chip,
                transform=self.grid.transform_of(window),
            )
        return chip

    def close(self) -> None:
        pass


class RasterReference:
    """The first band of a raster. ``role`` is what messages call it; categories are never blended."""

    def __init__(self, path: str, grid: Grid, role: str = "reference", categorical: bool = True) -> None:
        band = bands_of(path)[0]
        self._reader = ModalityReader(ModalitySource(role, (band,)), grid, categorical)

    def read(self, window: Window) -> NDArray[np.float32]:
        chip: NDArray[np.float32] = self._reader.read(window)[0]
        return chip

    def close(self) -> None:
        self._reader.close()


def is_raster(path: str) -> bool:
    """Whether a reference is a raster (else it is taken as vector features)."""
    if "|" in path:
        return False
    try:
        with rasterio.open(path) as dataset:
            return bool(dataset.count > 0)
    except RasterioError:
        return False


def is_vector(path: str) -> bool:
    """Whether a file is there and no raster."""
    return os.path.exists(split_layer(path)[0]) and not is_raster(path)


def open_reference(
    path: str, field: str, grid: Grid, classes: Sequence[LandClass] = (), categorical: bool = True
) -> ReferenceReader:
    """Open a reference on a scene's grid.

    Args:
        path: Raster, or vector file; ``file|layername=layer`` chooses a layer.
        field: Attribute of a vector reference; may be empty for a file whose layers are the classes.
        grid: The scene's grid.
        classes: For class references given as text, the names in use (their values are burned).
        categorical: Whether a raster's values are classes, taken from the nearest pixel; else they are numbers, which
            finer rasters are averaged to.

    Raises:
        SceneError: missing or unreadable, without the field, or not a number where one is needed.
    """
    if is_raster(path):
        return RasterReference(path, grid, categorical=categorical)
    return _vector(path, field, grid, tuple(classes), file_stamp(path))


@lru_cache(maxsize=64)
def _vector(
    path: str, field: str, grid: Grid, classes: tuple[LandClass, ...], stamp: tuple[tuple[str, int, int], ...]
) -> VectorReference:
    """The features, kept for the other threads and splits of a job; ``stamp`` tells when the file has changed."""
    frame = read_features(path, field, grid)
    values = numbers_of(frame["value"], classes, path, field)
    known = np.isfinite(values)
    geometries = frame.geometry.to_numpy()[known]
    return VectorReference(geometries, values[known], shapely.STRtree(geometries), grid)


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
    return joined if grid is None else _placed(joined, grid.crs, path)


def _placed(frame: gpd.GeoDataFrame, crs: CRS | None, path: str) -> gpd.GeoDataFrame:
    """Features in a scene's CRS; as they are where the scene has none."""
    if crs is None:
        return frame
    if frame.crs is None:
        raise SceneError(f"The reference “{path}” has no CRS, the scene has one; set the reference's CRS.")
    return frame.to_crs(crs)


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
    if _is_text(values):
        texts = {str(value) for value in values.dropna()}
        if not texts.isdisjoint(names) or not all(map(_WHOLE.fullmatch, texts)):
            return None
    return pd.to_numeric(values)


def _is_text(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values)


def _some(values: pd.Series) -> str:
    """A few of the values that occur, for a message."""
    found = sorted({str(v) for v in values})
    return ", ".join(found[:5]) + (", …" if len(found) > 5 else "")


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
    written = [frame["value"] for frame in features.values() if _is_text(frame["value"])]
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
            if named and _is_text(values):
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


def _on_grids(frame: gpd.GeoDataFrame, grids: Sequence[Grid], path: str) -> NDArray[np.bool_]:
    """``(n,)``: which features touch one of the grids."""
    outlines: dict[CRS | None, list[shapely.Polygon]] = {}
    for grid in grids:
        outlines.setdefault(grid.crs, []).append(grid.outline_of(grid.whole))
    here = np.zeros(len(frame), bool)
    for crs, borders in outlines.items():
        tree = shapely.STRtree(_placed(frame, crs, path).geometry.to_numpy())
        here[tree.query(borders, predicate="intersects")[1]] = True
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
