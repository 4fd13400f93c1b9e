"""How QGIS starts other Pythons: with nothing of QGIS's own in their environment, and without a console window."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any, Dict

# QGIS and its launchers set these for QGIS's libraries; in another Python they point at the wrong GDAL, PROJ or Qt.
_OF_QGIS = ("PYTHON", "__PYVENV", "PROJ", "GDAL", "LD_", "DYLD_", "QT_", "QGIS_")

_SYNCHRONIZE = 0x00100000  # Windows's right to wait for a process


def clean_environment() -> Dict[str, str]:
    """The environment variables for a process that must not meet QGIS's libraries."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OF_QGIS)}
    if sys.platform == "win32":  # QGIS puts its DLL folders on the path; torch must not find them
        home = os.path.normcase(os.environ.get("OSGEO4W_ROOT", "") or os.path.dirname(os.path.dirname(sys.base_prefix)))
        folders = kept.get("PATH", "").split(os.pathsep)
        kept["PATH"] = os.pathsep.join(f for f in folders if not os.path.normcase(f).startswith(home))
    return kept


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process of its own group, in a clean environment.

    Raises:
        OSError: it cannot be started.
    """
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    return subprocess.Popen(command, env=clean_environment(), **options)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that ``start`` started, and what it started itself, at once."""
    with suppress(OSError):
        if sys.platform == "win32":
            _kill_tree(process)
            process.kill()
        elif process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End what a process has started on Windows, which has no groups to kill."""
    if sys.platform == "win32" and process.poll() is None:
        command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, creationflags=subprocess.CREATE_NO_WINDOW, capture_output=True, timeout=5)


def runs(pid: int) -> bool:
    """Whether there is a process of that id."""
    if sys.platform == "win32":  # there os.kill ends the process, whatever the signal
        system = ctypes.windll.kernel32
        handle = system.OpenProcess(_SYNCHRONIZE, False, pid)
        ended = not handle or system.WaitForSingleObject(handle, 0) == 0
        system.CloseHandle(handle)
        return not ended
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        pass
    return True
