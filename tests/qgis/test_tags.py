"""What a raster's tags say is read from its layer, whatever file and layer are called."""

import json

import pytest
from osgeo import gdal
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer

from auxlens.plugin.tags import tags_of

JOB = {"job": "map", "inputs": ["/data/a <b> & “c”.tif"]}


@pytest.fixture
def tagged(write_raster):
    path = write_raster("any name.tif", ("x",))
    file = gdal.Open(path, gdal.GA_Update)
    for name, value in (
        ("OUTPUT", "uncertainty"),
        ("MODEL", "toy"),
        ("MODEL_SHA256", "ab" * 32),
        ("VERSION", "0.1.0"),
        ("JOB", json.dumps(JOB)),
        ("ERROR_PROBABILITY", "expected"),
    ):
        file.SetMetadataItem(f"AUXLENS_{name}", value)
    file.FlushCache()
    return path


@pytest.mark.usefixtures("qgis_app")
def test_tags_of_an_output(tagged):
    tags = tags_of(QgsRasterLayer(tagged, "renamed"))
    assert (tags.output, tags.model, tags.model_sha256, tags.version) == ("uncertainty", "toy", "ab" * 32, "0.1.0")
    assert tags.job == JOB
    assert tags.others == {"ERROR_PROBABILITY": "expected"}


@pytest.mark.usefixtures("qgis_app")
@pytest.mark.parametrize("placed", [(500000, 8, 6, 5000000, 6, -8), (500000, 10, 0, 5000000, 0, 10)])
def test_tags_of_a_raster_that_is_rotated_or_has_its_south_up(tagged, placed):
    gdal.Open(tagged, gdal.GA_Update).SetGeoTransform(placed)
    tags = tags_of(QgsRasterLayer(tagged, "x"))
    assert (tags.output, tags.model) == ("uncertainty", "toy")
    assert (tags.job, tags.others) == (JOB, {"ERROR_PROBABILITY": "expected"})


def test_tags_in_a_reopened_project(qgis_app, tagged, tmp_path):
    project = QgsProject()
    project.addMapLayer(QgsRasterLayer(tagged, "x"))
    assert project.write(str(tmp_path / "p.qgz"))
    again = QgsProject()
    assert again.read(str(tmp_path / "p.qgz"))
    (layer,) = again.mapLayers().values()
    assert tags_of(layer).output == "uncertainty"


@pytest.mark.usefixtures("qgis_app")
def test_other_layers_have_none(write_raster):
    assert tags_of(QgsRasterLayer(write_raster("scene.tif", ("a",)), "x")) is None
    assert tags_of(QgsRasterLayer("/nowhere.tif", "x")) is None
    assert tags_of(QgsVectorLayer("Point", "x", "memory")) is None
    assert tags_of(None) is None


@pytest.mark.usefixtures("qgis_app")
@pytest.mark.parametrize("output", ["correlation", "sensitivity"])
def test_what_other_algorithms_wrote_is_no_output_of_map(tagged, output):
    file = gdal.Open(tagged, gdal.GA_Update)
    file.SetMetadataItem("AUXLENS_OUTPUT", output)
    file.FlushCache()
    assert tags_of(QgsRasterLayer(tagged, "x")) is None


@pytest.mark.usefixtures("qgis_app")
def test_a_broken_job_is_no_obstacle(tagged):
    file = gdal.Open(tagged, gdal.GA_Update)
    file.SetMetadataItem("AUXLENS_JOB", "{nonsense")
    file.FlushCache()
    assert tags_of(QgsRasterLayer(tagged, "x")).job == {}
