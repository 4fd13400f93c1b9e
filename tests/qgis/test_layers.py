"""Layers of a run are named, ordered and grouped."""

import pytest
from qgis.core import QgsProcessingContext, QgsProject, QgsRasterLayer

from auxlens.engine.jobs import MAP_OUTPUTS
from auxlens.plugin.layers import arrange_on_load, layer_title, scene_name


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


def test_a_new_scene_is_not_put_into_the_group_of_another(qgis_app, write_raster):
    project = QgsProject()
    context = QgsProcessingContext()
    context.setProject(project)
    current = project.layerTreeRoot()
    for scene in ("scene_01", "scene_02"):
        for output in ("map", "uncertainty"):
            path = write_raster(f"{scene}_{output}.tif", ("a",))
            layer = project.addMapLayer(QgsRasterLayer(path, "x"), False)
            current.insertLayer(0, layer)  # as the desktop does: where the current layer is
            context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails("x", project, output))
            arrange_on_load(context, path, output, scene, visible=True)
            details = context.layerToLoadOnCompletionDetails(path)
            details.postProcessor().postProcessLayer(layer, context, None)
            current = project.layerTreeRoot().findLayer(layer.id()).parent()
    assert [(group, [name for name, _ in layers]) for group, layers in tree(project)] == [
        (scene, [layer_title(name, scene) for name in ("map", "uncertainty")]) for scene in ("scene_02", "scene_01")
    ]


def test_the_order_holds_for_styled_layers(load, write_raster, tmp_path):
    example = QgsRasterLayer(write_raster("example.tif", ("a",)), "example")
    for output in ("map", "uncertainty", "main_error"):
        assert example.saveNamedStyle(str(tmp_path / f"scene_01_{output}.qml"))[1]
    project = load(("map", "uncertainty", "main_error"))
    ((_, layers),) = tree(project)
    assert [name for name, _ in layers] == [layer_title(n, "scene_01") for n in ("map", "uncertainty", "main_error")]
