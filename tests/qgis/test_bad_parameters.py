"""What cannot work is refused before it starts, in one clear sentence."""

import os
import pickle
from dataclasses import replace

import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

from auxlens.algorithms import base, checks
from auxlens.engine.jobs import JobError


@pytest.fixture
def refused(provider):
    """Why an algorithm refuses parameters; fails where it does not."""

    def ask(name, **parameters):
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        ok, message = provider.algorithm(name).checkParameterValues(parameters, context)
        assert not ok, "the parameters were accepted"
        assert "\n" not in message
        assert "Traceback" not in message
        assert message.endswith(".")
        return message

    return ask


@pytest.fixture
def accepted(provider):
    def ask(name, **parameters):
        context = QgsProcessingContext()
        ok, message = provider.algorithm(name).checkParameterValues(parameters, context)
        assert ok, message
        assert not context.layersToLoadOnCompletion()

    return ask


@pytest.fixture
def good(write_model, write_raster, card, tmp_path):
    """Parameters of ``map`` that work."""
    return {
        "MODEL": write_model(card),
        "INPUTS": [write_raster("scene/s2.tif")],
        "OUTPUT_MAP": str(tmp_path / "map.tif"),
    }


@pytest.fixture
def good_train(write_raster, tmp_path):
    """Parameters of ``train`` that work."""
    return {
        "INPUTS": [write_raster("scene/s2.tif")],
        "REFERENCE": write_raster("scene/label.tif", ("label",)),
        "OUTPUT_MODEL": str(tmp_path / "m.safetensors"),
    }


def test_models_that_cannot_map_together(refused, accepted, good, card, write_model):
    other = write_model(replace(card, name="other", auxiliary=()), "other.safetensors")
    accepted("map", **{**good, "MODEL": f"{good['MODEL']};{write_model(card, 'again.safetensors')}"})
    assert "cannot map together: their auxiliary bands differ" in refused(
        "map", **{**good, "MODEL": f"{good['MODEL']};{other}"}
    )
    missing = refused("map", **{**good, "MODEL": f"{good['MODEL']};/no/such.safetensors"})
    assert "“/no/such.safetensors” does not exist" in missing


def test_good_parameters_are_accepted(accepted, good, good_train):
    accepted("map", **good)
    accepted("map", **{**good, "OUTPUT_MAP": "TEMPORARY_OUTPUT"})
    accepted("map", **{**good, "DEVICE": "cuda:1"})
    accepted("train", **good_train)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"MODEL": "/nowhere/m.safetensors"}, "/nowhere/m.safetensors” does not exist"),
        ({"MODEL": ""}, "Model (MODEL) is not given"),
        ({"INPUTS": ["/nowhere/s2.tif"]}, "Input rasters: “/nowhere/s2.tif” does not exist"),
        ({"AUXILIARY": ["/nowhere/s1.tif"]}, "Auxiliary rasters: “/nowhere/s1.tif” does not exist"),
        ({"REFERENCE": "/nowhere/label.tif"}, "Reference: “/nowhere/label.tif” does not exist"),
        ({"MASK": "/nowhere/mask.tif"}, "Mask: “/nowhere/mask.tif” does not exist"),
        ({"INPUTS": []}, "needs the bands s2:B02, s2:B03, s2:B04"),
        ({"DEVICE": "gpu"}, "cuda:1"),
        ({"PRECISION": "float8"}, "choose one of auto, float32, bfloat16, float16"),
        ({"OVERLAP": -2}, "from -1 to 4096"),
        ({"OUTPUT_MAP": None}, "No output is asked for"),
        ({"OUTPUT_MAP": "/tmp/map.png"}, "must end in .tif"),
        ({"OUTPUT_RECONSTRUCTION_ERROR": "/tmp/e.tif"}, "compares with auxiliary rasters (s1)"),
        ({"OUTPUT_MAIN_ERROR": "/tmp/e.tif"}, "compares with a reference"),
        ({"OUTPUT_UNCERTAINTY": "{OUTPUT_MAP}"}, "is the file of an input or of another output"),
        ({"OUTPUT_MAP": "{INPUTS}"}, "is the file of an input or of another output"),
        ({"OUTPUT_MAP": "{MODEL}/map.tif"}, "is not a folder that you may write to"),
    ],
)
def test_map(refused, good, change, expected):
    first = {key: value[0] if isinstance(value, list) else value for key, value in good.items()}
    change = {key: value.format(**first) if isinstance(value, str) else value for key, value in change.items()}
    assert expected.lower() in refused("map", **{**good, **change}).lower()


