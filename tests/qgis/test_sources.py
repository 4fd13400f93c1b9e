"""Layers become paths that the engine can open, and show it what the user sees."""

import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from auxlens.engine.jobs import SceneError
from auxlens.plugin.sources import layer_path, named_path, raster_path, vector_path

SQUARE = "POLYGON((500000 4999900, 500100 4999900, 500100 5000000, 500000 5000000, 500000 4999900))"


@pytest.fixture
def memory(qgis_app):
    """Polygons of class 1 and 2 that are in no file."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:32632&field=class:integer&field=name:string", "fields", "memory")
    for value, name in ((1, "wood"), (2, "water")):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(SQUARE))
        feature.setAttributes([value, name])
        layer.dataProvider().addFeature(feature)
    return layer


@pytest.fixture
def gpkg(memory, tmp_path):
    """The same in a layer of a GeoPackage that has another layer too."""
    path = str(tmp_path / "truth.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    for name, action in (("other", 0), ("fields", 1)):
        options.layerName = name
        options.actionOnExistingFile = (
            QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteFile,
            QgsVectorFileWriter.ActionOnExistingFile.CreateOrOverwriteLayer,
        )[action]
        error = QgsVectorFileWriter.writeAsVectorFormatV3(memory, path, memory.transformContext(), options)
        assert error[0] == QgsVectorFileWriter.WriterError.NoError
    return QgsVectorLayer(f"{path}|layername=fields", "my fields", "ogr")


def values(path):
    layer = QgsVectorLayer(path, "x", "ogr")
    assert layer.isValid(), path
    return sorted((f["class"], f["name"]) for f in layer.getFeatures()), layer.crs().authid()


def test_a_layer_of_a_file_is_passed_on_as_it_is(gpkg):
    path = vector_path(gpkg, export=True)
    assert path == gpkg.source()
    assert path.endswith("truth.gpkg|layername=fields")


def test_a_layer_in_memory_is_written_to_a_file(memory):
    path = vector_path(memory, export=True)
    assert values(path) == ([(1, "wood"), (2, "water")], "EPSG:32632")


def test_a_filtered_layer_is_written_as_filtered(gpkg):
    assert gpkg.setSubsetString("class = 2")
    path = vector_path(gpkg, export=True)
    assert path != gpkg.source()
    assert values(path)[0] == [(2, "water")]


def test_unsaved_edits_count(gpkg):
    gpkg.startEditing()
    first = next(f for f in gpkg.getFeatures() if f["class"] == 1)
    gpkg.changeAttributeValue(first.id(), gpkg.fields().lookupField("class"), 7)
    assert values(vector_path(gpkg, export=True))[0] == [(2, "water"), (7, "wood")]
    gpkg.rollBack()


def test_checks_write_nothing(memory, tmp_path):
    assert "|layername=reference" not in vector_path(memory, export=False)


def test_a_raster_is_its_file(write_raster):
    path = write_raster("s2.tif")
    layer = QgsRasterLayer(path, "Sentinel-2 (May)")
    assert raster_path(layer) == path
    assert layer_path(layer, QgsProcessingContext(), "Reference", export=True) == path


def test_a_name_given_by_the_user_names_the_modality(write_raster):
    path = write_raster("s2.tif")
    assert named_path(QgsRasterLayer(path, "s2")) == path
    assert named_path(QgsRasterLayer(path, "Sentinel-2 (May)")) == f"Sentinel-2_May={path}"


def test_a_raster_in_memory_is_refused(qgis_app):
    layer = QgsRasterLayer("url=http://localhost:9/w&layers=a&styles=&format=image/png&crs=EPSG:4326", "web", "wms")
    with pytest.raises(SceneError, match="save it as a GeoTIFF"):
        layer_path(layer, QgsProcessingContext(), "Reference", export=True)
