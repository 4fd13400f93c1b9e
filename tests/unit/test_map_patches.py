# ruff: noqa: F811 - the fixtures are those of another module
"""Mapping the attributions of a scene-level model: window by window as in one look, and sums that are the score."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch

from auxlens.engine.executors.map import run
from auxlens.engine.mapping import plans
from auxlens.models import file
from auxlens.models.config import ATTRIBUTION, MAIN
from auxlens.models.errors import Canceled, JobError

from .test_map_objects import job_of, pixels_of, polygons, read, scene  # noqa: F401 - fixtures


def expected(model, values, inside, chosen=None):
    """Class, and contributions of all patches of the scene ``(rows, columns)`` to an object, from one look."""
    network, card = file.load(model)
    x = torch.from_numpy(np.where(values == 0, np.nan, values).astype("float32"))[None]
    explainer, stride = network.patch_explainer, network.config.stride
    with torch.inference_mode():
        raw = network(x, [MAIN, ATTRIBUTION])
        cells = explainer.attributions(raw[ATTRIBUTION], network.scores_of_cells(raw[MAIN]))
        score = network.head(MAIN).score(raw[MAIN])[0][:, inside].mean(dim=1)
    index = int(score.argmax()) if chosen is None else chosen
    rows, cols = (-(-size // stride) * stride for size in inside.shape)
    padded = np.zeros((rows, cols))
    padded[: inside.shape[0], : inside.shape[1]] = inside
    share = padded.reshape(rows // stride, stride, cols // stride, stride).sum(axis=(1, 3)) / inside.sum()
    found = explainer.of_objects(cells[:, :, index : index + 1], torch.from_numpy(share).float()[None])[0, 0]
    reach, unit = explainer.reach, 1.0 if card.main.classes else 5.0  # of the tests' target
    patches = found[reach:-reach, reach:-reach].numpy() * unit
    return float(score[index]) * unit, float(explainer.bias[index]) * unit, patches


@pytest.mark.parametrize(
    ("kind", "cells", "window", "chosen"),
    [
        ("scene_classification", 2, 64, None),
        ("scene_classification", 3, 52, 2),
        ("scene_regression", 1, 64, None),
        ("scene_classification", 2, 1024, None),
    ],
)
def test_attributions_of_polygons(
    untrained, scene, polygons, tmp_path, quiet, monkeypatch, kind, cells, window, chosen
):
    """Over several windows, overlapping, on the border, smaller than a pixel, on nodata."""
    monkeypatch.setattr(plans, "_WINDOW_PX", window)
    model = untrained(kind, patch_cells=cells)
    options = {} if chosen is None else {"attribution_class": "town"}
    job = job_of(model, scene, tmp_path, ("polygons", "attribution", "map"), polygons=polygons(), **options)
    result = run(job, quiet())
    assert result["figures"]["efficiency_residual"] <= 1e-4
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons").set_index("name")
    painted, patch_px = read(tmp_path / "attribution.tif")[0], 4 * cells
    covered = np.zeros(painted.shape, bool)
    for name in ("dot", "edge", "round", "over", "a"):  # from the last to the first
        inside = pixels_of(name, scene["values"])
        score, bias, patches = expected(model, scene["values"], inside, chosen)
        row = found.loc[name]
        assert np.isclose(row["score"], score, atol=1e-4) and np.isclose(row["score_bias"], bias, atol=1e-6)
        assert np.isclose(row["score_bias"] + row["score_inside"] + row["score_around"], score, atol=1e-4), name
        own = inside & ~covered
        rows, cols = np.nonzero(own)
        assert np.allclose(painted[own], patches[rows // patch_px, cols // patch_px], atol=1e-4), name
        touched = np.zeros(patches.shape, bool)
        touched[np.nonzero(inside)[0] // patch_px, np.nonzero(inside)[1] // patch_px] = True
        assert np.isclose(row["score_inside"], patches[touched].sum(), atol=1e-4), name
        covered |= inside
    assert np.isnan(painted[~covered]).all()
    assert found.loc["nodata", ["score", "score_bias", "score_inside", "score_around"]].isna().all()


def test_tiles_of_a_grid_and_how_they_are_shown(untrained, scene, tmp_path, quiet):
    model = untrained("scene_classification", patch_cells=2)
    run(job_of(model, scene, tmp_path, ("polygons", "attribution"), tile_size=40), quiet())
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons")
    last = found[(found["row"] == 4) & (found["column"] == 5)].iloc[0]
    inside = np.zeros((150, 170), bool)
    inside[120:, 160:] = True
    score, _, patches = expected(model, scene["values"], inside)
    with rasterio.open(tmp_path / "attribution.tif") as made:
        assert made.descriptions == ("contribution",) and made.dtypes == ("float32",) and np.isnan(made.nodata)
        assert made.tags()["AUXLENS_OUTPUT"] == "attribution" and "attribution.tif" in made.tags()["AUXLENS_JOB"]
        assert np.allclose(made.read(1)[120:, 160:], np.kron(patches[15:, 20:], np.ones((8, 8)))[:30, :10], atol=1e-4)
    assert np.isclose(last["score"], score, atol=1e-4)
    style = (tmp_path / "attribution.qml").read_text(encoding="utf-8")
    assert "singlebandpseudocolor" in style and 'classificationMin="-' in style


def test_outputs_without_polygons_or_map(untrained, scene, tmp_path, quiet):
    model = untrained("scene_regression", patch_cells=2)
    result = run(job_of(model, scene, tmp_path, ("attribution",)), quiet())
    assert [path.name for path in sorted(tmp_path.glob("attribution*"))] == ["attribution.qml", "attribution.tif"]
    assert result["figures"]["efficiency_residual"] <= 1e-4


def test_cancel_in_the_second_look_leaves_nothing(untrained, scene, polygons, tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "_WINDOW_PX", 64)

    class Stop:
        stopped = False

        def report(self, fraction, message):
            self.stopped |= fraction > 0.5

        def canceled(self):
            return self.stopped

    folder = tmp_path / "out"
    folder.mkdir()
    model = untrained("scene_classification", patch_cells=2)
    with pytest.raises(Canceled):
        run(job_of(model, scene, folder, ("polygons", "attribution"), polygons=polygons()), Stop())
    assert not list(folder.iterdir())


def test_a_model_without_patches_gives_no_attributions(untrained, scene, tmp_path, quiet):
    with pytest.raises(JobError, match=r"trained without players.*train one with the players patches=4"):
        run(job_of(untrained("scene_classification"), scene, tmp_path, ("attribution",)), quiet())
