"""Every algorithm through real Processing and the real engine: demo scenes, a model, a map of an unseen scene."""

import csv
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

from auxlens.engine.jobs import MAP_OUTPUTS
from auxlens.models.card import read_card
from auxlens.plugin.layers import layer_title
from auxlens.plugin.places import look, players
from auxlens.plugin.scenes import mapped_scenes

ALL = {name: f"OUTPUT_{name.upper()}" for name in MAP_OUTPUTS}
FLOAT = {name for name in MAP_OUTPUTS if name not in ("map", "main_error")}


@pytest.fixture(scope="session")
def unseen(scenes):
    """Parameters of ``map`` for the last scene, with everything that it has."""
    scene = scenes / "scene_04"
    return {
        "INPUTS": [str(scene / "s2.tif")],
        "AUXILIARY": [str(scene / "s1.tif"), str(scene / "dem.tif")],
        "REFERENCE": str(scene / "label.tif"),
    }


@pytest.fixture(scope="session")
def mapped(run, trained, unseen, tmp_path_factory):
    """Every output of ``map``."""
    folder = tmp_path_factory.mktemp("mapped")
    outputs = {parameter: str(folder / f"{name}.tif") for name, parameter in ALL.items()}
    return run("map", MODEL=trained["OUTPUT_MODEL"], **unseen, **outputs)


def bands(path):
    """All bands ``(C, H, W)``."""
    values = gdal.Open(str(path)).ReadAsArray()
    return values if values.ndim == 3 else values[None]


def test_createdemo(scenes):
    assert sorted(p.name for p in scenes.iterdir()) == ["scene_01", "scene_02", "scene_03", "scene_04"]
    values = bands(scenes / "scene_01" / "s2.tif")
    assert values.shape == (10, 192, 192)
    assert values.std() > 0
    labels = bands(scenes / "scene_01" / "label.tif")
    assert len(np.unique(labels[labels > 0])) >= 3


def test_trainfolder(trained):
    card = read_card(trained["OUTPUT_MODEL"])
    assert card.main.kind == "segmentation"
    assert [m.name for m in card.inputs] == ["s2"]
    assert [m.name for m in card.auxiliary] == ["s1", "dem"]
    assert {"validation", "test"} <= set(card.training["figures"])
    report = Path(trained["OUTPUT_REPORT"]).read_text(encoding="utf-8")
    assert "<html" in report
    assert "validation" in report.lower()


@pytest.fixture
def fields(scenes):
    """A reference in memory of the first scene."""
    return halves_of(scenes / "scene_01" / "s2.tif")


def halves_of(raster):
    """A layer in memory: a raster's left half is class 1, its right half class 2."""
    box = QgsRasterLayer(str(raster), "s2").extent()
    middle = box.center().x()
    halves = {1: (box.xMinimum(), middle), 2: (middle, box.xMaximum())}
    layer = QgsVectorLayer("Polygon?crs=EPSG:32632&field=kind:integer", "fields", "memory")
    for value, (west, east) in halves.items():
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, box.yMinimum(), east, box.yMaximum())))
        feature.setAttributes([value])
        layer.dataProvider().addFeature(feature)
    return layer


def test_train_on_layers(run, scenes, fields, tmp_path):
    scene = scenes / "scene_01"
    s2 = QgsRasterLayer(str(scene / "s2.tif"), "Sentinel-2")
    QgsProject.instance().addMapLayers([s2, fields])
    result = run(
        "train",
        INPUTS=[s2],
        AUXILIARY=[str(scene / "dem.tif")],
        REFERENCE=fields.id(),
        REFERENCE_FIELD="kind",
        EPOCHS=1,
        CHIP_SIZE=32,
        BATCH_SIZE=32,
        OUTPUT_MODEL=str(tmp_path / "layers.safetensors"),
    )
    card = read_card(result["OUTPUT_MODEL"])
    assert [m.name for m in card.inputs] == ["Sentinel-2"]
    assert [m.name for m in card.auxiliary] == ["dem"]
    assert [c.value for c in card.main.classes] == [1, 2]
    assert "OUTPUT_REPORT" not in result
    QgsProject.instance().clear()


