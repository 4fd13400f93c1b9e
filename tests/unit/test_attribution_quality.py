"""Attributions judged: measures with known answers, exact values by the definition, and the report."""

from __future__ import annotations

import csv
import math
import shutil
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from auxlens.engine import jobs
from auxlens.engine.attribution import exact, measures
from auxlens.engine.attribution.blank import blank
from auxlens.engine.attribution.methods import EXPLAINER, METHODS
from auxlens.engine.attribution.pixels import Game, sample
from auxlens.engine.attribution.results import MEASURES, Quality, verdicts
from auxlens.engine.run import run
from auxlens.engine.scene.bands import match
from auxlens.models import file
from auxlens.models.config import ATTRIBUTION, MAIN
from auxlens.models.errors import Canceled, JobError, ModelFileError, SceneError

BANDS = ("B2", "B3", "B4")


@pytest.fixture
def scene(write, rng):
    values = rng.integers(1, 250, (3, 60, 70)).astype("uint16")
    values[:, :, :20] = 0
    return write("s2.tif", values, BANDS, nodata=0), values


def job_of(model, scene, tmp_path, **changes):
    outputs = {"output_report": str(tmp_path / "q.html"), "output_table": str(tmp_path / "q.csv")}
    return jobs.AttributionQualityJob(model, (scene[0],), **{"pixels": 12, **outputs, **changes})


def test_shapley_matrix_is_the_mean_over_orders():
    rng = np.random.default_rng(0)
    worths = torch.from_numpy(rng.normal(size=16))
    expected = np.zeros(4)
    for order in permutations(range(4)):
        before = 0
        for player in order:
            expected[player] += (worths[before | 1 << player] - worths[before]) / 24
            before |= 1 << player
    assert np.allclose(exact.shapley_matrix(4) @ worths, expected)


def test_measures_of_an_additive_game():
    values = torch.tensor([[2.0, -1.0, 0.5], [0.1, 3.0, 1.0]])
    worths = values @ exact.all_coalitions(3).T.float() + 0.7
    assert torch.allclose((worths.double() @ exact.shapley_matrix(3).T).float(), values, atol=1e-6)
    assert measures.r2(values, values) == 1 and measures.rank_correlation(values, values) == pytest.approx(1)
    assert measures.rank_correlation(-values, values) == pytest.approx(-1)
    assert measures.same_dominant(values, values) == 1
    assert measures.efficiency_gap(values, worths[:, -1], worths[:, 0]) == pytest.approx(0, abs=1e-6)
    assert measures.infidelity(values, worths) == pytest.approx(0, abs=1e-10)
    table = measures.looked_up(worths)
    insertion, deletion = measures.insertion(values, table), measures.deletion(values, table)
    assert torch.allclose(insertion, torch.tensor([0.7, 3.2, 3.95, 3.5]))  # means of 2, 3; 0.5, 1; −1, 0.1
    assert torch.allclose(deletion, torch.tensor([3.5, 1.0, 0.25, 0.7]))
    assert measures.area(insertion) == pytest.approx((0.35 + 3.2 + 3.95 + 1.75) / 3)
    assert measures.area(insertion) > measures.area(measures.insertion(-values, table))


def test_rank_correlation_is_spearmans_where_values_tie(rng):
    found, truth = (torch.from_numpy(rng.integers(0, 3, (40, 6)).astype("float32")) for _ in range(2))
    for values in (found, truth):
        values[:, 0], values[:, 1] = 0.0, 2.0
    found[0], truth[1] = 1.0, 2.0  # pixels whose players all contribute the same
    expected = [spearmanr(a, b).statistic for a, b in zip(found[2:], truth[2:], strict=True)]
    assert measures.rank_correlation(found, truth) == pytest.approx(np.mean(expected))
    assert np.isnan(measures.rank_correlation(found[:2], truth[:2]))


def test_scores_of_pixels_are_those_of_the_map(untrained, scene):
    network, card = file.load(untrained())
    pixels = sample(match([(m.name, m.bands) for m in card.inputs], (scene[0],)), network, 30, 0)
    x = torch.from_numpy(np.where(scene[1] == 0, np.nan, scene[1]).astype("float32"))[None]
    with torch.no_grad():
        whole = network.head(MAIN).score(network(x, [MAIN])[MAIN])[0]
        found = Game(network, "mean", 0).scores(pixels)
    values = pixels.chips[torch.arange(30), :, pixels.places[0], pixels.places[1]]
    assert torch.isfinite(values).all()
    margin, inner = network.config.margin_px, 0
    for value, score in zip(values, found, strict=True):  # find the pixel by its bands
        row, col = (int(at[0]) for at in np.nonzero((scene[1] == value.numpy()[:, None, None]).all(axis=0)))
        if margin <= row < 60 - margin and 20 + margin <= col < 70 - margin:
            assert torch.allclose(score, whole[:, row, col], atol=1e-4)
            inner += 1
    assert inner > 0


