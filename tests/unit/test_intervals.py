"""Intervals of a regression: they hold as many references as they say, whatever the errors' distribution."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from auxlens.engine.explain.calibration import Sample
from auxlens.engine.explain.intervals import LEVELS, conformal_quantile, fit, independent_observations

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


def in_tiles(tiles, seed, pixels=100):
    """Pixels of a tile share half of what makes their errors large or small."""
    rng = np.random.default_rng(seed)
    tile = np.repeat(np.arange(tiles), pixels)
    log_scale = rng.uniform(-3, 0.7, len(tile))
    error = np.exp(log_scale + rng.normal(0, 1, tiles)[tile]) * np.abs(rng.normal(size=len(tile))) * STD
    nothing = np.zeros(len(tile), np.int64)
    return Sample({"scale": log_scale.astype("float32")}, error.astype("float32"), nothing, tile)


def test_coverage_holds_for_new_tiles():
    """As if pixels were independent, intervals of 90 % of twenty tiles would hold less than they say."""
    tiles, new = 20, in_tiles(2000, 999, pixels=20)
    scale = np.exp(new.features["scale"].astype(np.float64)) * STD
    ours, naive = [], []
    for seed in range(150):
        known = in_tiles(tiles, seed)
        found = fit(known, new, STD)
        assert found.levels[:3] == (0.5, 0.8, 0.9)
        ours.append(found.coverage[2])
        own = np.exp(known.features["scale"].astype(np.float64)) * STD
        naive.append((new.error <= conformal_quantile(known.error / own, 0.9, len(own)) * scale).mean())
    error = np.std(ours) / math.sqrt(len(ours))
    assert np.mean(naive) < 0.9 - 2 * error
    assert 0.9 - 2 * error <= np.mean(ours) <= 0.9 + 1 / (tiles + 1) + 2 * error


@pytest.mark.parametrize(("spread", "worth"), [(0.0, 4000), (30.0, 40)])
def test_pixels_are_worth_what_their_tiles_make_of_them(spread, worth):
    """Pixels that have nothing to do with their tile count each; pixels that are all like it count once a tile."""
    rng = np.random.default_rng(0)
    tile = np.repeat(np.arange(40), 100)
    ratios = np.exp(spread * rng.normal(size=40)[tile] + rng.normal(0, 0.1, 4000))
    assert independent_observations(ratios, tile) == pytest.approx(worth, rel=0.2)
    assert independent_observations(ratios, np.arange(4000)) == 4000  # a tile each
    assert independent_observations(ratios, np.zeros(4000, int)) == 1


def test_too_few_observations_have_no_wide_intervals():
    one = heteroscedastic(4000, 0, DRAWS["normal"], tiles=1)
    assert fit(one, one, STD).levels == (0.5,)
    same = in_tiles(5, 0)
    same.error[:] = np.exp(same.tile) * np.exp(same.features["scale"]) * STD
    assert fit(same, same, STD).levels == (0.5, 0.8)


def test_pixels_without_a_scale_or_reference_do_not_count():
    sample = heteroscedastic(1000, 0, DRAWS["normal"])
    sample.features["scale"][:100] = np.nan
    holes = replace(sample, error=np.where(np.arange(1000) < 200, np.nan, sample.error).astype("float32"))
    assert fit(sample, holes, STD).figures["pixels"] == 800
    nothing = heteroscedastic(0, 0, DRAWS["normal"])
    assert fit(nothing, sample, STD) is None
    unmeasured = fit(sample, nothing, STD)
    assert unmeasured.levels == LEVELS and unmeasured.coverage == () and unmeasured.figures == {}
