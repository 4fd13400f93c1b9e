"""Text files that appear under their name when they are complete."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..models.parts import part_path
from .jobs import JobError


def replace_text(target: Path, text: str) -> None:
    """Write a file, or put a new one in its place; an ``OSError`` is the caller's to explain."""
    part = part_path(target)
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, target)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file that the user asked for; its folder is made.

    Raises:
        JobError: it cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_text(target, text)
    except OSError as error:
        raise JobError(f"“{target}” cannot be written: {error.strerror}; choose another file.") from error
