"""The main job through ``scripts/qgis_process``: what a user of the command line gets."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from qgis.core import QgsRasterLayer

from auxlens.engine.jobs import MAP_OUTPUTS
from auxlens.models.card import read_card


@pytest.fixture(scope="module")
def unseen(scenes):
    scene = scenes / "scene_04"
    return {
        "INPUTS": [scene / "s2.tif"],
        "AUXILIARY": [scene / "s1.tif", scene / "dem.tif"],
        "REFERENCE": scene / "label.tif",
    }


@pytest.fixture(scope="module")
def mapped(qgis_process, model, unseen, tmp_path_factory):
    """Path of every output of ``map``, by name."""
    folder = tmp_path_factory.mktemp("mapped") / "new" / "folder"
    paths = {name: folder / f"{name}.tif" for name in MAP_OUTPUTS}
    outputs = {f"OUTPUT_{name.upper()}": path for name, path in paths.items()}
    code, said = qgis_process("map", MODEL=model, **unseen, **outputs)
    assert code == 0, said
    assert "100" in said
    assert all(f"{name}:\t{path}" in said for name, path in outputs.items()), said
    return paths


@pytest.fixture(scope="module")
def layers(qgis_app, mapped):
    """Each output as QGIS opens it."""
    opened = {name: QgsRasterLayer(str(path), name) for name, path in mapped.items()}
    assert all(layer.isValid() for layer in opened.values())
    return opened


def pixels(layer, band=1):
    """A band of a layer as an array, NaN where it is nodata."""
    block = layer.dataProvider().block(band, layer.extent(), layer.width(), layer.height())
    return np.array(
        [
            [np.nan if block.isNoData(row, column) else block.value(row, column) for column in range(block.width())]
            for row in range(block.height())
        ]
    )


def test_training_leaves_a_model_and_a_report(model):
    card = read_card(str(model))
    assert [m.name for m in card.auxiliary] == ["s1", "dem"]
    assert "<html" in model.with_suffix(".html").read_text(encoding="utf-8")


def test_outputs_lie_on_the_scenes_grid(layers, unseen):
    scene = QgsRasterLayer(str(unseen["INPUTS"][0]), "s2")
    for name, layer in layers.items():
        assert (layer.extent(), layer.width(), layer.height()) == (scene.extent(), scene.width(), scene.height()), name
        assert layer.crs() == scene.crs(), name


def test_nodata_is_that_of_the_scene(layers, unseen):
    scene = QgsRasterLayer(str(unseen["INPUTS"][0]), "s2")
    outside = np.isnan(pixels(scene))
    assert outside.any()
    for name, layer in layers.items():
        for band in range(1, layer.bandCount() + 1):
            empty = np.isnan(pixels(layer, band))
            assert empty[outside].all(), (name, band)
            if name != "main_error":  # the reference is sparse
                assert not empty[~outside].any(), (name, band)


def test_the_map_is_the_most_probable_class(layers, model):
    values = [c.value for c in read_card(str(model)).main.classes]
    classes = pixels(layers["map"])
    probability = np.stack([pixels(layers["probability"], band + 1) for band in range(len(values))])
    inside = ~np.isnan(classes)
    assert np.allclose(probability.sum(axis=0)[inside], 1, atol=1e-3)
    assert (np.array(values)[np.nan_to_num(probability).argmax(axis=0)] == classes)[inside].all()


def test_bands_are_named(layers, model):
    card = read_card(str(model))
    expected = {"probability": tuple(c.name for c in card.main.classes), "reconstruction_error": card.auxiliary_bands}
    for name, bands in expected.items():
        assert [layers[name].bandName(i + 1).split(": ")[1] for i in range(layers[name].bandCount())] == list(bands)


def test_layers_open_styled(layers, model):
    legend = [(c.value, c.label, c.color.name()) for c in layers["map"].renderer().classes()]
    for land_class in read_card(str(model)).main.classes:
        assert (land_class.value, land_class.name, land_class.color.lower()) in legend
    for name, layer in layers.items():
        assert Path(layer.source()).with_suffix(".qml").exists()
        assert layer.renderer().type() in ("paletted", "singlebandpseudocolor"), name


def test_tags_say_how_it_was_made(mapped, model):
    from osgeo import gdal

    data = gdal.Open(str(mapped["error_probability"]))
    tags = data.GetMetadata()
    assert tags["AUXLENS_MODEL"] == read_card(str(model)).name
    assert json.loads(tags["AUXLENS_JOB"])["model"] == str(model)


def test_a_report_of_what_was_mapped(qgis_process, mapped, tmp_path):
    pdf, html = tmp_path / "r.pdf", tmp_path / "r.html"
    code, said = qgis_process("report", SCENES=mapped["map"].parent, OUTPUT_PDF=pdf, OUTPUT_REPORT=html)
    assert code == 0, said
    assert "Left out" not in said
    pages = len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))
    text = html.read_text(encoding="utf-8")
    assert pages == 9  # title, map, areas, doubt, why, two modalities, model, reproduction
    assert text.count("<h2>") == pages - 1
    for words in (
        "Why: what the map rests on",
        "Auxiliary modality: dem",
        "wrong by the reference",
        "coniferous forest",
    ):
        assert words in text


def test_an_error_is_one_sentence(qgis_process, unseen, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x02}q\x00.")
    code, said = qgis_process("map", MODEL=tmp_path / "bad.safetensors", **unseen, OUTPUT_MAP=tmp_path / "map.tif")
    assert code != 0
    assert "pickled PyTorch file" in said
    assert "Traceback" not in said
    assert not (tmp_path / "map.tif").exists()


def test_without_an_engine_the_message_says_what_to_do(environment, qgis_process, tmp_path, monkeypatch):
    monkeypatch.setitem(environment, "AUXLENS_PYTHON", "/nowhere/python")
    code, said = qgis_process("createdemo", OUTPUT_FOLDER=tmp_path / "scenes")
    assert code != 0
    assert "AUXLENS_PYTHON names “/nowhere/python”" in said
    assert "Traceback" not in said
