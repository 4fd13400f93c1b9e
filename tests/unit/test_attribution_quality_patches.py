"""Attributions to patches judged: games of objects, and the report on polygons and tiles."""

from __future__ import annotations

import csv
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
import torch

from auxlens.engine import jobs
from auxlens.engine.attribution import exact
from auxlens.engine.attribution.methods import METHODS
from auxlens.engine.attribution.patches import ObjectGame, sample_objects
from auxlens.engine.attribution.results import MEASURES
from auxlens.engine.executors.attributionquality import _against_itself
from auxlens.engine.run import run
from auxlens.engine.scene.bands import match
from auxlens.engine.scene.polygons import tiles_of
from auxlens.engine.scene.reading import scene_grid
from auxlens.models import file
from auxlens.models.config import MAIN
from auxlens.models.errors import JobError, SceneError

BANDS = ("B2", "B3", "B4")
ALONG = 3  # patches of 8 px along a chip


@pytest.fixture
def scene(write, rng):
    values = rng.integers(1, 250, (3, 60, 70)).astype("uint16")
    values[:, :, :20] = 0
    return write("s2.tif", values, BANDS, nodata=0)


@pytest.fixture
def objects(untrained, scene):
    network, card = file.load(untrained("scene_classification", patch_cells=2))
    sources = match([(m.name, m.bands) for m in card.inputs], (scene,))
    grid = scene_grid(sources)
    return network, sample_objects(sources, tiles_of(grid, grid.whole, 14), network, 6, 0)


def test_attributions_of_objects_sum_to_their_scores(objects):
    network, found = objects
    (masks,) = found.places
    assert (
        found.chips.shape == (6, 3, 24, 24) and masks.any(dim=(1, 2)).all() and (masks.sum(dim=(1, 2)) <= 14**2).all()
    )
    assert found.chips.isfinite().all(dim=1)[masks].all()
    game = ObjectGame(network, "mean", 0)
    with torch.no_grad():
        scores = game.scores(found)
        dense = network.head(MAIN).score(network(found.chips, [MAIN])[MAIN])
        nothing = game.scores(found, torch.zeros(6, ALONG**2, dtype=torch.bool))
        network.patch_explainer.bias.copy_(nothing[0])
        total = game.attributions(found).sum(dim=1)
    assert torch.allclose(scores[2], dense[2][:, masks[2]].mean(dim=1), atol=1e-5)
    assert torch.allclose(nothing, nothing[:1].expand(6, -1), atol=1e-5)
    assert torch.allclose(total + nothing, scores, atol=1e-4)


@pytest.mark.parametrize("removal", jobs.REMOVALS)
def test_patches_are_removed(objects, removal):
    network, found = objects
    game = ObjectGame(network, removal, 0)
    other = torch.zeros_like(found.chips)
    other[..., :8, 8:16] = 50.0  # in the second patch
    present = torch.tensor([True, False] + [True] * 7).expand(6, -1)
    with torch.no_grad():
        assert torch.allclose(game.scores(found, torch.ones_like(present)), game.scores(found), atol=1e-5)
        without = game.scores(found, present)
        assert (without - game.scores(found)).abs().max() > 1e-3
        if removal != "blur":  # a blurred copy is made of the values
            assert torch.equal(without, game.scores(found.seen_as(found.chips + other), present))


def test_a_network_that_sees_no_difference_in_a_mirror_explains_alike_there(objects):
    network, found = objects
    with torch.no_grad():
        for layer in network.encoder.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.copy_((layer.weight + layer.weight.flip(-1)) / 2)
    game = ObjectGame(network, "mean", 0)
    with torch.no_grad():
        classes = game.scores(found).argmax(dim=1)
        assert torch.allclose(game.scores(found), game.scores(found.flipped()), atol=1e-4)
    assert _against_itself(METHODS["occlusion"], game, found, classes)["mirror_correlation"] > 0.99