def test_an_output_never_replaces_what_an_input_is_made_of(refused, accepted, good, write_raster, tmp_path):
    source = write_raster("parts/b.tif")
    gdal.BuildVRT(str(tmp_path / "parts" / "b.vrt"), [source]).FlushCache()
    gdal.BuildVRT(str(tmp_path / "of_vrts.vrt"), [str(tmp_path / "parts" / "b.vrt")]).FlushCache()
    (tmp_path / "link").symlink_to(tmp_path / "parts")
    for name in ("parts/b.vrt", "of_vrts.vrt"):
        good["INPUTS"] = [str(tmp_path / name)]
        accepted("map", **good)
        for target in (source, str(tmp_path / "link" / "b.tif")):
            message = refused("map", **{**good, "OUTPUT_MAP": target})
            assert f"OUTPUT_MAP “{target}” is the file of an input or of another output" in message


def test_rasters_are_opened_for_their_files_only_where_an_output_is_there(accepted, good, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(base, "files_of", lambda path: opened.append(path) or ())
    accepted("map", **good)
    accepted("map", **{**good, "OUTPUT_MAP": "TEMPORARY_OUTPUT"})
    assert not opened
    (tmp_path / "map.tif").write_text("")
    accepted("map", **good)
    assert good["INPUTS"][0] in opened


def test_too_few_bands_lists_both_sides(refused, good, write_raster):
    message = refused("map", **{**good, "INPUTS": [write_raster("scene/two.tif", ("B02", "B03"))]})
    for part in ("3 input bands", "s2:B02, s2:B03, s2:B04", "have 2", "two: Band 1: B02"):
        assert part in message


def test_not_a_raster(refused, good, tmp_path):
    text = tmp_path / "notes.tif"
    text.write_text("no raster")
    assert "is no layer that QGIS can read" in refused("map", **{**good, "INPUTS": [str(text)]})
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    assert "a raster is expected" in refused("map", **{**good, "INPUTS": [str(table)]})


def test_raster_that_is_no_file(refused, good):
    layer = QgsRasterLayer("url=http://localhost:9/wms&layers=a&styles=&format=image/png&crs=EPSG:4326", "web", "wms")
    QgsProject.instance().addMapLayer(layer)
    assert "is not a raster file but a layer of type “wms”" in refused("map", **{**good, "INPUTS": [layer]})


def test_model_files(refused, good, tmp_path, write_model, card):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(pickle.dumps({"weights": [1]}))
    assert "pickled" in refused("map", **{**good, "MODEL": str(path)})
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{}")
    assert "is cut short" in refused("map", **{**good, "MODEL": str(path)})
    path.write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    assert "without an AuxLens card" in refused("map", **{**good, "MODEL": str(path)})
    newer = write_model(replace(card, schema=99), "newer.safetensors")
    assert "newer than format" in refused("map", **{**good, "MODEL": newer})


def test_outputs_that_the_model_cannot_give(refused, good, write_model, card):
    alone = write_model(replace(card, auxiliary=(), error_models={}), "alone.safetensors")
    message = refused("map", **{**good, "MODEL": alone, "OUTPUT_RECONSTRUCTION": "TEMPORARY_OUTPUT"})
    assert "needs a model with auxiliary tasks" in message
    message = refused("map", **{**good, "MODEL": alone, "OUTPUT_ERROR_PROBABILITY": "TEMPORARY_OUTPUT"})
    assert "no calibrated error probability" in message


def test_vector_reference_needs_its_field(refused, accepted, good_train):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32632&field=class:integer&field=name:string", "fields", "memory")
    QgsProject.instance().addMapLayer(layer)
    assert "its fields are class, name" in refused("train", **{**good_train, "REFERENCE": layer.id()})
    message = refused("train", **{**good_train, "REFERENCE": layer.id(), "REFERENCE_FIELD": "kind"})
    assert "has no field “kind”; its fields are class, name" in message
    layer.setFieldAlias(0, "kind")  # which the engine knows as little as names in another case
    for field in ("kind", "CLASS"):
        message = refused("train", **{**good_train, "REFERENCE": layer.id(), "REFERENCE_FIELD": field})
        assert f"has no field “{field}”; its fields are class, name" in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"TASK": "detection"}, "choose one of segmentation, regression"),
        ({"STRATEGY": "both"}, "choose one of multitask, single, multimodal, shuffled"),
        ({"SIZE": "huge"}, "choose one of small, base, large"),
        ({"SIZE": "1"}, "choose one of small, base, large"),
        ({"SIZE": 1}, "“1” is no value for Network size (SIZE); choose one of small, base, large"),
        ({"SIZE": ["base"]}, "“['base']” is no value for Network size (SIZE); choose one of small, base, large"),
        ({"DEVICE": "cuda1"}, "cuda:1"),
        ({"EPOCHS": 0}, "1 or more"),
        ({"REFERENCE": None}, "Reference (REFERENCE) is not given"),
        ({"OUTPUT_MODEL": "/tmp/m.pt"}, "must end in .safetensors"),
        ({"OUTPUT_REPORT": "/tmp/r.pdf"}, "must end in .html"),
    ],
)
def test_train(refused, good_train, change, expected):
    assert expected.lower() in refused("train", **{**good_train, **change}).lower()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"MAP": None}, "Map (MAP) is not given"),
        ({"MAP": "/nowhere/map.tif"}, "Map: “/nowhere/map.tif” does not exist"),
        ({"REFERENCE": None}, "Reference (REFERENCE) is not given"),
        ({"PROBABILITY": "/nowhere/p.tif"}, "Class probabilities: “/nowhere/p.tif” does not exist"),
        ({"TASK": "detection"}, "choose one of segmentation, regression"),
        ({"TASK": "regression", "PROBABILITY": "{MAP}"}, "Probabilities belong to classes"),
        ({"OUTPUT_TABLE": "/tmp/a.xlsx"}, "must end in .csv"),
        ({"OUTPUT_JSON": "/tmp/a.txt"}, "must end in .json"),
        ({"OUTPUT_REPORT": None}, "No output is asked for"),
    ],
)
def test_accuracy(refused, accepted, write_raster, tmp_path, change, expected):
    good = {
        "MAP": write_raster("scene/map.tif", ("map",)),
        "REFERENCE": write_raster("scene/label.tif", ("label",)),
        "OUTPUT_REPORT": str(tmp_path / "accuracy.html"),
    }
    accepted("accuracy", **good)
    change = {key: value.format(**good) if isinstance(value, str) else value for key, value in change.items()}
    assert expected.lower() in refused("accuracy", **{**good, **change}).lower()


