"""Reading: chips of modalities by window, warped to the scene's grid on the fly."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType

import numpy as np
import rasterio
import rasterio.warp
from affine import Affine
from numpy.typing import NDArray
from rasterio.coords import BoundingBox
from rasterio.crs import CRS
from rasterio.enums import MaskFlags, Resampling
from rasterio.errors import RasterioError

from ...models.errors import SceneError
from .bands import BandSource, ModalitySource, alpha_band, open_raster
from .grid import Grid, bounds_in, grid_of, overlaps, turns
from .warped import WarpedBlocks
from .window import Window

log = logging.getLogger("auxlens")

_PLANE = CRS.from_string('LOCAL_CS["plane",UNIT["metre",1]]')  # stands in for "no CRS" on both sides of a warp
_NO_MASK = {MaskFlags.all_valid, MaskFlags.nodata}
_BLOCK = 256  # pixels of the grid, in width and height, that are warped at once
_BLOCK_SOURCE = 4 * _BLOCK  # pixels of a finer file that are read for them
_FLOATS = np.finfo(np.float32)
_LARGEST = 1e38  # beyond, floats are infinite or stand for none, whether the file says so or not
_COARSENING = 1.5  # source pixels a grid pixel, from which on they are averaged
_warped_blocks = WarpedBlocks()


def scene_grid(inputs: Sequence[ModalitySource]) -> Grid:
    """The grid of a scene: that of the finest band of its first input modality.

    Raises:
        SceneError: an unreadable file, or a grid that has no extent.
    """
    grids = []
    for path in inputs[0].paths:
        with open_raster(path) as dataset:
            grids.append(grid_of(dataset))
    return min(grids, key=lambda grid: abs(grid.transform.determinant))


def complete(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """``(H, W)``: where all bands of ``(C, H, W)`` have a value; of inputs, what a map has a value for."""
    return np.asarray(np.isfinite(values).all(axis=0))


class ModalityReader:
    """Reads windows of one modality as ``(C, height, width)`` float32, NaN where a band is not valid.

    It holds its own dataset handles, which GDAL does not share between threads: open one a thread.
    """

    def __init__(self, source: ModalitySource, grid: Grid, categorical: bool = False) -> None:
        """Open the files.

        Raises:
            SceneError: a file is missing, unreadable, or does not overlap with the grid.
        """
        self.source = source
        self.grid = grid
        self._resampling = Resampling.nearest if categorical else None
        self._files = [
            _File(path, [b for b in source.bands if b.path == path], grid, source.name) for path in source.paths
        ]
        order = {band: i for i, band in enumerate(band for file in self._files for band in file.bands)}
        self._order = [order[band] for band in source.bands]

    def read(self, window: Window) -> NDArray[np.float32]:
        """Read a window of the scene's grid.

        Returns:
            ``(C, window.height, window.width)`` float32 in the file's values; NaN where not valid.

        Raises:
            SceneError: the file is damaged at this place.
        """
        parts = [file.read(window, self._resampling) for file in self._files]
        if len(parts) == 1 and self._order == sorted(self._order):
            return parts[0]
        return np.concatenate(parts)[self._order]

    def close(self) -> None:
        for file in self._files:
            file.close()

    def __enter__(self) -> ModalityReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True)
class _Encoding:
    """What a band's numbers mean: which stands for none, whether the file has a mask, and how values are packed."""

    nodata: float | None
    masked: bool
    scale: float
    offset: float


def _encodings(dataset: rasterio.DatasetReader, numbers: Sequence[int]) -> list[_Encoding]:
    """Asked once a file: each answer of the dataset is about all of its bands, and costs as much.

    A mask that is an alpha band is left to who reads that: GDAL knows of it in files of two and four bands alone.
    """
    every = zip(dataset.nodatavals, dataset.mask_flag_enums, dataset.scales, dataset.offsets, strict=True)
    found = [
        _Encoding(
            nodata if nodata is not None and not math.isnan(nodata) else None,
            bool(flags) and not _NO_MASK.intersection(flags) and MaskFlags.alpha not in flags,
            scale,
            offset,
        )
        for nodata, flags, scale, offset in every
    ]
    return [found[number - 1] for number in numbers]


