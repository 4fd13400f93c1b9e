"""Layers of a run are named, ordered and grouped."""

import pytest
from auxlens.engine.jobs import MAP_OUTPUTS
from auxlens.plugin.layers import arrange_on_load, layer_title, scene_name
from qgis.core import QgsProcessingContext, QgsProject, QgsRasterLayer


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (("/data/scene_01/s2.tif",), "scene_01"),
        (("/data/tile_7/B02.tif", "/data/tile_7/B03.tif"), "tile_7"),
        (("/data/T32TQM_20240601.tif",), "T32TQM_20240601"),
        (("s2.tif",), "s2"),
        (("/data/a/optical.tif", "/data/b/optical2.tif"), "optical"),
    ],
)
def test_scene_name(inputs, expected):
    assert scene_name(inputs) == expected


def test_layer_title():
    assert layer_title("error_probability", "scene_01") == "Error probability – scene_01"


@pytest.fixture
def load(qgis_processing, provider, write_raster):
    """Loads rasters as Processing does after a run of ``map``; gives the project."""
    from processing.gui.Postprocessing import handleAlgorithmResults

    def go(outputs, scene="scene_01", project=None):
        project = project or QgsProject()
        context = QgsProcessingContext()
        context.setProject(project)
        for position, output in enumerate(outputs):
            path = write_raster(f"{scene}_{output}.tif", ("a",))
            context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails("x", project, output))
            arrange_on_load(context, path, output, scene, visible=position == 0)
        assert handleAlgorithmResults(provider.algorithm("map"), context)
        return project

    return go


def tree(project):
    return [
        (group.name(), [(node.name(), node.itemVisibilityChecked()) for node in group.children()])
        for group in project.layerTreeRoot().children()
    ]


def test_layers_are_grouped_in_the_contracts_order_with_the_first_visible(load):
    project = load(MAP_OUTPUTS)
    expected = [(layer_title(name, "scene_01"), name == "map") for name in MAP_OUTPUTS]
    assert tree(project) == [("scene_01", expected)]
    assert len(project.mapLayers()) == len(MAP_OUTPUTS)


def test_a_second_run_joins_the_scenes_group(load):
    project = load(("map", "main_error"))
    load(("uncertainty",), project=project)
    load(("map",), scene="scene_02", project=project)
    names = [(group, [name for name, _ in layers]) for group, layers in tree(project)]
    assert names == [
        ("scene_02", ["Map – scene_02"]),
        ("scene_01", ["Map – scene_01", "Uncertainty – scene_01", "Main error – scene_01"]),
    ]


def test_layers_that_are_not_loaded_are_left_alone(qgis_app):
    context = QgsProcessingContext()
    arrange_on_load(context, "/tmp/map.tif", "map", "scene_01", visible=True)
    assert not context.layersToLoadOnCompletion()


def test_the_sidecar_style_is_applied(load, write_raster, tmp_path):
    example = QgsRasterLayer(write_raster("example.tif", ("a",)), "example")
    example.renderer().setOpacity(0.25)
    assert example.saveNamedStyle(str(tmp_path / "scene_01_map.qml"))[1]
    project = load(("map",))
    (layer,) = project.mapLayers().values()
    assert layer.renderer().opacity() == 0.25
