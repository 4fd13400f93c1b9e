"""Samples as a game: a chip around each pixel, and its score when some players are removed.

A chip holds the pixel's whole receptive field and begins where the network's pooling does, so its score is that of the
map; but for pixels that see the scene's border, beyond which a chip has pixels without data and a map has none. Each
sample is then what explanation libraries expect: one input, one score a class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...models.config import ATTRIBUTION, MAIN
from ...models.errors import SceneError
from ...models.network import Network
from ...models.shapley import Absence
from ..scene.bands import ModalitySource
from ..scene.reading import ModalityReader, scene_grid
from ..scene.window import Window

_TRIES = 20  # draws a pixel that is wanted, until a scene counts as empty
_BLUR_PX = 8.0  # standard deviation of a blur that removes a player


@dataclass(frozen=True)
class Samples(ABC):
    """What is explained: chips, and what of each is meant.

    Attributes:
        chips: ``(N, C, S, S)`` float32 in physical values, NaN where not valid.
        places: What is meant, ``(N, …)`` each; told by the children.
    """

    chips: Tensor
    places: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.chips)

    def of(self, chips: Tensor, *places: Tensor) -> Self:
        """Others of the same kind."""
        return type(self)(chips, places)

    def seen_as(self, chips: Tensor) -> Self:
        """The same places of other chips."""
        return type(self)(chips, self.places)

    def pick(self, which: Tensor | slice) -> Self:
        return type(self)(self.chips[which], tuple(place[which] for place in self.places))

    def part(self, first: int, end: int) -> Self:
        return self.pick(slice(first, end))

    @abstractmethod
    def flipped(self) -> Self:
        """The same, seen in a mirror."""


class Pixels(Samples):
    """Sampled pixels; places are their rows and columns, ``(N,)`` each."""

    def flipped(self) -> Pixels:
        """See the base class."""
        rows, cols = self.places
        return self.of(self.chips.flip(-1), rows, self.chips.shape[-1] - 1 - cols)


def sample(sources: Sequence[ModalitySource], network: Network, count: int, seed: int) -> Pixels:
    """Draw valid pixels of a scene at random.

    Args:
        sources: The scene's input modalities, in the model's order.
        network: Says how large a chip must be.
        count: Pixels to draw; fewer if the scene is nearly empty.
        seed: Of the places.

    Raises:
        SceneError: the scene has no valid pixel.
    """
    margin, stride = network.config.margin_px, network.config.stride
    size = -(-(2 * margin + stride) // stride) * stride
    rng = np.random.default_rng(seed)
    chips, places = [], []
    with ExitStack() as stack:
        grid = scene_grid(sources)
        readers = [stack.enter_context(ModalityReader(source, grid)) for source in sources]
        for _ in range(_TRIES * count):
            row, col = int(rng.integers(grid.height)), int(rng.integers(grid.width))
            top, left = ((at - margin) // stride * stride for at in (row, col))
            chip = read_chip(readers, Window(top, left, size, size), grid.whole)
            if np.isfinite(chip[:, row - top, col - left]).all():
                chips.append(chip)
                places.append((row - top, col - left))
                if len(chips) == count:
                    break
    if not chips:
        raise SceneError("The scene has no valid pixel to explain; choose another one.")
    rows, cols = torch.tensor(places).T
    return Pixels(torch.from_numpy(np.stack(chips)), (rows, cols))


def read_chip(readers: Sequence[ModalityReader], window: Window, whole: Window) -> NDArray[np.float32]:
    inside = window.intersection(whole)
    values = np.concatenate([reader.read(inside) for reader in readers])
    chip = np.full((len(values), window.height, window.width), np.nan, np.float32)
    chip[(slice(None), *inside.relative_to(window).slices)] = values
    return chip


class Game:
    """Scores of a network at sampled pixels, with players removed, which are groups of bands."""

    batch = 16  # chips at once

    def __init__(self, network: Network, removal: str, seed: int) -> None:
        """Prepare.

        Args:
            network: In evaluation mode, with players.
            removal: What stands in for an absent player's bands: ``mean`` (and the network is told, as in its
                training), ``blur``, or ``noise`` of the bands' mean and deviation.
            seed: Of the noise.
        """
        self.network, self.removal, self._seed = network, removal, seed
        self.unit = network.head(MAIN).score_unit
        self.players = len(network.config.players)

    def scores(self, samples: Samples, present: Tensor | None = None) -> Tensor:
        """``(N, classes)`` scores in the target's unit; ``present`` is ``(N, players)`` bool, all if ``None``."""
        found = []
        for at in range(0, len(samples), self.batch):
            part = samples.part(at, at + self.batch)
            here = None if present is None else present[at : at + self.batch]
            x = part.chips
            if here is not None and self.removal != "mean":
                x, here = torch.where(self.kept(here, x), x, self.stand_in(x)), None
            raw = self.network(x, [MAIN], None if here is None else self.shown(here))[MAIN]
            found.append(self.score(raw, part))
        return torch.cat(found) * self.unit

    def attributions(self, samples: Samples) -> Tensor:
        """``(N, players, classes)`` of the explainer, in the target's unit."""
        parts = (samples.part(at, at + self.batch) for at in range(0, len(samples), self.batch))
        found = [self.explained(self.network(part.chips, [MAIN, ATTRIBUTION]), part) for part in parts]
        return torch.cat(found) * self.unit

    def shown(self, present: Tensor) -> Tensor:
        """A coalition ``(N, players)`` as the network wants it."""
        return present

    def score(self, raw: Tensor, samples: Samples) -> Tensor:
        """``(N, classes)`` scores of the samples from the raw output of the main task."""
        return self.network.head(MAIN).score(_middle(raw, samples)).flatten(1)

    def explained(self, raw: Mapping[str, Tensor], samples: Samples) -> Tensor:
        """``(N, players, classes)`` from the raw outputs."""
        score = self.network.head(MAIN).score(_middle(raw[MAIN], samples))
        found: Tensor = self.network.explainer.attributions(_middle(raw[ATTRIBUTION], samples), score)
        return found[..., 0, 0]

    def turned_back(self, attributions: Tensor) -> Tensor:
        """``(N, players)`` of flipped samples, each player where it is in the samples themselves."""
        return attributions

    def kept(self, present: Tensor, x: Tensor) -> Tensor:
        """Which values of ``x`` are those of players that are present; broadcasts to its shape."""
        return (present.float() @ self._membership)[:, :, None, None] > 0

    def by_player(self, values: Tensor) -> Tensor:
        """``(N, C, S, S)`` contributions of bands and places → ``(N, players)``."""
        return values.sum(dim=(2, 3)) @ self._membership.T

    @property
    def _membership(self) -> Tensor:
        assert isinstance(self.network.absence, Absence)
        return self.network.absence.membership

    def stand_in(self, x: Tensor) -> Tensor:
        """What ``x`` is when all players are removed: ``(B, C, H, W)`` physical values."""
        mean, std = self.network.standardise.mean, self.network.standardise.std
        if self.removal == "blur":
            return _blurred(torch.where(x.isnan(), mean, x))
        if self.removal == "noise":
            noise = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(self._seed)).to(x.device)
            return (mean + std * noise).expand_as(x)
        return mean.expand_as(x)


def _middle(raw: Tensor, samples: Samples) -> Tensor:
    """``(B, C, 1, 1)``: each chip's pixel."""
    rows, cols = samples.places
    return raw[torch.arange(len(raw)), :, rows, cols][:, :, None, None]


def _blurred(x: Tensor) -> Tensor:
    reach = min(int(3 * _BLUR_PX), min(x.shape[-2:]) - 1)
    offsets = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (offsets / _BLUR_PX) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    padded = F.pad(x, (reach, reach, reach, reach), mode="reflect")
    across = F.conv2d(padded, kernel, groups=x.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=x.shape[1])
