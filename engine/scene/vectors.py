"""Vector files: which of their layers is meant, and whether they have changed."""

from __future__ import annotations

import glob
import os
import sqlite3

import geopandas as gpd
import pyogrio

from ...models.errors import SceneError
from ..paths import split_options

_SEVERAL = (".shp", ".gpkg", ".tab", ".mif")  # formats that are, or may be, several files of one name
_NO_DATA = (".qml", ".qmd", ".aux.xml", "-shm")  # ends of what comes and goes beside a file while it is looked at


def split_layer(path: str) -> tuple[str, str]:
    """Split ``file|layername=layer``, as QGIS writes it; the layer is empty where none is named."""
    file, options = split_options(path)
    named = [o.split("=", 1)[1] for o in options.split("|") if o.lower().startswith("layername=")]
    return file, named[0] if named else ""


def layer_names(file: str) -> list[str]:
    """Names of the layers of a vector file that have geometries."""
    return [str(name) for name, geometry in pyogrio.list_layers(file) if geometry is not None]


def read_layer(path: str, role: str, kind: str = "no vector layer") -> gpd.GeoDataFrame:
    """The features of a layer, of the first with geometries where none is named.

    Args:
        path: File; ``file|layername=layer`` chooses a layer.
        role: What messages call it.
        kind: What they say that it is, if it cannot be read.

    Raises:
        SceneError: missing, unreadable, or without geometries.
    """
    file, layer = split_layer(path)
    several = role.endswith("s")
    if not os.path.exists(file):
        raise SceneError(f"The {role} “{file}” {'do' if several else 'does'} not exist; check the path.")
    try:
        frame = gpd.read_file(file, layer=layer or next(iter(layer_names(file)), None))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, sqlite3.Error) as error:
        raise SceneError(
            f"The {role} “{path}” {'are' if several else 'is'} {kind} that can be read; check the file and the layer."
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SceneError(f"The {role} “{path}” {'have' if several else 'has'} no geometries; choose another layer.")
    return frame


def file_stamp(path: str) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a reference's files: Shapefiles and GeoPackages in use are several."""
    file, _ = split_layer(path)
    stem, kind = os.path.splitext(file)
    there = sorted(glob.glob(glob.escape(stem) + (".*" if kind.lower() in _SEVERAL else glob.escape(kind))))
    stats = [(one, os.stat(one)) for one in there if not one.endswith(_NO_DATA)]
    return tuple((one, status.st_size, status.st_mtime_ns) for one, status in stats)
