"""The names of files that are being written, and of what lies beside them; the one place that makes them and tells
them from others' hidden files. Standard library only."""

import os
import re
from pathlib import Path
from typing import List

_PROCESS, _STRIP = r"[0-9]+", r"[0-9a-f]{16}\.[0-9]+-[0-9]+"
_BESIDE = r"\.aux\.xml|-journal|-wal|-shm"  # GDAL's and SQLite's


def part_path(target: Path) -> Path:
    """A name beside the target, with the process that writes it."""
    return _part(target, str(os.getpid()))


def strip_path(target: Path, key: str, first: int, end: int) -> Path:
    """A name beside the target for some of its rows, which other processes read; ``key`` is a hash in hexadecimals."""
    return _part(target, f"{key[:16]}.{first}-{end}")


def parts_in(folder: str, process: int = 0) -> List[str]:
    """Paths of the unfinished files in a folder and what lies beside them: of one process, or of all and of strips;
    none where the folder cannot be read."""
    owner = str(process) if process else f"(?:{_PROCESS}|{_STRIP})"
    ours = re.compile(rf"\..+\.{owner}\.part(?:\.[^.]+)?(?:{_BESIDE})?", re.DOTALL)
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if ours.fullmatch(entry.name) and not entry.is_dir()]
    except OSError:
        return []


def _part(target: Path, owner: str) -> Path:
    return target.with_name(f".{target.stem}.{owner}.part{target.suffix}")
