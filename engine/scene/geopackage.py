"""GeoPackages that open styled in QGIS, each complete or not there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import geopandas as gpd

from ...models.errors import SceneError
from ...models.parts import part_path

_VERSION = "1.2"  # QGIS 3.22 warns of newer ones
_BESIDE = ("-wal", "-shm", "-journal", ".aux.xml")  # SQLite's and GDAL's, of one content of the file
_STYLES = """CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT,
    styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))"""


def write_geopackage(
    path: str, frame: gpd.GeoDataFrame, layer: str, style: str, style_name: str, tags: Mapping[str, str] | None = None
) -> None:
    """Write a table as the one layer of a GeoPackage with its style, in place of a file that was there.

    Args:
        path: Of the file.
        frame: The table; no column is called as one of ``names.RESERVED``.
        layer: The layer's name.
        style: As ``qml.vector_style`` gives it; a ``.qml`` beside the file could be of a raster of its name.
        style_name: What QGIS calls it.
        tags: Of the file, by name.

    Raises:
        SceneError: the folder is missing, the disk is full, another program holds the file that was there before, or
            a field is none that a GeoPackage can have.
    """
    target = Path(path)
    part = part_path(target)
    try:
        frame.to_file(
            part, layer=layer, driver="GPKG", engine="pyogrio", dataset_metadata=tags or None, VERSION=_VERSION
        )
        _add_style(part, layer, style, style_name)
        os.replace(part, target)
        for suffix in _BESIDE:  # of the file that was there: the next to open the new one would take them for its own
            Path(f"{target}{suffix}").unlink(missing_ok=True)
    except (OSError, RuntimeError, sqlite3.Error) as error:  # pyogrio's are RuntimeErrors
        raise SceneError(
            f"“{path}” cannot be written ({error}); choose a folder with room that you may write to, remove its layer "
            "from QGIS, or take a field that is named here out of the polygons."
        ) from error
    finally:
        for leftover in (part, *(Path(f"{part}{suffix}") for suffix in _BESIDE)):
            with suppress(OSError):
                leftover.unlink()


def _add_style(path: Path, layer: str, style: str, name: str) -> None:
    """Make a style the default of a layer."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_STYLES)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) VALUES "
            "('layer_styles', 'attributes', 'layer_styles', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 0)"
        )
        database.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '')",
            (layer, name, style),
        )
