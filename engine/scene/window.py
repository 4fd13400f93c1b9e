"""Windows: pixel rectangles of a grid, as frozen values with pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import rasterio.windows


@dataclass(frozen=True)
class Window:
    """A pixel rectangle: first row, first column, height and width, all in pixels of one grid."""

    row: int
    col: int
    height: int
    width: int

    @property
    def row_end(self) -> int:
        return self.row + self.height

    @property
    def col_end(self) -> int:
        return self.col + self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices that cut this window out of an array of the whole grid."""
        return slice(self.row, self.row_end), slice(self.col, self.col_end)

    @property
    def rasterio(self) -> rasterio.windows.Window:
        return rasterio.windows.Window(self.col, self.row, self.width, self.height)

    def expanded(self, margin: int) -> Window:
        """The window with ``margin`` more pixels on every side; may reach outside of the grid."""
        return Window(self.row - margin, self.col - margin, self.height + 2 * margin, self.width + 2 * margin)

    def moved(self, rows: int) -> Window:
        """The window, ``rows`` further down."""
        return Window(self.row + rows, self.col, self.height, self.width)

    def intersection(self, other: Window) -> Window:
        """The common part; height or width is 0 where there is none."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        height = max(0, min(self.row_end, other.row_end) - row)
        return Window(row, col, height, max(0, min(self.col_end, other.col_end) - col))

    def overlaps(self, other: Window) -> bool:
        """Whether there is a common part, of windows that are not empty."""
        rows = self.row < other.row_end and other.row < self.row_end
        return rows and self.col < other.col_end and other.col < self.col_end

    def holds(self, row: int, col: int) -> bool:
        """Whether a pixel lies in the window."""
        return self.row <= row < self.row_end and self.col <= col < self.col_end

    def relative_to(self, outer: Window) -> Window:
        """The same pixels, counted from the first row and column of ``outer``."""
        return Window(self.row - outer.row, self.col - outer.col, self.height, self.width)


@dataclass(frozen=True)
class Tile:
    """A part of a window plan: ``core`` is written, ``chip`` (core and context, inside the grid) is read."""

    core: Window
    chip: Window

    def moved(self, rows: int) -> Tile:
        """The tile, ``rows`` further down."""
        return Tile(self.core.moved(rows), self.chip.moved(rows))


def plan(area: Window, bounds: Window, tile_px: int, margin: int, stride: int = 1) -> Iterator[Tile]:
    """Cut an area into square cores that cover each pixel once, row by row, each with its context.

    A chip begins at a multiple of ``stride``, at least ``margin`` pixels before its core, and ends at least
    ``margin`` after it; both stay inside ``bounds``, so that the network meets the scene's border where an untiled
    run meets it, and its coarser levels lie on the same grid in every chip. At the border a chip reaches further
    inside instead: chips of one shape let the memory of one be used for the next.
    """
    before = -(-margin // stride) * stride
    aligned = tile_px % stride == area.row % stride == area.col % stride == 0
    size = tile_px + before + margin + (0 if aligned else stride - 1)
    for row in range(area.row, area.row_end, tile_px):
        top, bottom = _span(row - before, size, bounds.row, bounds.row_end, stride)
        for col in range(area.col, area.col_end, tile_px):
            left, right = _span(col - before, size, bounds.col, bounds.col_end, stride)
            core = Window(row, col, tile_px, tile_px).intersection(area)
            yield Tile(core, Window(top, left, bottom - top, right - left))


def columns(
    area: Window, bounds: Window, width_px: int, height_px: int, margin: int, stride: int = 1
) -> Iterator[tuple[Tile, ...]]:
    """Cut an area into columns of ``width_px``, and each into tiles of ``height_px`` rows, from top to bottom.

    Cores cover each pixel once; chips have their context as of ``plan``, and the chips of a column are of one width.
    """
    before = -(-margin // stride) * stride
    for col in range(area.col, area.col_end, width_px):
        core = Window(area.row, col, area.height, width_px).intersection(area)
        left = max(bounds.col, (core.col - before) // stride * stride)
        right = min(bounds.col_end, core.col_end + margin)
        tiles = []
        for row in range(area.row, area.row_end, height_px):
            part = Window(row, core.col, height_px, core.width).intersection(core)
            top = max(bounds.row, (row - before) // stride * stride)
            tiles.append(Tile(part, Window(top, left, min(bounds.row_end, part.row_end + margin) - top, right - left)))
        yield tuple(tiles)


def _span(start: int, size: int, first: int, end: int, stride: int) -> tuple[int, int]:
    """First and last (exclusive) pixel of a chip along one axis, moved inside from a border."""
    low = max(first, start // stride * stride)
    if low + size <= end:
        return low, low + size
    return max(first, (end - size) // stride * stride), end
