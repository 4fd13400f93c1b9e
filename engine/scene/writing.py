"""Writing: output rasters that appear under their names only when they are complete."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from ...models.card import LandClass
from ...models.errors import SceneError
from ...models.parts import part_path
from ..textfile import replace_text
from .grid import Grid
from .window import Window

# Zstandard's fastest level writes float layers as fast as no compression and a quarter smaller, maps at seven times
# less: benchmarks/compression.md. GDAL reads it since 2.3.
COMPRESSION = {"compress": "zstd", "zstd_level": 1}
BLOCK = 512


@dataclass(frozen=True)
class Layer:
    """One output raster: where, what type, which bands."""

    path: str
    dtype: str
    nodata: float
    bands: tuple[str, ...]
    units: tuple[str, ...] = ()
    classes: tuple[LandClass, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    sidecars: Mapping[str, str] = field(default_factory=dict)  # suffix → text, written beside the raster

    def bytes_of(self, grid: Grid) -> int:
        """Size on disk without compression."""
        return grid.height * grid.width * len(self.bands) * np.dtype(self.dtype).itemsize


class LayerWriter:
    """Writes windows of a layer to a temporary file beside the target; ``commit`` gives it its name.

    Left without a commit (an error, a cancel) it removes what it wrote.
    """

    def __init__(self, layer: Layer, grid: Grid, tile_px: int = BLOCK) -> None:
        """Create the temporary file.

        Raises:
            SceneError: the folder is missing or cannot be written.
        """
        self.layer = layer
        self.target = Path(layer.path)
        self._part = part_path(self.target)
        block = math.gcd(tile_px, BLOCK)
        try:
            self._dataset = rasterio.open(
                self._part,
                "w",
                driver="GTiff",
                crs=grid.crs,
                transform=grid.transform,
                height=grid.height,
                width=grid.width,
                count=len(layer.bands),
                dtype=layer.dtype,
                nodata=layer.nodata,
                tiled=True,
                blockxsize=max(block, 64),
                blockysize=max(block, 64),
                interleave="band",
                bigtiff="if_safer",
                num_threads=1,
                **COMPRESSION,
            )
        except (RasterioError, OSError) as error:
            raise SceneError(
                f"“{layer.path}” cannot be written ({error}); choose a folder that exists and that you may write to."
            ) from error
        self._dataset.descriptions = layer.bands
        if layer.units:
            self._dataset.units = layer.units
        self._dataset.update_tags(**layer.tags)
        if layer.classes:
            self._dataset.write_colormap(1, {c.value: rgba(c.color) for c in layer.classes})

    def write(self, values: NDArray[np.generic], window: Window) -> None:
        """Write ``(bands, window.height, window.width)``.

        Raises:
            SceneError: the disk is full or gone.
        """
        try:
            self._dataset.write(values, window=window.rasterio)
        except (RasterioError, OSError) as error:
            raise self._full(error) from error

    def commit(self) -> None:
        """Close the file, give it its name, and write its sidecars."""
        try:
            self._dataset.close()
            _check_complete(self._part)
            os.replace(self._part, self.target)
            for suffix in (".aux.xml", ".ovr", ".msk"):  # of the file that was there before
                Path(f"{self.target}{suffix}").unlink(missing_ok=True)
            if self.layer.classes:
                replace_text(Path(f"{self.target}.aux.xml"), category_names(self.layer.classes))
            for suffix, text in self.layer.sidecars.items():
                replace_text(self.target.with_suffix(suffix), text)
        except PermissionError as error:
            raise SceneError(
                f"“{self.target}” cannot be replaced: another program has it open. Remove its layer from QGIS, or "
                "choose another name."
            ) from error
        except (RasterioError, OSError) as error:
            raise self._full(error) from error

    def _full(self, error: Exception) -> SceneError:
        free = shutil.disk_usage(self.target.parent).free / 2**20
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error.__cause__ or error
        why = f"{reason}; {free:.0f} MiB are free there" if free >= 1 else "the disk is full"
        return SceneError(f"Writing “{self.target}” failed: {why}. Make room or choose another folder.")

    def __enter__(self) -> LayerWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        with contextlib.suppress(RasterioError, OSError):  # reported by write or commit
            self._dataset.close()
        for leftover in (self._part, Path(f"{self._part}.aux.xml")):
            leftover.unlink(missing_ok=True)


def check_writable(paths: Sequence[str]) -> None:
    """Check before any work that files can be written.

    Raises:
        SceneError: a folder does not exist or cannot be written, or a folder has the file's name.
    """
    for path in paths:
        if Path(path).is_dir():
            raise SceneError(f"“{path}” is a folder; give a file name in it.")
        folder = Path(path).resolve().parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise SceneError(f"The folder “{folder}” does not exist or cannot be written; choose another.")


def check_room(layers: Sequence[Layer], grid: Grid) -> None:
    """Check before any work that outputs fit on their disks, if compression saves a third.

    Raises:
        SceneError: a folder does not exist or cannot be written, or a disk is too small.
    """
    check_writable([layer.path for layer in layers])
    needed: dict[int, tuple[Path, float]] = {}
    for layer in layers:
        folder = Path(layer.path).resolve().parent
        device = os.stat(folder).st_dev
        needed[device] = (folder, needed.get(device, (folder, 0.0))[1] + layer.bytes_of(grid) * 2 / 3)
    for folder, size in needed.values():
        free = shutil.disk_usage(folder).free
        if size > free:
            raise SceneError(
                f"The outputs need about {size / 2**20:.0f} MiB in “{folder}”, {free / 2**20:.0f} MiB are free; "
                "make room, or ask for fewer outputs."
            )


def rgba(color: str) -> tuple[int, int, int, int]:
    """``#rrggbb`` → red, green, blue, opaque."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16), 255


def category_names(classes: Sequence[LandClass]) -> str:
    """GDAL's sidecar (PAM) with the names of classes by value; GeoTIFF itself has no place for them."""
    root = ElementTree.Element("PAMDataset")
    names = ElementTree.SubElement(ElementTree.SubElement(root, "PAMRasterBand", band="1"), "CategoryNames")
    by_value = {c.value: c.name for c in classes}
    for value in range(max(by_value) + 1):
        ElementTree.SubElement(names, "Category").text = by_value.get(value, "")
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _check_complete(path: Path) -> None:
    """Check that every block of a closed file is on the disk: GDAL does not tell when its last writes fail.

    Raises:
        OSError: a block is missing.
    """
    size = path.stat().st_size
    with rasterio.open(path) as dataset:
        for band, (height, width) in enumerate(dataset.block_shapes, 1):
            for row in range(-(-dataset.height // height)):
                for col in range(-(-dataset.width // width)):
                    block = (
                        dataset.get_tag_item(f"BLOCK_{key}_{col}_{row}", "TIFF", band) for key in ("OFFSET", "SIZE")
                    )
                    if sum(int(value or size) for value in block) > size:
                        raise OSError("the file is not complete")
