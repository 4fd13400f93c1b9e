"""Splits: blocks or scenes are held out whole, and every split has its share of every class."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from auxlens.engine.scene.window import Window
from auxlens.engine.training import split
from auxlens.engine.training.objects import SceneObject
from auxlens.engine.training.split import GOAL, TEST, TRAIN, VALIDATION, split_blocks
from auxlens.engine.training.survey import Block, blocks_of, by_window
from auxlens.models.errors import SceneError

SPLITS = (TRAIN, VALIDATION, TEST)


def blocks(counts, scenes=None):
    """A block for each row of reference pixels a class."""
    scenes = np.zeros(len(counts), int) if scenes is None else scenes
    rows = zip(scenes, counts, strict=True)
    places = np.zeros((0, 2), int)
    return [
        Block(int(scene), Window(0, 32 * i, 32, 32), np.asarray(row), places) for i, (scene, row) in enumerate(rows)
    ]


def dealt(counts, found):
    """Reference pixels a split (rows) and class."""
    return np.stack([np.sum([c for c, f in zip(counts, found, strict=True) if f == s], axis=0) for s in SPLITS])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 40), st.integers(1, 6))
def test_each_block_has_one_split_and_no_split_is_empty(seed, number, classes):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 1000, (number, classes)) * (rng.random((number, classes)) < 0.4)
    counts[np.arange(number), rng.integers(classes, size=number)] += 1
    found, unit = split_blocks(blocks(counts), seed)
    assert unit == "block"
    assert len(found) == number and set(found) == set(SPLITS)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 25), st.integers(2, 5))
def test_every_split_has_every_class_that_is_in_several_blocks(seed, number, classes):
    rng = np.random.default_rng(seed)
    counts = rng.integers(200, 1000, (number, classes)) * (rng.random((number, classes)) < 0.3)
    counts[:5] += np.diag(np.full(classes, 300))[np.arange(5) % classes]
    counts[5:10] += np.diag(np.full(classes, 300))[np.arange(5) % classes]
    counts = counts[counts.sum(axis=1) > 0]
    found, _ = split_blocks(blocks(counts), seed)
    often = (counts > 0).sum(axis=0) >= 4
    assert (dealt(counts, found)[:, often] > 0).all()


@pytest.mark.parametrize("number", [9, 16, 49])
def test_shares_are_kept(number):
    rng = np.random.default_rng(number)
    counts = np.stack([rng.multinomial(1024, rng.dirichlet([0.5] * 4)) for _ in range(number)])
    found, _ = split_blocks(blocks(counts), 0)
    shares = dealt(counts, found).sum(axis=1) / counts.sum()
    assert np.abs(shares - [GOAL[s] for s in SPLITS]).max() < 1 / number


def test_a_rare_class_is_shared_out_when_all_else_is_common():
    counts = np.tile([1000, 0], (30, 1))
    counts[[3, 14, 27], 1] = 5
    found, _ = split_blocks(blocks(counts), 0)
    assert {found[3], found[14], found[27]} == set(SPLITS)


def test_one_large_block_does_not_leave_training_with_little():
    """A block with most of a rare class, and traces of it everywhere else."""
    counts = np.tile([900, 1], (9, 1))
    counts[4] = [100, 800]
    found, _ = split_blocks(blocks(counts), 0)
    assert 0.4 < dealt(counts, found)[0].sum() / counts.sum() < 0.75


def test_whole_scenes_are_held_out_from_ten_on():
    scenes = np.repeat(np.arange(12), 6)
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 500, (72, 3))
    found, unit = split_blocks(blocks(counts, scenes), 3)
    assert unit == "scene"
    assert all(len({f for f, s in zip(found, scenes, strict=True) if s == scene}) == 1 for scene in range(12))
    assert (dealt(counts, found) > 0).all()
    assert split_blocks(blocks(counts[:54], scenes[:54]), 3)[1] == "block"


def test_seeds_give_splits():
    counts = np.random.default_rng(0).integers(1, 500, (40, 3))
    first, again, other = (split_blocks(blocks(counts), seed)[0] for seed in (5, 5, 6))
    assert first == again != other


def test_many_units_are_dealt_out_in_passing():
    """Counts are added up in one pass, not in one for each unit."""
    counts, units = np.random.default_rng(0).integers(0, 9, (40_000, 2)), np.arange(40_000) // 2
    started = time.monotonic()
    found = split._sums(counts, units.tolist())
    assert time.monotonic() - started < 5  # a pass a unit would take minutes
    assert (found == counts[::2] + counts[1::2]).all()


def test_regressions_have_one_count():
    counts = np.random.default_rng(0).integers(1, 1000, (25, 1))
    found, _ = split_blocks(blocks(counts), 0)
    assert np.allclose(dealt(counts, found)[:, 0] / counts.sum(), [GOAL[s] for s in SPLITS], atol=0.08)


@pytest.mark.parametrize("number", [1, 2])
def test_too_few_blocks(number):
    with pytest.raises(SceneError, match=rf"lie in {number} block\(s\) of the scenes; at least 3 .* in other places"):
        split_blocks(blocks(np.ones((number, 2), int)), 0)


def test_scenes_kept_for_testing():
    """They are the test split, whole; the others are dealt to training and validation, three to one."""
    counts, scenes = np.random.default_rng(0).integers(1, 1000, (60, 2)), np.repeat(np.arange(20), 3)
    found, unit = split_blocks(blocks(counts, scenes), 0, for_test={3, 19})
    assert unit == "scene"
    assert {scene for scene, split in zip(scenes, found, strict=True) if split == TEST} == {3, 19}
    learned = dealt(counts, found)[:2].sum(axis=1)
    assert np.isclose(learned[0] / learned.sum(), 0.75, atol=0.05)


def test_scenes_kept_for_testing_need_references():
    counts = np.ones((9, 2), int)
    with pytest.raises(SceneError, match="The test scenes have no reference; give some that the reference pattern"):
        split_blocks(blocks(counts, np.zeros(9, int)), 0, for_test={1})
    with pytest.raises(SceneError, match=r"lie in 1 block\(s\) .*; at least 2 are needed to train and validate apart"):
        split_blocks(blocks(counts, [0] + [1] * 8), 0, for_test={1})


def test_a_split_without_a_class_is_warned_of(caplog):
    counts = np.tile([100, 0, 50], (9, 1))
    counts[2, 1] = 40
    found, _ = split_blocks(blocks(counts), 0)
    assert [record.getMessage() for record in caplog.records] == [
        f"1 of 3 classes have no reference in the {split} split." for split in SPLITS if split != found[2]
    ]


@pytest.mark.parametrize("size", [(1, 1), (31, 400), (96, 128), (1000, 700), (5000, 5000)])
def test_blocks_cover_a_scene_once(size):
    windows = list(blocks_of(*size))
    assert sum(w.height * w.width for w in windows) == size[0] * size[1]
    assert len({(w.row, w.col) for w in windows}) == len(windows)
    assert max(max(w.height, w.width) for w in windows) <= 256


@pytest.mark.parametrize("size", [(1, 1), (20, 400), (96, 131), (1000, 700)])
def test_objects_are_in_the_window_of_their_middle(size):
    places = [(row, col) for row in range(0, size[0], 7) for col in range(0, size[1], 7)]
    objects = [SceneObject(0, i, Window(*place, 1, 1), 0.0) for i, place in enumerate(places)]
    windows = list(blocks_of(*size))
    found = by_window(objects, windows)
    assert {window: found.get(window, []) for window in windows} == {
        window: [item for item in objects if window.holds(*item.middle)] for window in windows
    }


def test_many_objects_are_looked_at_once():
    objects = [SceneObject(0, i, Window(i % 20_000, i * 7 % 20_000, 1, 1), 0.0) for i in range(20_000)]
    started = time.monotonic()
    found = by_window(objects, list(blocks_of(20_000, 20_000)))
    assert time.monotonic() - started < 5  # a look at each object for each window would take minutes
    assert sum(map(len, found.values())) == len(objects)
