"""Warped blocks of rasters on other grids, kept for the windows that come next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

from .window import Window

BUDGET = 128 * 2**20  # bytes a thread


class WarpedBlocks(threading.local):
    """The blocks that a thread used last, of all files that it reads.

    The bound is of all files together: training has dozens open, and no chip may ask for their blocks again.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[Hashable, Window], NDArray[np.float32]] = OrderedDict()
        self._bytes = 0

    def get(self, file: Hashable, block: Window, warp: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """A block of a file: kept, or warped now; the ones used longest ago make room, but for this one."""
        key = (file, block)
        if key not in self._blocks:
            self._blocks[key] = warp()
            self._bytes += self._blocks[key].nbytes
            while self._bytes > BUDGET and len(self._blocks) > 1:
                self._bytes -= self._blocks.popitem(last=False)[1].nbytes
        self._blocks.move_to_end(key)
        return self._blocks[key]

    def forget(self, file: Hashable) -> None:
        """Drop this thread's blocks of a file that is closed."""
        for key in [key for key in self._blocks if key[0] is file]:
            self._bytes -= self._blocks.pop(key).nbytes
