"""Occlusion: how much each task's output changes at each pixel when a player's bands are taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import Card, Player
from ...models.heads import DensityHead
from ...models.network import MAIN, Network
from ..attribution.pixels import Game
from ..devices import autocast

Outputs = Mapping[str, Tensor]


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
            removal: What stands in for the bands: ``mean`` (and a network trained with players is told), ``blur`` or
                ``noise``.
            seed: Of the noise.
            dtype: Precision of the network's run.
        """
        self.players = players_of(card)
        self.tasks = (card.main.name, *card.auxiliary_bands)
        self._network, self._card, self._dtype = network, card, dtype
        self.tells = removal == "mean" and bool(card.players)
        self._game = Game(network, removal, seed)
        self._members = [list(player.indices(card.input_bands)) for player in self.players]

    def changes(self, chip: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Change of every output when each player is taken away.

        Args:
            chip: ``(bands, H, W)`` physical values.

        Returns:
            ``(players, tasks, H, W)``: of classes half the sum of the probabilities' changes (0–1), of numbers the
            change in standard deviations; and ``(H, W)`` indices of the mapped class, 0 for a regression.
        """
        x = torch.from_numpy(chip)[None].to(self._network.standardise.mean.device)
        whole = self._outputs(x, None)
        changes = [self._difference(whole, self._outputs(*self._without(x, at))) for at in range(len(self.players))]
        classes = whole[0].argmax(dim=0) if self._card.main.kind == "segmentation" else torch.zeros_like(whole[0][0])
        return torch.stack(changes).cpu().numpy(), classes.long().cpu().numpy()

    def _without(self, x: Tensor, player: int) -> tuple[Tensor, Tensor | None]:
        if self.tells:
            present = torch.ones(1, len(self.players), dtype=torch.bool, device=x.device)
            present[0, player] = False
            return x, present
        changed = x.clone()
        changed[:, self._members[player]] = self._game.stand_in(x)[:, self._members[player]]
        return changed, None

    def _outputs(self, x: Tensor, present: Tensor | None) -> tuple[Tensor, Tensor]:
        """Class probabilities ``(classes, H, W)`` (or the standardised estimate), and standardised reconstructions."""
        names = [MAIN, *(modality.name for modality in self._card.auxiliary)]
        with torch.inference_mode(), autocast(x.device, self._dtype):
            raw = self._network(x, names, present)
        is_score = self._card.main.kind == "segmentation"
        main = torch.softmax(raw[MAIN].float(), dim=1)[0] if is_score else self._standard(MAIN, raw)
        others = [self._standard(name, raw) for name in names[1:]]
        return main, torch.cat(others) if others else main[:0]

    def _standard(self, name: str, raw: Outputs) -> Tensor:
        head = self._network.head(name)
        assert isinstance(head, DensityHead)
        return (head.physical(raw[name])[0] / head.standardise.std)[0]

    def _difference(self, whole: tuple[Tensor, Tensor], part: tuple[Tensor, Tensor]) -> Tensor:
        """``(tasks, H, W)``."""
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

    def add(self, changes: NDArray[np.float32], mapped: NDArray[np.int64], valid: NDArray[np.bool_]) -> None:
        """Add the valid pixels of ``(players, tasks, H, W)`` changes."""
        for number in range(len(self.pixels)):
            inside = valid & (mapped == number)
            self.pixels[number] += int(inside.sum())
            self.changes[number] += changes[:, :, inside].sum(axis=2, dtype=np.float64)

    def mean(self, number: int | None = None) -> NDArray[np.float64]:
        """``(players, tasks)`` mean change, of one class or of all pixels; NaN without a pixel."""
        changes = self.changes.sum(axis=0) if number is None else self.changes[number]
        pixels = self.pixels.sum() if number is None else self.pixels[number]
        return np.asarray(changes / pixels if pixels else np.full_like(changes, np.nan))