@pytest.mark.parametrize("removal", jobs.REMOVALS)
def test_players_are_removed(untrained, scene, removal):
    network, card = file.load(untrained())
    pixels = sample(match([(m.name, m.bands) for m in card.inputs], (scene[0],)), network, 4, 0)
    game = Game(network, removal, 0)
    with torch.no_grad():
        everybody = game.scores(pixels, torch.ones(4, 2, dtype=torch.bool))
        assert torch.allclose(everybody, game.scores(pixels), atol=1e-5)
        without = game.scores(pixels, torch.tensor([[True, False]]).expand(4, -1))
        assert (without - everybody).abs().max() > 1e-3


def test_sampling_comes_close_to_enumeration(untrained, scene, monkeypatch):
    network, card = file.load(untrained())
    pixels = sample(match([(m.name, m.bands) for m in card.inputs], (scene[0],)), network, 6, 0)
    game, classes = Game(network, "mean", 0), torch.zeros(6, dtype=torch.long)
    enumerated = exact.truth(game, pixels, classes, lambda share: None)
    monkeypatch.setattr(exact, "MOST_ENUMERATED", 1)
    sampled = exact.truth(game, pixels, classes, lambda share: None)
    assert enumerated.error == 0 and sampled.worths is None
    assert (sampled.values - enumerated.values).abs().max() < 0.2 * enumerated.values.abs().max()


def test_a_report_and_a_table(untrained, scene, tmp_path, quiet):
    model = untrained()
    other = str(tmp_path / "again.safetensors")
    shutil.copy(model, other)
    result = run(job_of(model, scene, tmp_path, other_models=(other,)), quiet())
    lines = list(csv.DictReader((tmp_path / "q.csv").open()))
    assert [line["method"] for line in lines][: len(METHODS)] == list(METHODS)
    own = lines[0]
    assert set(own) == {"method", *MEASURES} and all(np.isfinite(float(own[m])) for m in MEASURES)
    assert float(own["rank_correlation"]) == pytest.approx(result["figures"]["rank_correlation"], rel=1e-4)
    by_name = {line["method"]: line for line in lines}
    assert float(by_name["random"]["efficiency_gap"]) >= 0
    assert 0 < float(by_name["random"]["max_sensitivity"]) < 0.3  # its numbers stay the same, but for the score's share
    assert float(by_name[f"control: {other}"]["rank_correlation"]) == pytest.approx(1)
    page = (tmp_path / "q.html").read_text()
    assert "rank correlation with Shapley values" in page and "<script" not in page and "player 1" in page
    assert not list(tmp_path.glob(".*part*"))


@pytest.mark.parametrize(
    ("own", "others", "said"),
    [
        ((0.95, 0.1), (0.9, 0.2), "orders them better (the best, occlusion: 0.90)."),
        ((0.8, 0.1), (0.9, 2.5), "orders them better (0.90), but is farther from their values (2.5 against 0.1 on"),
        ((0.8, 0.1), (0.9, 0.05), "The method “occlusion” orders them better (0.90)."),
    ],
)
def test_verdicts_compare_order_and_values(own, others, said):
    figures = {
        name: {"rank_correlation": rank, "mean_absolute_error": error, "r2": 0.9}
        for name, (rank, error) in ((EXPLAINER, own), ("occlusion", others))
    }
    quality = Quality(
        *("model", "scene.tif", (), "logits", "mean", 8, 0.0, figures, {}, {}, {"random weights": -0.1}, [], [])
    )
    found = verdicts(quality)
    assert said in found[1] and "rank correlation −0.10" in found[2]


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (0.2, "explained otherwise (rank correlation 0.20)"),
        (-0.2, "explained otherwise (rank correlation −0.20)"),
        (0.5, "stay similar (rank correlation 0.50): they say more about the inputs"),
        (-0.5, "are turned round (rank correlation −0.50): they say more about the inputs"),
        (math.nan, "With random weights no player changes the score"),
    ],
)
def test_random_weights_should_explain_something_else(control, said):
    figures = {
        name: {"rank_correlation": 0.9, "mean_absolute_error": 0.1, "r2": 0.9} for name in (EXPLAINER, "occlusion")
    }
    quality = Quality(
        *("model", "scene.tif", (), "logits", "mean", 8, 0.0, figures, {}, {}, {"random weights": control}, [], [])
    )
    assert said in verdicts(quality)[2]


