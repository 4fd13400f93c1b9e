"""How much memory the libraries keep: set once, when an engine starts.

glibc maps every block above 32 MB afresh and unmaps it when it is freed, so each tensor of a large window costs the
kernel a page fault every 4 KiB, each time. Told to keep what was freed, convolutions on large windows ran 1.6 to 1.8
times as fast. The price is that the process keeps its peak, which a job reaches again with its next window anyway.
"""

from __future__ import annotations

import ctypes
import os
import sys

_RASTER_CACHE_MB = "160"  # the blocks under one window of every output; GDAL's own default is 5 % of the memory

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Make the C library keep freed memory for the next allocation; call once, before the first large one.

    Returns:
        Whether it was told so: only glibc knows how; elsewhere (macOS, Windows, musl) nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 * 2**20))
    return [library.mallopt(option, value) for option, value in settings] == [1, 1, 1]


def bound_raster_cache() -> None:
    """Bound GDAL's cache of raster blocks, unless the user has set it; call before GDAL is loaded."""
    os.environ.setdefault("GDAL_CACHEMAX", _RASTER_CACHE_MB)
