"""What maps: one network, or several together. A map needs to know no more of either."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Protocol

from torch import Tensor, nn

from .config import ATTRIBUTION, NetworkConfig
from .heads import DensityHead, Head


class Rolling(Protocol):
    """What goes down an image: see ``rows.Rolling``."""

    def rows(self, x: Tensor, *, offset: int, first: int, end: int, again: int = 0) -> dict[str, Tensor]: ...


class Explaining(Protocol):
    """What attributions to bands are about: so many players and channels, and the score of nothing shown."""

    players: int
    channels: int
    bias: Tensor


class Mapper(nn.Module, ABC):
    """Raw outputs of pixels, and the heads that read them."""

    config: NetworkConfig
    explainer: Explaining  # where there are players

    @abstractmethod
    def forward(self, x: Tensor, tasks: Collection[str] | None = None) -> dict[str, Tensor]:
        """Raw outputs of some tasks, or of all: see ``Network.forward``."""

    @abstractmethod
    def rolling(self, x: Tensor, height: int, tasks: Collection[str]) -> Rolling:
        """Ready for an image that is given a few rows at a time.

        Args:
            x: ``(B, C, rows, W)``, the first of its rows.
            height: All of its rows.
            tasks: As of ``forward``, but no attributions to patches.
        """

    @abstractmethod
    def channels(self, name: str) -> int:
        """Channels of the raw output of a task, or of the explainer."""

    @abstractmethod
    def head(self, name: str) -> Head:
        """The head of a task, which turns its raw output into losses and physical values."""

    def density(self, name: str) -> DensityHead:
        """The head of a task of numbers: an auxiliary one, or a regression."""
        head = self.head(name)
        assert isinstance(head, DensityHead)
        return head

    def shape(self, name: str, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the raw output of a task, or of the explainer, for a chip of some size."""
        cell = self.config.stride if name == ATTRIBUTION and self.config.patch_px else 1
        return self.channels(name), -(-height // cell), -(-width // cell)
