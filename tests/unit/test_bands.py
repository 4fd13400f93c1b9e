"""Bands are matched by name, else by order, else not at all."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from auxlens.engine.jobs import split_name
from auxlens.engine.scene.bands import bands_of, match, match_some, modalities_from_layers
from auxlens.models.errors import SceneError

WANTED = [("s2", ("B2", "B3", "B8A")), ("dem", ("elevation",))]


def one(count, height=4):
    return np.ones((count, height, 4), "uint8")


def numbers(sources):
    return {m.name: [b.number for b in m.bands] for m in sources}


def test_by_description_in_any_order_and_spelling(write):
    s2 = write("x.tif", one(4), ("b8a", "B03", "B04", "B02"))
    assert numbers(match(WANTED, [s2, write("h.tif", one(1), ("elevation",))])) == {"s2": [4, 2, 1], "dem": [1]}


def test_by_order_when_there_are_no_descriptions(write):
    assert numbers(match(WANTED, [write("x.tif", one(3)), write("y.tif", one(1))])) == {"s2": [1, 2, 3], "dem": [1]}


def test_files_a_band_are_found_by_their_names(write):
    files = [write(f"{name}.tif", one(1)) for name in ("B8A", "B03", "B02", "elevation")]
    found = match(WANTED, files)
    assert [b.path.rsplit("/", 1)[1] for b in found[0].bands] == ["B02.tif", "B03.tif", "B8A.tif"]


def test_files_that_are_named_after_their_scene_are_found_by_the_rest(write):
    files = [write(f"alpha_{name}.tif", one(1)) for name in ("red_edge", "red", "nir")]
    (found,) = match([("opt", ("nir", "red", "red_edge"))], files)
    assert [b.name for b in found.bands] == ["alpha_nir", "alpha_red", "alpha_red_edge"]


def test_bands_of_other_names_are_taken_by_order_but_said(write, caplog):
    match([("dem", ("elevation",))], [write("y.tif", one(1), ("ndvi",))])
    assert "Bands of dem are taken by their order: ndvi for elevation. Check" in caplog.text
    caplog.clear()
    match(WANTED, [write("x.tif", one(3)), write("z.tif", one(1), ("elevation",))])
    assert not caplog.text


def test_named_files(write):
    files = [f"dem={write('y.tif', one(1))}", f"s2={write('x.tif', one(3))}"]
    assert [m.name for m in match(WANTED, files)] == ["s2", "dem"]


def test_wrong_number_lists_both_sides(write):
    with pytest.raises(SceneError, match=r"needs 4 bands \(s2: B2, B3, B8A; dem: elevation\); given are 2 \(x\.tif"):
        match(WANTED, [write("x.tif", one(2))])


def test_order_does_not_overrule_names_that_tell_another_band(write):
    s2 = write("x.tif", one(3), ("B2", "B3", "B4"))
    with pytest.raises(SceneError, match="B8A"):
        match(WANTED, [s2, write("h.tif", one(1), ("elevation",))])


def test_loaded_layers_become_modalities(write):
    files = [write("s2.tif", one(3)), write("B02.tif", one(1)), write("B03.tif", one(1))]
    inputs = modalities_from_layers(files, grouped=True)
    assert [(m.name, len(m.bands)) for m in inputs] == [("s2", 3), ("bands", 2)]
    assert [m.name for m in modalities_from_layers(files, grouped=False)] == ["s2", "B02", "B03"]


def test_two_modalities_of_one_name_are_an_error(write):
    files = [write("a/s1.tif", one(2)), write("b/s1.tif", one(2))]
    with pytest.raises(SceneError, match="called “s1”"):
        modalities_from_layers(files, grouped=False)


def test_a_path_with_an_equals_sign_stays_a_path(write):
    path = write("a=b.tif", one(1))
    assert split_name(path) == ("", path)


def test_names_decide_over_positions(write):
    wanted = [("dem", ("dem",)), ("ndvi", ("ndvi",))]
    files = [write("ndvi.tif", one(1)), write("dem.tif", one(1))]
    assert [m.paths for m in match(wanted, files)] == [(files[1],), (files[0],)]


def test_a_file_that_is_named_for_another_modality_is_not_taken_by_position(write):
    wanted = [("dem", ("dem",)), ("ndvi", ("ndvi",))]
    with pytest.raises(SceneError, match="do not fit"):
        match(wanted, [write("ndvi.tif", one(1)), write("slope.tif", one(1))])
    found = match_some(wanted, [write("ndvi.tif", one(1))])
    assert found[0] is None
    assert found[1].name == "ndvi"


def test_an_alpha_band_is_no_band_but_a_described_one_is(write):
    path = write("rgba.tif", one(4))
    with rasterio.open(path) as dataset:
        assert dataset.colorinterp[3].name == "alpha"
    assert len(bands_of(path)) == 3
    assert len(bands_of(write("rgbn.tif", one(4), ("R", "G", "B", "NIR")))) == 4
    assert len(bands_of(write("named.tif", one(4), ("red", "green", "blue", "Alpha")))) == 3


def test_band_names_are_found_in_long_file_names(write):
    assert bands_of(write("T30UVD_20200601_B8A_20m.tif", one(1)))[0].name == "B8A"
    assert bands_of(write("canopy_height.tif", one(1)))[0].name == "canopy_height"
