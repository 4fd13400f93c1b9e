"""Splits by scene or by spatial block, never by neighbouring pixels."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...models.errors import SceneError
from .survey import Block

log = logging.getLogger("auxlens")

TRAIN, VALIDATION, TEST = "train", "validation", "test"
GOAL = {TRAIN: 0.6, VALIDATION: 0.2, TEST: 0.2}  # shares of every class's references
_MIN_SCENES = 10  # from which on whole scenes are held out


def split_blocks(blocks: Sequence[Block], seed: int) -> tuple[list[str], str]:
    """Assign each block to training, validation or test.

    With ten scenes or more, whole scenes are held out; else blocks. Rare classes are dealt out first, each block
    to the split that lacks its rarest class most, so that every split sees every class where that is possible
    (after Sechidis et al. 2011).

    Returns:
        The split of each block, and ``scene`` or ``block``: the unit that was dealt out.

    Raises:
        SceneError: fewer than three blocks have references.
    """
    scenes = sorted({block.scene for block in blocks})
    unit = "scene" if len(scenes) >= _MIN_SCENES else "block"
    units = [block.scene for block in blocks] if unit == "scene" else list(range(len(blocks)))
    names = sorted(set(units))
    if len(names) < 3:
        raise SceneError(
            f"References lie in {len(names)} block(s) of the scenes; at least 3 are needed to train, validate and "
            "test apart from each other. Add references in other places."
        )
    counts = np.stack([sum((b.counts for b, u in zip(blocks, units, strict=True) if u == n)) for n in names])
    dealt = dict(zip(names, _deal(counts, GOAL, np.random.default_rng(seed)), strict=True))
    found = [dealt[u] for u in units]
    _warn_of_gaps(blocks, found)
    return found, unit


def _deal(counts: NDArray[np.int64], goal: dict[str, float], rng: np.random.Generator) -> list[str]:
    total = counts.sum(axis=0)
    lacking = {split: share * total for split, share in goal.items()}
    found = [""] * len(counts)
    shuffled = rng.permutation(len(counts))
    for rare in np.argsort(total, kind="stable"):
        holders = [i for i in shuffled if not found[i] and counts[i, rare] > 0]
        for unit in sorted(holders, key=lambda i: -counts[i, rare]):
            split = max(lacking, key=lambda s: (lacking[s][rare] / goal[s], goal[s]))
            found[unit] = split
            lacking[split] = lacking[split] - counts[unit]
    for split in (VALIDATION, TEST):  # few, large units can leave a split empty
        if split not in found:
            donors = [i for i, s in enumerate(found) if s == TRAIN]
            found[min(donors, key=lambda i: counts[i].sum())] = split
    return found


def _warn_of_gaps(blocks: Sequence[Block], found: Sequence[str]) -> None:
    for split in (TRAIN, VALIDATION, TEST):
        counts = sum((b.counts for b, s in zip(blocks, found, strict=True) if s == split), np.zeros(1, np.int64))
        missing = int((counts == 0).sum())
        if missing:
            log.warning("%d of %d classes have no reference in the %s split.", missing, len(counts), split)
