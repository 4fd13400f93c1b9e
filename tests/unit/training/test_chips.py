"""Chips: what is drawn, read, held back and put together to batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_scenes import SIZE, layers, patterns, read, write

from auxlens.engine.scene.window import Window
from auxlens.engine.training import chips, learn as learning, survey
from auxlens.engine.training.attribution import Fit
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.engine.training.split import TEST, TRAIN, UNLABELLED, VALIDATION
from auxlens.engine.training.survey import BandStatistics, Block
from auxlens.models.errors import SceneError
from auxlens.models.network import Network


def test_targets_of_other_chips():
    inputs, main, radar = (torch.arange(3.0).reshape(3, 1, 1, 1) + start for start in (0, 10, 20))
    batch = chips.with_targets_of_others(chips.Batch(inputs, {"main": main, "s1": radar}))
    assert batch.inputs.flatten().tolist() == [0, 1, 2] and batch.targets["main"].flatten().tolist() == [10, 11, 12]
    assert batch.targets["s1"].flatten().tolist() == [22, 20, 21]


def test_what_is_held_out_is_never_read_for_training(folder, tmp_path, quiet):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    assert {(b.scene, b.window.row, b.window.col) for b in setup.blocks} == {
        (scene, row, col) for scene in range(3) for row in range(0, SIZE, 32) for col in range(0, SIZE, 32)
    }
    for split in (TRAIN, VALIDATION, TEST):
        reader = setup.reader(split)
        for scene in range(3):
            chip = reader.read(chips.Sample(scene, Window(0, 0, SIZE, SIZE), 0))
            assert np.isfinite(chip["inputs"]).all()  # inputs are no secret
            truth = read(folder / f"scene_{scene}" / "label.tif")[0]
            for block, of in zip(setup.blocks, setup.splits, strict=True):
                if block.scene == scene:
                    seen = {name: values[(slice(None), *block.window.slices)] for name, values in chip.items()}
                    if of == split:
                        assert (seen["main"][0] == truth[block.window.slices] - 1).all()
                        assert np.isfinite(seen["s1"]).all() == (scene < 2)
                    else:
                        assert np.isnan(seen["main"]).all() and np.isnan(seen["s1"]).all()


def test_auxiliary_targets_are_read_only_where_they_are_used(folder, tmp_path, quiet):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    reader, sample = setup.reader(TEST, auxiliary=False), chips.Sample(0, Window(0, 0, SIZE, SIZE), 3)
    alone, full = reader.read(sample), setup.reader(TEST).read(sample)
    assert set(alone) == {"inputs", "main"} and set(full) == {*alone, "s1"}
    assert all(np.array_equal(values, full[name], equal_nan=True) for name, values in alone.items())
    assert reader.open_scene(0).files == 2  # optical bands and labels
    assert all(set(batch.targets) == {"main"} for batch in learning._validation_chips(setup, 32, 4, False, 0))


def test_the_explainer_learns_without_auxiliary_targets(small, folder, tmp_path, quiet, monkeypatch):
    learned = []

    def seen(network, fabric, batches, *rest):
        learned.append(set(next(batches).targets))
        return Fit(0.0, 0.0)

    job = patterns(folder, tmp_path / "m.safetensors", epochs=1)
    setup = Setup(job, scenes_of(job), quiet())
    monkeypatch.setattr(learning, "fit_attributions", seen)
    learning.learn(job, Network(setup.config), setup, torch.device("cpu"), quiet())
    assert learned == [{"main"}]


def test_bands_are_called_the_same_in_all_scenes(folder, tmp_path):
    scenes = tmp_path / "scenes"
    for name, source in (("a", 0), ("b", 1)):
        files = {kind: read(folder / f"scene_{source}" / f"{kind}.tif") for kind in ("s2", "s1", "label")}
        write(scenes / name / "s2.tif", files["s2"], tuple(f"{name}{i}" for i in range(3)))
        write(scenes / name / "s1.tif", files["s1"], (f"{name} VV", f"{name} VH"))
        write(scenes / name / "label.tif", files["label"], nodata=0)
    first, second = scenes_of(patterns(scenes, tmp_path / "m.safetensors"))
    for one, other in zip((*first.inputs, *first.auxiliary), (*second.inputs, *second.auxiliary), strict=True):
        assert [b.name for b in one.bands] == [b.name for b in other.bands]


def test_references_that_are_taken_out_are_hidden_but_not_the_radar(folder, tmp_path, quiet):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    setup.splits = [
        UNLABELLED if s == TRAIN and b.scene == 0 else s for b, s in zip(setup.blocks, setup.splits, strict=True)
    ]
    chip = setup.reader(TRAIN).read(chips.Sample(0, Window(0, 0, SIZE, SIZE), 0))
    for block, split in zip(setup.blocks, setup.splits, strict=True):
        if block.scene == 0:
            at = (slice(None), *block.window.slices)
            assert np.isnan(chip["main"][at]).all() and np.isfinite(chip["s1"][at]).all() == (split == UNLABELLED)


def test_references_where_a_map_has_no_pixel_are_no_references(folder, tmp_path, quiet):
    optical = read(folder / "scene_0" / "s2.tif")
    optical[:, :, SIZE // 2 :], optical[1, :10] = 0, 0
    holed = write(tmp_path / "s2.tif", optical, ("B2", "B3", "B4"), nodata=0)
    job = layers(folder, tmp_path / "m.safetensors", inputs=(holed,))
    setup = Setup(job, scenes_of(job), quiet())
    shown = (optical > 0).all(axis=0)
    assert sum(b.counts.sum() for b in setup.blocks) == shown.sum()
    reader = replace(setup.reader(TRAIN), splits=[TRAIN] * len(setup.blocks))
    chip = reader.read(chips.Sample(0, Window(0, 0, SIZE, SIZE), 0))
    assert (np.isfinite(chip["main"][0]) == shown).all() and (np.isfinite(chip["s1"]) == shown).all()


def test_chips_are_turned_together_and_padded(folder, tmp_path, quiet):
    job = layers(folder, tmp_path / "m.safetensors", reference=str(folder / "scene_0" / "height.tif"))
    job = replace(job, task="regression", auxiliary=(str(folder / "scene_0" / "height.tif"),))
    setup = Setup(job, scenes_of(job), quiet())
    reader = replace(setup.reader(TRAIN), splits=[TRAIN] * len(setup.blocks))
    window = Window(-5, SIZE - 20, 32, 32)
    seen = [reader.read(chips.Sample(0, window, turn)) for turn in range(8)]
    optical, height = read(folder / "scene_0" / "s2.tif"), read(folder / "scene_0" / "height.tif")
    assert (seen[0]["inputs"][:, 5:, :20] == optical[:, :27, -20:]).all()
    assert np.isnan(seen[0]["inputs"][:, :5]).all() and np.isnan(seen[0]["main"][:, :, 20:]).all()
    assert (seen[0]["main"][:, 5:, :20] == height[:, :27, -20:]).all()
    for chip in seen:
        assert np.array_equal(chip["main"], chip["height"], equal_nan=True)
        assert (np.isnan(chip["inputs"][:1]) == np.isnan(chip["main"])).all()
    assert len({chip["main"].tobytes() for chip in seen}) == 8


@pytest.mark.parametrize("chip_px", [16, 64])
def test_chips_hold_a_reference_pixel(chip_px):
    block = Block(0, Window(256, 512, 32, 32), np.array([1]), np.array([[260, 540], [287, 512]]))
    rng = np.random.default_rng(0)

    def holds(window, row, col):
        return window.row <= row < window.row_end and window.col <= col < window.col_end

    for sample in chips.draw([block] * 2, [TRAIN, TEST], chip_px, 200, rng):
        window = sample.window
        assert any(holds(window, row, col) for row, col in block.places)
        assert holds(block.window, window.row + chip_px // 2, window.col + chip_px // 2)
    for _ in range(50):
        window = chips.held_out(block, chip_px, rng).window
        assert any(holds(window, row, col) for row, col in block.places)
        inner, outer = (window, block.window) if chip_px < 32 else (block.window, window)
        assert inner.intersection(outer) == inner


def test_every_class_is_drawn():
    """A block of 1000 with a class of its own gets about half of what is drawn by class, and its share by area."""
    places = np.array([[0, 0]])
    common = [Block(0, Window(0, 32 * i, 32, 32), np.array([1024, 0]), places) for i in range(99)]
    rare = Block(1, Window(0, 0, 32, 32), np.array([0, 8]), places)
    rng = np.random.default_rng(0)
    drawn = chips.draw([*common, rare], [TRAIN] * 100, 16, 2000, rng)
    assert np.isclose(np.mean([sample.scene for sample in drawn]), 0.25, atol=0.04)


def test_batches_do_not_depend_on_the_number_of_readers(folder, tmp_path, quiet, monkeypatch):
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    samples = learning._training_chips(setup, 32, 40, np.random.default_rng(0))
    made = []
    for readers in (1, 5):
        monkeypatch.setattr(chips, "_READERS", readers)
        monkeypatch.setattr(chips, "_BATCHES_AHEAD", readers + 1)
        made.append(list(chips.load(setup.reader(TRAIN), samples, 4)))
    assert len(made[0]) == len(made[1]) == 10
    for first, second in zip(*made, strict=True):
        pairs = [
            (first.inputs, second.inputs),
            *((first.targets[name], second.targets[name]) for name in first.targets),
        ]
        assert all(torch.equal(a.nan_to_num(-1e9), b.nan_to_num(-1e9)) for a, b in pairs)


def test_few_files_are_open_at_once(folder, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(chips, "_OPEN_FILES", 4)
    job = patterns(folder, tmp_path / "m.safetensors")
    setup = Setup(job, scenes_of(job), quiet())
    opened = []

    def remember(number):
        opened.append(setup.open(number))
        return opened[-1]

    reader = replace(setup.reader(TRAIN), open_scene=remember)
    window = Window(0, 0, 8, 8)
    for scene in (0, 0, 1, 2, 0):
        assert np.isfinite(reader.read(chips.Sample(scene, window, 0))["inputs"]).all()
    assert len(opened) == 4
    closed = [scene._inputs[0]._files[0].dataset.closed for scene in opened]
    assert closed == [True, True, True, False]


def test_statistics_leave_wild_and_invalid_pixels_out(rng):
    values = rng.normal(100, 10, (2, 200, 200)).astype("float32")
    values[1] = -5 + values[1] / 10
    values[:, 0, :10], values[:, 1] = 1e9, np.nan
    statistics = BandStatistics()
    for part in np.split(values, 4, axis=2):
        statistics.add(part, rng)
    mean, std = statistics.result("s2")
    assert np.allclose(mean, [100, 5], atol=0.3) and np.allclose(std, [10, 1], rtol=0.06)


def test_rare_values_are_not_constant(rng):
    buildings = np.zeros((1, 100, 100), "float32")
    buildings[0, 0, :30] = 1.0
    statistics = BandStatistics()
    statistics.add(buildings, rng)
    mean, std = statistics.result("buildings")
    assert np.allclose(mean, 0.003, atol=0.0015) and np.allclose(std, np.sqrt(0.003), rtol=0.25)
    empty = BandStatistics()
    empty.add(0 * buildings, rng)
    with pytest.raises(SceneError, match=r"Band 1 of buildings is constant \(0\)"):
        empty.result("buildings")


def test_statistics_of_a_few_points_are_theirs(rng):
    """One reference pixel in each of many windows, as points are."""
    values, statistics = rng.normal(20, 5, 30), BandStatistics()
    for value in values:
        window = np.full((1, 256, 256), np.nan, "float32")
        window[0, rng.integers(256), rng.integers(256)] = value
        statistics.add(window, rng)
    (mean,), (std,) = statistics.result("main")
    assert np.isclose(mean, values.mean(), rtol=0.02) and np.isclose(std, values.std(), rtol=0.05)


def test_statistics_of_many_windows_stay_small_and_fair(rng, monkeypatch):
    monkeypatch.setattr(survey, "_MOST_VALUES", 2**16)
    statistics = BandStatistics()
    for level in range(100):
        statistics.add(np.full((2, 64, 64), level, "float32"), rng)
        assert sum(sample.size for sample in statistics.samples) <= 2**16
    assert np.allclose(statistics.result("s2")[0], 49.5, atol=1)


def test_small_numbers_are_not_constant(rng):
    """A gas in mol/m²."""
    statistics = BandStatistics()
    statistics.add(rng.normal(2e-8, 1e-8, (1, 64, 64)).astype("float32"), rng)
    assert np.allclose(statistics.result("no2"), [[2e-8], [1e-8]], rtol=0.1)
