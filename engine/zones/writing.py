"""Writing of polygons with their figures: a styled GeoPackage and a CSV file, each complete or not there."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...models.errors import SceneError
from ...models.parts import part_path
from ..names import RESERVED, distinct_names
from ..textfile import write_text
from .style import add_style

LAYER = "zones"
_DIGITS = 9
_GEOPACKAGE_VERSION = "1.2"  # QGIS 3.22 warns of newer ones


def joined(frame: gpd.GeoDataFrame, figures: pd.DataFrame) -> gpd.GeoDataFrame:
    """Attributes and figures side by side, these with nine significant digits.

    A figure whose name is taken, and an attribute ``fid``, get a number.
    """
    geometry = frame.geometry.name
    attributes = frame.drop(columns=geometry)
    attributes.columns = distinct_names(map(str, attributes.columns), RESERVED)
    figures = figures.set_axis(distinct_names(figures.columns, (*attributes.columns, *RESERVED)), axis=1)
    figures.index = attributes.index
    numbers = figures.select_dtypes("float").columns
    figures = figures.assign(**{name: _rounded(figures[name].to_numpy()) for name in numbers})
    table = pd.concat([attributes, figures], axis=1)
    return gpd.GeoDataFrame(table, geometry=frame.geometry.to_numpy(), crs=frame.crs)


def write_geopackage(path: str, zones: gpd.GeoDataFrame, style: str) -> None:
    """Write a GeoPackage that opens styled.

    Raises:
        SceneError: it cannot be written.
    """
    target = Path(path)
    part = part_path(target)
    try:
        zones.to_file(part, layer=LAYER, driver="GPKG", engine="pyogrio", VERSION=_GEOPACKAGE_VERSION)
        add_style(str(part), LAYER, style)
        os.replace(part, target)
        for suffix in ("-wal", "-shm"):
            Path(f"{target}{suffix}").unlink(missing_ok=True)
    except (OSError, RuntimeError, sqlite3.Error) as error:  # pyogrio's are RuntimeErrors
        raise SceneError(
            f"“{path}” cannot be written ({error}); choose a folder with room that you may write to, and close the "
            "file where it is open."
        ) from error
    finally:
        for leftover in (part, Path(f"{part}-wal"), Path(f"{part}-shm"), Path(f"{part}-journal")):
            with contextlib.suppress(OSError):
                leftover.unlink()


def write_csv(path: str, zones: gpd.GeoDataFrame) -> None:
    """Write the table without the geometry; ``fid`` is that of the GeoPackage.

    Raises:
        JobError: it cannot be written.
    """
    plain = pd.DataFrame(zones.drop(columns=zones.geometry.name))
    plain.insert(0, "fid", range(1, len(plain) + 1))
    write_text(path, plain.to_csv(index=False, lineterminator="\n"))


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values with nine significant digits: pandas takes five times as long to format each of them so."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        rounded: NDArray[np.float64] = np.round(values * 10.0**places) / 10.0**places
    return np.where(np.isfinite(rounded), rounded, values)