def test_map_writes_every_output_on_the_scenes_grid(mapped, unseen):
    scene = gdal.Open(unseen["INPUTS"][0])
    for parameter in ALL.values():
        data = gdal.Open(mapped[parameter])
        assert data.GetGeoTransform() == scene.GetGeoTransform(), parameter
        assert data.GetSpatialRef().IsSame(scene.GetSpatialRef()), parameter
        assert (data.RasterXSize, data.RasterYSize) == (scene.RasterXSize, scene.RasterYSize)


def test_map_bands(mapped, trained):
    card = read_card(trained["OUTPUT_MODEL"])
    auxiliary = ["s1:VV", "s1:VH", "dem:elevation"]
    expected = {
        "probability": [c.name for c in card.main.classes],
        "reconstruction": auxiliary,
        "expected_error": auxiliary,
        "reconstruction_error": auxiliary,
    }
    for name, names in expected.items():
        data = gdal.Open(mapped[ALL[name]])
        assert [data.GetRasterBand(i + 1).GetDescription() for i in range(data.RasterCount)] == names


def test_map_values(mapped, trained, unseen):
    card = read_card(trained["OUTPUT_MODEL"])
    classes = bands(mapped["OUTPUT_MAP"])[0]
    inside = (bands(unseen["INPUTS"][0]) != 0).all(axis=0)
    data = gdal.Open(mapped["OUTPUT_MAP"])  # held, because GDAL's bands do not hold their data set
    nodata = data.GetRasterBand(1).GetNoDataValue()
    values = [c.value for c in card.main.classes]
    assert nodata not in values
    assert set(np.unique(classes[inside])) <= set(values)
    assert (classes[~inside] == nodata).all()
    assert (~inside).any()
    for name in FLOAT:
        finite = np.isfinite(bands(mapped[ALL[name]]))
        assert not finite[:, ~inside].any(), name
        assert finite[:, inside].all(), name
    probability = bands(mapped["OUTPUT_PROBABILITY"])
    assert np.allclose(probability.sum(axis=0)[inside], 1.0, atol=1e-3)
    assert (np.asarray(values)[probability.argmax(axis=0)] == classes)[inside].all()
    reference = bands(unseen["REFERENCE"])[0]
    wrong = bands(mapped["OUTPUT_MAIN_ERROR"])[0]
    known = inside & np.isin(reference, values)
    assert ((classes != reference) == (wrong == 1))[known].all()
    for name in ("OUTPUT_UNCERTAINTY", "OUTPUT_ERROR_PROBABILITY"):
        array = bands(mapped[name])[0][inside]
        assert 0 <= array.min() <= array.max() <= 1


def test_reconstruction_error_is_reconstruction_minus_reference(mapped, unseen):
    error = bands(mapped["OUTPUT_RECONSTRUCTION_ERROR"])
    estimate = bands(mapped["OUTPUT_RECONSTRUCTION"])
    truth = np.concatenate([bands(path) for path in unseen["AUXILIARY"]])
    there = np.isfinite(error)
    assert there.any()
    assert np.allclose((estimate - truth)[there], error[there], atol=1e-2)


def test_map_says_how_it_was_made(mapped, trained):
    tags = gdal.Open(mapped["OUTPUT_UNCERTAINTY"]).GetMetadata()
    assert tags["AUXLENS_MODEL"] == read_card(trained["OUTPUT_MODEL"]).name
    assert len(tags["AUXLENS_MODEL_SHA256"]) == 64
    assert json.loads(tags["AUXLENS_JOB"])["job"] == "map"


