"""Surroundings: means over small blocks of the scene's grid, and their smooth interpolation back to pixels.

Blocks lie at multiples of ``BLOCK_PX`` of the scene's grid, so a pixel's surroundings are the same in every chip that
holds them whole; chips need ``CONTEXT_PX`` more context for them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK_PX = 8
CONTEXT_PX = BLOCK_PX + BLOCK_PX // 2  # from a pixel to the far side of the blocks that it is interpolated from


def block_means(values: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Means over blocks of the pixels that are known.

    Args:
        values: ``(C, H, W)``; what is not known may be anything, NaN too. Begins at a block's corner.
        known: ``(H, W)`` bool.

    Returns:
        Means ``(C, h, w)`` float32 (0 where nothing is known), and the share of known pixels ``(h, w)``.
    """
    height, width = known.shape
    beyond = (0, -width % BLOCK_PX, 0, -height % BLOCK_PX)
    if bool(known.all()) and not any(beyond):
        means = _means(values)
        return means, means.new_ones(means.shape[1:])
    share = _means(F.pad(known.float(), beyond)[None])[0]
    means = _means(F.pad(torch.where(known, values.float(), 0.0), beyond))
    return means / share.clamp(min=1e-6), share


def _means(values: Tensor) -> Tensor:
    """Means over whole blocks, ``(C, H, W)`` of any type → ``(C, h, w)`` float32; row by row is fast in any layout."""
    bands, height, width = values.shape
    first, *others = (values[:, row::BLOCK_PX] for row in range(BLOCK_PX))
    rows = first.float()
    for row in others:
        rows = rows + row
    return rows.reshape(bands, height // BLOCK_PX, width // BLOCK_PX, BLOCK_PX).mean(dim=3) / BLOCK_PX


def at_pixels(means: Tensor, share: Tensor, rows: slice, cols: slice, which: Tensor | None = None) -> Tensor:
    """Interpolate block values linearly between the blocks' centres; blocks without a known pixel do not count.

    Args:
        means: ``(C, h, w)``.
        share: ``(h, w)``, of known pixels.
        rows: Pixel rows, counted from the first block's first.
        cols: Pixel columns.
        which: ``(rows, cols)`` index of the plane to take at each pixel; ``None`` takes the first.

    Returns:
        ``(rows, cols)``; NaN where no block around is known.
    """
    if bool((share > 0).all()):
        return _interpolated(means, rows, cols, which)
    known = (share > 0).float()[None]
    weight = _interpolated(known, rows, cols, None)
    found = _interpolated(torch.where(known > 0, means, 0.0), rows, cols, which)
    return found / torch.where(weight > 0, weight, torch.nan)


def _interpolated(means: Tensor, rows: slice, cols: slice, which: Tensor | None) -> Tensor:
    first, second, part = _neighbours(rows, means.shape[1], means.device)
    across = torch.lerp(means[:, first], means[:, second], part[:, None])
    first, second, part = _neighbours(cols, means.shape[2], means.device)
    if which is None or len(means) == 1:
        return torch.lerp(across[0][:, first], across[0][:, second], part)
    height, width = across.shape[1:]  # one plane a pixel is read, not all of them
    start = which * (height * width) + torch.arange(0, height * width, width, device=means.device)[:, None]
    values = across.flatten()
    return torch.lerp(looked_up(values, start + first), looked_up(values, start + second), part)


def looked_up(table: Tensor, index: Tensor) -> Tensor:
    """``table[index]`` of a table ``(n,)``, in a quarter of the time that this takes."""
    return table.index_select(0, index.flatten()).view(index.shape)


def _neighbours(pixels: slice, blocks: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """For each pixel the blocks whose centres lie before and after it, and how far it is from the one to the other."""
    place = (torch.arange(pixels.start, pixels.stop, device=device) + 0.5) / BLOCK_PX - 0.5
    before = place.floor()
    index = before.long()
    return index.clamp(0, blocks - 1), (index + 1).clamp(0, blocks - 1), place - before
