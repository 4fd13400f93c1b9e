"""Splits by scene or by spatial block, never by neighbouring pixels."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...models.errors import SceneError
from .survey import Block

log = logging.getLogger("auxlens")

TRAIN, VALIDATION, TEST = "train", "validation", "test"
UNLABELLED = "unlabelled"  # no reference: teaches the auxiliary tasks alone
UNUSED = "unused"  # taken out of training by a comparison
GOAL = {TRAIN: 0.6, VALIDATION: 0.2, TEST: 0.2}  # shares of every class's references
_ROUNDS = 10
_LARGE = 0.1  # share of a class
_MIN_SCENES = 10  # from which on whole scenes are held out


def split_blocks(blocks: Sequence[Block], seed: int, for_test: Collection[int] = ()) -> tuple[list[str], str]:
    """Assign each block to training, validation or test.

    With ten scenes or more, whole scenes are held out; else blocks. Each goes where the splits' shares of every class
    and of all references come closest to their goals, those with much of a class first, and every split gets every
    class where that is possible (in the spirit of Sechidis et al. 2011).

    Args:
        blocks: All blocks; those without references are ``UNLABELLED``.
        seed: Of the order in which units of about a size are dealt out.
        for_test: Scenes that the user keeps for testing; with any, all others are for training and validation.

    Returns:
        The split of each block, and ``scene`` or ``block``: the unit that was dealt out.

    Raises:
        SceneError: fewer blocks have references than there are splits to fill, or the test scenes have none.
    """
    labelled = [block for block in blocks if block.counts.any()]
    others = [block for block in labelled if block.scene not in for_test]
    if for_test and len(others) == len(labelled):
        raise SceneError("The test scenes have no reference; give some that the reference pattern finds.")
    goal = {split: share for split, share in GOAL.items() if not (for_test and split == TEST)}
    dealt, unit = _split(others, {split: share / sum(goal.values()) for split, share in goal.items()}, seed)
    rest = iter(dealt)
    found = [
        UNLABELLED if not block.counts.any() else TEST if block.scene in for_test else next(rest) for block in blocks
    ]
    _warn_of_gaps(blocks, found)
    return found, unit


def thin_out(splits: Sequence[str], units: Sequence[int], share: float, seed: int, becomes: str = UNUSED) -> list[str]:
    """Take references out of the training split until a share of its units is left; smaller shares are parts of larger.

    Args:
        splits: The split of each block.
        units: The unit (scene or block) of each block.
        share: Of the training units, 0–1; at least one stays.
        seed: Of the order in which they leave.
        becomes: The split of the others.
    """
    own = sorted({unit for unit, split in zip(units, splits, strict=True) if split == TRAIN})
    order = np.random.default_rng(seed).permutation(own)
    left = set(order[: max(1, round(share * len(own)))].tolist())
    return [becomes if s == TRAIN and unit not in left else s for unit, s in zip(units, splits, strict=True)]


def _split(blocks: Sequence[Block], goal: Mapping[str, float], seed: int) -> tuple[list[str], str]:
    scenes = sorted({block.scene for block in blocks})
    unit = "scene" if len(scenes) >= _MIN_SCENES else "block"
    units = [block.scene for block in blocks] if unit == "scene" else list(range(len(blocks)))
    names = sorted(set(units))
    if len(names) < len(goal):
        uses = " and ".join(", ".join(("train", "validate", "test")[: len(goal)]).rsplit(", ", 1))
        raise SceneError(
            f"References lie in {len(names)} block(s) of the scenes; at least {len(goal)} are needed to {uses} apart "
            "from each other. Add references in other places."
        )
    counts = _sums(np.stack([block.counts for block in blocks]), units)
    dealt = dict(zip(names, _deal(counts, goal, np.random.default_rng(seed)), strict=True))
    return [dealt[u] for u in units], unit


def _sums(counts: NDArray[np.int64], units: Sequence[int]) -> NDArray[np.int64]:
    """Counts ``(blocks, classes)`` added up by unit, in the order of their numbers: ``(units, classes)``."""
    names, rows = np.unique(units, return_inverse=True)
    found = np.zeros((len(names), counts.shape[1]), np.int64)
    np.add.at(found, rows, counts)
    return found


def _deal(counts: NDArray[np.int64], goal: Mapping[str, float], rng: np.random.Generator) -> list[str]:
    """The split of each unit (row of ``counts``): dealt out one by one, then moved while that helps."""
    total = counts.sum(axis=0)
    units = np.c_[counts[:, total > 0], counts.sum(axis=1)] / np.r_[total[total > 0], total.sum()]
    shares = np.array(list(goal.values()))[:, None]
    needed = (units > 0).sum(axis=0) >= len(goal)  # classes that every split can have

    def cost(dealt: NDArray[np.float64]) -> float:
        missing = (dealt[:, needed] < units[:, needed].sum(axis=0) * 1e-9).sum()
        return float(10 * missing + ((dealt - shares) ** 2).sum())

    def cost_with(unit: int, split: int) -> float:
        trial = dealt.copy()
        trial[split] += units[unit]
        return cost(trial)

    found = np.full(len(units), -1)
    dealt = np.zeros((len(goal), units.shape[1]))
    shuffled = rng.permutation(len(units))
    size = np.log2(units.max(axis=1))
    size = np.where(size < math.log2(_LARGE), size.round(), size)  # small ones of about a size come in any order
    large_first = sorted(shuffled, key=lambda i: -size[i])
    for _ in range(_ROUNDS):
        before = found.copy()
        for i in large_first:
            if found[i] >= 0:
                dealt[found[i]] -= units[i]
            found[i] = min(range(len(goal)), key=partial(cost_with, i))
            dealt[found[i]] += units[i]
        if (found == before).all():
            break
    names = list(goal)
    return [names[i] for i in found]


def _warn_of_gaps(blocks: Sequence[Block], found: Sequence[str]) -> None:
    for split in (TRAIN, VALIDATION, TEST):
        counts = sum((b.counts for b, s in zip(blocks, found, strict=True) if s == split), np.zeros(1, np.int64))
        missing = int((counts == 0).sum())
        if missing:
            log.warning("%d of %d classes have no reference in the %s split.", missing, len(counts), split)