def test_rasters_open_styled(mapped, trained):
    card = read_card(trained["OUTPUT_MODEL"])
    for name, parameter in ALL.items():
        path = Path(mapped[parameter])
        assert path.with_suffix(".qml").exists(), name
        layer = QgsRasterLayer(str(path), name)
        styled, ok = layer.loadDefaultStyle()
        assert ok, styled
        assert layer.renderer().type() in ("paletted", "singlebandpseudocolor"), name
    layer = QgsRasterLayer(mapped["OUTPUT_MAP"], "map")
    legend = {c.value: (c.label, c.color.name()) for c in layer.renderer().classes()}
    assert {c.value: (c.name, c.color.lower()) for c in card.main.classes}.items() <= legend.items()


def test_two_models_map_together(run, mapped, trained, unseen, tmp_path):
    """The same one twice: nothing to disagree about."""
    outputs = {ALL[name]: str(tmp_path / f"{name}.tif") for name in ("map", "probability", "attribution")}
    model = ";".join([trained["OUTPUT_MODEL"]] * 2)
    made = run("map", MODEL=model, INPUTS=unseen["INPUTS"], **outputs)
    assert np.allclose(
        bands(made["OUTPUT_PROBABILITY"]), bands(mapped["OUTPUT_PROBABILITY"]), atol=0.02, equal_nan=True
    )
    names = [player.name for player in read_card(trained["OUTPUT_MODEL"]).players]
    found = bands(made["OUTPUT_ATTRIBUTION"])
    assert len(found) == 2 * len(names) + 1
    assert np.nanmax(found[len(names) : -1]) < 1e-3
    layers = [QgsRasterLayer(path, name) for name, path in made.items()]
    (scene,), _ = mapped_scenes(layers)
    assert players(scene) == names
    place = look(scene, read_card(trained["OUTPUT_MODEL"]).main.classes, slice(90, 91), slice(90, 91))
    assert [name for name, _ in place.attributions] == names
    log_probability = np.log([p for _, p in place.probabilities])
    score = (log_probability - log_probability.mean()).max()
    assert sum(v for _, v in place.attributions) + place.bias == pytest.approx(score, abs=0.02)


def test_loaded_layers_are_grouped(provider, feedback_type, trained, unseen):
    import processing

    project = QgsProject.instance()
    project.clear()
    parameters = {"MODEL": trained["OUTPUT_MODEL"], "INPUTS": unseen["INPUTS"]}
    wanted = ("map", "error_probability")
    processing.runAndLoadResults(
        "auxlens:map", {**parameters, **{ALL[name]: "TEMPORARY_OUTPUT" for name in wanted}}, feedback=feedback_type()
    )
    group = project.layerTreeRoot().findGroup("scene_04")
    assert [n.name() for n in group.children()] == [layer_title(name, "scene_04") for name in wanted]
    assert [n.itemVisibilityChecked() for n in group.children()] == [True, False]
    layers = [n.layer() for n in group.children()]
    assert [layer.renderer().type() for layer in layers] == ["paletted", "singlebandpseudocolor"]
    assert len(project.mapLayers()) == 2
    project.clear()


@pytest.fixture(scope="session")
def assessed(run, mapped, unseen, tmp_path_factory):
    """Every output of ``accuracy``."""
    folder = tmp_path_factory.mktemp("assessed")
    return run(
        "accuracy",
        MAP=mapped["OUTPUT_MAP"],
        REFERENCE=unseen["REFERENCE"],
        PROBABILITY=mapped["OUTPUT_PROBABILITY"],
        OUTPUT_REPORT=str(folder / "accuracy.html"),
        OUTPUT_TABLE=str(folder / "accuracy.csv"),
        OUTPUT_JSON=str(folder / "accuracy.json"),
    )


