"""Decoding full resolution a few rows at a time.

Features of the finest level are most of a window's memory. Where no gradient is wanted, decoders keep no more of theirs
than a strip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_STRIP_PX = 2**18
_MULTIPLE = 16  # of rows, so that strips begin where coarser levels' pixels do


def by_rows(x: Tensor, of_rows: Callable[[slice], Sequence[Tensor]]) -> list[Tensor]:
    """Compute maps strip by strip on a CPU, and at once elsewhere, or where a gradient or an export is wanted.

    Args:
        x: ``(B, …, H, W)``, the input.
        of_rows: Maps ``(B, C, rows, W)`` of some rows.

    Returns:
        The same of all rows: ``(B, C, H, W)`` each, channels last.
    """
    batch, _, height, width = x.shape
    step = max(1, _STRIP_PX // (batch * width * _MULTIPLE)) * _MULTIPLE
    whole = x.device.type != "cpu" or torch.is_grad_enabled() or torch.onnx.is_in_onnx_export()
    if whole or step >= height:
        return list(of_rows(slice(0, height)))
    found: list[Tensor] = []
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        parts = of_rows(rows)
        found = found or [
            torch.empty(
                (batch, part.shape[1], height, width),
                dtype=part.dtype,
                device=x.device,
                memory_format=torch.channels_last,
            )
            for part in parts
        ]
        for map_, part in zip(found, parts, strict=True):
            map_[:, :, rows] = part
    return found


def widened(rows: slice, halo: int, height: int) -> tuple[slice, slice]:
    """Rows with their neighbours that convolutions see, as far as there are any; and where the rows lie in them."""
    wide = slice(max(0, rows.start - halo), min(height, rows.stop + halo))
    return wide, slice(rows.start - wide.start, rows.stop - wide.start)


def halved(rows: slice) -> slice:
    """The rows of the next coarser level under some rows, which begin and end at even ones."""
    return slice(rows.start // 2, -(-rows.stop // 2))
