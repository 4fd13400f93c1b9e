"""Compact targets: principal components of many bands, told in bands."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from sklearn.decomposition import PCA

from auxlens.engine import jobs
from auxlens.engine.executors.map import run as run_map
from auxlens.engine.executors.train import run
from auxlens.engine.explain import error_probability as errors
from auxlens.engine.training import options
from auxlens.models import file
from auxlens.models.compact import CompactHead, principal_components
from auxlens.models.config import PRESETS, NetworkConfig, TaskConfig
from auxlens.models.ensemble import Ensemble
from auxlens.models.network import Network

BANDS = 40


@pytest.fixture
def spectra(rng) -> np.ndarray:
    """Standardised spectra of three sources and a little noise, ``(2000, 40)``."""
    mixed = rng.normal(size=(2000, 3)) @ (rng.normal(size=(3, BANDS)) * np.array([[3.0], [2.0], [1.0]]))
    values = mixed + 0.2 * rng.normal(size=mixed.shape)
    return ((values - values.mean(axis=0)) / values.std(axis=0)).astype("float32")


def test_components_are_those_of_scikit_learn(spectra):
    found = principal_components(torch.from_numpy(spectra), 0.98, 12)
    expected = PCA(3).fit(spectra)
    assert len(found.std) == 3
    assert np.allclose(np.abs(np.sum(np.array(found.loadings) * expected.components_, axis=1)), 1, atol=1e-4)
    assert np.allclose(np.square(found.std), expected.explained_variance_, rtol=1e-3)
    rest = spectra - spectra @ np.array(found.loadings).T @ np.array(found.loadings)
    assert np.allclose(found.left, rest.std(axis=0), atol=1e-3)


def test_components_are_no_more_than_asked_for(rng):
    noise = torch.from_numpy(rng.normal(size=(500, BANDS)))
    assert len(principal_components(noise, 0.99, 12).std) == 12


@pytest.fixture
def head(spectra) -> CompactHead:
    components = principal_components(torch.from_numpy(spectra), 0.98, 12)
    torch.manual_seed(0)
    return CompactHead(8, (100.0,) * BANDS, tuple(np.linspace(5, 20, BANDS).tolist()), components)


def test_the_true_components_give_the_bands_back(head, spectra):
    """Raw output that says the truth: the reconstruction misses what the components leave, and the loss is small."""
    standard = torch.from_numpy(spectra[:64].T.reshape(1, BANDS, 8, 8).copy())
    truth = head.standardise.physical(standard)
    scores = torch.einsum("kb,nbhw->nkhw", head.loadings, standard) / head.components.std
    certain = torch.cat([scores, torch.full_like(scores, -5.0)], dim=1)
    reconstruction, expected = head.physical(certain)
    error = ((reconstruction - truth) / head.standardise.std).square().mean().sqrt()
    assert error < 0.2 and torch.allclose(head.score(certain), head.standardise(reconstruction), atol=1e-4)
    # what is left is all that is expected: of a Laplace distribution with that standard deviation
    assert torch.allclose(expected, head.left / math.sqrt(2) * head.standardise.std, rtol=0.05)
    wrong = torch.cat([-scores, torch.full_like(scores, -5.0)], dim=1)
    assert head.loss(certain, truth) < -3 < 100 < head.loss(wrong, truth)


def test_expected_errors_of_components_add_up(head, rng):
    """Against drawn errors: independent Laplace ones of the components, and the rest."""
    log_scales = torch.tensor([-0.5, -1.0, 0.2])
    raw = torch.cat([torch.zeros(3), log_scales]).view(1, 6, 1, 1)
    scales = np.exp(log_scales.numpy()) * head.components.std.flatten().numpy()
    errors = rng.laplace(scale=scales, size=(200_000, 3)) @ head.loadings.numpy()
    errors += rng.normal(scale=head.left.flatten().numpy(), size=errors.shape)
    expected = torch.exp(head.log_scale(raw)).flatten().numpy()
    assert np.allclose(expected, errors.std(axis=0) / math.sqrt(2), rtol=0.02)


def test_pixels_that_lack_a_band_have_no_loss(head):
    truth = torch.full((1, BANDS, 4, 4), 100.0)
    truth[:, 7] = math.nan
    raw = torch.randn(1, 6, 4, 4, requires_grad=True)
    loss = head.loss(raw, truth)
    assert loss == 0
    loss.backward()
    truth[:, 7, 0, 0] = 100.0
    one = head.loss(raw, truth)
    assert torch.isclose(one, head.loss(raw[..., :1, :1], truth[..., :1, :1]))


def test_the_configuration_survives_json(head, spectra):
    components = principal_components(torch.from_numpy(spectra), 0.98, 12)
    task = TaskConfig("density", BANDS, (0.0,) * BANDS, (1.0,) * BANDS, components=components)
    config = NetworkConfig((4, 6), (0.0,), (1.0,), {"main": TaskConfig("score", 2), "hsi": task})
    again = NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert Network(again)(torch.zeros(1, 1, 8, 8))["hsi"].shape == (1, 6, 8, 8)


def test_errors_of_many_bands_are_told_as_one(rng):
    bands = [f"hsi:{i}" for i in range(BANDS)]
    reconstruction, expected, observed = (torch.from_numpy(rng.uniform(1, 2, (BANDS, 16, 16))) for _ in range(3))
    log_scale, std = expected.log(), torch.full((BANDS, 1, 1), 0.5)
    found = errors.expected_features(bands, log_scale)
    assert torch.allclose(found["expected hsi:all bands"], log_scale.mean(dim=0)) and len(found) == 1
    seen = errors.observed_features(bands, reconstruction, expected, observed, std)
    assert list(seen) == ["residual hsi:all bands", "error hsi:all bands", "size hsi:all bands"]
    relative = (reconstruction - observed) / expected
    assert torch.allclose(seen["error hsi:all bands"], relative.mean(dim=0))
    assert torch.allclose(seen["size hsi:all bands"], torch.log1p(relative.abs()).mean(dim=0))
    around = errors.around_references(bands, seen, torch.ones(16, 16, dtype=torch.bool))
    assert set(around.features) == {"mean error hsi:all bands", "mean size hsi:all bands"}
    few = errors.observed_features(bands[:2], reconstruction[:2], expected[:2], observed[:2], std[:2])
    assert "residual hsi:1" in few and len(few) == 6


def write(path: Path, values: np.ndarray) -> str:
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
    with rasterio.open(
        path, "w", **profile, crs="EPSG:32632", transform=Affine(1, 0, 500_000, 0, -1, 5_000_000)
    ) as dataset:
        dataset.write(values)
    return str(path)


def test_windows_without_data_have_as_many_channels_as_others(spectra):
    """An empty raw output stands for them; of one network in components, of an ensemble in bands."""
    components = principal_components(torch.from_numpy(spectra), 0.98, 12)
    tasks = {"main": TaskConfig("score", 2), "hsi": TaskConfig("density", BANDS, (1.0,) * BANDS, (2.0,) * BANDS)}
    tasks["hsi"] = replace(tasks["hsi"], components=components)
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), tasks)).eval()
    for made in (network, Ensemble([network, network]).eval()):
        raw = made(torch.zeros(1, 1, 8, 8))
        assert {name: values.shape[1] for name, values in raw.items()} == {name: made.channels(name) for name in tasks}
        empty = torch.zeros(1, made.channels("hsi"), 8, 8)
        assert all(values.shape == (1, BANDS, 8, 8) for values in made.head("hsi").physical(empty))


def test_train_and_map_with_a_hyperspectral_modality(tmp_path, quiet, monkeypatch, rng):
    """Three covers, 40 bands: learnt by components, mapped in bands."""
    monkeypatch.setitem(PRESETS, "small", (8, 16))
    monkeypatch.setattr(options, "CHIPS_AN_EPOCH", (64, 64))
    cover = np.kron(rng.integers(0, 3, (8, 8)), np.ones((12, 12), int))
    spectrum = rng.normal(200, 60, (3, BANDS))
    optical = write(tmp_path / "rgb.tif", (60 * cover[None] + rng.normal(0, 6, (1, 96, 96))).astype("float32"))
    hsi = np.moveaxis(spectrum[cover], -1, 0) + rng.normal(0, 5, (BANDS, 96, 96))
    auxiliary = write(tmp_path / "hsi.tif", hsi.astype("float32"))
    label = write(tmp_path / "label.tif", (cover[None] + 1).astype("uint8"))
    job = jobs.TrainJob(
        str(tmp_path / "m.safetensors"),
        inputs=(optical,),
        auxiliary=(auxiliary,),
        reference=label,
        players="none",
        epochs=20,
        chip_size=32,
        batch_size=8,
        precision="float32",
    )
    run(job, quiet())
    network, card = file.load(job.output_model)
    assert isinstance(network.head("hsi"), CompactHead) and len(card.auxiliary[0].bands) == BANDS
    assert 2 <= len(network.config.tasks["hsi"].components.std) <= options.COMPACT_MOST
    outputs = {
        name: str(tmp_path / f"{name}.tif") for name in ("reconstruction", "expected_error", "reconstruction_error")
    }
    run_map(
        jobs.MapJob(job.output_model, (optical,), (auxiliary,), **{f"output_{k}": v for k, v in outputs.items()}),
        quiet(),
    )
    found = {}
    for name, path in outputs.items():
        with rasterio.open(path) as dataset:
            assert dataset.count == BANDS and dataset.descriptions[0] == "hsi:band 1"
            found[name] = dataset.read()
    assert 1 - np.square(found["reconstruction"] - hsi).mean() / hsi.var() > 0.7
    assert np.allclose(found["reconstruction_error"], found["reconstruction"] - hsi, atol=1e-2)
    ratio = found["expected_error"].mean() / np.abs(found["reconstruction_error"]).mean()
    assert 0.5 < ratio < 2