def test_accuracy(assessed, mapped, unseen, trained):
    classes, truth = bands(mapped["OUTPUT_MAP"])[0], bands(unseen["REFERENCE"])[0]
    card = read_card(trained["OUTPUT_MODEL"])
    known = np.isin(classes, [c.value for c in card.main.classes])
    data = gdal.Open(unseen["REFERENCE"])  # held, because GDAL's bands do not hold their data set
    known &= (truth >= 0) & (truth != data.GetRasterBand(1).GetNoDataValue())
    found = json.loads(Path(assessed["OUTPUT_JSON"]).read_text(encoding="utf-8"))
    assert found["compared"]["pixels"] == known.sum() > 0
    assert found["overall"]["overall_accuracy"] == pytest.approx((classes == truth)[known].mean())
    names = {c.value: (c.name, c.color.lower()) for c in card.main.classes}
    seen = {row["value"]: (row["class"], row["color"]) for row in found["classes"]}
    assert {value: seen[value] for value in names if value in seen} == {v: n for v, n in names.items() if v in seen}
    assert found["reliability"]["pixels"] == known.sum()
    header, *rows = Path(assessed["OUTPUT_TABLE"]).read_text(encoding="utf-8").splitlines()
    assert header.startswith("class,value,reference_pixels,mapped_pixels,users_accuracy,producers_accuracy,f1,iou")
    assert len(rows) == len(seen) + 3
    report = Path(assessed["OUTPUT_REPORT"]).read_text(encoding="utf-8")
    assert "<html" in report
    assert "<script" not in report


def test_accuracy_against_a_layer_in_memory(run, mapped, fields, tmp_path):
    layer = QgsRasterLayer(mapped["OUTPUT_MAP"], "map")
    near = halves_of(mapped["OUTPUT_MAP"])
    QgsProject.instance().addMapLayers([layer, near, fields])  # its layers go before QGIS does
    out = tmp_path / "accuracy.json"
    run("accuracy", MAP=layer, REFERENCE=near.id(), REFERENCE_FIELD="kind", OUTPUT_JSON=str(out))
    found = json.loads(out.read_text(encoding="utf-8"))
    assert {row["value"] for row in found["classes"] if row["reference_pixels"]} == {1, 2}
    with pytest.raises(QgsProcessingException, match="does not overlap with the map"):
        run("accuracy", MAP=layer, REFERENCE=fields.id(), REFERENCE_FIELD="kind", OUTPUT_JSON=str(out))
    QgsProject.instance().clear()


def test_extent_in_another_crs(run, trained, unseen, tmp_path):
    layer = QgsRasterLayer(unseen["INPUTS"][0], "s2")
    box = layer.extent()
    part = QgsRectangle(box.xMinimum(), box.yMinimum(), box.xMinimum() + 640, box.yMinimum() + 640)
    out = str(tmp_path / "part.tif")
    text = f"{part.xMinimum()},{part.xMaximum()},{part.yMinimum()},{part.yMaximum()} [{layer.crs().authid()}]"
    run("map", MODEL=trained["OUTPUT_MODEL"], INPUTS=unseen["INPUTS"], EXTENT=text, OUTPUT_MAP=out)
    found = QgsRasterLayer(out, "part")
    assert (found.width(), found.height()) == (64, 64)
    assert found.extent().center().distance(part.center()) < 1e-6
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    there = QgsCoordinateTransform(layer.crs(), degrees, QgsProject.instance()).transformBoundingBox(part)
    given = QgsReferencedRectangle(there, degrees)
    run("map", MODEL=trained["OUTPUT_MODEL"], INPUTS=unseen["INPUTS"], EXTENT=given, OUTPUT_MAP=out)
    found = QgsRasterLayer(out, "part").extent()
    assert found.contains(part)
    assert part.buffered(60).contains(found)  # a box around a turned box is larger


