"""Intervals of a regression: they hold as many references as they say, whatever the errors' distribution."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from auxlens.engine.explain.calibration import Sample
from auxlens.engine.explain.intervals import LEVELS, conformal_quantile, fit

STD = 4.0  # of the target


def heteroscedastic(number, seed, draw, tiles=None):
    """Pixels whose errors scatter 40 times as much in some places as in others, by a scale that is half too small."""
    rng = np.random.default_rng(seed)
    log_scale = rng.uniform(-3, 0.7, number)
    error = np.abs(draw(rng, number)) * 2 * np.exp(log_scale) * STD
    tile = np.arange(number) if tiles is None else np.arange(number) % tiles
    return Sample({"scale": log_scale.astype("float32")}, error.astype("float32"), np.zeros(number, np.int64), tile)


DRAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "heavy tails": lambda rng, n: rng.standard_t(2, size=n),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_coverage_is_nominal_within_the_error_of_sampling(draw):
    found = fit(heteroscedastic(4000, 0, draw), heteroscedastic(20_000, 1, draw), STD)
    assert found.levels == LEVELS and list(found.factors) == sorted(found.factors)
    for level, share in zip(found.levels, found.coverage, strict=True):
        assert abs(share - level) <= 3 * math.sqrt(level * (1 - level) * (1 / 4000 + 1 / 20_000))


def test_coverage_holds_on_average_over_small_calibrations():
    """The guarantee is of the mean over calibrations: level ≤ coverage ≤ level + 1 / (n + 1), Lei et al. 2018."""
    known = [fit(heteroscedastic(39, seed, DRAWS["normal"]), heteroscedastic(500, 1000 + seed, DRAWS["normal"]), STD)
             for seed in range(300)]  # fmt: skip
    for i, level in enumerate(LEVELS):
        shares = np.array([one.coverage[i] for one in known])
        error = 3 * shares.std() / math.sqrt(len(shares))
        assert level - error <= shares.mean() <= level + 1 / 40 + error


def test_wide_where_the_network_says_so():
    """One width for all pixels would hold sure pixels too often and unsure ones too seldom."""
    known, test = (heteroscedastic(4000, seed, DRAWS["normal"]) for seed in (0, 1))
    found = fit(known, test, STD)
    scale = np.exp(test.features["scale"]) * STD
    for unsure in (scale < np.quantile(scale, 0.2), scale > np.quantile(scale, 0.8)):
        held = test.error[unsure] <= found.factors[2] * scale[unsure]
        assert held.mean() == pytest.approx(0.9, abs=0.035)


def test_the_expected_error_is_the_mean_of_errors():
    known, test = (heteroscedastic(20_000, seed, DRAWS["laplace"]) for seed in (0, 1))
    found = fit(known, test, STD)
    assert found.error_factor == pytest.approx(2.0, rel=0.05)  # E|Laplace(1)| = 1, and scales are half too small
    assert found.figures["expected_mae"] == pytest.approx(found.figures["mae"], rel=0.05)
    assert found.figures["mae"] == pytest.approx(test.error.mean(), rel=1e-6) and found.figures["pixels"] == 20_000


def test_quantile_by_hand():
    ratios = np.arange(1.0, 10.0)  # 9 observations: ⌈10 · 0.8⌉ = the 8th smallest, ⌈10 · 0.9⌉ = the largest
    assert conformal_quantile(ratios, 0.8, 9) == 8.0 and conformal_quantile(ratios, 0.9, 9) == 9.0
    assert conformal_quantile(ratios, 0.95, 9) == math.inf and conformal_quantile(ratios, 0.5, 0) == math.inf


def test_pixels_of_few_tiles_are_few_observations():
    """Two tiles are worth 16 pixels: no interval of 95 % can be had of them, and that of 90 % is the largest ratio."""
    sample = heteroscedastic(4000, 0, DRAWS["normal"], tiles=2)
    found = fit(sample, sample, STD)
    assert found.levels == (0.5, 0.8, 0.9)
    scale = np.exp(sample.features["scale"].astype(np.float64)) * STD
    assert found.factors[2] == pytest.approx((sample.error / scale).max()) and found.coverage[2] == 1.0


def test_pixels_without_a_scale_or_reference_do_not_count():
    sample = heteroscedastic(1000, 0, DRAWS["normal"])
    sample.features["scale"][:100] = np.nan
    holes = replace(sample, error=np.where(np.arange(1000) < 200, np.nan, sample.error).astype("float32"))
    assert fit(sample, holes, STD).figures["pixels"] == 800
    nothing = heteroscedastic(0, 0, DRAWS["normal"])
    assert fit(nothing, sample, STD) is None
    unmeasured = fit(sample, nothing, STD)
    assert unmeasured.levels == LEVELS and unmeasured.coverage == () and unmeasured.figures == {}
