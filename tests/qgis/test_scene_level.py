"""Scene-level models through real Processing and the real engine: polygons in, polygons with results out."""

import json
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)

from auxlens.models.card import read_card

SIDE_PX = 16


def fields_of(scene: Path, name: str = "fields") -> QgsVectorLayer:
    """A layer in memory: squares of a scene with their most frequent class, and a field that the map has too."""
    raster = gdal.Open(str(scene / "label.tif"))
    west, gsd, _, north, _, _ = raster.GetGeoTransform()
    labels = raster.ReadAsArray()
    layer = QgsVectorLayer("Polygon?crs=EPSG:32632&field=cover:string&field=map:integer", name, "memory")
    for row in range(0, labels.shape[0], SIDE_PX):
        for col in range(0, labels.shape[1], SIDE_PX):
            values, counts = np.unique(labels[row : row + SIDE_PX, col : col + SIDE_PX], return_counts=True)
            feature = QgsFeature(layer.fields())
            box = (west + col * gsd, north - (row + SIDE_PX) * gsd, west + (col + SIDE_PX) * gsd, north - row * gsd)
            feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*box)))
            feature.setAttributes([f"cover {values[counts.argmax()]}", row])
            layer.dataProvider().addFeature(feature)
    return layer


@pytest.fixture(scope="module")
def model(run, scenes, tmp_path_factory):
    layer = fields_of(scenes / "scene_01")
    QgsProject.instance().addMapLayer(layer)
    folder = tmp_path_factory.mktemp("scene_level")
    result = run(
        "train",
        INPUTS=[str(scenes / "scene_01" / "s2.tif")],
        AUXILIARY=[str(scenes / "scene_01" / "dem.tif")],
        REFERENCE=layer.id(),
        REFERENCE_FIELD="cover",
        TASK="scene_classification",
        EPOCHS=1,
        CHIP_SIZE=32,
        BATCH_SIZE=32,
        OUTPUT_MODEL=str(folder / "fields.safetensors"),
        OUTPUT_REPORT=str(folder / "fields.html"),
    )
    QgsProject.instance().removeMapLayer(layer.id())
    return result["OUTPUT_MODEL"]


def test_train_and_map_polygons(run, scenes, model, tmp_path):
    card = read_card(model)
    assert card.main.kind == "scene_classification" and card.tile_px == SIDE_PX
    layer = fields_of(scenes / "scene_04")
    QgsProject.instance().addMapLayer(layer)
    result = run(
        "map",
        MODEL=model,
        INPUTS=[str(scenes / "scene_04" / "s2.tif")],
        POLYGONS=layer.id(),
        OUTPUT_MAP=str(tmp_path / "map.tif"),
        OUTPUT_POLYGONS=str(tmp_path / "fields.gpkg"),
    )
    found = QgsVectorLayer(result["OUTPUT_POLYGONS"], "found", "ogr")
    assert found.isValid() and found.featureCount() == 12 * 12
    names = [field.name() for field in found.fields()]
    results = ["map", "map_value", *(f"probability_{c.name}" for c in card.main.classes), "uncertainty"]
    assert names[:3] == ["fid", "cover", "map_given"] and names[3 : 3 + len(results)] == results
    assert names[-2:] == ["expected_error_dem", "pixels"]
    feature = next(found.getFeatures())
    values = gdal.Open(result["OUTPUT_MAP"]).ReadAsArray()
    assert values[0, 0] == feature["map_value"] and feature["map"] in {c.name for c in card.main.classes}

    renderer = found.renderer()
    assert isinstance(renderer, QgsCategorizedSymbolRenderer) and renderer.classAttribute() == "map"
    shown = {c.value(): c.symbol().color().name() for c in renderer.categories()}
    assert shown == {c.name: c.color for c in card.main.classes}
    QgsProject.instance().removeMapLayer(layer.id())

    polygons, out = result["OUTPUT_POLYGONS"], str(tmp_path / "accuracy.json")
    run("accuracy", MAP=polygons, REFERENCE=polygons, REFERENCE_FIELD="cover", OUTPUT_JSON=out)
    content = json.loads(Path(out).read_text(encoding="utf-8"))
    right = [f["map"] == f["cover"] for f in found.getFeatures()]
    assert content["compared"]["counted"] == "polygons"
    assert content["overall"]["overall_accuracy"] == pytest.approx(np.mean(right))


def test_tiles_without_polygons(run, scenes, model, tmp_path):
    inputs = [str(scenes / "scene_04" / "s2.tif")]
    result = run("map", MODEL=model, INPUTS=inputs, TILE_SIZE=64, OUTPUT_POLYGONS="TEMPORARY_OUTPUT")
    assert result["OUTPUT_POLYGONS"].endswith(".gpkg")
    assert QgsVectorLayer(result["OUTPUT_POLYGONS"], "found", "ogr").featureCount() == 3 * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"OUTPUT_POLYGONS": "fields.shp"}, "must end in .gpkg"),
        ({"OUTPUT_MAIN_ERROR": "error.tif"}, "has no output “main error”"),
        ({"POLYGONS": "none.gpkg"}, "does not exist"),
    ],
)
def test_mistakes(run, scenes, model, change, message):
    label = {"REFERENCE": str(scenes / "scene_04" / "label.tif")} if "OUTPUT_MAIN_ERROR" in change else {}
    with pytest.raises(QgsProcessingException, match=message):
        run("map", MODEL=model, INPUTS=[str(scenes / "scene_04" / "s2.tif")], **label, **change)


def test_polygons_are_not_for_models_of_pixels(run, scenes, trained, tmp_path):
    with pytest.raises(QgsProcessingException, match="maps every pixel"):
        run(
            "map",
            MODEL=trained["OUTPUT_MODEL"],
            INPUTS=[str(scenes / "scene_04" / "s2.tif")],
            OUTPUT_POLYGONS=str(tmp_path / "fields.gpkg"),
        )
