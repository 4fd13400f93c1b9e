"""Sampled pixels as a game: a chip around each, and the score of its middle when some players are removed.

A chip holds the pixel's whole receptive field and begins where the network's pooling does, so its score is that of the
map. Each sample is then what explanation libraries expect: one input, one score a class.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...models.errors import SceneError
from ...models.network import ATTRIBUTION, MAIN, Network
from ..scene.bands import ModalitySource
from ..scene.reading import ModalityReader, scene_grid
from ..scene.window import Window

_TRIES = 20  # draws a pixel that is wanted, until a scene counts as empty
_BLUR_PX = 8.0  # standard deviation of a blur that removes a player
_BATCH = 16  # chips at once


@dataclass(frozen=True)
class Pixels:
    """Sampled pixels.

    Attributes:
        chips: ``(N, C, S, S)`` float32 in physical values, NaN where not valid.
        rows, cols: ``(N,)`` place of the pixel in its chip.
    """

    chips: Tensor
    rows: Tensor
    cols: Tensor

    def __len__(self) -> int:
        return len(self.chips)

    def part(self, first: int, end: int) -> Pixels:
        return Pixels(self.chips[first:end], self.rows[first:end], self.cols[first:end])

    def flipped(self) -> Pixels:
        """The same pixels, seen in a mirror."""
        return Pixels(self.chips.flip(-1), self.rows, self.chips.shape[-1] - 1 - self.cols)


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
            chip = _read(readers, Window(top, left, size, size), grid.whole)
            if np.isfinite(chip[:, row - top, col - left]).all():
                chips.append(chip)
                places.append((row - top, col - left))
                if len(chips) == count:
                    break
    if not chips:
        raise SceneError("The scene has no valid pixel to explain; choose another one.")
    rows, cols = torch.tensor(places).T
    return Pixels(torch.from_numpy(np.stack(chips)), rows, cols)


def _read(readers: Sequence[ModalityReader], window: Window, whole: Window) -> NDArray[np.float32]:
    inside = window.intersection(whole)
    values = np.concatenate([reader.read(inside) for reader in readers])
    chip = np.full((len(values), window.height, window.width), np.nan, np.float32)
    chip[(slice(None), *inside.relative_to(window).slices)] = values
    return chip


class Game:
    """Scores of a network at sampled pixels, with players removed."""

    def __init__(self, network: Network, removal: str, seed: int) -> None:
        """Prepare.

        Args:
            network: In evaluation mode, with players.
            removal: What stands in for an absent player's bands: ``mean`` (and the network is told, as in its
                training), ``blur``, or ``noise`` of the bands' mean and deviation.
            seed: Of the noise.
        """
        self.network, self.removal, self._seed = network, removal, seed
        self.players = len(network.config.players)

    def scores(self, pixels: Pixels, present: Tensor | None = None) -> Tensor:
        """``(N, classes)`` scores; ``present`` is ``(N, players)`` bool, all if ``None``."""
        found = []
        for at in range(0, len(pixels), _BATCH):
            part = slice(at, at + _BATCH)
            here = None if present is None else present[part]
            x = pixels.chips[part]
            if here is not None and self.removal != "mean":
                x, here = self._replaced(x, here), None
            raw = self.network(x, [MAIN], here)[MAIN]
            found.append(self.network.head(MAIN).score(_middle(raw, pixels.rows[part], pixels.cols[part])))
        return torch.cat(found).flatten(1)

    def attributions(self, pixels: Pixels, network: Network | None = None) -> Tensor:
        """``(N, players, classes)`` of the explainer; of another network with the same players if one is given."""
        network = network or self.network
        found = []
        for at in range(0, len(pixels), _BATCH):
            part = slice(at, at + _BATCH)
            raw = network(pixels.chips[part], [MAIN, ATTRIBUTION])
            raw = {name: _middle(values, pixels.rows[part], pixels.cols[part]) for name, values in raw.items()}
            score = network.head(MAIN).score(raw[MAIN])
            found.append(network.explainer.attributions(raw[ATTRIBUTION], score)[..., 0, 0])
        return torch.cat(found)

    def stand_in(self, x: Tensor) -> Tensor:
        """What ``x`` is when all players are removed: ``(B, C, H, W)`` physical values."""
        mean, std = self.network.standardise.mean, self.network.standardise.std
        if self.removal == "blur":
            return _blurred(torch.where(x.isnan(), mean, x))
        if self.removal == "noise":
            noise = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(self._seed))
            return (mean + std * noise).expand_as(x)
        return mean.expand_as(x)

    def _replaced(self, x: Tensor, present: Tensor) -> Tensor:
        kept = (present.float() @ self.network.absence.membership)[:, :, None, None] > 0
        return torch.where(kept, x, self.stand_in(x))


def _middle(raw: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """``(B, C, 1, 1)``: each chip's pixel."""
    return raw[torch.arange(len(raw)), :, rows, cols][:, :, None, None]


def _blurred(x: Tensor) -> Tensor:
    reach = int(3 * _BLUR_PX)
    offsets = torch.arange(-reach, reach + 1, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (offsets / _BLUR_PX) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    padded = F.pad(x, (reach, reach, reach, reach), mode="reflect")
    across = F.conv2d(padded, kernel, groups=x.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=x.shape[1])
