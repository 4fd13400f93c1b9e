"""Objects of a scene-level task as a game: a chip around each, and its score when some of its patches are removed.

A chip is one of the training's size around the middle of an object. Its score is that of a scene that ends there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...models.config import ATTRIBUTION, MAIN
from ...models.errors import SceneError
from ...models.network import Network
from ...models.patches import spread
from ..scene.bands import ModalitySource
from ..scene.grid import Grid
from ..scene.polygons import Polygons
from ..scene.reading import ModalityReader, complete, scene_grid
from ..scene.window import Window
from .pixels import Game, Samples, read_chip


class Objects(Samples):
    """Sampled objects; places are their masks, ``(N, S, S)`` bool."""

    def flipped(self) -> Objects:
        """See the base class."""
        (masks,) = self.places
        return self.of(self.chips.flip(-1), masks.flip(-1))


def sample_objects(
    sources: Sequence[ModalitySource], polygons: Polygons, network: Network, count: int, seed: int
) -> Objects:
    """Draw objects of a scene at random.

    Args:
        sources: The scene's input modalities, in the model's order.
        polygons: The objects.
        network: Says how large a chip is.
        count: Objects to draw; fewer if the scene has not as many with a valid pixel.
        seed: Of the choice.

    Raises:
        SceneError: no object has a valid pixel.
    """
    side = network.config.patches * network.config.patch_px
    chips: list[NDArray[np.float32]] = []
    masks = []
    with ExitStack() as stack:
        grid = scene_grid(sources)
        readers = [stack.enter_context(ModalityReader(source, grid)) for source in sources]
        for number in np.random.default_rng(seed).permutation(len(polygons.geometries)).tolist():
            if len(chips) == count:
                break
            window = _chip(polygons, number, grid, side)
            if window is None:
                continue
            chip, inside = read_chip(readers, window, grid.whole), window.intersection(grid.whole)
            mask = np.zeros((side, side), bool)
            for other, part, pixels in polygons.parts(inside):
                if other == number:
                    mask[part.relative_to(window).slices] = pixels
            mask &= complete(chip)
            if mask.any():
                chips.append(chip)
                masks.append(mask)
    if not chips:
        raise SceneError("No polygon or tile of the scene has a valid pixel to explain; choose another scene.")
    return Objects(torch.from_numpy(np.stack(chips)), (torch.from_numpy(np.stack(masks)),))


def _chip(polygons: Polygons, number: int, grid: Grid, side: int) -> Window | None:
    window = grid.touched_by(polygons.geometries[number].bounds)
    if window is None:
        return None
    row, col = (2 * start + size - side for start, size in ((window.row, window.height), (window.col, window.width)))
    return Window(row // 2, col // 2, side, side)


class ObjectGame(Game):
    """Scores of a network for sampled objects, with players removed, which are patches of their chips."""

    batch = 64

    def __init__(self, network: Network, removal: str, seed: int) -> None:
        """As of ``Game``; the network has patches for players."""
        super().__init__(network, removal, seed)
        self.along = network.config.patches
        self.players = self.along**2

    def shown(self, present: Tensor) -> Tensor:
        """See the base class: ``(N, rows, columns)``."""
        return present.view(-1, self.along, self.along)

    def score(self, raw: Tensor, samples: Samples) -> Tensor:
        """See the base class: means over the objects."""
        (masks,) = samples.places
        dense = self.network.head(MAIN).score(raw) * masks[:, None]
        return dense.sum(dim=(2, 3)) / masks.sum(dim=(1, 2))[:, None]

    def explained(self, raw: Mapping[str, Tensor], samples: Samples) -> Tensor:
        """See the base class."""
        (masks,) = samples.places
        explainer = self.network.patch_explainer
        found = explainer.attributions(raw[ATTRIBUTION], self.network.scores_of_cells(raw[MAIN]))
        pixels = F.avg_pool2d(masks[:, None].float(), self.network.config.stride)[:, 0]
        inner = slice(explainer.reach, explainer.reach + self.along)
        of_objects = explainer.of_objects(found, pixels / pixels.sum(dim=(1, 2), keepdim=True))[..., inner, inner]
        return of_objects.flatten(2).transpose(1, 2)

    def turned_back(self, attributions: Tensor) -> Tensor:
        """See the base class: the first patch of a row lies last in a mirror."""
        return self.shown(attributions).flip(-1).flatten(1)

    def kept(self, present: Tensor, x: Tensor) -> Tensor:
        """See the base class."""
        return spread(self.shown(present), self.network.config.patch_px)[:, None]

    def by_player(self, values: Tensor) -> Tensor:
        """See the base class."""
        patch_px = self.network.config.patch_px
        return (F.avg_pool2d(values.sum(dim=1, keepdim=True), patch_px) * patch_px**2).flatten(1)
