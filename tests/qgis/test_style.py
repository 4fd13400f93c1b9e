"""Styling of layers: by tag, with one scale for one output, in themes, beside the rasters."""

import json
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr
from qgis.core import (
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)

from auxlens.engine.palettes import BLUE_WHITE_RED, MAGMA
from auxlens.models.card import Modality
from auxlens.plugin import restyle

HSI = Modality("hsi", ("a", "B4", "B3", "B2"), (0.0,) * 4, (1.0,) * 4)


@pytest.fixture
def project(qgis_app, qgis_new_project):
    return QgsProject.instance()


@pytest.fixture
def add(project, tmp_path, card, write_model):
    """Writes a tagged raster of given values ``(bands, 20, 20)`` and adds it to the project, in the scene's group."""
    model = write_model(card)

    def make(scene, output, values, bands, kind=gdal.GDT_Float32, auxiliary=()):
        path = tmp_path / scene / f"file {len(project.mapLayers())}.tif"
        path.parent.mkdir(exist_ok=True)
        data = gdal.GetDriverByName("GTiff").Create(str(path), 20, 20, len(bands), kind)
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(32632)
        data.SetProjection(crs.ExportToWkt())
        data.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
        for number, band in enumerate(bands, 1):
            data.GetRasterBand(number).SetDescription(band)
            data.GetRasterBand(number).WriteArray(np.array(np.broadcast_to(values, (len(bands), 20, 20))[number - 1]))
        if output:
            job = {"job": "map", "inputs": [str(path.parent / "s2.tif")], "model": model, "auxiliary": list(auxiliary)}
            for key, value in (("OUTPUT", output), ("MODEL", "toy"), ("JOB", json.dumps(job))):
                data.SetMetadataItem(f"AUXLENS_{key}", value)
        data = None
        layer = QgsRasterLayer(str(path), f"anything {len(project.mapLayers())}")
        assert layer.isValid()
        project.addMapLayer(layer, False)
        root = project.layerTreeRoot()
        (root.findGroup(scene) or root.addGroup(scene)).addLayer(layer)
        return layer

    return make


@pytest.fixture
def style(provider, project, feedback_type, qgis_processing):
    """Runs the algorithm in the project; gives what it said."""
    import processing

    def go(**parameters):
        context, feedback = QgsProcessingContext(), feedback_type()
        context.setProject(project)
        assert processing.run("auxlens:style", parameters, context=context, feedback=feedback) == {}
        return feedback.lines

    return go


def span(layer):
    renderer = layer.renderer()
    assert isinstance(renderer, QgsSingleBandPseudoColorRenderer)
    function = renderer.shader().rasterShaderFunction()
    items = function.colorRampItemList()
    assert (items[0].value, items[-1].value) == (function.minimumValue(), function.maximumValue())
    return items[0].value, items[-1].value


def ramp(layer):
    return [item.color.name() for item in layer.renderer().shader().rasterShaderFunction().colorRampItemList()]


def test_one_output_has_one_scale_in_all_scenes(add, style):
    first = np.linspace(0, 4, 400).reshape(20, 20)
    layers = [add("one", "expected_error", first, ("s1:VV",)), add("two", "expected_error", 2 * first, ("s1:VV",))]
    lines = style(LAYERS=layers, PERCENTILE=10, SAVE="no", THEMES=False)
    pooled = np.percentile(np.concatenate([first.ravel(), 2 * first.ravel()]).astype("float32"), 90)
    for layer in layers:
        assert span(layer) == pytest.approx((0.0, pooled), rel=1e-5)
        assert ramp(layer) == list(MAGMA)
        legend = layer.renderer().shader().rasterShaderFunction().legendSettings()
        assert legend.minimumLabel() == "0 dB: easy to predict" and legend.maximumLabel().endswith(
            "dB: hard to predict"
        )
    assert any(line.startswith("Expected error: 0") and line.endswith("on 2 layer(s).") for line in lines)


def test_signed_values_are_shown_evenly_about_zero(add, style):
    layer = add("one", "reconstruction_error", np.linspace(-1, 9, 400).reshape(20, 20), ("s1:VV",))
    style(LAYERS=[layer], PERCENTILE=0)
    assert span(layer) == (-9.0, 9.0) and ramp(layer) == list(BLUE_WHITE_RED)


def test_probabilities_are_always_shown_from_0_to_1(add, style):
    layers = [add("one", name, 0.3, ("x",)) for name in ("error_probability", "probability")]
    style(GROUP="one")
    assert [span(layer) for layer in layers] == [(0.0, 1.0)] * 2


def test_classes_have_the_cards_colours_and_players_theirs(add, style, card):
    classes = add("one", "map", 1, ("class",), gdal.GDT_Byte)
    wrong = add("one", "main_error", 1, ("main error",), gdal.GDT_Byte)
    players = add(
        "one", "attribution", np.array([0.5, -2.0, 2.0]).reshape(3, 1, 1), ("visible", "SWIR", "dominant player")
    )
    style(GROUP="one")
    assert all(isinstance(layer.renderer(), QgsPalettedRasterRenderer) for layer in (classes, wrong, players))
    assert [(c.label, c.color.name()) for c in classes.renderer().classes()] == [
        (c.name, c.color) for c in card.main.classes
    ]
    assert [c.label for c in wrong.renderer().classes()] == ["map = reference", "map ≠ reference"]
    assert players.renderer().band() == 3 and [c.label for c in players.renderer().classes()] == ["visible", "SWIR"]
    style(GROUP="one", BAND="SWIR", PERCENTILE=0)
    assert span(players) == (-2.0, 2.0) and players.renderer().band() == 2


