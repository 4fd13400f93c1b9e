"""Correlations and detection figures: exact values, published formulas and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from auxlens.engine.explain import association as a, detection as d


def test_correlations_are_scipys(rng):
    x = rng.normal(size=500)
    y = 0.4 * x + rng.normal(size=500)
    assert np.isclose(a.pearson(x, y), stats.pearsonr(x, y).statistic)
    tied = np.round(x)
    assert np.isclose(a.spearman(tied, y), stats.spearmanr(tied, y).statistic)
    assert np.isnan(a.pearson(np.ones(9), y[:9])) and np.isnan(a.pearson(x[:3], y[:3]))


def test_partial_correlation_is_that_of_the_textbook(rng):
    z = rng.normal(size=2000)
    x, y = z + rng.normal(size=2000), z + rng.normal(size=2000)
    xy, xz, yz = (a.pearson(*pair) for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert np.isclose(a.partial(x, y, [z]), expected)
    assert np.isnan(a.partial(x, 2 * z, [z]))


def test_pixels_without_autocorrelation_count_in_full():
    known = np.ones((12, 15), bool)
    known[3:5, 2:9] = False
    alone = np.array([2.0])
    assert np.isclose(a.trace_size([known], alone, alone), known.sum())
    assert np.isclose(a.trace_size([known, known[:5]], alone, alone), known.sum() + known[:5].sum())


def test_effective_size_is_dutilleuls_formula():
    """The formula with its matrices written out, for two autoregressive processes on a line of 40 places."""
    n, (rho_x, rho_y) = 40, (0.7, 0.5)
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    sx, sy, b = rho_x**lag, rho_y**lag, np.eye(n) - 1 / n
    expected = 1 + np.trace(b @ sx) * np.trace(b @ sy) / np.trace(b @ sx @ b @ sy)
    found = a.trace_size([np.ones((1, n), bool)], rho_x ** np.arange(n), rho_y ** np.arange(n))
    assert np.isclose(found, expected)
    long = a.trace_size([np.ones((1, 4000), bool)], rho_x ** np.arange(200), rho_y ** np.arange(200))
    assert np.isclose(long, 4000 * (1 - rho_x * rho_y) / (1 + rho_x * rho_y), rtol=0.01)  # Bartlett 1935


def test_the_test_keeps_its_level_where_the_usual_one_does_not():
    rng = np.random.default_rng(3)

    def smooth():
        values = rng.normal(size=(40, 40))
        for axis in (0, 1):
            values = stats.norm.pdf(np.arange(-9, 10), scale=3) @ np.stack(
                [np.roll(values, s, axis) for s in range(-9, 10)]
            ).reshape(19, -1)
            values = values.reshape(40, 40)
        return values

    found = [a.tested([(smooth(), smooth())]) for _ in range(120)]
    rejected = np.mean([c.p < 0.05 for c in found])
    naive = np.mean([a.p_value(c.r, 1600) < 0.05 for c in found])
    assert rejected <= 0.12 and naive > 0.5
    assert all(10 < c.effective < 300 for c in found)


def test_a_constant_plane_has_no_correlation(rng):
    found = a.tested([(np.ones((9, 9)), rng.normal(size=(9, 9)))])
    assert np.isnan([found.r, found.effective, found.p]).all()


@pytest.mark.parametrize("levels", [0, 7])
def test_detection_figures_are_scikit_learns(rng, levels):
    n = 900
    score = rng.normal(size=n)
    wrong = rng.random(n) < 1 / (1 + np.exp(2 - score))
    if levels:
        score = np.round(score * levels / 4)
    of = d.counts(score, wrong, rng.integers(0, 5, n))
    found = {name: float(v[0]) for name, v in d.resampled({"s": of}, 0)["s"].items()}
    assert np.isclose(found["auroc"], roc_auc_score(wrong, score))
    assert np.isclose(found["aupr"], average_precision_score(wrong, score))
    fpr, tpr, _ = roc_curve(wrong, score, drop_intermediate=False)
    assert np.isclose(found["fpr95"], fpr[np.argmax(tpr >= 0.95)])
    if not levels:  # the risk–coverage curve as it is defined, one pixel after the other
        ordered = wrong[np.argsort(score)]
        assert np.isclose(found["aurc"], (np.cumsum(ordered) / np.arange(1, n + 1)).mean(), atol=2e-3)


def test_many_values_are_binned_without_harm(rng):
    score = rng.normal(size=60_000)
    wrong = rng.random(60_000) < 1 / (1 + np.exp(3 - 2 * score))
    of = d.counts(score, wrong, np.zeros(60_000, np.int64))
    assert of.right.shape[1] <= d.BINS
    assert np.isclose(d.resampled({"s": of}, 0)["s"]["auroc"][0], roc_auc_score(wrong, score), atol=1e-4)


def test_intervals_cover_what_is_true():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(60):
        unit = np.repeat(np.arange(30), 40)
        level = rng.normal(size=30)[unit]
        score = level + rng.normal(size=1200)
        wrong = rng.random(1200) < 0.3
        found = d.interval(d.resampled({"s": d.counts(score, wrong, unit)}, 1)["s"]["auroc"])
        hits += found.low <= 0.5 <= found.high
    assert hits >= 52  # 95 % of 60 are 57


def test_all_right_or_all_wrong_has_no_figures():
    of = d.counts(np.arange(10.0), np.zeros(10, bool), np.zeros(10, np.int64))
    assert all(np.isnan(v).all() for v in d.resampled({"s": of}, 0)["s"].values())
    assert np.isnan(d.interval(np.array([0.7])).low)  # one unit cannot be resampled
