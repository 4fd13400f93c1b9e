"""Layers are put together into mapped scenes by their tags."""

import shutil

import pytest
from osgeo import gdal
from qgis.core import QgsRasterLayer, QgsVectorLayer

from auxlens.engine.jobs import SceneError
from auxlens.plugin.scenes import mapped_scenes, reference_layer, scenes_in_folder

pytestmark = pytest.mark.usefixtures("qgis_app")


def layers(folder, *outputs):
    return [QgsRasterLayer(str(folder / f"{output}.tif"), f"any {output}") for output in outputs]


def test_one_scene_in_the_contracts_order(mapped):
    scenes, notes = mapped_scenes(layers(mapped(), "attribution", "uncertainty", "map"))
    assert [(s.name, list(s.layers)) for s in scenes] == [("scene_01", ["map", "uncertainty", "attribution"])]
    assert not notes
    assert scenes[0].size == (40, 56)
    assert scenes[0].doubt == "uncertainty"


def test_names_of_bands_and_modalities(mapped):
    ((scene,), _) = mapped_scenes(layers(mapped(), "probability", "expected_error"))
    assert scene.band_names("probability") == ["water", "forest <&>", "urban"]
    assert scene.modalities() == {"s1": ["VV", "VH"]}
    assert scene.band_names("map") == []


def test_scenes_are_kept_apart(mapped):
    first, second = mapped("a"), mapped("b", size=(24, 24))
    scenes, notes = mapped_scenes([*layers(first, "map"), *layers(second, "map"), *layers(first, "uncertainty")])
    assert [(s.name, list(s.layers)) for s in scenes] == [("a", ["map", "uncertainty"]), ("b", ["map"])]
    assert not notes


def test_what_is_not_ours_is_named(mapped, write_raster):
    (ours,) = layers(mapped(), "map")
    foreign = QgsRasterLayer(write_raster("other.tif", ("a",)), "foreign")
    vector = QgsVectorLayer("Point", "points", "memory")
    (gone,) = layers(mapped("b"), "nothing")
    twice = QgsRasterLayer(ours.source(), "again")
    scenes, notes = mapped_scenes([ours, foreign, vector, gone, twice])
    assert [s.name for s in scenes] == ["scene_01"]
    assert [note.split("”")[0].lstrip("“") for note in notes] == ["foreign", "points", "any nothing", "again"]
    assert "not made by “map”" in notes[0]
    assert "deleted" in notes[2]
    assert "same output" in notes[3]


def test_a_folder_is_searched_with_its_sub_folders(mapped, write_raster):
    folder = mapped("a").parent
    mapped("b")
    write_raster("maps/elsewhere.tif", ("x",))
    (folder / "broken.tif").write_bytes(b"no raster")
    scenes, notes = scenes_in_folder(str(folder))
    assert [s.name for s in scenes] == ["a", "b"]
    assert len(notes) == 1
    assert "broken.tif" in notes[0]


def test_what_is_found_out_about_a_scene_is_no_scene(mapped, write_raster):
    folder = mapped("a")
    for output in ("correlation", "sensitivity"):
        path = write_raster(f"maps/a/{output}.tif", ("x",))
        gdal.Open(path, gdal.GA_Update).SetMetadataItem("AUXLENS_OUTPUT", output)
    scenes, notes = scenes_in_folder(str(folder))
    assert [scene.name for scene in scenes] == ["a"]
    assert not notes


def test_unfinished_rasters_are_passed_over(mapped):
    folder = mapped("a")
    shutil.copy(folder / "map.tif", folder / ".map.4711.part.tif")
    (folder / ".uncertainty.4711.part.tif").touch()
    ((scene,), notes) = scenes_in_folder(str(folder))
    assert scene.layers["map"].source() == str(folder / "map.tif")
    assert not notes


@pytest.mark.parametrize("name", ["", "s1="])
def test_the_reference_in_a_folder_with_an_equals_sign(mapped, write_raster, name):
    path = write_raster("date=2024/s1.tif", ("VV", "VH"))
    ((scene,), _) = mapped_scenes(layers(mapped(auxiliary=[f"{name}{path}"]), "reconstruction"))
    reference, numbers = reference_layer(scene, "s1")
    assert (reference.source(), numbers) == (path, {"VV": 1, "VH": 2})


def test_folders_without_ours_are_refused(tmp_path):
    with pytest.raises(SceneError, match="holds no raster that AuxLens made"):
        scenes_in_folder(str(tmp_path))
    with pytest.raises(SceneError, match="does not exist"):
        scenes_in_folder(str(tmp_path / "none"))
