"""Occlusion: how much each task's output changes at each pixel when a player's bands are taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import Card, Player
from ...models.config import MAIN
from ...models.network import Network
from ..attribution.pixels import Game
from ..checks import lack_of_attributions
from ..devices import autocast
from ..scene.window import Window


def players_of(card: Card) -> tuple[Player, ...]:
    """The model's players; for a model trained without, each band is one."""
    return card.players or tuple(Player(band, (band,)) for band in card.input_bands)


class Occlusion:
    """Runs a network on chips with all players, and without each of them."""

    def __init__(self, network: Network, card: Card, removal: str, seed: int, dtype: torch.dtype) -> None:
        """Prepare.

        Args:
            network: In evaluation mode, on its device.
            card: The model's card.
            removal: What stands in for the bands: ``mean`` (and a network that has learned who may be absent is told),
                ``blur`` or ``noise``.
            seed: Of the noise.
            dtype: Precision of the network's run.
        """
        self.players = players_of(card)
        self.tasks = (card.main.name, *card.auxiliary_bands)
        self._network, self._card, self._dtype = network, card, dtype
        self.tells = removal == "mean" and not lack_of_attributions(card)
        self._game = Game(network, removal, seed)
        self._members = [list(player.indices(card.input_bands)) for player in self.players]

    def changes(
        self, chip: NDArray[np.float32], core: Window
    ) -> tuple[NDArray[np.int64], Iterator[NDArray[np.float32]]]:
        """Change of every output in a chip's core when each player is taken away.

        Players come one by one: those of many auxiliary bands would be gigabytes together.

        Args:
            chip: ``(bands, H, W)`` physical values.
            core: The core, counted from the chip's corner.

        Returns:
            ``(core.height, core.width)`` indices of the mapped class, 0 for a regression; and for each player
            ``(tasks, core.height, core.width)``: of classes half the sum of the probabilities' changes (0–1), of
            numbers the change in standard deviations.
        """
        x = torch.from_numpy(chip)[None].to(self._network.standardise.mean.device)
        whole = self._outputs(x, None, core)
        classes = whole[0].argmax(dim=0) if self._card.main.kind == "segmentation" else torch.zeros_like(whole[0][0])
        parts = (self._outputs(*self._without(x, at), core) for at in range(len(self.players)))
        return classes.long().cpu().numpy(), (self._difference(whole, part).cpu().numpy() for part in parts)

    def _without(self, x: Tensor, player: int) -> tuple[Tensor, Tensor | None]:
        if self.tells:
            present = torch.ones(1, len(self.players), dtype=torch.bool, device=x.device)
            present[0, player] = False
            return x, present
        changed = x.clone()
        changed[:, self._members[player]] = self._game.stand_in(x)[:, self._members[player]]
        return changed, None

    def _outputs(self, x: Tensor, present: Tensor | None, core: Window) -> tuple[Tensor, Tensor]:
        """Class probabilities ``(classes, h, w)`` (or the standardised estimate), and standardised reconstructions."""
        names = [MAIN, *(modality.name for modality in self._card.auxiliary)]
        with torch.inference_mode(), autocast(x.device, self._dtype):
            raw = {name: values[(..., *core.slices)] for name, values in self._network(x, names, present).items()}
        is_score = self._card.main.kind == "segmentation"
        main = torch.softmax(raw[MAIN].float(), dim=1)[0] if is_score else self._standard(MAIN, raw[MAIN])
        others = [self._standard(name, raw[name]) for name in names[1:]]
        return main, torch.cat(others) if others else main[:0]

    def _standard(self, name: str, raw: Tensor) -> Tensor:
        """``(bands, h, w)`` estimates in standard deviations from their means."""
        return self._network.head(name).score(raw)[0]

    def _difference(self, whole: tuple[Tensor, Tensor], part: tuple[Tensor, Tensor]) -> Tensor:
        """``(tasks, h, w)``."""
        main = (whole[0] - part[0]).abs().sum(dim=0)
        share = 0.5 if self._card.main.kind == "segmentation" else 1.0
        return torch.cat([share * main[None], (whole[1] - part[1]).abs()])


@dataclass
class Sums:
    """Sums of changes by mapped class: ``changes`` is ``(classes, players, tasks)``, ``pixels`` ``(classes,)``."""

    changes: NDArray[np.float64]
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def empty(cls, classes: int, players: int, tasks: int) -> Sums:
        return cls(np.zeros((classes, players, tasks)), np.zeros(classes, np.int64))

    def count(self, mapped: NDArray[np.int64], valid: NDArray[np.bool_]) -> None:
        """Count the valid pixels of a window, once for all players."""
        self.pixels += np.bincount(mapped[valid], minlength=len(self.pixels))

    def add(
        self, player: int, changes: NDArray[np.float32], mapped: NDArray[np.int64], valid: NDArray[np.bool_]
    ) -> None:
        """Add the valid pixels of a player's ``(tasks, h, w)`` changes."""
        for number in range(len(self.pixels)):
            self.changes[number, player] += changes[:, valid & (mapped == number)].sum(axis=1, dtype=np.float64)

    def mean(self, number: int | None = None) -> NDArray[np.float64]:
        """``(players, tasks)`` mean change, of one class or of all pixels; NaN without a pixel."""
        changes = self.changes.sum(axis=0) if number is None else self.changes[number]
        pixels = self.pixels.sum() if number is None else self.pixels[number]
        return np.asarray(changes / pixels if pixels else np.full_like(changes, np.nan))
