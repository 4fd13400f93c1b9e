"""Pixels of raster layers of every type that QGIS can read."""

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import Qgis, QgsRasterLayer

from auxlens.engine.jobs import SceneError
from auxlens.plugin import pixels

KINDS = {"Byte": 7, "UInt16": 7, "Int16": -7, "UInt32": 7, "Int32": -7, "Float32": -7.5, "Float64": -7.5, "Int8": -7}


@pytest.fixture
def layer(tmp_path):
    """Writes a raster of 3 × 4 pixels, the first of them nodata."""

    def make(kind, value):
        path = str(tmp_path / f"{kind}.tif")
        data = gdal.GetDriverByName("GTiff").Create(path, 4, 3, 1, getattr(gdal, f"GDT_{kind}"))
        data.SetGeoTransform((0, 1, 0, 3, 0, -1))
        data.GetRasterBand(1).Fill(value)
        data.GetRasterBand(1).WriteArray(np.array([[1]]))
        data.GetRasterBand(1).SetNoDataValue(1)
        del data
        return QgsRasterLayer(path, kind)

    return make


@pytest.mark.parametrize(("kind", "value"), KINDS.items())
def test_real_numbers_of_each_type_are_read(layer, kind, value):
    if not (hasattr(Qgis.DataType, kind) and hasattr(gdal, f"GDT_{kind}")):
        pytest.skip(f"{kind} is of newer versions")
    values = pixels.read(layer(kind, value), 1, slice(0, 3), slice(0, 4))
    assert np.isnan(values[0, 0]) and (values.ravel()[1:] == value).all()


def test_numbers_of_other_types_are_said_to_be_unreadable(layer):
    with pytest.raises(SceneError, match=r"CFloat32.tif” cannot be read: band 1 is of a kind of numbers.* Convert it"):
        pixels.read(layer("CFloat32", 7), 1, slice(0, 3), slice(0, 4))


def test_int8_is_read_where_qgis_has_it():
    """Also where GDAL is too old to write one."""
    assert ("int8" in pixels._TYPES.values()) == hasattr(Qgis.DataType, "Int8")
