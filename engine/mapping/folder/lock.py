"""The lock of an output folder: one run at a time, and a sign for its workers that the run goes on.

The lock is the operating system's, so it ends with the process that holds it, however that ends. Beside it lies a
note that says who holds it. A note without a lock was left behind by a run that was killed.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ....models.errors import JobError
from ....models.parts import parts_in
from ...textfile import replace_text

log = logging.getLogger("auxlens")

_LOCK, _NOTE = ".auxlens.lock", ".auxlens.run"


@contextmanager
def locked(folder: str) -> Iterator[str]:
    """Hold the folder's lock, and remove what a killed run, or a lost worker of this one, has left there unfinished.

    Yields:
        The run's token; ``is_running`` knows it until the run is over.

    Raises:
        JobError: another run holds the lock, or the folder cannot be made or written.
    """
    root = Path(folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / _LOCK, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise JobError(
            f"Another run of AuxLens is writing to “{folder}” ({_holder(root)}). Wait until it has ended, or choose "
            "another output folder."
        ) from error
    except OSError as error:
        raise JobError(f"“{folder}” cannot be written to ({error.strerror}); choose another output folder.") from error
    token = uuid.uuid4().hex
    try:
        if (root / _NOTE).exists():
            log.warning("The last run on “%s” was ended from outside (%s); going on from there.", folder, _holder(root))
        _remove_parts(root)
        since = time.strftime("%Y-%m-%d %H:%M")
        note = {"token": token, "host": socket.gethostname(), "process": os.getpid(), "since": since}
        replace_text(root / _NOTE, json.dumps(note))
        yield token
    finally:
        end_run(folder)
        _remove_parts(root)
        if os.name != "nt":  # while the lock is held, so that nobody else's is removed
            (root / _LOCK).unlink(missing_ok=True)
        lock.release()
        if os.name == "nt":  # which removes no open file, so neither that of a run that has just begun
            with suppress(OSError):
                (root / _LOCK).unlink(missing_ok=True)


def is_running(folder: str, token: str) -> bool:
    """Whether the run with this token still holds the folder: it has not been canceled, and no other has begun."""
    return bool(_note(Path(folder)).get("token") == token)


def end_run(folder: str) -> None:
    """Let the run's workers know that it is over; the lock is still held."""
    (Path(folder) / _NOTE).unlink(missing_ok=True)


def _note(root: Path) -> dict[str, Any]:
    try:
        note = json.loads((root / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _holder(root: Path) -> str:
    note = _note(root)
    return f"process {note['process']} on {note['host']} since {note['since']}" if note else "by whom is not known"


def _remove_parts(root: Path) -> None:
    """Remove unfinished files. Under the lock nobody writes here; a worker that still does has lost its run."""
    for folder in (root, *(path for path in root.iterdir() if path.is_dir())):
        for part in parts_in(str(folder)):
            with suppress(OSError):  # one that cannot be removed is in nobody's way
                os.remove(part)
