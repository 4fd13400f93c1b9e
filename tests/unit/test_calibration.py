"""The error probability: fitted and applied as sklearn does, and calibrated where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from auxlens.engine.explain import calibration, error_probability as errors
from auxlens.engine.training.evaluation import Evaluation
from auxlens.models.card import ErrorModel

TRUE = {"entropy": 2.0, "expected s1:VV": 1.0, "mean size s1:VV": 1.5}
BIAS = -1.0


def pixels(number, seed):
    """Features, and errors that follow a known logistic function of them."""
    rng = np.random.default_rng(seed)
    features = {
        "entropy": rng.normal(0, 1, number).astype("float32"),
        "expected s1:VV": rng.normal(0, 1, number).astype("float32"),
        "mean size s1:VV": rng.normal(0, 1, number).astype("float32"),
    }
    score = BIAS + sum(weight * features[name] for name, weight in TRUE.items())
    return sample(features, (rng.random(number) < 1 / (1 + np.exp(-score))).astype("float32"))


def sample(features, error, mapped=None):
    """Pixels that are independent: each is a tile of its own."""
    nothing = np.zeros(len(error), np.int64)
    return calibration.Sample(features, error, nothing if mapped is None else mapped, np.arange(len(error)))


@pytest.fixture(scope="module")
def fitted():
    known, test = pixels(20_000, 0), pixels(20_000, 1)
    return calibration.fit(known, test, 0.0, 0), known.features, known.error, test.features, test.error


def tensors(features):
    return {name: torch.from_numpy(values.astype(np.float64)) for name, values in features.items()}


def test_known_coefficients_come_back(fitted):
    model = fitted[0][errors.OBSERVED]
    assert model.features == tuple(TRUE)
    slopes = np.array(model.coefficients) / np.array(model.std)
    assert np.allclose(slopes, list(TRUE.values()), atol=0.12)
    assert np.isclose(model.intercept - (slopes * model.mean).sum(), BIAS, atol=0.12)
    assert model.tolerance == 0.0


def test_the_form_without_references_has_no_observed_errors(fitted):
    assert set(fitted[0]) == {errors.EXPECTED, errors.OBSERVED}
    assert fitted[0][errors.EXPECTED].features == ("entropy", "expected s1:VV")


@pytest.mark.parametrize("form", [errors.EXPECTED, errors.OBSERVED])
def test_figures_on_test(fitted, form):
    models, _, _, test, wrong = fitted
    figures = models[form].figures
    probability = errors.apply(models[form], tensors(test), None).numpy()
    assert np.isclose(figures["auroc"], roc_auc_score(wrong, probability), atol=1e-9)
    assert np.isclose(figures["aupr"], average_precision_score(wrong, probability), atol=1e-9)
    alone = roc_auc_score(wrong, test["entropy"])
    assert np.isclose(figures["auroc_uncertainty_alone"], alone) and figures["gain"] > 0.02
    assert np.isclose(figures["gain"], figures["auroc"] - alone)
    assert figures["ece"] <= 0.03
    assert np.isclose(figures["error_rate"], wrong.mean()) and figures["pixels"] == len(wrong)
    ece = sum(  # expected calibration error with 15 bins of equal width (Guo et al. 2017)
        inside.mean() * abs(wrong[inside].mean() - probability[inside].mean())
        for low in np.arange(15) / 15
        if (inside := (probability > low) & (probability <= low + 1 / 15)).any()
    )
    assert np.isclose(figures["ece"], ece, atol=1e-6)


def test_apply_is_sklearns_probability(fitted):
    models, features, wrong, test, _ = fitted
    names = list(TRUE)
    values = np.stack([features[name] for name in names], axis=1).astype(np.float64)
    mean, std = values.mean(axis=0), values.std(axis=0) / [3.0, 1.0, 1.0]  # the uncertainty is shrunk less
    reference = LogisticRegression(max_iter=1000).fit((values - mean) / std, wrong > 0, np.full(len(wrong), 8.0))
    there = np.stack([test[name] for name in names], axis=1).astype(np.float64)
    expected = reference.predict_proba((there - mean) / std)[:, 1]
    assert np.allclose(errors.apply(models[errors.OBSERVED], tensors(test), None).numpy(), expected, atol=1e-8)


def test_apply_gives_nan_where_a_feature_is():
    model = ErrorModel(("a", "b"), (1.0, 2.0), (2.0, 4.0), (3.0, 1.0), 0.5)
    a, b = torch.tensor([[1.0, 3.0, torch.nan]]), torch.tensor([[2.0, 6.0, 2.0]])
    probability = errors.apply(model, {"a": a, "b": b, "unused": torch.zeros(1)}, None)
    assert torch.allclose(probability[0, :2], torch.sigmoid(torch.tensor([0.5, 0.5 + 3.0 + 1.0])))
    assert probability.shape == (1, 3) and torch.isnan(probability[0, 2])
    assert a[0, 1] == 3.0 and b[0, 1] == 6.0  # features stay as they are


def test_every_tile_gives_the_same_share_of_its_pixels():
    """A tile with many references must not count as little as one with few."""
    numbers, counts = [2000, 100, 0], [10_000, 100, 0]
    seen = Evaluation(
        np.zeros((2, 2), int),
        features={"margin": [np.zeros(n, "f4") for n in numbers]},
        wrong=[np.full(n, i, "f4") for i, n in enumerate(numbers)],
        mapped=[np.zeros(n, int) for n in numbers],
        tile=[np.full(n, i) for i, n in enumerate(numbers)],
        sampled_from=counts,
    )
    sample = seen.sample()
    assert np.bincount(sample.tile).tolist() == [2000, 20] and len(sample.features["margin"]) == 2020
    assert np.isclose(sample.error.mean(), 100 / 10_100, rtol=1e-3)


@pytest.mark.parametrize(("wrong", "right"), [(29, 500), (500, 29), (0, 500)])
def test_too_few_pixels_give_no_model_and_a_warning(caplog, wrong, right):
    error = np.r_[np.ones(wrong, "float32"), np.zeros(right, "float32")]
    known = sample(pixels(wrong + right, 0).features, error)
    assert calibration.fit(known, pixels(100, 1), 0.0, 0) == {}
    assert f"has {wrong} wrong and {right} right pixels" in caplog.text


def test_references_in_few_places_give_the_form_without_them_alone():
    known = pixels(3000, 0)
    known.features["mean size s1:VV"][20:] = np.nan
    models = calibration.fit(known, pixels(3000, 1), 0.0, 0)
    assert set(models) == {errors.EXPECTED}


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_test_split_that_is_all_right_or_all_wrong_gives_no_figures(share):
    test = sample(pixels(200, 1).features, np.full(200, share, "float32"))
    models = calibration.fit(pixels(3000, 0), test, 0.0, 0)
    assert {form: dict(model.figures) for form, model in models.items()} == {errors.EXPECTED: {}, errors.OBSERVED: {}}


def test_a_test_split_without_pixels_gives_no_figures():
    known = pixels(3000, 0)
    nothing = sample({name: values[:0] for name, values in known.features.items()}, np.zeros(0, "float32"))
    models = calibration.fit(known, nothing, 0.0, 0)
    assert models[errors.EXPECTED].figures == {}


def test_a_regression_is_wrong_above_its_tolerance():
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.2, 3.0, 8000).astype("float32")
    error = np.abs(rng.laplace(0, scale)).astype("float32")
    half = sample({"scale": np.log(scale[:4000])}, error[:4000])
    other = sample({"scale": np.log(scale[4000:])}, error[4000:])
    model = calibration.fit(half, other, 1.5, 0)[errors.EXPECTED]
    assert model.tolerance == 1.5
    assert np.isclose(model.figures["error_rate"], (error[4000:] > 1.5).mean())
    assert model.figures["gain"] == 0.0  # it is the uncertainty alone
    assert model.figures["auroc"] > 0.7


def test_entropy_and_margin_are_numpys(rng):
    scores = rng.normal(0, 3, (5, 7, 9))
    probability = np.exp(scores) / np.exp(scores).sum(axis=0)
    features = errors.score_features(torch.log_softmax(torch.from_numpy(scores), dim=0))
    entropy = -(probability * np.log(probability)).sum(axis=0) / np.log(5)
    ordered = np.sort(probability, axis=0)
    assert np.allclose(features["entropy"], entropy)
    assert np.allclose(features["margin"], np.minimum(np.log(ordered[-1] / ordered[-2]), 20))


def test_entropy_of_extremes():
    even = torch.log_softmax(torch.zeros(4, 1), dim=0)
    sure = torch.log_softmax(torch.tensor([[500.0], [0.0], [0.0]]), dim=0)
    assert torch.allclose(errors.normalised_entropy(even), torch.ones(1))
    assert errors.normalised_entropy(sure) == 0
    assert errors.score_features(sure)["margin"] == 20 and errors.score_features(even)["margin"] == 0


def test_features_of_auxiliary_tasks():
    bands = ("s1:VV", "s1:VH")
    expected, reconstruction = torch.tensor([[2.0], [0.5]]), torch.tensor([[10.0], [3.0]])
    observed = torch.tensor([[4.0], [torch.nan]])
    std = torch.tensor([[3.0], [4.0]])
    features = errors.observed_features(bands, reconstruction, expected, observed, std)
    assert set(features) == {f"{kind} {band}" for kind in ("residual", "error", "size") for band in bands}
    assert features["error s1:VV"] == 3.0 and np.isclose(features["size s1:VV"], np.log(4.0))
    assert features["residual s1:VV"] == 2.0
    assert all(torch.isnan(features[f"{kind} s1:VH"]) for kind in ("residual", "error", "size"))
    assert errors.expected_features(bands, expected)["expected s1:VH"] == 0.5
    far = errors.observed_features(bands, reconstruction * 1e6, expected, observed, std)
    assert far["error s1:VV"] == 20.0 and far["residual s1:VV"] == 8.0


def test_what_a_residual_means_depends_on_the_class():
    rng = np.random.default_rng(0)
    number = 12_000
    mapped, residual = rng.integers(0, 3, number), rng.normal(size=number).astype("float32")
    slopes, levels = np.array([2.0, -1.0, 0.0]), np.array([-1.0, 0.0, -2.0])
    chance = 1 / (1 + np.exp(-(levels[mapped] + slopes[mapped] * residual)))
    features = {"entropy": rng.normal(size=number).astype("float32"), "residual s1:VV": residual}
    known = sample(features, (rng.random(number) < chance).astype("float32"), mapped)
    model = calibration.fit(known, known, 0.0, 3)[errors.OBSERVED]
    found = errors.apply(model, tensors(features), torch.from_numpy(mapped)).numpy()
    assert np.abs(found - chance).mean() < 0.015
    assert model.class_coefficients[0] == (0.0, 0.0, 0.0)  # entropy means the same in all classes


def test_disturbed_pixels_teach_what_unusual_means():
    rng = np.random.default_rng(0)
    usual = sample({"entropy": rng.normal(size=4000), "unusual": np.zeros(4000)}, (rng.random(4000) < 0.1) * 1.0)
    odd = sample({"entropy": rng.normal(size=4000), "unusual": rng.random(4000)}, (rng.random(4000) < 0.8) * 1.0)
    assert calibration.fit(usual, usual, 0.0, 0)[errors.EXPECTED].coefficients[1] == 0.0
    model = calibration.fit(usual, usual, 0.0, 0, disturbed=odd)[errors.EXPECTED]
    values = {"entropy": torch.zeros(2), "unusual": torch.tensor([0.0, 0.9])}
    low, high = errors.apply(model, values, None)
    assert 0.08 < low < 0.12 and high > 0.6
    told = errors.apply(model, tensors(usual.features), None).numpy()
    assert np.isclose(told.mean(), usual.error.mean(), atol=1e-6)


def test_training_pixels_teach_what_few_validation_tiles_cannot():
    """They err less, and so do not say how often the map is wrong."""
    rng = np.random.default_rng(1)
    slope, few, many = 3.0, 400, 40_000

    def drawn(number, level):
        size = rng.normal(size=number).astype("float32")
        chance = 1 / (1 + np.exp(-(level + slope * size)))
        features = {"entropy": np.zeros(number, "float32"), "mean size s1:VV": size}
        return sample(features, (rng.random(number) < chance).astype("float32"))

    known, seen = drawn(few, -1.0), drawn(many, -3.0)
    known = replace(known, tile=np.arange(few) // 200)
    alone, taught = (calibration.fit(known, known, 0.0, 0, training)[errors.OBSERVED] for training in (None, seen))
    found = [model.coefficients[1] / model.std[1] for model in (alone, taught)]
    assert abs(found[1] - slope) < 0.2 < abs(found[0] - slope)
    probability = errors.apply(taught, tensors(known.features), None).numpy()
    assert np.isclose(probability.mean(), known.error.mean(), atol=1e-6)
