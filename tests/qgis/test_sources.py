"""Layers become paths that the engine can open, and show it what the user sees."""

import json
import re

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsProcessingContext,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QVariant

from auxlens.engine.jobs import SceneError
from auxlens.plugin.sources import absolute, crs_note, layer_of, layer_path, named_path, raster_path, vector_path

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


def test_a_raster_that_is_named_by_its_path_has_its_style(qgis_app, mapped):
    context = QgsProcessingContext()
    path = mapped() / "map.tif"
    assert layer_of(str(path), context, "Layer").renderer().type() == "paletted"
    path.with_suffix(".qml").unlink()
    assert layer_of(str(path), QgsProcessingContext(), "Layer").renderer().type() == "singlebandgray"


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


def test_one_type_of_geometry_of_several_is_written(qgis_app, tmp_path):
    path = tmp_path / "mixed.geojson"
    shapes = {"wood": ("Point", [1, 1]), "water": ("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 0]]])}
    features = [
        {"type": "Feature", "properties": {"class": n, "name": name}, "geometry": {"type": kind, "coordinates": at}}
        for n, (name, (kind, at)) in enumerate(shapes.items(), 1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    for source in (f"{path}|geometrytype=Polygon", f"{path}|layername=mixed|geometrytype=Polygon"):
        layer = QgsVectorLayer(source, "x", "ogr")
        assert values(vector_path(layer, export=True)) == ([(2, "water")], "EPSG:4326")


def test_unsaved_edits_count(gpkg):
    gpkg.startEditing()
    first = next(f for f in gpkg.getFeatures() if f["class"] == 1)
    gpkg.changeAttributeValue(first.id(), gpkg.fields().lookupField("class"), 7)
    assert values(vector_path(gpkg, export=True))[0] == [(2, "water"), (7, "wood")]
    gpkg.rollBack()


def test_joined_and_virtual_fields_count(gpkg):
    gpkg.addExpressionField('"class" * 10', QgsField("ten", QVariant.Int))
    layer = QgsVectorLayer(vector_path(gpkg, export=True), "x", "ogr")
    assert sorted(f["ten"] for f in layer.getFeatures()) == [10, 20]


def test_a_crs_that_the_user_has_set_counts(gpkg):
    gpkg.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    assert values(vector_path(gpkg, export=True))[1] == "EPSG:32633"


def test_texts_of_a_shapefile_are_read_as_in_qgis(memory, tmp_path):
    path = tmp_path / "fields.shp"
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.fileEncoding = "ESRI Shapefile", "UTF-8"
    memory.dataProvider().changeAttributeValues({1: {1: "Gewässer"}})
    QgsVectorFileWriter.writeAsVectorFormatV3(memory, str(path), memory.transformContext(), options)
    layer = QgsVectorLayer(str(path), "x", "ogr")
    assert vector_path(layer, export=True) == str(path)
    path.with_suffix(".cpg").unlink()  # which alone says that it is UTF-8
    layer = QgsVectorLayer(str(path), "x", "ogr")
    layer.setProviderEncoding("UTF-8")
    exported = vector_path(layer, export=True)
    assert exported.endswith(".gpkg|layername=reference")
    assert values(exported)[0] == [(1, "Gewässer"), (2, "water")]
    layer.dataProvider().changeAttributeValues({0: {1: "Gewaesser"}})  # the same in every encoding
    assert vector_path(layer, export=True) == str(path)


def test_a_crs_that_the_user_has_set_on_a_raster_is_told(write_raster):
    layer = QgsRasterLayer(write_raster("s2.tif"), "s2")
    assert crs_note(layer) == ""
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    note = crs_note(layer)
    for part in ("“s2” has the CRS EPSG:32633", "its file says EPSG:32632", "Assign Projection"):
        assert part in note


def test_paths_do_not_depend_on_the_working_folder(write_raster, gpkg, tmp_path, monkeypatch):
    path = write_raster("s2.tif")
    monkeypatch.chdir(tmp_path)
    assert raster_path(QgsRasterLayer("s2.tif", "s2")) == path
    layer = QgsVectorLayer("truth.gpkg|layername=fields", "x", "ogr")
    assert vector_path(layer, export=True) == f"{tmp_path / 'truth.gpkg'}|layername=fields"
    assert absolute("/vsizip/a.zip/b.tif") == "/vsizip/a.zip/b.tif"


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
    assert named_path(QgsRasterLayer(path, "(?)")) == path


@pytest.mark.parametrize("name", ["2020 s2", "Über", "-x", ".hidden", "a=b", "κ/λ", "e\u0301tat", "…s2…", "__s2"])
def test_a_name_is_one_that_the_engine_takes(write_raster, name):
    path = write_raster("raster.tif")
    given, _, rest = named_path(QgsRasterLayer(path, name)).partition("=")
    assert rest == path
    assert re.fullmatch(r"\w[\w.-]*", given)  # as engine/scene/bands.py splits it


def test_a_raster_in_memory_is_refused(qgis_app):
    layer = QgsRasterLayer("url=http://localhost:9/w&layers=a&styles=&format=image/png&crs=EPSG:4326", "web", "wms")
    with pytest.raises(SceneError, match="save it as a GeoTIFF"):
        layer_path(layer, QgsProcessingContext(), "Reference", export=True)
