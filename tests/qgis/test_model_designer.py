"""The model of the model designer in ``resources/models`` runs: train, map, assess."""

import csv
from pathlib import Path

import pytest
from qgis.core import QgsProcessingModelAlgorithm, QgsRasterLayer

MODEL = Path(__file__).resolve().parents[2] / "resources" / "models" / "train_map_assess.model3"


@pytest.fixture
def model(provider):
    loaded = QgsProcessingModelAlgorithm()
    assert loaded.fromFile(str(MODEL))
    loaded.initAlgorithm()
    return loaded


def test_the_model_is_valid(model):
    ok, issues = model.validate()
    assert ok, issues
    assert [child.algorithmId() for child in model.childAlgorithms().values()] == [
        "auxlens:accuracy", "auxlens:map", "auxlens:train",
    ]  # fmt: skip
    assert "/" not in "".join(str(d.defaultValue() or "") for d in model.parameterDefinitions())  # nobody's paths


def test_the_model_trains_maps_and_assesses(model, engine, scenes, tmp_path, feedback_type):
    import processing

    train, other = scenes / "scene_01", scenes / "scene_02"
    files = {
        "train:Model": "m.safetensors", "train:Training report": "training.html", "map:Map": "map.tif",
        "map:Class probabilities": "probability.tif", "map:Uncertainty": "uncertainty.tif",
        "accuracy:Accuracy report": "accuracy.html", "accuracy:Accuracy table": "accuracy.csv",
    }  # fmt: skip
    parameters = {
        "TRAINING_INPUTS": [str(train / "s2.tif")],
        "TRAINING_AUXILIARY": [str(train / "s1.tif"), str(train / "dem.tif")],
        "TRAINING_REFERENCE": str(train / "label.tif"),
        "TIME_LIMIT": 0.1,
        "SCENE_INPUTS": [str(other / "s2.tif")],
        "SCENE_REFERENCE": str(other / "label.tif"),
        **{name: str(tmp_path / file) for name, file in files.items()},
    }
    results = processing.run(model, parameters, feedback=feedback_type())
    assert all(Path(results[name]).stat().st_size for name in files), results
    layer = QgsRasterLayer(results["map:Map"])
    assert layer.isValid() and layer.renderer().type() == "paletted"
    with open(results["accuracy:Accuracy table"], encoding="utf-8") as table:
        assert any("overall" in " ".join(row) for row in csv.reader(table))
