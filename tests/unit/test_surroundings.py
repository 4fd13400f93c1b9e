"""Surroundings: block means and their interpolation, the same wherever a chip begins; and what is unusual."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from auxlens.engine.explain import disturbance, error_probability as errors, input_density, novelty
from auxlens.engine.explain.surroundings import BLOCK_PX, CONTEXT_PX, at_pixels, block_means
from auxlens.models.card import ErrorModel


def test_block_means_leave_out_what_is_not_known():
    values = torch.arange(2 * 16 * 20, dtype=torch.float32).reshape(2, 16, 20)
    known = torch.ones(16, 20, dtype=torch.bool)
    known[0, :8], known[8:, 16:] = False, False
    values[:, ~known] = torch.nan
    means, share = block_means(values, known)
    assert means.shape == (2, 2, 3) and torch.equal(share[0], torch.tensor([56 / 64, 1.0, 0.5]))
    assert torch.allclose(means[:, 0, 0], values[:, 1:8, :8].mean(dim=(1, 2)))
    assert torch.allclose(means[:, 0, 2], values[:, :8, 16:].mean(dim=(1, 2)))
    assert share[1, 2] == 0 and means[0, 1, 2] == 0


def test_interpolation_meets_the_blocks_at_their_centres():
    blocks = torch.tensor([[[1.0, 3.0], [5.0, 11.0]]])
    found = at_pixels(blocks, torch.ones(2, 2), slice(0, 16), slice(0, 16))
    assert torch.allclose(found[3:5, 3:5].mean(), torch.tensor(1.0), atol=0.4)
    assert torch.allclose(found[7:9, 7:9].mean(), torch.tensor(5.0))  # the middle of all four
    assert found[0, 0] == 1.0 and found[15, 15] == 11.0  # beyond the outer centres nothing is invented


def test_interpolation_is_not_drawn_to_blocks_without_values():
    blocks, share = torch.tensor([[[2.0, 0.0, 0.0]]]), torch.tensor([[1.0, 0.0, 0.0]])
    found = at_pixels(blocks, share, slice(0, 8), slice(0, 24))
    assert torch.all(found[:, :11] == 2.0) and torch.isnan(found[:, 13:]).all()


@pytest.mark.parametrize("start", [0, BLOCK_PX, 5 * BLOCK_PX])
def test_a_chip_with_context_gives_what_the_whole_scene_gives(rng, start):
    scene = torch.from_numpy(rng.normal(size=(2, 96, 96)).astype("float32"))
    known = torch.from_numpy(rng.random((96, 96)) > 0.3)
    rows = slice(start + (CONTEXT_PX if start else 0), start + 32)
    plane = torch.from_numpy(rng.integers(0, 2, (rows.stop - rows.start,) * 2))
    whole = at_pixels(*block_means(scene, known), rows, rows, plane)
    chip = slice(start, rows.stop + CONTEXT_PX)
    part = slice(rows.start - start, rows.stop - start)
    cut = at_pixels(*block_means(scene[:, chip, chip], known[chip, chip]), part, part, plane)
    assert torch.allclose(whole, cut, atol=1e-5)
    single = [at_pixels(*block_means(scene[i : i + 1], known), rows, rows) for i in (0, 1)]
    assert torch.allclose(whole, torch.where(plane == 0, *single), atol=1e-5)


def test_novelty_is_a_likelihood():
    rng = np.random.default_rng(0)
    blocks = np.exp(rng.multivariate_normal([0.0, 1.0], [[0.04, 0.01], [0.01, 0.09]], 400)).astype("float32")
    density = input_density.fit(blocks[:100], blocks[:100], seed=0)  # so few that one component is all there is
    assert len(density.constants) == 1 and min(density.floor) > 0
    logs = np.log(blocks[:100])
    normal = multivariate_normal(logs.mean(axis=0), np.cov(logs.T, bias=True))
    unlikely = -normal.logpdf(np.log(blocks))
    low, typical, high = np.percentile(unlikely[:100], [25, 50, 75])
    found = novelty.novelty(density, torch.from_numpy(blocks.T[:, None]))[0].numpy()
    assert np.allclose(found, np.arcsinh((unlikely - typical) / (high - low)), atol=0.02)


def test_haze_shadow_and_a_foreign_surface_are_unusual():
    rng = np.random.default_rng(0)
    state = rng.random((6000, 1))
    spectra = np.array([[300, 500, 400, 2500], [900, 1100, 1300, 1800]])
    blocks = (spectra[0] + state * (spectra[1] - spectra[0])) * rng.lognormal(0, 0.05, (6000, 1))
    density = input_density.fit(blocks.astype("float32"), blocks.astype("float32"), seed=0)
    hazy, dark, foreign = 0.5 * blocks[:50] + 1500, 0.25 * blocks[:50], np.tile([300.0, 350, 400, 420], (50, 1))
    for odd in (hazy, dark, foreign):
        assert (novelty.novelty(density, torch.from_numpy(odd.T[:, None].astype("float32"))) > density.unusual).all()
    usual = novelty.novelty(density, torch.from_numpy(blocks.T[:, None].astype("float32")))
    assert np.isclose((usual > density.unusual).float().mean(), 0.01, atol=0.005)


def test_what_held_out_scenes_show_is_not_unusual():
    rng = np.random.default_rng(0)
    known, other = rng.normal(5, 0.1, (500, 2)).astype("float32"), rng.normal(6, 0.1, (500, 2)).astype("float32")
    alone, together = input_density.fit(known, known, seed=0), input_density.fit(known, other, seed=0)
    values = novelty.novelty(together, torch.from_numpy(other.T[:, None]))
    assert (values > alone.unusual).float().mean() > 0.99
    assert (values > together.unusual).float().mean() < 0.02


def test_many_bands_and_few_blocks():
    rng = np.random.default_rng(0)
    many = rng.normal(size=(2000, 60)).astype("float32")
    density = input_density.fit(many, many[:0], seed=0)
    assert len(density.projections[0]) == 16 and len(density.projections[0][0]) == 60
    assert set(density.floor) == {0.0}  # values below 0 have no logarithm
    assert input_density.fit(many[:100], many, seed=0) is None
    assert input_density.fit(np.full((50, 3), np.nan, "float32"), many[:, :3], seed=0) is None


@pytest.mark.parametrize("kind", disturbance.KINDS)
def test_disturbed_inputs_stay_possible(rng, kind):
    inputs = rng.lognormal(7, 0.3, (4, 70, 50)).astype("float32")
    inputs[:, :5] = np.nan
    mean, std = np.nanmean(inputs, axis=(1, 2)), np.nanstd(inputs, axis=(1, 2))
    found = disturbance.disturbed(inputs, kind, (mean, std), np.random.default_rng(1))
    assert found.shape == inputs.shape and found.dtype == np.float32
    assert np.array_equal(np.isnan(found), np.isnan(inputs))
    assert np.nanmin(found) > 0 and np.nanmean(np.abs(found - inputs)) > 0.1 * std.mean()


@pytest.mark.parametrize("bands", [1, 2])
def test_a_foreign_surface_is_never_the_one_that_was_there(rng, bands):
    inputs = rng.normal(0.0, 2.0, (bands, 24, 24)).astype("float32")
    statistics = np.zeros(bands, "float32"), np.full(bands, 2.0, "float32")
    found = [
        disturbance.disturbed(inputs, disturbance.FOREIGN, statistics, np.random.default_rng(seed))
        for seed in range(40)
    ]
    assert all(np.abs(values - inputs).mean() > 0.5 for values in found)
    if bands == 1:
        assert all(np.allclose(values, -inputs) for values in found)


def test_support_of_a_class_is_its_lead_around(rng):
    scores = torch.from_numpy(rng.normal(size=(3, 16, 16)).astype("float32"))
    inputs, known = torch.ones(1, 16, 16), torch.ones(16, 16, dtype=torch.bool)
    around = errors.around_inputs(inputs, known, scores, [])
    means = scores.reshape(3, 2, 8, 2, 8).mean(dim=(2, 4))
    ordered = means.sort(dim=0).values
    best = means.argmax(dim=0)
    support = around.features["support"]
    assert torch.allclose(support.gather(0, best[None])[0], ordered[2] - ordered[1], atol=1e-5)
    assert torch.allclose(support.min(dim=0).values, ordered[0] - ordered[2], atol=1e-5)


def test_the_sum_interpolated_is_the_interpolated_features_summed(rng):
    features = {
        "support": torch.from_numpy(rng.normal(size=(3, 4, 4)).astype("float32")),
        "unusual": torch.from_numpy(rng.random((1, 4, 4)).astype("float32")),
    }
    around = errors.Around(features, torch.ones(4, 4))
    names, zero = ("entropy", "support", "unusual"), (0.0, 0.0, 0.0)
    model = ErrorModel(
        names, (0.3, 0.1, 0.0), (0.5, 2.0, 1.0), (1.0, -2.0, 3.0), -1.0,
        class_intercepts=(0.5, 0.0, -0.5), class_coefficients=(zero, (0.3, 0.0, -0.7), zero),
    )  # fmt: skip
    mapped = torch.from_numpy(rng.integers(0, 3, (32, 32)))
    pixel = {"entropy": torch.rand(32, 32)}
    place = slice(0, 32), slice(0, 32)
    whole = errors.apply(model, {**pixel, **around.at(*place, mapped)}, mapped)
    logit = errors.pixel_logit(model, pixel, mapped) + errors.around_logit(model, around).at(*place, mapped)["logit"]
    assert torch.allclose(whole, logit.sigmoid(), atol=1e-6)
