"""Figures of maps: the same as those of the reference implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn import metrics

from auxlens.engine.assess.classes import confusion, figures
from auxlens.engine.assess.numbers import Residuals


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 7), st.integers(0, 10_000))
def test_figures_are_sklearns(classes, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, 300)
    mapped = np.where(rng.random(300) < 0.6, truth, rng.integers(0, classes, 300))
    matrix = confusion(truth, mapped, classes)
    assert (matrix == metrics.confusion_matrix(truth, mapped, labels=range(classes))).all()
    seen = np.unique(truth)
    found = figures(matrix)
    assert np.isclose(found["overall_accuracy"], metrics.accuracy_score(truth, mapped))
    assert np.isclose(found["mean_iou"], metrics.jaccard_score(truth, mapped, labels=seen, average="macro"))
    assert np.isclose(found["mean_f1"], metrics.f1_score(truth, mapped, labels=seen, average="macro"))
    assert np.isclose(found["kappa"], metrics.cohen_kappa_score(truth, mapped))
    assert found["pixels"] == 300


def test_pixels_without_reference_are_left_out():
    truth, mapped = np.array([[0, -1], [1, 1]]), np.array([[0, 1], [0, 1]])
    assert confusion(truth, mapped, 3).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_classes_that_the_reference_lacks_do_not_count_in_means():
    found = figures(np.array([[8, 0, 2], [0, 10, 0], [0, 0, 0]]))
    assert np.isclose(found["mean_iou"], (0.8 + 1.0) / 2)
    assert np.isclose(found["mean_f1"], (16 / 18 + 1.0) / 2)


def test_nothing_to_measure():
    assert figures(np.zeros((3, 3), int)) == {}
    assert Residuals().figures() == {}


def test_one_class_alone_has_no_kappa():
    assert figures(np.array([[10, 0], [0, 0]]))["kappa"] == 0.0


@pytest.mark.parametrize("parts", [1, 7])
def test_residuals_are_numpys_whatever_the_parts(rng, parts):
    truth = rng.normal(30, 5, (4, 500)).astype("float32")
    estimate = (truth + rng.normal(0.5, 2, truth.shape)).astype("float32")
    truth[0, :50], estimate[1, :50] = np.nan, np.inf
    residuals = Residuals()
    for t, e in zip(np.array_split(truth, parts, axis=1), np.array_split(estimate, parts, axis=1), strict=True):
        residuals.add(e, t)
    known = np.isfinite(truth) & np.isfinite(estimate)
    t, e = truth[known].astype(float), estimate[known].astype(float)
    found = residuals.figures()
    assert found["pixels"] == known.sum() == 1900
    assert np.isclose(found["bias"], (e - t).mean())
    assert np.isclose(found["mae"], metrics.mean_absolute_error(t, e))
    assert np.isclose(found["rmse"], metrics.root_mean_squared_error(t, e))
    assert np.isclose(found["r2"], metrics.r2_score(t, e))


def test_r2_of_a_constant_truth_is_not_defined():
    residuals = Residuals()
    residuals.add(np.array([1.0, 2.0]), np.array([3.0, 3.0]))
    assert np.isnan(residuals.figures()["r2"]) and residuals.figures()["mae"] == 1.5