def test_sampling_comes_close_to_enumeration(objects, monkeypatch):
    network, found = objects
    game, classes = ObjectGame(network, "mean", 0), torch.zeros(6, dtype=torch.long)
    enumerated = exact.truth(game, found, classes, lambda share: None)
    monkeypatch.setattr(exact, "MOST_ENUMERATED", 1)
    monkeypatch.setattr(exact, "PERMUTATIONS", 40)
    sampled = exact.truth(game, found, classes, lambda share: None)
    assert 0 < sampled.error < 0.05 * enumerated.values.abs().max()
    assert (sampled.values - enumerated.values).abs().max() < 0.2 * enumerated.values.abs().max()


def job_of(model, scene, tmp_path, **changes):
    outputs = {"output_report": str(tmp_path / "q.html"), "output_table": str(tmp_path / "q.csv")}
    return jobs.AttributionQualityJob(model, (scene,), **{"pixels": 8, **outputs, **changes})


@pytest.mark.parametrize("sampled", [False, True])
def test_a_report_and_a_table(untrained, scene, tmp_path, quiet, monkeypatch, sampled):
    if sampled:
        monkeypatch.setattr(exact, "MOST_ENUMERATED", 1)
        monkeypatch.setattr(exact, "PERMUTATIONS", 4)
    model = untrained("scene_classification", patch_cells=2)
    other = untrained("scene_classification", patch_cells=2, seed=1)
    polygons = str(tmp_path / "crowns.gpkg")
    west, north, gsd = 500_000.0, 5_400_000.0, 10.0
    boxes = [shapely.box(c, r, c + 13, r + 11) for r in (5, 25, 45) for c in (18, 35, 52)]
    boxes = [shapely.affinity.affine_transform(box, (gsd, 0, 0, -gsd, west, north)) for box in boxes]
    gpd.GeoDataFrame(geometry=boxes, crs="EPSG:32632").to_file(polygons)
    job = job_of(model, scene, tmp_path, polygons=polygons, other_models=(other,))
    result = run(job, quiet())
    lines = {line["method"]: line for line in csv.DictReader((tmp_path / "q.csv").open())}
    rest = ["Shapley values", "control: random weights", f"control: {other}"]
    assert list(lines) == [*METHODS, *rest] and result["figures"]["pixels"] == 8
    known = (
        "rank_correlation",
        "r2",
        "insertion",
        "deletion",
        "efficiency_gap",
        "max_sensitivity",
        "mirror_correlation",
    )
    assert all(np.isfinite(float(lines[method][name])) for method in METHODS for name in known)
    assert (lines["explainer"]["infidelity"] == "") == sampled
    assert all((lines["Shapley values"][name] != "") == (name in ("insertion", "deletion")) for name in MEASURES)
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "8 polygons of" in page and "9 patches of the chip around a polygon" in page
    assert ("sampled; their own mean absolute error" in page) == sampled
    if not sampled:
        again = run(replace(job, polygons="", output_report="", other_models=()), quiet())  # tiles of 96 px: one
        assert again["figures"]["pixels"] == 1


def test_bad_input(untrained, scene, write, tmp_path, quiet):
    with pytest.raises(JobError, match=r"without players.*train one with the players patches=4"):
        run(job_of(untrained("scene_regression"), scene, tmp_path), quiet())
    with pytest.raises(JobError, match="Polygons are for scene-level models; “tiny” is a segmentation"):
        run(job_of(untrained(), scene, tmp_path, polygons="x.gpkg"), quiet())
    empty = write("empty.tif", np.zeros((3, 40, 40), "uint16"), BANDS, nodata=0)
    with pytest.raises(SceneError, match="No polygon or tile of the scene has a valid pixel"):
        run(job_of(untrained("scene_regression", patch_cells=1), empty, tmp_path), quiet())
    assert not (tmp_path / "q.html").exists() and not (tmp_path / "q.csv").exists()