def test_a_network_whose_score_never_changes_has_no_order_to_judge(untrained, scene, tmp_path, quiet):
    model = untrained()
    network, card = file.load(model)
    torch.nn.init.zeros_(network.head(MAIN).layer.weight)
    file.save(model, network, card)
    assert math.isnan(run(job_of(model, scene, tmp_path), quiet())["figures"]["rank_correlation"])
    page = (tmp_path / "q.html").read_text()
    assert "no order of players to judge" in page and ">nan<" not in page


@pytest.mark.parametrize("kind", ["segmentation", "regression", "scene_classification", "scene_regression"])
def test_a_blank_network_has_learned_nothing(untrained, kind):
    network, _ = file.load(untrained(kind, patch_cells=2 if kind.startswith("scene") else 0))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    state = torch.get_rng_state()
    found, again, other = (blank(network, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state) and not found.training
    pairs = list(zip(network.named_parameters(), found.parameters(), strict=True))
    assert [name for (name, own), random in pairs if torch.equal(own, random)] == []
    assert all(map(torch.equal, found.state_dict().values(), again.state_dict().values()))
    assert any(not torch.equal(*of) for of in zip(found.parameters(), other.parameters(), strict=True))
    buffers = dict(network.named_buffers())
    kept = [name for name, values in found.named_buffers() if torch.equal(values, buffers[name])]
    assert set(buffers) - set(kept) == {"patch_explainer.bias" if network.config.patch_px else "explainer.bias"}
    explainer = found.patch_explainer if network.config.patch_px else found.explainer
    x = torch.randn(1, 3, 64, 64) * 60 + 100
    shown = torch.zeros((1, 8, 8) if network.config.patch_px else (1, 2), dtype=torch.bool)
    with torch.no_grad():
        nothing = found.head(MAIN).score(found(x, [MAIN], shown)[MAIN])[0, :, 32, 32]
        raw = found(x, [MAIN, ATTRIBUTION])
        score = found.scores_of_cells(raw[MAIN]) if network.config.patch_px else found.head(MAIN).score(raw[MAIN])
        explained = explainer.attributions(raw[ATTRIBUTION], score)
    assert torch.allclose(explainer.bias, nothing, atol=1e-5)
    assert (explained.std(dim=1) > 0).all()  # players differ


def test_a_regression(untrained, scene, tmp_path, quiet):
    result = run(job_of(untrained("regression"), scene, tmp_path, removal="blur"), quiet())
    assert np.isfinite(result["figures"]["r2"])


def test_bad_input(untrained, scene, write, tmp_path, quiet):
    model = untrained()
    with pytest.raises(JobError, match="trained without players and gives no attributions; train one"):
        run(job_of(untrained(players=False), scene, tmp_path), quiet())
    with pytest.raises(JobError, match="Unknown removal “zero”; choose one of mean, blur, noise"):
        run(job_of(model, scene, tmp_path, removal="zero"), quiet())
    with pytest.raises(JobError, match="No output is asked for; choose at least one"):
        run(job_of(model, scene, tmp_path, output_report="", output_table=""), quiet())
    with pytest.raises(ModelFileError, match="has other classes than"):
        run(job_of(model, scene, tmp_path, other_models=(untrained("regression"),)), quiet())
    network, card = file.load(untrained(seed=1))
    file.save(
        str(tmp_path / "stopped.safetensors"), network, replace(card, name="stopped", training={"ended": "canceled"})
    )
    with pytest.raises(JobError, match=r"“stopped” was canceled before it learned attributions; .*, or leave it out"):
        run(job_of(model, scene, tmp_path, other_models=(str(tmp_path / "stopped.safetensors"),)), quiet())
    empty = write("empty.tif", np.zeros((3, 40, 40), "uint16"), BANDS, nodata=0)
    with pytest.raises(SceneError, match="no valid pixel"):
        run(job_of(model, (empty,), tmp_path), quiet())
    with pytest.raises(Canceled):
        run(job_of(model, scene, tmp_path), quiet(stop_after=1))
    assert not (tmp_path / "q.html").exists() and not (tmp_path / "q.csv").exists()
