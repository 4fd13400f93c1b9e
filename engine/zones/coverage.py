"""Coverage: which pixels a polygon covers, and how much of each (exactextract; Baston 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource
from exactextract.raster import NumPyRasterSource
from exactextract.writer import Writer
from numpy.typing import NDArray

from ..scene.window import Window

Cells = tuple[NDArray[np.int64], NDArray[np.float64]]  # number of each pixel in its window, row by row; share covered


def coverage(polygons: Sequence[bytes], window: Window) -> list[Cells]:
    """The pixels of a window that each polygon covers.

    Args:
        polygons: WKB of polygons or multipolygons, x in columns and −y in rows of the grid; they may reach outside.
        window: Pixels of the grid.

    Returns:
        For each polygon the pixels with a share above 0, and the shares, 0–1.
    """
    # One byte stands for all pixels: only where they are matters.
    everywhere = np.broadcast_to(np.uint8(1), (window.height, window.width))
    raster = NumPyRasterSource(everywhere, window.col, -window.row_end, window.col_end, -window.row)
    found = _Collector()
    exact_extract(raster, _Polygons(polygons), ["cell_id", "coverage"], output=found)
    return found.cells


class _Polygon(Feature):  # type: ignore[misc]
    """A polygon as exactextract reads it, and the values that it writes."""

    def __init__(self, wkb: bytes | None = None) -> None:
        super().__init__()
        self.wkb = wkb
        self.values: dict[str, Any] = {}

    def geometry(self) -> bytes | None:
        return self.wkb

    def set(self, name: str, value: Any) -> None:
        self.values[name] = value

    def fields(self) -> list[str]:
        return list(self.values)

    def set_geometry(self, geometry: bytes | None) -> None:
        pass

    def set_geometry_format(self) -> str:
        return "wkb"


class _Polygons(FeatureSource):  # type: ignore[misc]
    def __init__(self, polygons: Sequence[bytes]) -> None:
        super().__init__()
        self._polygons = polygons

    def count(self) -> int:
        return len(self._polygons)

    def __iter__(self) -> Iterator[_Polygon]:
        return map(_Polygon, self._polygons)

    def srs_wkt(self) -> None:
        return None


class _Collector(Writer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[Cells] = []

    def add_operation(self, operation: Any) -> None:
        pass

    def write(self, feature: Any) -> None:
        polygon = _Polygon()
        feature.copy_to(polygon)
        shares = np.asarray(polygon.values["coverage"], np.float64)
        cells = np.asarray(polygon.values["cell_id"], np.int64)
        there = shares > 0
        self.cells.append((cells[there], shares[there]) if not there.all() else (cells, shares))

    def features(self) -> list[Cells]:
        return self.cells