def test_a_scene_without_georeference_is_mapped_where_qgis_shows_it(run, trained, unseen, tmp_path):
    bare, out = str(tmp_path / "s2.tif"), str(tmp_path / "part.tif")
    placed = gdal.Open(unseen["INPUTS"][0])
    copy = gdal.GetDriverByName("GTiff").Create(bare, 192, 192, placed.RasterCount, gdal.GDT_Float32)
    copy.WriteArray(placed.ReadAsArray())
    for number in range(1, placed.RasterCount + 1):
        copy.GetRasterBand(number).SetDescription(placed.GetRasterBand(number).GetDescription())
    del copy
    box = QgsRasterLayer(bare, "s2").extent()
    part = QgsRectangle(64, box.yMaximum() - 96, 160, box.yMaximum())  # the upper half
    text = f"{part.xMinimum()},{part.xMaximum()},{part.yMinimum()},{part.yMaximum()}"
    run("map", MODEL=trained["OUTPUT_MODEL"], INPUTS=[bare], EXTENT=text, OUTPUT_MAP=out)
    assert QgsRasterLayer(out, "part").extent() == part
    whole = run("map", MODEL=trained["OUTPUT_MODEL"], INPUTS=[bare], OUTPUT_MAP=str(tmp_path / "map.tif"))
    assert QgsRasterLayer(whole["OUTPUT_MAP"], "map").extent() == box


def test_an_error_of_the_engine_is_its_sentence(run, trained, unseen, write_raster, tmp_path):
    wrong = write_raster("wrong.tif", tuple(f"X{i}" for i in range(12)))
    with pytest.raises(QgsProcessingException) as caught:
        run("map", MODEL=trained["OUTPUT_MODEL"], INPUTS=[wrong], OUTPUT_MAP=str(tmp_path / "map.tif"))
    message = str(caught.value)
    assert "Traceback" not in message
    assert "X0" in message
    assert "s2" in message
    assert not (tmp_path / "map.tif").exists()


def test_cancel(run, engine, feedback_type, tmp_path):
    feedback = feedback_type(cancel_at="Making scene_01")
    result = run("createdemo", feedback, SIZE=1024, OUTPUT_FOLDER=str(tmp_path / "scenes"))
    assert result == {}
    assert time.monotonic() - feedback.canceled_at < 2.5
    assert any(line.startswith("Canceled") for line in feedback.lines)
    assert not (tmp_path / "scenes" / "scene_04").exists()
    # the next run works
    assert run("createdemo", SIZE=64, SCENE_COUNT=1, OUTPUT_FOLDER=str(tmp_path / "again"))
    assert (tmp_path / "again" / "scene_01" / "s2.tif").exists()


def test_canceled_training_says_where_the_best_weights_are(run, feedback_type, scenes, tmp_path):
    feedback = feedback_type(cancel_at="Epoch   1")
    model = tmp_path / "stopped.safetensors"
    result = run(
        "trainfolder",
        feedback,
        SCENES=str(scenes),
        INPUT_PATTERNS="s2=s2.tif",
        REFERENCE_PATTERN="label.tif",
        CHIP_SIZE=32,
        BATCH_SIZE=32,
        OUTPUT_MODEL=str(model),
    )
    assert result == {}
    assert any(f"best weights so far are in “{model}”" in line for line in feedback.lines)
    assert read_card(model).main.kind == "segmentation"


def test_canceled_map_leaves_nothing(run, feedback_type, trained, unseen, tmp_path):
    large = str(tmp_path / "large.vrt")  # mapping it takes far longer than canceling
    gdal.Translate(large, unseen["INPUTS"][0], format="VRT", width=4096, height=4096)
    feedback = feedback_type(cancel_at="")  # at the first thing that it tells
    folder = tmp_path / "out"
    result = run("map", feedback, MODEL=trained["OUTPUT_MODEL"], INPUTS=[large], OUTPUT_MAP=str(folder / "map.tif"))
    assert time.monotonic() - feedback.canceled_at < 2.5
    assert (result, list(folder.iterdir())) == ({}, [])


def test_a_working_folder_that_is_not_the_engines(run, trained, unseen, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(unseen["INPUTS"][0]).parent)
    out = tmp_path / "map.tif"
    run("map", MODEL=trained["OUTPUT_MODEL"], INPUTS=["s2.tif"], OUTPUT_MAP=os.path.relpath(out))
    assert out.exists()


def test_qgis_is_alive(qgis_app):
    assert QgsApplication.processingRegistry().providerById("auxlens") is not None


