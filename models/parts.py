"""The temporary name of a file that is being written; the one place that makes it. Standard library only."""

import os
from pathlib import Path


def part_path(target: Path) -> Path:
    """A name beside the target, with the process that writes it: ``engine.jobs.remove_parts`` finds it by that."""
    return target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
