"""Scene folders: sub-folders or files with a common prefix, found by patterns."""

from __future__ import annotations

import os

import numpy as np
import pytest

from auxlens.engine.jobs import patterns
from auxlens.engine.scene.folder import find_scenes
from auxlens.models.errors import SceneError


def one(count=1):
    return np.ones((count, 4, 4), "uint8")


def found(folder, inputs, auxiliary="", reference=""):
    return find_scenes(str(folder), patterns(inputs), patterns(auxiliary), reference)


def files(source):
    return [f"{band.path.rsplit('/', 1)[1]}:{band.number}" for band in source.bands]


def test_subfolders(write, tmp_path):
    for scene in ("b", "a", "c"):
        write(f"{scene}/s2.tif", one(2), ("B2", "B3"))
    write("a/s1.tif", one()), write("a/dem.tif", one()), write("b/s1.tif", one()), write("b/label.tif", one())
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("")
    scenes = found(tmp_path, "s2=s2.tif", "s1=s1.tif;dem=dem.tif", "label.tif")
    assert [s.name for s in scenes] == ["a", "b", "c"]
    assert [[m.name for m in s.auxiliary] for s in scenes] == [["s1", "dem"], ["s1"], []]
    assert [s.reference for s in scenes] == ["", str(tmp_path / "b" / "label.tif"), ""]
    assert [band.name for band in scenes[0].inputs[0].bands] == ["B2", "B3"]


def test_a_file_a_band_in_the_order_of_the_pattern(write, tmp_path):
    for band in ("B02", "B03", "B8A", "B11"):
        write(f"x/T33_{band}_10m.tif", one())
    (scene,) = found(tmp_path, "s2=*_B11*.tif,*_B02*.tif")
    assert files(scene.inputs[0]) == ["T33_B11_10m.tif:1", "T33_B02_10m.tif:1"]
    (scene,) = found(tmp_path, "s2=*_B*.tif")
    assert files(scene.inputs[0]) == [f"T33_{band}_10m.tif:1" for band in ("B02", "B03", "B11", "B8A")]


def test_bands_are_called_the_same_in_all_scenes(write, tmp_path):
    for scene in ("alpha", "beta"):
        write(f"{scene}_red.tif", one()), write(f"{scene}_nir.tif", one()), write(f"in/{scene}/red-{scene}.tif", one())
    names = [[b.name for b in s.inputs[0].bands] for s in found(tmp_path, "opt=*_red.tif,*_nir.tif")]
    assert names == [["red", "nir"]] * 2
    assert [s.inputs[0].bands[0].name for s in found(tmp_path / "in", "opt=red-*.tif")] == ["red"] * 2


def test_scenes_without_all_inputs_are_left_out_and_named(write, tmp_path, caplog):
    write("a/B02.tif", one()), write("a/B03.tif", one()), write("b/B02.tif", one()), write("c/s1.tif", one())
    write("truth.tif", one()), (tmp_path / "none").mkdir()
    assert [s.name for s in found(tmp_path, "s2=B02.tif,B03.tif", "s1=s1.tif", "../truth.tif")] == ["a"]
    assert "b (s2=B03.tif); c (s2=B02.tif, s2=B03.tif)." in caplog.text


def test_files_with_a_common_prefix(write, tmp_path):
    for name in ("Ghana_1", "Ghana_12", "Spain[7]"):
        write(f"{name}_S2Hand.tif", one(3)), write(f"{name}_LabelHand.tif", one())
    write("Ghana_1_S1Hand.tif", one(2))
    scenes = found(tmp_path, "s2=*_S2Hand.tif", "s1=*_S1Hand.tif", "*_LabelHand.tif")
    assert [s.name for s in scenes] == ["Ghana_1", "Ghana_12", "Spain[7]"]
    assert [len(s.auxiliary) for s in scenes] == [1, 0, 0]
    assert [s.reference.rsplit("/", 1)[1] for s in scenes] == [f"{s.name}_LabelHand.tif" for s in scenes]


