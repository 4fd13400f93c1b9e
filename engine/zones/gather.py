"""Gathering: the pixels of every polygon, in batches that fit into memory, each pixel of the layers read about once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ...models.errors import Canceled
from ..assess.areas import row_areas
from ..jobs import Progress
from ..scene.grid import Grid
from ..scene.window import Window, plan
from . import statistics
from .coverage import coverage
from .figures import LEVELS, Sums, has_percentiles
from .layers import Layers

_SMALLEST_PX = 128  # side of a square
_BLOCK_BYTES = 96 * 2**20  # of the layers, read at once for polygons that lie near each other
_CELLS = 6 * 2**20  # that the polygons of a batch cover, at most about


@dataclass(frozen=True)
class Piece:
    """Pixels of one polygon: ``(bands, n)`` values, ``(n,)`` shares covered and ``(n,)`` areas of whole pixels."""

    values: NDArray[np.float32]
    shares: NDArray[np.float64]
    areas: NDArray[np.float64]


def gather(layers: Layers, shapes: NDArray[np.object_], progress: Progress) -> dict[int, Sums]:
    """Sums and percentiles of each polygon that lies on the layers, by its number.

    Raises:
        Canceled: stopped by the user.
    """
    read = sum(len(band.sources) for band in layers.bands)  # a mean over many bands is one of the layers'
    side = max(_SMALLEST_PX, min(2048, math.isqrt(_BLOCK_BYTES // (4 * read))))
    windows = {int(i): _window(shapes[i], layers.grid) for i in np.flatnonzero(~shapely.is_missing(shapes))}
    windows = {i: window for i, window in windows.items() if window.height and window.width}
    small = [i for i, window in windows.items() if max(window.height, window.width) <= side // 2]
    large = sorted(set(windows) - set(small))
    found: dict[int, Sums] = {}
    for batch in _batches(small, windows, side):
        progress.report(len(found) / len(windows), f"Polygon {len(found)} of {len(windows)}")
        for number, piece in zip(batch, _pieces(layers, shapes[batch], _union(windows, batch)), strict=True):
            _stop_if_canceled(progress)
            found[number] = _whole(layers, piece)
    for number in large:
        found[number] = _in_parts(layers, shapes[number], windows[number], side, progress, len(found) / len(windows))
    return found


def _stop_if_canceled(progress: Progress) -> None:
    if progress.canceled():
        raise Canceled("The statistics were canceled.")


def _window(shape: shapely.Geometry, grid: Grid) -> Window:
    """The pixels that a polygon may touch."""
    left, bottom, right, top = shape.bounds
    row, col = math.floor(-top), math.floor(left)
    return Window(row, col, math.ceil(-bottom) - row, math.ceil(right) - col).intersection(grid.whole)


def _batches(numbers: Sequence[int], windows: dict[int, Window], side: int) -> Iterator[list[int]]:
    """Polygons of the same square of the grid, as many as fit."""

    def square(number: int) -> tuple[int, int]:
        window = windows[number]
        return (window.row + window.height // 2) // side, (window.col + window.width // 2) // side

    batch: list[int] = []
    cells = 0
    for number in sorted(numbers, key=square):
        size = windows[number].height * windows[number].width
        if batch and (square(number) != square(batch[0]) or cells + size > _CELLS):
            yield batch
            batch, cells = [], 0
        batch.append(number)
        cells += size
    if batch:
        yield batch


def _union(windows: dict[int, Window], numbers: Sequence[int]) -> Window:
    own = [windows[number] for number in numbers]
    row, col = min(w.row for w in own), min(w.col for w in own)
    return Window(row, col, max(w.row_end for w in own) - row, max(w.col_end for w in own) - col)


def _pieces(layers: Layers, shapes: NDArray[np.object_], window: Window) -> Iterator[Piece]:
    """The pixels of each polygon in a window."""
    values = layers.read(window).reshape(len(layers.bands), -1)
    areas = row_areas(layers.grid, window.row, window.height)
    for cells, shares in coverage(shapely.to_wkb(shapes).tolist(), window):
        yield Piece(values[:, cells], shares, areas[cells // window.width])


def _whole(layers: Layers, piece: Piece) -> Sums:
    sums = _empty(layers)
    sums.add(layers.bands, piece.values, piece.shares, piece.areas)
    sums.percentiles = statistics.quantiles(piece.values[_ranked(layers)], piece.shares, LEVELS)
    return sums


def _in_parts(
    layers: Layers, shape: shapely.Geometry, window: Window, side: int, progress: Progress, done: float
) -> Sums:
    """A polygon that is too large to hold, square by square; twice, for its percentiles."""
    sums, ranked = _empty(layers), _ranked(layers)
    streamed = statistics.StreamedQuantiles(len(ranked), LEVELS)
    squares = [tile.core for tile in plan(window, window, side, 0)]
    squares = [square for square in squares if _box(square).intersects(shape)]

    def pieces(number: int) -> Iterator[Piece]:
        for square in squares:
            _stop_if_canceled(progress)
            progress.report(done, f"A large polygon, pass {number} of 2")
            yield from _pieces(layers, np.array([shape], dtype=object), square)

    for piece in pieces(1):
        sums.add(layers.bands, piece.values, piece.shares, piece.areas)
        streamed.first(piece.values[ranked], piece.shares)
    streamed.between()
    for piece in pieces(2) if ranked else ():
        streamed.second(piece.values[ranked], piece.shares)
    sums.percentiles = streamed.result()
    return sums


def _box(window: Window) -> shapely.Geometry:
    """A window in the polygons' pixels."""
    return shapely.box(window.col, -window.row_end, window.col_end, -window.row)


def _empty(layers: Layers) -> Sums:
    return Sums(np.zeros((3, len(layers.bands))))


def _ranked(layers: Layers) -> list[int]:
    """Places of the bands with percentiles."""
    return [i for i, band in enumerate(layers.bands) if has_percentiles(band)]
