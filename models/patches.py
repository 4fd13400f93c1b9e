"""Image patches as players: what parts of a place contribute to the score of a scene-level task's object.

An object's score is the mean of its cells' (pixels of the network's coarsest level, see ``pooled.py``), and Shapley
values are linear, so its attributions are the means of its cells' attributions. ``v_c(S)``, the worth of a coalition
``S`` of patches at a cell ``c``, is the network's own score there when it is shown these patches alone, and is told
which it is not shown (``PatchAbsence``). A cell's score is made of the patches around it,

    Φ_cp = d_cp + (score_c − bias − Σ_q d_cq) / n_c,

where ``d`` is what the explainer says of each pair of cell and patch and ``n_c`` counts the patches within reach. So
``bias + Σ Φ`` is the score exactly, for a cell as for an object of any size and shape.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .shapley import relative_distance

HIDDEN = 96
_PAIRS = 2**15  # of a cell and a patch, looked at at once: memory is bounded, and caches are not left


class PatchAbsence(nn.Module):
    """What the encoder is told of absent patches: a gain and a shift of each level's features there.

    At the coarsest level, which the score is made of, features of absent patches are replaced: a place that is not
    shown says what the bias says. So the score of nothing shown is the same everywhere, also at a border. With all
    patches present nothing changes.
    """

    def __init__(self, patch_px: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.patch_px = patch_px
        self.gains = nn.ParameterList(nn.Parameter(torch.zeros(width)) for width in widths[:-1])
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(width)) for width in widths)

    def hide(self, x: Tensor, present: Tensor) -> Tensor:
        """Standardised ``(B, C, H, W)`` with absent patches at the bands' mean, which is 0."""
        return x * self._absent(present, 0, x).logical_not()

    def tell(self, level: int, features: Tensor, present: Tensor) -> Tensor:
        """``(B, width, h, w)`` features of a level, changed where patches are absent."""
        absent = self._absent(present, level, features)
        shift: Tensor = self.shifts[level].view(1, -1, 1, 1).to(features.dtype)
        if level == len(self.gains):
            return torch.where(absent, shift, features)
        gain: Tensor = self.gains[level].view(1, -1, 1, 1).to(features.dtype)
        return features + absent * (features * gain + shift)

    def _absent(self, present: Tensor, level: int, like: Tensor) -> Tensor:
        """``(B, rows, columns)`` of patches → ``(B, 1, h, w)`` bool of a level's pixels."""
        width = self.patch_px >> level
        return ~spread(present, width)[:, None, : like.shape[2], : like.shape[3]]


