"""Pixels of raster layers as numpy arrays, through QGIS: windows of rows, and boxes around a place."""

from __future__ import annotations

from typing import Iterator, Optional, Sequence, Tuple

import numpy as np
from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
    QgsRasterDataProvider,
    QgsRasterLayer,
    QgsRectangle,
)

from ..engine.jobs import SceneError

_ROWS = 512  # of a strip: the height of the blocks that the engine writes
_TYPES = {
    int(getattr(kind, "value", kind)): name
    for kind, name in (
        (Qgis.DataType.Byte, "uint8"),
        (getattr(Qgis.DataType, "Int8", None), "int8"),  # from QGIS 3.30
        (Qgis.DataType.UInt16, "uint16"),
        (Qgis.DataType.Int16, "int16"),
        (Qgis.DataType.UInt32, "uint32"),
        (Qgis.DataType.Int32, "int32"),
        (Qgis.DataType.Float32, "float32"),
        (Qgis.DataType.Float64, "float64"),
    )
    if kind is not None
}


def strips(height: int) -> Iterator[slice]:
    """Slices of rows that cover a raster from top to bottom."""
    for start in range(0, height, _ROWS):
        yield slice(start, min(start + _ROWS, height))


def read(layer: QgsRasterLayer, band: int, rows: slice, columns: slice) -> np.ndarray:
    """Values of a window of one band.

    Args:
        band: From 1.
        rows: Of the raster, inside it.
        columns: Likewise.

    Returns:
        ``(rows, columns)`` float32 (float64 for wide integers); NaN where there is no value.

    Raises:
        SceneError: values of a kind that is no real number of at most 64 bits.
    """
    box, dx, dy = layer.extent(), layer.rasterUnitsPerPixelX(), layer.rasterUnitsPerPixelY()
    height, width = rows.stop - rows.start, columns.stop - columns.start
    window = QgsRectangle(
        box.xMinimum() + columns.start * dx,
        box.yMaximum() - rows.stop * dy,
        box.xMinimum() + columns.stop * dx,
        box.yMaximum() - rows.start * dy,
    )
    return _values(layer.dataProvider(), band, window, width, height)


def _values(provider: QgsRasterDataProvider, band: int, box: QgsRectangle, width: int, height: int) -> np.ndarray:
    block = provider.block(band, box, width, height)
    kind = block.dataType()
    name = _TYPES.get(int(getattr(kind, "value", kind)))
    if name is None:
        raise SceneError(
            f"The raster “{provider.dataSourceUri()}” cannot be read: band {band} is of a kind of numbers that AuxLens "
            "does not know. Convert it to 32 bits with a decimal point (Float32)."
        )
    values = np.frombuffer(bytes(block.data()), name).reshape(height, width)
    values = values.astype(np.float64 if values.dtype.itemsize > 2 and values.dtype.kind in "iu" else np.float32)
    if provider.sourceHasNoDataValue(band):
        values[values == provider.sourceNoDataValue(band)] = np.nan
    return values


def read_bands(layer: QgsRasterLayer, bands: Sequence[int], rows: slice, columns: slice) -> np.ndarray:
    """``(bands, rows, columns)`` of several bands; see ``read``."""
    return np.stack([read(layer, band, rows, columns) for band in bands])


def pixel_of(layer: QgsRasterLayer, point: QgsPointXY) -> Tuple[int, int]:
    """Row and column of the pixel that holds a point of the layer's CRS; may be outside of the raster."""
    box = layer.extent()
    return (
        int(np.floor((box.yMaximum() - point.y()) / layer.rasterUnitsPerPixelY())),
        int(np.floor((point.x() - box.xMinimum()) / layer.rasterUnitsPerPixelX())),
    )


def centre_of(layer: QgsRasterLayer, row: int, column: int) -> QgsPointXY:
    """The middle of a pixel, in the layer's CRS."""
    box = layer.extent()
    return QgsPointXY(
        box.xMinimum() + (column + 0.5) * layer.rasterUnitsPerPixelX(),
        box.yMaximum() - (row + 0.5) * layer.rasterUnitsPerPixelY(),
    )


def box_in(layer: QgsRasterLayer, other: QgsRasterLayer) -> QgsRectangle:
    """A layer's extent in the CRS of another; as it is where one of them has none."""
    if not (layer.crs().isValid() and other.crs().isValid()) or layer.crs() == other.crs():
        return layer.extent()
    return QgsCoordinateTransform(layer.crs(), other.crs(), QgsProject.instance()).transformBoundingBox(layer.extent())


def stretch(values: np.ndarray, percentile: float = 2.0) -> Tuple[float, float]:
    """Ends of a scale that cuts a share of the values, in percent, off at either end; 0 to 1 without any."""
    if not len(values):
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, (percentile, 100 - percentile)))
    return (low, high) if high > low else (low, low + 1.0)


def sample(layer: QgsRasterLayer, band: int, box: Optional[QgsRectangle] = None, side: int = 512) -> np.ndarray:
    """Values of at most ``side`` × ``side`` pixels, spread evenly; those without a value are left out.

    Args:
        band: From 1.
        box: Part of the raster, in its CRS; all of it where ``None``.
    """
    box = (box or layer.extent()).intersect(layer.extent())
    if box.isEmpty():
        return np.zeros(0, np.float32)
    width = min(side, max(1, round(box.width() / layer.rasterUnitsPerPixelX())))
    height = min(side, max(1, round(box.height() / layer.rasterUnitsPerPixelY())))
    values = _values(layer.dataProvider(), band, box, width, height)
    return values[np.isfinite(values)]