def test_trainfolder(refused, accepted, tmp_path):
    good = {
        "SCENES": str(tmp_path),
        "INPUT_PATTERNS": "s2=s2.tif",
        "REFERENCE_PATTERN": "label.tif",
        "OUTPUT_MODEL": str(tmp_path / "m.safetensors"),
    }
    accepted("trainfolder", **good)  # no sub-folder: the files of all scenes may lie in one folder
    assert "modality=pattern" in refused("trainfolder", **{**good, "INPUT_PATTERNS": "s2.tif"})
    assert "“s1” is given twice" in refused("trainfolder", **{**good, "AUXILIARY_PATTERNS": "s1=a.tif;s1=b.tif"})
    assert "does not exist" in refused("trainfolder", **{**good, "SCENES": str(tmp_path / "none")})
    assert "from 32 to 4096" in refused("trainfolder", **{**good, "CHIP_SIZE": 16})
    assert "more than one player" in refused("trainfolder", **{**good, "PLAYERS": "a=B2;b=B2"})
    assert "attributions need 2 to 16" in refused("trainfolder", **{**good, "PLAYERS": "a=B2"})


@pytest.mark.parametrize("layers", ["0,2", "map,2", [0, 2], ["map", 2]])
def test_layers_are_given_by_their_words(refused, tmp_path, layers):
    given = {"MODEL": str(tmp_path / "m.safetensors"), "SCENES": str(tmp_path), "OUTPUT_FOLDER": str(tmp_path / "out")}
    assert "choose one of map, probability, uncertainty" in refused("mapfolder", **given, LAYERS=layers)


