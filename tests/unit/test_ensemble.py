"""Several models that map together: means, what they disagree about, and models that do not belong together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from auxlens.engine import jobs
from auxlens.engine.checks import check_map
from auxlens.engine.executors.map import run
from auxlens.engine.executors.mapfolder import run as run_folder
from auxlens.engine.mapping import styles
from auxlens.engine.scene.hashing import sha256
from auxlens.models import file
from auxlens.models.card import ErrorModel, LandClass, Player, read_card
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.ensemble import Ensemble, load
from auxlens.models.errors import JobError, ModelFileError
from auxlens.models.members import absolute_paths, combined, paths_of, read_cards
from auxlens.models.network import Network

BANDS = ("B2", "B3", "B4")


@pytest.fixture
def scene(write, rng):
    values = rng.integers(1, 250, (3, 90, 100)).astype("uint16")
    values[:, :, :9] = 0
    radar = rng.normal(-14, 3, (2, 90, 100)).astype("float32")
    return write("in/a/s2.tif", values, BANDS, nodata=0), write("in/a/s1.tif", radar, ("VV", "VH"))


def mapped(model, scene, folder, outputs=("map", "probability", "uncertainty"), **options):
    """The outputs of a map job, by name, with their band names."""
    folder.mkdir()
    paths = {f"output_{name}": str(folder / f"{name}.tif") for name in outputs}
    run(jobs.MapJob(model, (scene[0],), (scene[1],), precision="float32", **paths, **options), Quiet())
    found = {}
    for name in outputs:
        with rasterio.open(folder / f"{name}.tif") as dataset:
            found[name] = dataset.read()
            found[f"{name} bands"] = dataset.descriptions
    return found


class Quiet:
    def report(self, fraction, message): ...

    def canceled(self):
        return False


@pytest.fixture
def two(untrained):
    return [untrained(seed=seed) for seed in (0, 1)]


def test_probabilities_are_means_and_uncertainty_tells_of_both(two, scene, tmp_path):
    first, second = (mapped(model, scene, tmp_path / str(i)) for i, model in enumerate(two))
    both = mapped(";".join(two), scene, tmp_path / "both")
    mean = (first["probability"] + second["probability"]) / 2
    assert np.allclose(both["probability"], mean, atol=1e-5, equal_nan=True)
    seen = np.isfinite(mean[0])
    assert (both["map"][0][seen] == np.array([2, 5, 7])[mean.argmax(axis=0)][seen]).mean() > 0.999
    entropy = -(mean * np.log(mean)).sum(axis=0) / np.log(3)
    assert np.allclose(both["uncertainty"][0][seen], entropy[seen], atol=1e-4)
    average = (first["uncertainty"] + second["uncertainty"]) / 2
    assert (both["uncertainty"][0][seen] >= average[0][seen] - 1e-5).all()  # disagreement adds to it


@pytest.mark.parametrize("kind", ["segmentation", "regression"])
def test_expected_errors_are_those_of_the_mixture(untrained, scene, tmp_path, kind):
    models = [untrained(kind, seed=seed) for seed in (0, 1)]
    outputs = (
        "reconstruction",
        "expected_error",
        "error_probability",
        *(("map", "uncertainty")[: 2 * (kind != "segmentation")]),
    )
    first, second = (mapped(model, scene, tmp_path / str(i), outputs) for i, model in enumerate(models))
    both = mapped(";".join(models), scene, tmp_path / "both", outputs)
    rng = np.random.default_rng(0)
    pairs = [("reconstruction", "expected_error"), ("map", "uncertainty")][: 1 + (kind != "segmentation")]
    for value, scale in pairs:
        mean = (first[value] + second[value]) / 2
        assert np.allclose(both[value], mean, atol=1e-3, equal_nan=True)
        for row, col in ((20, 30), (70, 80)):
            drawn = [rng.laplace(m[value][0, row, col], m[scale][0, row, col], 200_000) for m in (first, second)]
            expected = np.abs(np.concatenate(drawn) - mean[0, row, col]).mean()
            assert both[scale][0, row, col] == pytest.approx(expected, rel=0.01)
    seen = np.isfinite(both["error_probability"])
    assert seen.any() and both["error_probability"][seen].min() >= 0 and both["error_probability"][seen].max() <= 1


def test_attributions_are_means_with_standard_deviations(two, scene, tmp_path):
    """Of one class everywhere, because the members map different ones."""
    given = {"outputs": ("attribution", "probability"), "attribution_class": "wood"}
    members = [mapped(model, scene, tmp_path / str(i), **given)["attribution"] for i, model in enumerate(two)]
    both = mapped(";".join(two), scene, tmp_path / "both", **given)
    names = ("player 1", "player 2")
    assert both["attribution bands"] == (*names, *(f"{n} (standard deviation)" for n in names), "dominant player")
    own, spread, dominant = both["attribution"][:2], both["attribution"][2:4], both["attribution"][4]
    mean, std = (f([m[:2] for m in members], axis=0) for f in (np.mean, np.std))
    gap = own - mean  # the score of mean probabilities is not the mean score; each player has the same part of that
    seen = np.isfinite(dominant)
    assert np.allclose(gap[0][seen], gap[1][seen], atol=1e-4)
    assert np.allclose(spread[:, seen], std[:, seen], atol=1e-4)
    assert (dominant[seen] == 1 + np.abs(own[:, seen]).argmax(axis=0)).all()
    network, _ = load(";".join(two))
    log_probability = np.log(both["probability"])
    score = (log_probability - log_probability.mean(axis=0))[1] - float(network.explainer.bias[1])
    assert np.allclose(own.sum(axis=0)[seen], score[seen], atol=1e-3)


def test_models_of_different_size(untrained, scene, tmp_path):
    models = [untrained(widths=(8, 12, 16)), untrained(widths=(6, 8, 8, 8), seed=1)]
    alone = [mapped(model, scene, tmp_path / str(i))["probability"] for i, model in enumerate(models)]
    for tile in (0, 40):
        both = mapped(";".join(models), scene, tmp_path / f"both{tile}", tile_size=tile)["probability"]
        assert np.allclose(both, np.mean(alone, axis=0), atol=1e-5, equal_nan=True)
    assert read_cards(";".join(models)).margin_px == read_card(models[1]).margin_px


def test_the_error_model_is_the_mean_of_the_logits(two, rng):
    first = read_card(two[0])
    expected = first.error_models["expected"]
    other = replace(
        expected,
        mean=tuple(rng.normal(size=len(expected.mean))),
        std=tuple(rng.uniform(0.5, 2, len(expected.std))),
        coefficients=tuple(rng.normal(size=len(expected.coefficients))),
        intercept=0.7,
        class_intercepts=(0.1, 0.2, -0.4),
        class_coefficients=tuple(map(tuple, rng.normal(size=(len(expected.features), 3)))),
    )
    second = replace(first, error_models={"expected": other})

    def logit(model, features, number):
        z = (features - model.mean) / model.std
        weights = np.array(model.coefficients) + np.array(model.class_coefficients)[:, number]
        return model.intercept + model.class_intercepts[number] + weights @ z

    mean = combined([first, second]).error_models
    assert set(mean) == {"expected"}  # the second has no other
    for number in range(3):
        features = rng.normal(size=len(expected.features))
        both = (logit(expected, features, number) + logit(other, features, number)) / 2
        assert logit(mean["expected"], features, number) == pytest.approx(both)


def test_what_is_unusual_is_asked_of_all_members(untrained, scene, tmp_path):
    """They were trained on other blocks of the same scenes, so one's threshold is not the other's."""
    network, card = file.load(untrained())
    zero = (0.0, 0.0, 0.0)
    form = ErrorModel(("entropy", "unusual"), (0.3, 0.0), (0.5, 1.0), (1.0, 2.0), -1.0, 0.0, {}, zero, (zero, zero))
    models = []
    for threshold in (0.5, 2.0):
        density = replace(card.input_density, unusual=threshold)
        models.append(str(tmp_path / f"{threshold}.safetensors"))
        file.save(models[-1], network, replace(card, error_models={"expected": form}, input_density=density))

    def logit(model, folder):
        probability = mapped(model, scene, tmp_path / folder, ("error_probability",))["error_probability"]
        return np.log(probability / (1 - probability))

    alone = [logit(model, str(i)) for i, model in enumerate(models)]
    assert np.nanmax(alone[0] - alone[1]) > 1
    for number, order in enumerate((models, models[::-1])):
        assert np.allclose(logit(";".join(order), f"both{number}"), np.mean(alone, axis=0), atol=1e-3, equal_nan=True)


def test_files_are_told_apart(two, tmp_path):
    assert paths_of(f"{two[0]} ; {two[1]};") == tuple(two)
    odd = tmp_path / "a;b.safetensors"
    odd.write_bytes(b"")
    assert paths_of(str(odd)) == (str(odd),)
    with pytest.raises(ModelFileError, match="“/no/such” does not exist"):
        read_cards(f"{two[0]};/no/such")
    assert read_cards(two[0]) == read_card(two[0])
    assert read_cards(";".join(two)).members == tuple(map(read_card, two))


def test_models_by_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a;b.safetensors").write_bytes(b"")
    here, elsewhere = Path.cwd(), str(tmp_path.parent / "c.safetensors")
    assert absolute_paths(f"a.safetensors; {elsewhere};") == f"{here / 'a.safetensors'};{elsewhere}"
    assert absolute_paths("a;b.safetensors") == str(here / "a;b.safetensors")
    assert absolute_paths("") == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: replace(c, main=replace(c.main, kind="regression", classes=())), "main tasks differ"),
        (
            lambda c: replace(c, main=replace(c.main, classes=(LandClass(1, "ice", "#ffffff"), *c.main.classes[1:]))),
            r"classes differ \(2 water, 5 wood, 7 town; 1 ice, 5 wood, 7 town\)",
        ),
        (lambda c: replace(c, inputs=(replace(c.inputs[0], bands=("B2", "B3", "B8")),)), "input bands differ"),
        (lambda c: replace(c, auxiliary=()), r"auxiliary bands differ \(s1:VV, s1:VH; none\)"),
        (lambda c: replace(c, players=(Player("all", ("s2:B2",)),)), "players differ"),
    ],
)
def test_models_that_do_not_belong_together(two, change, message):
    first = read_card(two[0])
    with pytest.raises(JobError, match=message):
        combined([first, change(replace(first, name="other"))])


def test_a_member_without_attributions_is_named(two):
    """Its training was canceled before it learned them; those of the others say nothing of it."""
    first = replace(read_card(two[0]), training={"ended": "all epochs done", "attribution": {"reach": 3.0}})
    second = replace(first, name="other", training={"ended": "canceled", "attribution": {}})
    job = jobs.MapJob("a;b", ("s2.tif",), output_attribution="a.tif", output_map="m.tif")
    for cards in ((first, second), (second, first)):
        with pytest.raises(JobError, match="training of “other” was canceled before it learned attributions"):
            check_map(job, combined(cards))
        check_map(replace(job, output_attribution=""), combined(cards))
    check_map(job, combined([first, replace(second, training={**second.training, "attribution": {"reach": 1.0}})]))


def test_styles_reach_as_far_as_any_members(two, untrained):
    first = read_card(two[0])
    told = {"attribution": {"reach": 2.0}, "auxiliary_rmse": {"s1:VV": 1.0, "s1:VH": 4.0}}
    more = {"attribution": {"reach": 5.0}, "auxiliary_rmse": {"s1:VV": 3.0}}
    radar = replace(first.auxiliary[0], mean=(-8.0, -18.0), std=(1.0, 6.0))  # before, -12 ± 3 and -18 ± 4
    members = replace(first, training=told), replace(first, training=more, auxiliary=(radar,))

    def shown(card, kind, band):
        scale = styles.scale(kind, card, band)
        return scale.low, scale.high

    for cards in (members, members[::-1]):
        both = combined(cards)
        assert shown(both, "attribution", "player 1") == (-5.0, 5.0)
        assert [shown(both, "expected_error", band) for band in first.auxiliary_bands] == [(0.0, 6.0), (0.0, 8.0)]
        assert [shown(both, "reconstruction", band) for band in first.auxiliary_bands] == [(-18, -6), (-30, -6)]
    heights = read_card(untrained("regression"))
    low, high = (replace(heights, main=replace(heights.main, mean=m, std=s)) for m, s in ((5.0, 1.0), (20.0, 3.0)))
    assert shown(combined([low, high]), "map", "height") == (3.0, 26.0)
    assert combined([first, first]).auxiliary == first.auxiliary  # to the last digit


def test_scene_level_models_map_alone(untrained):
    with pytest.raises(JobError, match="“tiny” is a scene-level model"):
        read_cards(";".join(untrained("scene_classification", seed=seed) for seed in (0, 1)))


def test_a_folder_is_mapped_by_an_ensemble(two, scene, tmp_path, quiet):
    model = ";".join(two)
    alone = mapped(model, scene, tmp_path / "alone", ("map", "attribution"))
    job = jobs.MapFolderJob(
        model, str(tmp_path / "in"), str(tmp_path / "out"), "s2=s2.tif", layers=("map", "attribution"),
        precision="float32",
    )  # fmt: skip
    assert run_folder(job, quiet())["figures"]["mapped"] == 1
    for name in ("map", "attribution"):
        with rasterio.open(tmp_path / "out" / "a" / f"{name}.tif") as dataset:
            assert np.allclose(dataset.read(), alone[name], atol=1e-5, equal_nan=True)
            digest = dataset.tags()["AUXLENS_MODEL_SHA256"]
            assert dataset.tags()["AUXLENS_MODEL"] == "tiny + tiny"
    assert digest not in {sha256(path) for path in two} and len(digest) == 64
    assert run_folder(job, quiet())["figures"]["kept"] == 1
    assert run_folder(replace(job, model=two[0]), quiet())["figures"]["mapped"] == 1  # another model
    item = json.loads((tmp_path / "out" / "model.json").read_text())
    assert set(item["assets"]) == {"weights"}
    run_folder(job, quiet())
    item = json.loads((tmp_path / "out" / "model.json").read_text())
    assert [asset["href"] for asset in item["assets"].values()] == two


def test_attributions_of_numbers_are_means_in_the_targets_unit():
    """Members that standardise differently, such as those of different scenes."""
    torch.manual_seed(0)
    members = []
    for mean, std in ((5.0, 1.0), (20.0, 10.0)):
        tasks = {"main": TaskConfig("density", 1, (mean,), (std,))}
        network = Network(NetworkConfig((4, 6), (0.0, 0.0), (1.0, 1.0), tasks, ((0,), (1,))))
        torch.nn.init.normal_(network.explainer.out.weight)
        network.explainer.bias.fill_(0.5)
        members.append(network.eval())
    together, x = Ensemble(members).eval(), torch.randn(1, 2, 16, 16)
    with torch.no_grad():
        found, alone = together(x, ["main", "attribution"]), [member(x, ["main", "attribution"]) for member in members]
        unit = together.head("main").score_unit
        own, spread = (part * unit for part in found["attribution"].chunk(2, dim=1))
        physical = torch.stack(
            [
                member.explainer.attributions(raw["attribution"], member.head("main").score(raw["main"])).flatten(1, 2)
                * member.head("main").score_unit
                for member, raw in zip(members, alone, strict=True)
            ]
        )
        bias = together.head("main").standardise.physical(together.explainer.bias.view(1, 1, 1, 1))
        estimate = together.head("main").physical(found["main"])[0]
    assert torch.allclose(own, physical.mean(dim=0), atol=1e-5)
    assert torch.allclose(spread, physical.std(dim=0, correction=0), atol=1e-5)
    assert bias.item() == pytest.approx(((5 + 0.5) + (20 + 5)) / 2)
    assert torch.allclose(bias + own.sum(dim=1, keepdim=True), estimate, atol=1e-4)
