"""Write the demo's rasters: tiled, compressed GeoTIFF with band names, units, colours and category names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import Affine

from ...models.card import LandClass
from ...models.parts import part_path
from ..scene.writing import category_names, rgba
from ..textfile import replace_text
from .recipe import recipe


def write_bands(
    path: Path,
    bands: NDArray[Any],
    names: tuple[str, ...],
    corner: tuple[float, float],
    gsd_m: float,
    unit: str = "",
    nodata: float | None = None,
) -> None:
    """Write ``(B, H, W)`` bands; ``corner`` is the upper left one, easting and northing in m."""
    with _Written(path) as temporary, rasterio.open(temporary, "w", **_profile(bands, corner, gsd_m, nodata)) as file:
        file.write(bands)
        file.descriptions = names
        if unit:
            file.units = (unit,) * len(names)


def write_categories(
    path: Path,
    values: NDArray[np.uint8],
    name: str,
    categories: list[dict[str, Any]],
    corner: tuple[float, float],
    gsd_m: float,
    nodata: float | None = None,
) -> None:
    """Write an ``(H, W)`` raster of categories with their colours, and their names in GDAL's sidecar file."""
    classes = [LandClass(int(c["value"]), str(c["name"]), c["color"]) for c in categories]
    with (
        _Written(path) as temporary,
        rasterio.open(temporary, "w", **_profile(values[None], corner, gsd_m, nodata)) as file,
    ):
        file.write(values, 1)
        file.set_band_description(1, name)
        file.write_colormap(1, {c.value: rgba(c.color) for c in classes})
    replace_text(path.with_name(path.name + ".aux.xml"), category_names(classes))


class _Written:
    """A temporary path beside the target that takes the target's name when all went well."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.temporary = part_path(target)

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            os.replace(self.temporary, self.target)
        else:
            self.temporary.unlink(missing_ok=True)


def _profile(bands: NDArray[Any], corner: tuple[float, float], gsd_m: float, nodata: float | None) -> dict[str, Any]:
    count, height, width = bands.shape
    return {
        "driver": "GTiff",
        "dtype": bands.dtype.name,
        "count": count,
        "height": height,
        "width": width,
        "crs": recipe()["crs"],
        "transform": Affine(gsd_m, 0.0, corner[0], 0.0, -gsd_m, corner[1]),
        "nodata": nodata,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "zlevel": 1,
        "predictor": 3 if bands.dtype.kind == "f" else 2,
    }
