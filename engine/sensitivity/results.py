"""Results of a sensitivity job: which player each task leans on, and whether the tasks agree."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ..explain.association import spearman
from ..explain.many_bands import told
from .occlusion import Sums

_FEWEST_PLAYERS = 4  # that ranks can be correlated of
_ALIKE = 0.5


@dataclass(frozen=True)
class Sensitivity:
    """Mean changes by player and task; the first task is the main one."""

    scene: str
    model: str
    removal: str
    told: bool  # whether the network knows who is absent
    players: tuple[str, ...]
    tasks: tuple[str, ...]
    classes: tuple[LandClass, ...]
    sums: Sums

    @property
    def overall(self) -> NDArray[np.float64]:
        """``(players, tasks)``."""
        return self.sums.mean()

    @property
    def groups(self) -> list[tuple[str, int, NDArray[np.float64]]]:
        """Name, pixels and changes of all pixels and of each class that is mapped anywhere."""
        found = [("all", int(self.sums.pixels.sum()), self.overall)]
        for number, c in enumerate(self.classes):
            if self.sums.pixels[number]:
                found.append((c.name, int(self.sums.pixels[number]), self.sums.mean(number)))
        return found


def condensed(found: Sensitivity) -> Sensitivity:
    """What people are shown: the bands of a modality of very many are one task, ``modality:all bands``, their mean."""
    bands = told(found.tasks[1:])
    changes = [found.sums.changes[..., :1]]
    changes += [found.sums.changes[..., 1:][..., numbers].mean(axis=-1, keepdims=True) for numbers in bands.values()]
    return replace(
        found, tasks=(found.tasks[0], *bands), sums=Sums(np.concatenate(changes, axis=-1), found.sums.pixels)
    )


def agreement(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's correlation over the players of each auxiliary task's changes with the main task's: ``(tasks − 1,)``.

    NaN with fewer than four players: their ranks agree by chance too easily.
    """
    if len(changes) < _FEWEST_PLAYERS:
        return np.full(changes.shape[1] - 1, np.nan)
    return np.array([spearman(changes[:, 0], changes[:, task]) for task in range(1, changes.shape[1])])


def verdict(found: Sensitivity) -> list[str]:
    """Plain sentences: what the map leans on, and what the auxiliary tasks share with it."""
    changes = found.overall
    order = np.argsort(-changes[:, 0])
    first, last = found.players[order[0]], found.players[order[-1]]
    words = [f"The map leans most on {first} and least on {last}."]
    ranks = agreement(changes)
    for task, r in zip(found.tasks[1:], ranks, strict=True):
        own = found.players[int(np.argmax(changes[:, found.tasks.index(task)]))]
        text = f"The reconstruction of {task} leans most on {own}"
        if np.isfinite(r):
            like = "the same bands as the map" if r >= _ALIKE else "other bands than the map" if r <= -_ALIKE else (
                "bands of its own as well as those of the map")  # fmt: skip
            text += f"; by rank it uses {like} (ρ = {r:.2f})"
        words.append(f"{text}.")
    words.append("Taking bands away makes inputs that the network seldom met; what it does then is not all it knows.")
    return words


def to_csv(found: Sensitivity) -> str:
    """A row a group, player and task, then the rank correlations."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("group", "pixels", "player", "task", "mean_change", "rank_correlation_with_main"))
    for group, pixels, changes in found.groups:
        ranks = [np.nan, *agreement(changes)]
        for task, name in enumerate(found.tasks):
            for player, label in enumerate(found.players):
                writer.writerow((group, pixels, label, name, f"{changes[player, task]:.6g}", _number(ranks[task])))
    return text.getvalue()


def _number(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""