def test_explainerrors(run, mapped, tmp_path):
    out = {
        "OUTPUT_REPORT": tmp_path / "e.html",
        "OUTPUT_TABLE": tmp_path / "e.csv",
        "OUTPUT_CORRELATION": tmp_path / "e.tif",
    }
    layers = [path for name, path in mapped.items() if name.startswith("OUTPUT_") and str(path).endswith(".tif")]
    run("explainerrors", INPUTS=layers, **{name: str(path) for name, path in out.items()})
    with open(out["OUTPUT_TABLE"], encoding="utf-8") as file:
        rows = {(r["figure"], r["of"], r["group"]): r for r in csv.DictReader(file)}
    wrong = bands(mapped["OUTPUT_MAIN_ERROR"])[0]
    errors = np.abs(bands(mapped["OUTPUT_RECONSTRUCTION_ERROR"])[0])
    known = (wrong != 255) & np.isfinite(errors)
    expected = np.corrcoef(wrong[known], errors[known])[0, 1]
    assert float(rows["pearson", "s1:VV (absolute)", "all"]["value"]) == pytest.approx(expected, abs=1e-4)
    assert "Are the map’s errors explained" in out["OUTPUT_REPORT"].read_text(encoding="utf-8")
    assert bands(out["OUTPUT_CORRELATION"]).shape == (3, *wrong.shape)


def test_explainerrors_says_what_is_missing(provider, mapped):
    algorithm = provider.algorithm("explainerrors")
    context = QgsProcessingContext()
    values = {"OUTPUT_REPORT": "TEMPORARY_OUTPUT"}
    ok, message = algorithm.checkParameterValues(values, context)
    assert not ok and "Give either the layers of one mapped scene" in message
    ok, message = algorithm.checkParameterValues(
        {**values, "INPUTS": [mapped["OUTPUT_MAP"]], "WINDOW_SIZE": 8}, context
    )
    assert not ok and "odd number" in message


def test_sensitivity(run, trained, unseen, tmp_path):
    out = {
        "OUTPUT_REPORT": tmp_path / "s.html",
        "OUTPUT_TABLE": tmp_path / "s.csv",
        "OUTPUT_SENSITIVITY": tmp_path / "s.tif",
    }
    paths = {name: str(path) for name, path in out.items()}
    run("sensitivity", MODEL=trained["OUTPUT_MODEL"], INPUTS=unseen["INPUTS"], **paths)
    values = bands(out["OUTPUT_SENSITIVITY"])
    known = np.isfinite(values[-1])
    assert (values[-1][known] == values[:-1].argmax(axis=0)[known] + 1).all() and values[:-1][:, known].max() <= 1
    layer = QgsRasterLayer(paths["OUTPUT_SENSITIVITY"], "s")
    assert layer.bandName(layer.bandCount()).endswith("most influential player")
    assert layer.renderer().type() == "paletted"


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("algorithm", "output", "kind"),
    [
        ("sensitivity", "OUTPUT_SENSITIVITY", "paletted"),
        ("explainerrors", "OUTPUT_CORRELATION", "singlebandpseudocolor"),
    ],
)
def test_rasters_that_qgis_loads_are_styled(algorithm, output, kind, feedback_type, trained, unseen, mapped):
    import processing

    rasters = [path for name, path in mapped.items() if name.startswith("OUTPUT_") and str(path).endswith(".tif")]
    given = {
        "sensitivity": {"MODEL": trained["OUTPUT_MODEL"], "INPUTS": unseen["INPUTS"]},
        "explainerrors": {"INPUTS": rasters},
    }[algorithm]
    project = QgsProject.instance()
    project.clear()
    processing.runAndLoadResults(
        f"auxlens:{algorithm}", {**given, output: "TEMPORARY_OUTPUT"}, feedback=feedback_type()
    )
    (layer,) = project.mapLayers().values()
    assert layer.renderer().type() == kind
    project.clear()
