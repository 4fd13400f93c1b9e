"""The style of a table of polygons, as QGIS keeps it in a GeoPackage."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from contextlib import closing

from ..qml import fill_symbol, rgba_text, vector_style
from ..scene.classes import PALETTE

# Error probabilities: most are small, and there the eye needs steps. ColorBrewer's OrRd, safe for colour-blind readers;
# light where there is little to say.
_STEPS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_COLORS = ("#fef0d9", "#fdd49e", "#fdbb84", "#fc8d59", "#e34a33", "#b30000")
_NOTHING, _OUTLINE = "#d9d9d4", "#4a4f55"
_TABLE = """CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT,
    styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))"""


def qml(columns: Sequence[str], colors: dict[str, str]) -> str:
    """A rule a step of the error probability; without that column a rule a class; else one colour.

    Args:
        columns: Of the table.
        colors: ``#rrggbb`` of the classes, by name.
    """
    if "error_probability_mean" in columns:
        rules = _steps("error_probability_mean")
    elif "class" in columns:
        rules = [(name, f"\"class\" = '{name.replace(chr(39), chr(39) * 2)}'", color) for name, color in colors.items()]
    else:
        rules = [("mapped", '"mapped_share" > 0', PALETTE[0])]
    renderer = ElementTree.Element("renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0")
    tree = ElementTree.SubElement(renderer, "rules", key="{root}")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, (label, condition, color) in enumerate([*rules, ("not mapped", "ELSE", _NOTHING)]):
        ElementTree.SubElement(
            tree, "rule", key=f"{{rule_{number}}}", filter=condition, label=label, symbol=str(number)
        )
        symbols.append(fill_symbol(number, rgba_text(color), rgba_text(_OUTLINE), "0.1"))
    return vector_style(renderer, map_tip='[% "sentence" %]')


def add_style(path: str, layer: str, text: str) -> None:
    """Put a style into a GeoPackage as the default of one of its layers.

    Raises:
        sqlite3.Error: it cannot be written, for want of room as a rule.
    """
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_TABLE)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) VALUES "
            "('layer_styles', 'attributes', 'layer_styles', '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 0)"
        )
        database.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, 'geom', 'AuxLens', ?, '', 1, "
            "'Error probability by polygon', '')",
            (layer, text),
        )


def _steps(column: str) -> list[tuple[str, str, str]]:
    """Label, condition and colour of each step."""
    found = []
    for low, high, color in zip(_STEPS[:-1], _STEPS[1:], _COLORS, strict=True):
        condition = f'"{column}" >= {low:g} AND "{column}" {"<=" if high == _STEPS[-1] else "<"} {high:g}'
        found.append((f"{100 * low:g}–{100 * high:g} % likely wrong", condition, color))
    return found
