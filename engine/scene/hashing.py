"""Content hashes of files."""

from __future__ import annotations

import hashlib
import os
from functools import cache

from ...models.members import joined_sha256, paths_of


def sha256(path: str) -> str:
    """SHA-256 of a file, as hexadecimal text; computed once for a file that does not change."""
    status = os.stat(path)
    return _digest(path, status.st_size, status.st_mtime_ns)


def sha256_of_models(model: str) -> str:
    """SHA-256 of a model file, or of several together (``models.members``)."""
    return joined_sha256([sha256(path) for path in paths_of(model)])


@cache  # without bounds: files are read in order, time and again, and a digest is small
def _digest(path: str, size: int, modified_ns: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
