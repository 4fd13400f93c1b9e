"""How an engine's process uses memory and processors, and what it does not say: set once, before libraries load."""

from __future__ import annotations

import ctypes
import os
import sys
import warnings

# The blocks under a row of windows in two columns, of every input and output, in MB; GDAL's own default is 5 % of the
# machine's memory.
_RASTER_CACHE_MB = "224"

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8


def tune_process() -> None:
    """Set up this process for mapping and training; what the user has set in the environment is left alone."""
    os.environ.setdefault("GDAL_CACHEMAX", _RASTER_CACHE_MB)
    # Idle threads of OpenMP otherwise spin, and take the processor from the threads that have work. On two cores a
    # training step took 0.13 s alone, but 3.4 s beside another busy process; with sleeping threads 0.15 and 0.34 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # rasterio silences this about its own arrays in memory, but not safely where several threads burn polygons.
    warnings.filterwarnings("ignore", "Dataset has no geotransform", module=r"rasterio\.features")
    keep_freed_memory()


def give_back_freed_memory() -> None:
    """Give memory that was freed back to the system, in between what is still in use; only glibc knows how.

    Many small values that are kept, each made among large arrays that are not, leave holes that the next large array
    does not fit into: with a call every 64 windows the survey of 8192² peaks at 0.9 GiB instead of 1.25.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def keep_freed_memory() -> bool:
    """Make the C library keep freed memory for the next allocation.

    glibc maps every block above 32 MB afresh and unmaps it when it is freed, so each tensor of a large window costs
    the kernel a page fault every 4 KiB, each time. Told to keep what was freed, convolutions on large windows ran
    1.6 to 1.8 times as fast. The price is that the process keeps its peak, which the next window reaches anyway.
    All threads share one heap: with one for each, what a reader freed was kept from the network, and 400 small scenes
    took 1150 MiB instead of 810, in the same time.

    Returns:
        Whether it was told so: only glibc knows how; elsewhere (macOS, Windows, musl) nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    settings = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 64 * 2**20), (_M_ARENA_MAX, 1))
    return all(library.mallopt(option, value) for option, value in settings)
