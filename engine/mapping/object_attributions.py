"""Attributions of a scene-level model: what each patch contributes to the score of the object that lies on it.

A second look at the scene, when each object's class and number of pixels are known. An object's attribution of a patch
is the mean over the object's cells of theirs (``models.patches``), so windows can be worked off one after the other:
each paints the patches of its core, from the cells of the core and of a margin around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...models.config import ATTRIBUTION, MAIN, NetworkConfig
from ...models.network import Network
from ..scene.polygons import Polygons
from ..scene.window import Tile, Window, plan
from .object_products import ObjectProducts
from .products import Arrays, ObjectPart, Observations, index_of
from .stream import Chip

NAME = "attribution"


class ObjectAttributions:
    """Paints attributions window by window, and adds up each object's.

    Attributes:
        inside, around: ``(objects,)`` sums of the contributions of the patches that an object lies on, and of those
            beside it; 0 where an object has no valid pixel.
        scores: ``(objects,)`` score of the attributed class; NaN where an object has no valid pixel.
    """

    tasks = (MAIN, ATTRIBUTION)

    def __init__(self, network: Network, products: ObjectProducts, attribution_class: str) -> None:
        """Prepare.

        Args:
            network: On the device where raw outputs will be.
            products: What is known of the objects when all windows have passed once.
            attribution_class: Name or value of the class whose score is attributed; empty for each object's mapped one.
        """
        self._network, self._explainer = network, network.patch_explainer
        self._pixels = products.pixels
        count, classes = len(self._pixels), products.card.main.classes
        self.inside, self.around = np.zeros(count), np.zeros(count)
        raw = torch.from_numpy(products.means.of(MAIN, len(classes) or 2)).float()
        device, head = self._explainer.bias.device, network.head(MAIN)
        scores = head.score(raw.to(device)[None, :, None])[0, :, 0].cpu()
        chosen = index_of(attribution_class, classes)
        self._class = scores.nan_to_num().argmax(dim=0) if chosen is None else torch.full((count,), chosen)
        self._unit = products.score_unit
        self.bias = (self._explainer.bias.cpu()[self._class] * self._unit).double().numpy()
        self.scores = (scores.gather(0, self._class[None])[0] * self._unit).double().numpy()

    def of_objects(self) -> dict[str, NDArray[np.float64]]:
        """Columns of a table, ``(objects,)`` each: the attributed score and its three parts; NaN without a pixel."""
        known = np.where(np.isfinite(self.scores), 0.0, np.nan)
        return {
            "score": self.scores,
            "score_bias": self.bias + known,
            "score_inside": self.inside + known,
            "score_around": self.around + known,
        }

    @property
    def largest_residual(self) -> float:
        """Largest distance of an object's contributions' sum from its score above the bias."""
        residual = np.abs(self.bias + self.inside + self.around - self.scores)
        return float(residual[np.isfinite(residual)].max(initial=0.0))

    def compute(
        self,
        raw: Mapping[str, Tensor],
        _inputs: NDArray[np.float32],
        valid: NDArray[np.bool_],
        seen: Observations,
        core: Window,
    ) -> Iterator[tuple[slice, Arrays]]:
        """As of ``Products``; the objects of ``seen`` are counted from the chip's corner and reach beyond the core."""
        painted = np.full(valid.shape, np.nan, np.float32)
        if valid.any():
            with torch.inference_mode():
                cells = self._explainer.attributions(
                    raw[ATTRIBUTION][None], self._network.scores_of_cells(raw[MAIN][None].float())
                )[0]
                for part in seen.objects:
                    self._add(part, cells, painted, core)
        yield slice(0, core.height), {NAME: painted[None]}

    def _add(self, part: ObjectPart, cells: Tensor, painted: NDArray[np.float32], core: Window) -> None:
        """Paint an object's part, and add its cells of the core to the object's sums."""
        patch_px, reach = self._network.config.patch_px, self._explainer.reach
        top, left = part.window.row // patch_px, part.window.col // patch_px
        mask = _whole_patches(part, patch_px)
        found = self._of_object(part.number, mask, cells, top, left)
        rows, cols = _overlap(part.window, core)
        here = part.mask[rows, cols]
        row, col = np.nonzero(here)
        row, col = row + rows.start + part.window.row, col + cols.start + part.window.col
        painted[row - core.row, col - core.col] = found[row // patch_px - top + reach, col // patch_px - left + reach]
        in_core = np.zeros_like(part.mask)
        in_core[rows, cols] = here
        own = self._of_object(
            part.number, _whole_patches(ObjectPart(part.number, part.window, in_core), patch_px), cells, top, left
        )
        touched = np.pad(_sums(mask, patch_px) > 0, reach)
        self.inside[part.number] += own[touched].sum(dtype=np.float64)
        self.around[part.number] += own[~touched].sum(dtype=np.float64)

    def _of_object(
        self, number: int, mask: NDArray[np.bool_], cells: Tensor, top: int, left: int
    ) -> NDArray[np.float32]:
        """Contributions of the patches around a part of an object, the first ``reach`` patches before the part's."""
        stride, m = self._network.config.stride, self._explainer.patch_cells
        pixels = _sums(mask, stride)
        of_class = cells[:, int(self._class[number])]
        of_class = of_class[:, top * m : top * m + len(pixels), left * m : left * m + pixels.shape[1]]
        height, width = of_class.shape[1:]
        weights = torch.from_numpy(pixels[:height, :width] / max(1, self._pixels[number])).to(cells)
        found = self._explainer.of_objects(of_class[None, :, None], weights[None])[0, 0] * self._unit
        beyond = -(-len(pixels) // m) - -(-height // m), -(-pixels.shape[1] // m) - -(-width // m)
        array: NDArray[np.float32] = F.pad(found, (0, beyond[1], 0, beyond[0])).cpu().numpy()
        return array


def attribution_tiles(area: Window, whole: Window, tile_px: int, margin_px: int, config: NetworkConfig) -> list[Tile]:
    """The window plan of the second look: chips begin where patches do, and show what the cells that matter see."""
    return list(plan(area, whole, tile_px, margin_px + 2 * _around_px(config), config.patch_px))


def read_around(
    read: Callable[[Tile], Chip], polygons: Polygons, area: Window, config: NetworkConfig, tile: Tile
) -> Chip:
    """Read a chip with the objects of its core and of the margin around it, counted from the chip's corner."""
    if not polygons.touching(tile.core):
        nothing = np.zeros((tile.core.height, tile.core.width), bool)
        return Chip(tile, np.zeros((1, tile.chip.height, tile.chip.width), np.float32), nothing, Observations())
    wide = tile.core.expanded(_around_px(config)).intersection(area)
    chip = read(Tile(wide, tile.chip))
    first = wide.relative_to(tile.chip)
    objects = (
        ObjectPart(part.number, replace(part.window, row=part.window.row + first.row, col=part.window.col + first.col),
                   part.mask)
        for part in chip.seen.objects
    )  # fmt: skip
    valid = chip.valid[tile.core.relative_to(wide).slices]
    return Chip(tile, chip.values, valid, Observations(objects=tuple(objects)))


def _around_px(config: NetworkConfig) -> int:
    """Width of the margin around a core whose cells may be explained by the core's patches."""
    return (config.reach + 1) * config.patch_px


def _whole_patches(part: ObjectPart, patch_px: int) -> NDArray[np.bool_]:
    """A part's mask, filled up to whole patches."""
    window = part.window
    before = window.row % patch_px, window.col % patch_px
    after = -window.row_end % patch_px, -window.col_end % patch_px
    return np.pad(part.mask, ((before[0], after[0]), (before[1], after[1])))


def _sums(mask: NDArray[np.bool_], width: int) -> NDArray[np.int64]:
    """Pixels of a mask in each square of some width."""
    rows, cols = mask.shape[0] // width, mask.shape[1] // width
    sums: NDArray[np.int64] = mask.reshape(rows, width, cols, width).sum(axis=(1, 3))
    return sums


def _overlap(window: Window, core: Window) -> tuple[slice, slice]:
    """Rows and columns of a window that lie in a core."""
    return window.intersection(core).relative_to(window).slices