class PatchExplainer(nn.Module):
    """Predicts the deviations ``d`` of pairs of a cell and a patch near it, from the encoder's features of both."""

    bias: Tensor

    def __init__(self, widths: tuple[int, ...], patch_cells: int, reach: int, channels: int) -> None:
        """Prepare.

        Args:
            widths: Of the encoder's levels, finest first.
            patch_cells: Width of a patch in cells.
            reach: Patches that a cell is explained by, on each side of its own.
            channels: Classes, or 1.
        """
        super().__init__()
        self.patch_cells, self.reach, self.channels = patch_cells, reach, channels
        features, around = sum(widths[1:]), (2 * reach + 1) ** 2
        self.cell = nn.Conv2d(features, HIDDEN, 1)
        self.patch = nn.Conv2d(features, HIDDEN, 1)
        self.places = nn.Parameter(torch.zeros(around, HIDDEN))
        self.mix = nn.Conv2d(HIDDEN, HIDDEN, 1)
        self.share = nn.Conv2d(HIDDEN, 1, 1)
        self.out = nn.Conv2d(HIDDEN, channels, 1)
        nn.init.normal_(self.places, std=0.1)
        nn.init.zeros_(self.share.weight)
        nn.init.zeros_(self.out.weight)
        own = torch.zeros(around)
        own[around // 2] = 1.0  # a place mostly speaks for itself
        self.own = nn.Parameter(own)
        self.register_buffer("bias", torch.zeros(channels))

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """Rows and columns, in patches, from a cell's own patch to each that it is explained by."""
        steps = range(-self.reach, self.reach + 1)
        return [(row, col) for row in steps for col in steps]

    def forward(self, *levels: Tensor) -> Tensor:
        """What cells and patches say of themselves; no gradient reaches what it is computed from.

        Args:
            levels: The encoder's features, finest first.

        Returns:
            ``(B, 2 · HIDDEN, h, w)``, a pixel a cell.
        """
        steps = [2**i for i in reversed(range(len(levels) - 1))]  # pixels a cell
        known = [F.avg_pool2d(level.detach(), step) for level, step in zip(levels[1:], steps, strict=True)]
        stacked = torch.cat(known, dim=1)
        return torch.cat([self.cell(stacked), self.patch(stacked)], dim=1)

    def attributions(self, said: Tensor, score: Tensor) -> Tensor:
        """Contributions of the patches around each cell to its scores.

        Args:
            said: ``(B, 2 · HIDDEN, h, w)`` of ``forward``.
            score: ``(B, channels, h, w)`` of the cells.

        Returns:
            ``(B, offsets, channels, h, w)`` float32, 0 for patches outside; with ``bias`` they sum to ``score``.
        """
        cells, patches = said.float().chunk(2, dim=1)
        height, width = score.shape[-2:]
        patches = F.avg_pool2d(patches, self.patch_cells, ceil_mode=True)
        inside = self.around(torch.ones_like(patches[:1, :1]), height, width)[:, :, 0]
        above = score.float() - self.bias.view(1, -1, 1, 1)
        near, few = self._shifted(patches, height, width), max(1, _PAIRS // cells[:, 0].numel())
        parts = []
        for first in range(0, len(self.own), few):
            places, own = self.places[first : first + few], self.own[first : first + few]
            of_patches = torch.stack(list(itertools.islice(near, few)), dim=1)
            hidden = F.relu_(cells[:, None] + of_patches + places[None, :, :, None, None])
            mixed = F.relu_(self.mix(hidden.flatten(0, 1)))
            share, found = (layer(mixed).unflatten(0, (-1, len(own))) for layer in (self.share, self.out))
            parts.append(found + (share + own[None, :, None, None, None]) * above[:, None])
        deviations = torch.cat(parts, dim=1) * inside[:, :, None]
        rest = (above - deviations.sum(dim=1)) / inside.sum(dim=1, keepdim=True)
        return (deviations + rest[:, None]) * inside[:, :, None]

    def around(self, values: Tensor, height: int, width: int) -> Tensor:
        """``(B, C, rows, columns)`` of patches → ``(B, offsets, C, h, w)``: what lies around each cell; 0 outside."""
        return torch.stack(list(self._shifted(values, height, width)), dim=1)

    def of_objects(self, attributions: Tensor, weights: Tensor) -> Tensor:
        """Attributions of objects: the weighted means of their cells'.

        Args:
            attributions: ``(B, offsets, channels, h, w)``, whole patches.
            weights: ``(B, h, w)`` each cell's share of an object's pixels.

        Returns:
            ``(B, channels, rows + 2 · reach, columns + 2 · reach)`` of patches; the first lie ``reach`` before the
            first cell's.
        """
        m, r = self.patch_cells, self.reach
        batch, _, channels, height, width = attributions.shape
        rows, cols = -(-height // m), -(-width // m)
        weighted = attributions * weights[:, None, None]
        weighted = F.pad(weighted, (0, cols * m - width, 0, rows * m - height))
        sums = weighted.reshape(batch, -1, channels, rows, m, cols, m).sum(dim=(4, 6))
        found = sums.new_zeros(batch, channels, rows + 2 * r, cols + 2 * r)
        for i, (row, col) in enumerate(self.offsets):
            found[:, :, row + r : row + r + rows, col + r : col + r + cols] += sums[:, i]
        return found

    @torch.no_grad()
    def centre(self) -> None:
        """Take what is common to all classes out of the deviations, as it is out of the scores."""
        if self.channels > 1:
            assert self.out.bias is not None
            for values in (self.out.weight, self.out.bias):
                values -= values.mean(dim=0, keepdim=True)

    def loss(self, attributions: Tensor, present: Tensor, worth: Tensor) -> Tensor:
        """Mean squared distance between a coalition's worth at each cell and the sum of its patches' attributions.

        As of ``Explainer``; relative to the cell's own score.

        Args:
            attributions: ``(B, offsets, channels, h, w)`` of the whole input.
            present: ``(B, rows, columns)`` bool, of patches.
            worth: ``(B, channels, h, w)`` scores of the coalitions.
        """
        around = self.around(present[:, None].to(attributions.dtype), *worth.shape[-2:])
        found = self.bias.view(1, -1, 1, 1) + (attributions * around).sum(dim=1)
        return relative_distance(found, worth, attributions.sum(dim=1))

    def _shifted(self, values: Tensor, height: int, width: int) -> Iterator[Tensor]:
        r = self.reach
        rows, cols = values.shape[-2:]
        padded = F.pad(values, (r, r, r, r))
        for row, col in self.offsets:
            part = padded[:, :, row + r : row + r + rows, col + r : col + r + cols]
            yield spread(part, self.patch_cells)[..., :height, :width]


def spread(values: Tensor, width: int) -> Tensor:
    """``(…, rows, columns)`` → each value ``width`` × ``width`` times."""
    return values if width == 1 else values.repeat_interleave(width, dim=-2).repeat_interleave(width, dim=-1)
