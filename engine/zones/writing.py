"""The table of polygons with their figures, and writing it as a CSV file."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..names import RESERVED, distinct_names
from ..textfile import write_text

_DIGITS = 9


def joined(frame: gpd.GeoDataFrame, figures: pd.DataFrame) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """Attributes and figures side by side, these with nine significant digits.

    A figure whose name is taken, and an attribute ``fid``, get a number.

    Returns:
        The table, and the column of each figure by the figure's own name.
    """
    geometry = frame.geometry.name
    attributes = frame.drop(columns=geometry)
    attributes.columns = distinct_names(map(str, attributes.columns), RESERVED)
    columns = distinct_names(figures.columns, (*attributes.columns, *RESERVED))
    names = dict(zip(figures.columns, columns, strict=True))
    figures = figures.set_axis(columns, axis=1)
    figures.index = attributes.index
    numbers = figures.select_dtypes("float").columns
    figures = figures.assign(**{name: _rounded(figures[name].to_numpy()) for name in numbers})
    table = pd.concat([attributes, figures], axis=1)
    return gpd.GeoDataFrame(table, geometry=frame.geometry.to_numpy(), crs=frame.crs), names


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
