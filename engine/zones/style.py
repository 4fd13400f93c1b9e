"""The style of a table of polygons."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

from ..qml import fill_symbol, rgba_text, vector_style
from ..scene.classes import PALETTE

# Error probabilities: most are small, and there the eye needs steps. ColorBrewer's OrRd, safe for colour-blind readers;
# light where there is little to say.
_STEPS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_COLORS = ("#fef0d9", "#fdd49e", "#fdbb84", "#fc8d59", "#e34a33", "#b30000")
_NOTHING, _OUTLINE = "#d9d9d4", "#4a4f55"


def qml(columns: Mapping[str, str], colors: dict[str, str]) -> str:
    """A rule a step of the error probability; without that column a rule a class; else one colour.

    Args:
        columns: Of the table, by figure: polygons that have figures already get others beside them.
        colors: ``#rrggbb`` of the classes, by name.
    """
    if "error_probability_mean" in columns:
        rules = _steps(columns["error_probability_mean"])
    elif "class" in columns:
        column = columns["class"]
        rules = [
            (name, f"\"{column}\" = '{name.replace(chr(39), chr(39) * 2)}'", color) for name, color in colors.items()
        ]
    else:
        rules = [("mapped", f'"{columns["mapped_share"]}" > 0', PALETTE[0])]
    renderer = ElementTree.Element("renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0")
    tree = ElementTree.SubElement(renderer, "rules", key="{root}")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, (label, condition, color) in enumerate([*rules, ("not mapped", "ELSE", _NOTHING)]):
        ElementTree.SubElement(
            tree, "rule", key=f"{{rule_{number}}}", filter=condition, label=label, symbol=str(number)
        )
        symbols.append(fill_symbol(number, rgba_text(color), rgba_text(_OUTLINE), "0.1"))
    return vector_style(renderer, map_tip=f'[% "{columns["sentence"]}" %]')


def _steps(column: str) -> list[tuple[str, str, str]]:
    """Label, condition and colour of each step."""
    found = []
    for low, high, color in zip(_STEPS[:-1], _STEPS[1:], _COLORS, strict=True):
        condition = f'"{column}" >= {low:g} AND "{column}" {"<=" if high == _STEPS[-1] else "<"} {high:g}'
        found.append((f"{100 * low:g}–{100 * high:g} % likely wrong", condition, color))
    return found