def test_contributions_of_patches_are_shown_as_they_are(add, style):
    patches = add("one", "attribution", np.linspace(-2, 1, 400).reshape(1, 20, 20), ("contribution",))
    style(GROUP="one", PERCENTILE=0)
    assert span(patches) == (-2.0, 2.0) and patches.renderer().band() == 1


def test_reconstruction_and_reference_have_the_same_stretch(add, style, tmp_path):
    bands = tuple(f"hsi:{band}" for band in HSI.bands)
    rows = np.linspace(0, 1, 400).reshape(20, 20)
    reference = add("one", "", np.stack([rows * k for k in (1, 2, 3, 4)]), HSI.bands)
    made = add(
        "one", "reconstruction", np.stack([rows * k for k in (1, 5, 6, 7)]), bands, auxiliary=[reference.source()]
    )
    lines = style(LAYERS=[made], PERCENTILE=0)
    assert any("1 layer(s) and 1 reference(s)" in line for line in lines)
    for layer in (made, reference):
        renderer = layer.renderer()
        assert isinstance(renderer, QgsMultiBandColorRenderer)
        assert (renderer.redBand(), renderer.greenBand(), renderer.blueBand()) == (2, 3, 4)  # B4, B3, B2
        tops = [getattr(renderer, f"{c}ContrastEnhancement")().maximumValue() for c in ("red", "green", "blue")]
        assert tops == pytest.approx([5, 6, 7])


def test_a_theme_an_output(add, style, project):
    maps = [add(scene, "map", 1, ("class",), gdal.GDT_Byte) for scene in ("one", "two")]
    doubts = [add(scene, "uncertainty", 0.5, ("u",)) for scene in ("one", "two")]
    background = add("base", "", 1, ("x",))
    lines = style(LAYERS=[*maps, *doubts])
    collection = project.mapThemeCollection()
    assert collection.mapThemes() == ["AuxLens: Map", "AuxLens: Uncertainty"]
    visible = set(collection.mapThemeVisibleLayerIds("AuxLens: Uncertainty"))
    assert visible == {layer.id() for layer in [*doubts, background]}
    assert "Theme “AuxLens: Map”." in lines


def test_styles_are_saved_beside_the_rasters_on_request(add, style):
    layer = add("one", "reconstruction_error", np.linspace(-1, 9, 400).reshape(20, 20), ("s1:VV",))
    stem = Path(layer.source()).with_suffix("")
    style(LAYERS=[layer])
    assert not stem.with_suffix(".qml").exists()
    style(LAYERS=[layer], PERCENTILE=0, SAVE="both")
    assert "<StyledLayerDescriptor" in stem.with_suffix(".sld").read_text(encoding="utf-8")
    again = QgsRasterLayer(layer.source(), "again")
    assert span(again) == (-9.0, 9.0)


def test_files_outside_of_a_project(add, run, project):
    layer = add("one", "uncertainty", np.linspace(0, 1, 400).reshape(20, 20), ("u",))
    path = layer.source()
    run("style", LAYERS=[path], SAVE="qml", PERCENTILE=10)
    assert span(QgsRasterLayer(path, "x")) == pytest.approx((0, 0.9), abs=0.01)


def test_layers_that_are_not_ours_and_files_that_are_gone_are_named(add, style, project):
    ours, foreign, gone = (add("one", output, 0.5, ("u",)) for output in ("uncertainty", "", "map"))
    path = Path(gone.source())
    path.unlink()
    gone.setDataSource(str(path), gone.name(), "gdal")
    lines = style(GROUP="one")
    assert span(ours)
    assert any(f"“{foreign.name()}” was not made by “map”" in line for line in lines)
    assert any(f"“{gone.name()}” cannot be read" in line for line in lines)


def test_sensitivities_and_correlations_keep_their_style(add, style):
    layer = add("one", "uncertainty", 0.5, ("u",))
    others = [add("one", output, 0.5, ("a", "b")) for output in ("sensitivity", "correlation")]
    before = [other.renderer().type() for other in others]
    style(GROUP="one")
    assert span(layer)
    assert [other.renderer().type() for other in others] == before


def test_a_place_that_cannot_be_written_is_told(add, style):
    layer = add("one", "uncertainty", 0.5, ("u",))
    Path(layer.source()).with_suffix(".qml").mkdir()
    assert any("cannot be written" in line for line in style(LAYERS=[layer], SAVE="qml"))
    assert span(layer)


def test_a_folder_without_permission_is_told_of_each_style(add, style, monkeypatch):
    layer = add("one", "uncertainty", 0.5, ("u",))
    monkeypatch.setattr(restyle.os, "access", lambda path, mode: False)
    told = [line for line in style(LAYERS=[layer], SAVE="both") if "you may not write there" in line]
    assert [".qml" in told[0], ".sld" in told[1]] == [True, True]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "No layer is chosen"),
        ({"GROUP": "nowhere"}, "no group “nowhere”; its groups are one"),
        ({"GROUP": "one", "BAND": "s1:HH"}, "No layer has a band “s1:HH”; their bands are u"),
        ({"GROUP": "one", "PERCENTILE": 60}, "from 0 to 49"),
        ({"GROUP": "one", "SAVE": "pdf"}, "Unknown value “pdf” of SAVE"),
        ({"LAYERS": ["/nowhere/x.tif"]}, "does not exist"),
    ],
)
def test_bad_parameters(add, style, parameters, message):
    add("one", "uncertainty", 0.5, ("u",))
    with pytest.raises(QgsProcessingException, match=message):
        style(**parameters)


def test_only_foreign_layers(add, style):
    with pytest.raises(QgsProcessingException, match="None of the layers was made by AuxLens"):
        style(LAYERS=[add("one", "", 0.5, ("u",))])
