"""Bands that are hidden and learned from scenes without a reference."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import torch
from tiny_scenes import patterns, train_in_two, two_tasks, weights

from auxlens.engine.executors.train import run
from auxlens.engine.training import chips, learn as learning, masking, options
from auxlens.engine.training.loop import Outcome
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.engine.training.weighting import TotalLoss
from auxlens.models.card import read_card
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.network import Network


def test_masked_bands_of_chips_without_a_reference_are_targets(rng):
    inputs = torch.randn(400, 4, 2, 2)
    inputs[:, 3, 0, 0] = math.nan  # not valid
    main = torch.full((400, 1, 2, 2), math.nan)
    main[:200, :, 1] = 1.0
    batch = chips.Batch(inputs, {"main": main, "s1": torch.randn(400, 2, 2, 2)})
    found = masking.hidden(batch, 0.5, rng)
    absent = torch.isnan(found.inputs).all(dim=(2, 3))
    assert not absent[:200].any()
    assert 70 < absent.any(dim=1).sum() < 130 and absent[200:].sum(dim=1).unique().tolist() == [0, 1, 2, 3]
    targets, of = found.targets[options.MASKED], absent[:, :, None, None]
    assert torch.equal(torch.where(of, targets, found.inputs).nan_to_num(9.0), inputs.nan_to_num(9.0))
    assert torch.isnan(targets.masked_select(~of)).all()
    assert torch.equal(torch.isnan(found.targets["s1"]).all(dim=(1, 2, 3)), absent.any(dim=1))  # teaches nothing else
    assert torch.equal(found.targets["main"].nan_to_num(9.0), main.nan_to_num(9.0))
    untouched = masking.hidden(batch, 0.0, rng)
    assert torch.equal(untouched.inputs.nan_to_num(9.0), inputs.nan_to_num(9.0))
    assert torch.isnan(untouched.targets[options.MASKED]).all()


def test_masked_bands_need_scenes_without_a_reference(folder, tmp_path, quiet, caplog):
    job = patterns(folder, tmp_path / "m.safetensors", masked_share=0.5)
    Setup(job, scenes_of(job), quiet())
    assert "Every scene has a reference, so no bands are masked" in caplog.text


def test_scenes_with_inputs_alone_teach_by_masked_bands(small, sparse, tmp_path, quiet):
    """The model has no trace of it but other weights; what it gives is that of the network that learned."""
    job = patterns(sparse, tmp_path / "m.safetensors", masked_share=1.0)
    plain = replace(job, masked_share=0.0, output_model=str(tmp_path / "plain.safetensors"))
    for one, scenes in ((job, {0, 1, 2}), (plain, {0, 2})):
        setup = Setup(one, scenes_of(one), quiet())
        samples = learning._training_chips(setup, 32, 300, np.random.default_rng(0))
        assert {sample.scene for sample in samples} == scenes
        run(one, quiet())
    first, second = weights(tmp_path / "m.safetensors"), weights(tmp_path / "plain.safetensors")
    assert first.keys() == second.keys()
    assert not torch.equal(first["encoder.0.0.weight"], second["encoder.0.0.weight"])
    cards = [read_card(str(tmp_path / f"{name}.safetensors")) for name in ("m", "plain")]
    assert cards[0].network["tasks"].keys() == cards[1].network["tasks"].keys() == {"main", "s1"}
    assert [m.name for m in cards[0].auxiliary] == ["s1"]
    features = [{kind: model.features for kind, model in card.error_models.items()} for card in cards]
    assert features[0] == features[1]
    assert options.MASKED not in json.dumps(cards[0].training)


def test_masked_bands_are_the_same_after_an_interruption(small, sparse, tmp_path, quiet):
    whole = patterns(sparse, tmp_path / "whole.safetensors", masked_share=0.5, players="none")
    run(whole, quiet())
    train_in_two(replace(whole, output_model=str(tmp_path / "parts.safetensors")), "Epoch 2, step 10", quiet)
    first, second = (weights(tmp_path / f"{name}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(second[key], value) for key, value in first.items())


def test_class_weights_reach_the_network_that_learns_masked_bands_too(small, sparse, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(learning, "class_weights", lambda counts: np.arange(1.0, 1 + len(counts)))
    monkeypatch.setattr(learning, "train", lambda learner, *given: learners.append(learner) or Outcome({}))
    job, learners = patterns(sparse, tmp_path / "m.safetensors", masked_share=0.5, players="none"), []
    setup = Setup(job, scenes_of(job), quiet())
    network = Network(setup.config)
    learning.learn(job, network, setup, torch.device("cpu"), quiet())
    assert learners[0] is not network and options.MASKED in learners[0].config.tasks
    for one in (network, learners[0]):
        assert one.head("main").class_weights.tolist() == [1.0, 2.0, 3.0]


def test_the_network_is_exact_where_no_band_is_masked():
    torch.manual_seed(0)
    tasks = {"main": TaskConfig("score", 2), "a": TaskConfig("density", 1, (0.0,), (1.0,))}
    network = Network(NetworkConfig((4, 6), (3.0, 4.0), (1.0, 2.0), tasks, ((0,), (1,)))).eval()
    learner = masking.with_task(network).eval()
    x = torch.randn(2, 2, 16, 16)
    before, seen = network(x), learner(x)
    assert seen.keys() - before.keys() == {options.MASKED} and seen[options.MASKED].shape == (2, 4, 16, 16)
    assert all(torch.equal(seen[name], values) for name, values in before.items())
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(0.01)
    masking.without_task(learner, network)
    after, seen = network(x), learner(x)
    assert all(torch.equal(seen[name], values) for name, values in after.items())
    assert not torch.equal(after["main"], before["main"])


def test_masked_bands_weigh_as_much_as_all_modalities():
    network, raw, targets = two_tasks(TaskConfig("score", 2))
    raw[options.MASKED], targets[options.MASKED] = raw["a"], targets["b"]
    network.heads[options.MASKED] = network.head("a")
    main, a, b = (network.head(name).loss(raw[name], targets[name]) for name in ("main", "a", "b"))
    masked = network.head("a").loss(raw["a"], targets["b"])
    assert torch.isclose(TotalLoss(network, 0.3)(network, raw, targets), main + 0.3 * ((a + b) / 2 + masked))