def test_a_drive_or_share_that_is_not_there(monkeypatch):
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    with pytest.raises(JobError, match=r"“/” is not a folder that you may write to"):
        checks.outputs({"OUTPUT_MAP": "/no-such-share/maps/map.tif"}, ())


@pytest.mark.parametrize(
    ("given", "crs"),
    [
        ("1,3,2,4 [EPSG:4326]", "EPSG:4326"),
        (QgsReferencedRectangle(QgsRectangle(1, 2, 3, 4), QgsCoordinateReferenceSystem("EPSG:3035")), "EPSG:3035"),
        (QgsRectangle(1, 2, 3, 4), ""),
        ("1.0,3e0,2,4", ""),
    ],
)
def test_an_extent_goes_to_the_engine_as_it_is_given(provider, good, given, crs):
    job = provider.algorithm("map").job({**good, "EXTENT": given}, QgsProcessingContext(), export=False)
    assert (job.extent, job.extent_crs) == ((1, 2, 3, 4), crs)


def test_an_extent_in_a_crs_without_an_id(provider, good):
    crs = QgsCoordinateReferenceSystem()
    assert crs.createFromProj("+proj=laea +lat_0=12 +lon_0=34 +datum=WGS84")
    given = QgsReferencedRectangle(QgsRectangle(1, 2, 3, 4), crs)
    job = provider.algorithm("map").job({**good, "EXTENT": given}, QgsProcessingContext(), export=False)
    assert QgsCoordinateReferenceSystem.fromWkt(job.extent_crs) == crs
    job = provider.algorithm("map").job({**good, "EXTENT": good["INPUTS"][0]}, QgsProcessingContext(), export=False)
    assert (job.extent, job.extent_crs) == ((500000, 4999840, 500160, 5000000), "EPSG:32632")


def test_paths_are_absolute(provider, good, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = {**good, "MODEL": "toy.safetensors", "INPUTS": ["scene/s2.tif"], "MASK": "scene/s2.tif"}
    job = provider.algorithm("map").job(relative, QgsProcessingContext(), export=False)
    assert (job.model, job.inputs, job.mask) == (good["MODEL"], tuple(good["INPUTS"]), good["INPUTS"][0])
    several = {**relative, "MODEL": "toy.safetensors;other.safetensors"}
    job = provider.algorithm("map").job(several, QgsProcessingContext(), export=False)
    assert job.model == f"{good['MODEL']};{tmp_path / 'other.safetensors'}"
    values = {"SCENES": "scene", "INPUT_PATTERNS": "s2=s2.tif", "REFERENCE_PATTERN": "s2.tif"}
    job = provider.algorithm("trainfolder").job(values, QgsProcessingContext(), export=False)
    assert job.scenes == str(tmp_path / "scene")


def test_createdemo(refused, tmp_path):
    assert "from 1 to 1000" in refused("createdemo", SCENE_COUNT=0, OUTPUT_FOLDER=str(tmp_path))
    (tmp_path / "file").write_text("")
    assert "not a folder" in refused("createdemo", OUTPUT_FOLDER=str(tmp_path / "file" / "scenes"))
