"""Content hashes of files."""

from __future__ import annotations

import hashlib
import os

from auxlens.engine.scene import hashing


def test_each_of_many_files_is_read_once(tmp_path):
    paths = [tmp_path / str(number) for number in range(4200)]
    for path in paths:
        path.write_bytes(path.name.encode())
    before = hashing._digest.cache_info().misses
    first, second = ([hashing.sha256(str(path)) for path in paths] for _ in range(2))
    assert first == second == [hashlib.sha256(path.name.encode()).hexdigest() for path in paths]
    assert hashing._digest.cache_info().misses == before + len(paths)


def test_a_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"a")
    before = hashing.sha256(str(path))
    path.write_bytes(b"b")
    os.utime(path, ns=(1, 1))
    assert hashing.sha256(str(path)) == hashlib.sha256(b"b").hexdigest() != before
