"""Raster files as GDAL itself opens them, for what QGIS does not tell of them."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from osgeo import gdal


def files_of(path: str) -> Tuple[str, ...]:
    """Paths of a raster's files, its own among them; empty for what is no raster."""
    dataset = _opened(path)
    return tuple(dataset.GetFileList() or ()) if dataset is not None else ()


def tags_in(path: str) -> Dict[str, str]:
    """The tags of a raster file by name; empty for what is no raster."""
    dataset = _opened(path)
    return dict(dataset.GetMetadata() or {}) if dataset is not None else {}


def _opened(path: str) -> Optional[gdal.Dataset]:
    """A raster; ``None`` for what is none, whether or not somebody made GDAL raise exceptions."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        return gdal.OpenEx(path, gdal.OF_RASTER)
    except RuntimeError:
        return None
    finally:
        gdal.PopErrorHandler()
