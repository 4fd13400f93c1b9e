"""The files that a raster is made of."""

from __future__ import annotations

import rasterio
from rasterio.errors import RasterioError


def files_of(path: str) -> tuple[str, ...]:
    """Paths of a raster's files, its own among them; empty for what is no raster."""
    try:
        with rasterio.open(path) as dataset:
            return tuple(dataset.files)
    except RasterioError:
        return ()