def test_files_without_a_prefix_are_a_scene_called_as_the_folder(write, tmp_path):
    write("lake/s2.tif", one(3)), write("lake/s1.tif", one(2)), write("lake/old_s2.tif", one(3))
    scenes = found(f"{tmp_path / 'lake'}{os.sep}", "s2=*s2.tif", "s1=*s1.tif")
    assert [(s.name, len(s.auxiliary)) for s in scenes] == [("lake", 1), ("old_", 0)]


def test_files_with_a_common_prefix_in_folders_of_their_kind(write, tmp_path):
    for name in ("a", "b_1"):
        write(f"S2/{name}_S2.tif", one(3)), write(f"labels/{name}.tif", one())
    for pattern in ("S2/*_S2.tif", "./S2//*_S2.tif", "S2/../S2/*_S2.tif"):
        scenes = found(tmp_path, f"s2={pattern}", "", "labels/*.tif")
        assert [s.name for s in scenes] == ["a", "b_1"]
        assert [s.reference for s in scenes] == [str(tmp_path / "labels" / f"{s.name}.tif") for s in scenes]


def test_patterns_may_lead_out_of_the_subfolder(write, tmp_path):
    write("tiles/a/s2.tif", one()), write("tiles/b/s2.tif", one())
    dem = write("dem.tif", one())
    scenes = found(tmp_path / "tiles", "s2=s2.tif", "dem=../../dem.tif", "../../dem.tif|layername=x")
    assert [s.auxiliary[0].paths for s in scenes] == [(dem,), (dem,)]
    assert [s.reference for s in scenes] == [f"{dem}|layername=x"] * 2


def test_a_folder_whose_name_has_wildcards(write, tmp_path):
    write("set [1]*/a/s2.tif", one())
    assert [s.name for s in found(tmp_path / "set [1]*", "s2=s2.tif")] == ["a"]


def test_names_with_the_sign_that_layers_are_chosen_by(write, tmp_path):
    write("a|b/x|y_s2.tif", one()), write("a|b/x|y_label.tif", one())
    (scene,) = found(tmp_path / "a|b", "s2=*_s2.tif", "", "*_label.tif")
    assert (scene.name, scene.reference) == ("x|y", str(tmp_path / "a|b" / "x|y_label.tif"))


def test_nothing_matches(write, tmp_path):
    write("a/S2.tif", one()), write("b/S2.tif", one()), write("s2.tif", one())
    with pytest.raises(
        SceneError,
        match=r"No scene in “.*” has all inputs\. s2=s3\*\.tif matched 0 files in sub-folders and 0 in the folder; "
        r"x=S2\.tif matched 2 files in sub-folders and 0 in the folder\. Correct the patterns or the folder",
    ):
        found(tmp_path, "s2=s3*.tif;x=S2.tif")


def test_no_folder_and_no_pattern(tmp_path):
    with pytest.raises(SceneError, match=r"scene folder “.*none” does not exist; check the path"):
        found(tmp_path / "none", "s2=s2.tif")
    with pytest.raises(SceneError, match=r"No input pattern is given; for example: s2=s2\.tif"):
        found(tmp_path, "")


def test_two_files_for_one_band(write, tmp_path):
    write("a/x_B02.tif", one()), write("a/y_B02.tif", one()), write("a/x_B03.tif", one())
    with pytest.raises(SceneError, match=r"pattern “\*_B02\.tif” of s2 matches 2 files in “.*a”; one expected"):
        found(tmp_path, "s2=*_B02.tif,*_B03.tif")


def test_two_references_for_one_scene(write, tmp_path):
    write("a/s2.tif", one()), write("a/label_1.tif", one()), write("a/label_2.tif", one())
    with pytest.raises(SceneError, match=r"reference pattern “label\*\.tif” matches 2 files for the scene “a”"):
        found(tmp_path, "s2=s2.tif", "", "label*.tif")


def test_a_file_that_is_no_raster(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "s2.tif").write_text("text")
    with pytest.raises(SceneError, match="is not a raster that can be read"):
        found(tmp_path, "s2=s2.tif")
