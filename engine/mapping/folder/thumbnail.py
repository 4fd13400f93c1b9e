"""A thumbnail of a scene's first layer, in the colours of its style, as PNG."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from ....models.card import Card
from ....models.parts import part_path
from ...scene.writing import Layer, rgba
from ..styles import scale

NAME = "thumbnail.png"
_LARGEST_PX = 128


def write_thumbnail(layers: Mapping[str, Layer], card: Card) -> str:
    """Write the thumbnail of the first layer beside it.

    Returns:
        Its path.
    """
    name, layer = next(iter(layers.items()))
    target = Path(layer.path).with_name(NAME)
    part = part_path(target)
    try:
        part.write_bytes(_png(_coloured(name, layer, card)))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return str(target)


def _coloured(name: str, layer: Layer, card: Card) -> NDArray[np.uint8]:
    """``(4, H, W)``: red, green, blue and opacity; nodata is transparent."""
    with rasterio.open(layer.path) as dataset:
        shrink = max(1.0, max(dataset.shape) / _LARGEST_PX)
        shape = (max(1, round(dataset.height / shrink)), max(1, round(dataset.width / shrink)))
        values = dataset.read(1, out_shape=shape, resampling=Resampling.nearest)
    if layer.classes:
        palette = np.zeros((np.iinfo(values.dtype).max + 1, 4), np.uint8)
        for c in layer.classes:
            palette[c.value] = rgba(c.color)
        return np.moveaxis(palette[values], 2, 0)
    shown = scale(name, card, layer.bands[0])
    ramp = np.array([rgba(color) for color in shown.ramp], np.float32).T
    known = np.isfinite(values) if np.isnan(layer.nodata) else values != layer.nodata
    place = (np.where(known, values, shown.low) - shown.low) / ((shown.high - shown.low) or 1.0)
    steps = np.clip(place, 0, 1) * (ramp.shape[1] - 1)
    picture = np.stack([np.interp(steps, np.arange(ramp.shape[1]), channel) for channel in ramp])
    picture[3] = np.where(known, 255, 0)
    return picture.astype(np.uint8)


def _png(picture: NDArray[np.uint8]) -> bytes:
    _, height, width = picture.shape
    with MemoryFile() as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(driver="PNG", zlevel=1, count=4, height=height, width=width, dtype="uint8") as dataset:
            dataset.write(picture)
        data: bytes = memory.read()
    return data
