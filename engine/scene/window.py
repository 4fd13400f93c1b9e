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
        return rasterio.windows.Window(self.col, self.row, self.width, self.height)  # type: ignore[no-untyped-call]

    def expanded(self, margin: int) -> Window:
        """The window with ``margin`` more pixels on every side; may reach outside of the grid."""
        return Window(self.row - margin, self.col - margin, self.height + 2 * margin, self.width + 2 * margin)

    def intersection(self, other: Window) -> Window:
        """The common part; height or width is 0 where there is none."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        height = max(0, min(self.row_end, other.row_end) - row)
        return Window(row, col, height, max(0, min(self.col_end, other.col_end) - col))

    def relative_to(self, outer: Window) -> Window:
        """The same pixels, counted from the first row and column of ``outer``."""
        return Window(self.row - outer.row, self.col - outer.col, self.height, self.width)


@dataclass(frozen=True)
class Tile:
    """A part of a window plan: ``core`` is written, ``chip`` (core and context, inside the grid) is read."""

    core: Window
    chip: Window


def plan(height: int, width: int, tile_height: int, tile_width: int, margin: int) -> Iterator[Tile]:
    """Cut a grid into cores that cover each pixel once, row by row, each with its context.

    The chip is the core with ``margin`` pixels around, cut off at the grid's border, so that the network meets
    the border where an untiled run meets it. Cores begin at multiples of the tile size; with a tile size and a
    margin that are multiples of the network's stride, the network's own grid is the same in every chip.
    """
    grid = Window(0, 0, height, width)
    for row in range(0, height, tile_height):
        for col in range(0, width, tile_width):
            core = Window(row, col, tile_height, tile_width).intersection(grid)
            yield Tile(core, core.expanded(margin).intersection(grid))
