"""Metadata with which the QGIS plugin Deepness (https://plugins.qgis.org/plugins/deepness) runs a model by itself.

Every value is JSON text. The keys are those that Deepness's ``model_base.py`` reads (July 2024 and later).
"""

from __future__ import annotations

import json
import math

from ...models.card import Card

_BYTE = 255.0  # Deepness divides every value by it, before it subtracts the mean and divides by the deviation
_MOST_OVERLAP = 80  # percent


def metadata(card: Card, tile_px: int) -> dict[str, str]:
    """The metadata for tiles of ``tile_px``."""
    bands = len(card.input_bands)
    values: dict[str, object] = {
        "model_type": "Segmentor" if card.main.classes else "Regressor",
        "tile_size": tile_px,
        "tiles_overlap": min(_MOST_OVERLAP, math.ceil(100 * 2 * card.margin_px / tile_px)),
        # together with the division by 255 this leaves physical values, which the network takes
        "standardization_mean": [0.0] * bands,
        "standardization_std": [1.0 / _BYTE] * bands,
    }
    if card.main.classes:
        values["class_names"] = {str(i): c.name for i, c in enumerate(card.main.classes)}
        values |= {"seg_thresh": 0.0, "seg_small_segment": 0}  # the most probable class, unfiltered
    else:
        values |= {"class_names": {"0": card.main.name}, "reg_output_scaling": 1.0}
    if card.inputs[0].gsd_m:
        values["resolution"] = 100.0 * card.inputs[0].gsd_m  # cm
    return {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