class _File:
    def __init__(self, path: str, bands: list[BandSource], grid: Grid, modality: str) -> None:
        self.bands = bands
        self.numbers = [band.number for band in bands]
        self.grid = grid
        self.dataset = open_raster(path)
        own = grid_of(self.dataset)
        if not overlaps(grid, own):
            self.dataset.close()
            raise SceneError(
                f"“{path}” ({modality}) does not overlap with the scene: {_where(own)} against {_where(grid)}. "
                "Give rasters of one place, and check their CRS."
            )
        sizes = (own.height, own.width) == (grid.height, grid.width)
        self.aligned = own.aligned_with(grid) or (sizes and (own.crs is None) != (grid.crs is None))
        if self.aligned and own.crs != grid.crs:
            log.warning("“%s” has no CRS or the scene has none; equal sizes are taken as equal grids.", path)
        self.own = own
        self._has_fractions = any("float" in dtype for dtype in self.dataset.dtypes)
        self._encodings = _encodings(self.dataset, self.numbers)
        self._alpha = alpha_band(self.dataset)
        self._ratio = 1.0 if self.aligned else self._source_pixels_a_grid_pixel()
        self._block = max(8, int(min(_BLOCK, _BLOCK_SOURCE / self._ratio)))

    def read(self, window: Window, resampling: Resampling | None) -> NDArray[np.float32]:
        try:
            return self._read_aligned(window) if self.aligned else self._read_warped(window, resampling)
        except RasterioError as error:
            raise SceneError(
                f"“{self.dataset.name}” cannot be read at row {window.row}, column {window.col}: the file is damaged "
                "or cut short; copy it again."
            ) from error

    def close(self) -> None:
        self.dataset.close()
        _warped_blocks.forget(self)

    def _read_aligned(self, window: Window) -> NDArray[np.float32]:
        chip: NDArray[np.float32] = self.dataset.read(self.numbers, window=window.rasterio, out_dtype="float32")
        self._invalidate(chip, window)
        return chip

    def _invalidate(self, chip: NDArray[np.float32], window: Window) -> None:
        """Set what the file calls not valid, and what no measurement is, to NaN, and unpack scaled values; in place."""
        if self._alpha is not None:
            chip[:, self.dataset.read(self._alpha, window=window.rasterio) == 0] = np.nan
        for values, number, band in zip(chip, self.numbers, self._encodings, strict=True):
            if self._has_fractions:
                values[(values > _LARGEST) | (values < -_LARGEST)] = np.nan
            if band.nodata is not None:
                values[self._is_nodata(values, band.nodata)] = np.nan
            if band.masked:
                values[self.dataset.read_masks(number, window=window.rasterio) == 0] = np.nan
            if (band.scale, band.offset) != (1.0, 0.0):  # packed integers; everything else works on physical values
                values[:] = values * np.float32(band.scale) + np.float32(band.offset)

    def _is_nodata(self, values: NDArray[np.float32], nodata: float) -> NDArray[np.bool_]:
        """Fractions and huge numbers are often written into tags with fewer digits than pixels have."""
        near = 1e-6 * abs(nodata) if self._has_fractions else 0.0
        low, high = np.clip([nodata - near, nodata + near], _FLOATS.min, _FLOATS.max).astype(np.float32)
        return np.asarray((values >= low) & (values <= high))

    def _read_warped(self, window: Window, resampling: Resampling | None) -> NDArray[np.float32]:
        """Assemble a window of fixed blocks of the grid.

        GDAL approximates transforms within each piece that it warps, so a pixel's value would depend on the
        window it is read in; with fixed blocks it does not. They are smaller where the file is much finer than the
        grid, so that memory holds what they are made of.
        """
        chip = np.empty((len(self.numbers), window.height, window.width), np.float32)
        for block in _blocks(window, self.grid, self._block):
            part = block.intersection(window)
            warped = _warped_blocks.get(self, block, partial(self._warp, block, resampling))
            chip[(slice(None), *part.relative_to(window).slices)] = warped[
                (slice(None), *part.relative_to(block).slices)
            ]
        return chip

    def _source_pixels_a_grid_pixel(self) -> float:
        rows, cols = self._pixels_under(bounds_in(_on_plane(self.grid), self.own.crs or _PLANE))
        return max((rows[1] - rows[0]) / self.grid.height, (cols[1] - cols[0]) / self.grid.width)

    def _pixels_under(self, bounds: BoundingBox, turn: float = 0.0) -> tuple[tuple[float, float], tuple[float, float]]:
        """First and last row, first and last column (not rounded) of this file, moved by a turn, under some bounds."""
        west, south, east, north = bounds
        corners = [~self.own.transform @ (x - turn, y) for x in (west, east) for y in (south, north)]
        cols, rows = zip(*corners, strict=True)
        return (min(rows), max(rows)), (min(cols), max(cols))

    def _warp(self, window: Window, resampling: Resampling | None) -> NDArray[np.float32]:
        """A window of the grid; across the date line its two sides come from two places of a file in degrees."""
        target = _on_plane(self.grid.cropped(window))
        bounds = bounds_in(target, self.own.crs or _PLANE)
        chip: NDArray[np.float32] | None = None
        for turn in turns(self.own.crs):
            needed = self._needed(bounds, turn)
            if needed.height and needed.width:
                part = self._warped_from(needed, turn, target, resampling)
                chip = part if chip is None else np.where(np.isnan(chip), part, chip)
        return np.full((len(self.numbers), window.height, window.width), np.nan, np.float32) if chip is None else chip

    def _needed(self, bounds: BoundingBox, turn: float) -> Window:
        """The pixels of this file, moved by a turn, that some bounds are filled from; empty if there are none."""
        rows, cols = self._pixels_under(bounds, turn)
        pad = 2 + math.ceil(self._ratio)
        row, col = math.floor(min(rows)) - pad, math.floor(min(cols)) - pad
        needed = Window(row, col, math.ceil(max(rows)) + pad - row, math.ceil(max(cols)) + pad - col)
        return needed.intersection(self.own.whole)

    def _warped_from(
        self, needed: Window, turn: float, target: Grid, resampling: Resampling | None
    ) -> NDArray[np.float32]:
        chip = np.full((len(self.numbers), target.height, target.width), np.nan, np.float32)
        coarsening = Resampling.average if self._ratio >= _COARSENING else Resampling.bilinear
        rasterio.warp.reproject(
            self._read_aligned(needed),
            chip,
            src_transform=Affine.translation(turn, 0.0) @ self.own.transform_of(needed),
            src_crs=self.own.crs or _PLANE,
            src_nodata=np.nan,
            dst_transform=target.transform,
            dst_crs=target.crs,
            dst_nodata=np.nan,
            resampling=coarsening if resampling is None else resampling,  # “nearest” is 0
            UNIFIED_SRC_NODATA="NO",  # bands are valid or not independently
        )
        return chip


def _blocks(window: Window, grid: Grid, size: int) -> Iterator[Window]:
    for row in range(window.row // size * size, window.row_end, size):
        for col in range(window.col // size * size, window.col_end, size):
            yield Window(row, col, size, size).intersection(grid.whole)


def _on_plane(grid: Grid) -> Grid:
    return grid if grid.crs else Grid(_PLANE, grid.transform, grid.height, grid.width)


def _where(grid: Grid) -> str:
    return f"{grid.crs.to_string() if grid.crs else 'no CRS'} {tuple(round(v, 4) for v in grid.bounds)}"
