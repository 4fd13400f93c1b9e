"""Sets the engine up: makes its environment for the QGIS profile and installs ``requirements/engine.lock``."""

from __future__ import annotations

import glob
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from typing import Any, Callable, List, Optional

from ..engine.jobs import Canceled, EngineError
from . import client, isolation
from .interpreter import environment_folder, python_in

OLDEST = (3, 11)  # what the packages of engine.lock need
LOCK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "requirements", "engine.lock")
# Where Pythons lie on Linux and macOS; QGIS started from the Dock or a menu may not have them on its path.
_FOLDERS = ("/opt/homebrew/bin", "/usr/local/bin", "/Library/Frameworks/Python.framework/Versions/*/bin")
_NEWEST = 14
_REMEDY = "Check the network connection, the proxy and the room on the disk (3 GB), and try again."
_LONG_PATH = re.compile(r"long path|WinError 206", re.IGNORECASE)  # what pip and Windows say of one
_TOO_LONG = (
    "Windows refuses paths of more than 260 characters; have its administrator allow long paths (LongPathsEnabled), "
    "and try again."
)
_CHECK = "import geopandas, numpy, rasterio, safetensors, torch; print('torch', torch.__version__)"


def create(profile: str, feedback: Any, python: str = "", lock: str = LOCK) -> str:
    """Make the engine's environment, or make it anew.

    It is built under another name and takes the old one's place when it is complete, and when no job runs in that:
    jobs go on meanwhile.

    Args:
        profile: Folder of the QGIS profile.
        feedback: Is told every step (``pushInfo``) and asked for cancel (``isCanceled``).
        python: A Python of version 3.11 or newer; empty to look for one.
        lock: Requirements file to install.

    Returns:
        Path of the environment's Python.

    Raises:
        EngineError: no fitting Python, no network, no room; the old environment stays as it was.
        Canceled: the user canceled; likewise.
    """
    base = base_python(python)
    final = environment_folder(profile)
    building = f"{final}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(final), exist_ok=True)
        _remove_leftovers(final)
        feedback.pushInfo(f"Making an environment with {base} …")
        _run([base, "-I", "-m", "venv", "--clear", building], feedback)
        feedback.pushInfo("Installing the engine's packages; torch is large, this takes some minutes …")
        pip = [
            python_in(building),
            "-I",
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
        ]
        _run([*pip, "-r", lock], feedback)
        _run([python_in(building), "-I", "-c", _CHECK], feedback)
        with client.at_rest(feedback):  # an engine would hold files of the old environment
            _replace(final, building)
    except OSError as error:
        raise EngineError(
            f"The engine's environment “{final}” cannot be written: {error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    feedback.pushInfo("The engine is set up.")
    return python_in(final)


def _remove_leftovers(final: str) -> None:
    """Remove what set-ups that crashed left beside an environment: gigabytes each."""
    for path in glob.glob(f"{glob.escape(final)}.*"):
        left = re.fullmatch(r"\.(\d+)\.(part|old)", path[len(final) :])
        if left and (int(left[1]) == os.getpid() or not isolation.runs(int(left[1]))):
            shutil.rmtree(path, ignore_errors=True)


def base_python(python: str = "") -> str:
    """Path of a Python that can make the environment: ``python`` if given, else the first that does of those found.

    Raises:
        EngineError: the given one does not do, or none was found.
    """
    for candidate in [python] if python else _candidates():
        version = _version(candidate)
        if version is not None and version >= OLDEST:
            return candidate
    needed = f"Python {OLDEST[0]}.{OLDEST[1]} or newer with its venv module"
    if python:
        raise EngineError(f"“{python}” is not {needed}; choose another one.")
    raise EngineError(
        f"No {needed} was found; install one (Debian and Ubuntu: apt-get install python3-venv; elsewhere the installer "
        "from Python's site), or choose one under Settings ▸ Options ▸ AuxLens, “Python for the set-up”."
    )


def _candidates() -> List[str]:
    minors = range(_NEWEST, OLDEST[1] - 1, -1)
    found: List[Optional[str]]
    if sys.platform == "win32":  # there sys.executable is QGIS itself, but QGIS brings a python.exe
        found = [*map(_from_launcher, minors), *_installed(), shutil.which("python")]
        found.append(os.path.join(sys.base_prefix, "python.exe"))
    else:
        folders = [os.environ.get("PATH", os.defpath), *(folder for each in _FOLDERS for folder in glob.glob(each))]
        names = [*(f"python3.{minor}" for minor in minors), "python3"]
        found = [shutil.which(name, path=os.pathsep.join(folders)) for name in names]
        if sys.platform != "darwin":  # the system's own first; on macOS it is too old, and may ask to install Xcode
            found.insert(0, "/usr/bin/python3")
    return list(dict.fromkeys(path for path in found if path and os.path.isfile(path)))


def _from_launcher(minor: int) -> str:
    """Path of Python 3.``minor`` as Windows's launcher ``py`` knows it; empty for none."""
    launcher = shutil.which("py")
    return _said([launcher, f"-3.{minor}"], "import sys; print(sys.executable)") if launcher else ""


def _installed() -> List[str]:
    """Pythons that the installer from Python's site has put into the user's folder on Windows, newest first."""
    home = os.path.join(os.environ.get("LOCALAPPDATA", ""), "Programs", "Python")
    found = glob.glob(os.path.join(glob.escape(home), "Python3*", "python.exe"))
    return sorted(found, key=lambda path: int("0" + re.sub(r"\D", "", path.split(os.sep)[-2])), reverse=True)


def _version(python: str) -> Any:
    """Version of a Python that has venv and ensurepip, or ``None``."""
    words = _said([python], "import sys, venv, ensurepip; print(*sys.version_info[:2])").split()
    return tuple(int(word) for word in words) if words and all(word.isdigit() for word in words) else None


def _said(python: List[str], code: str) -> str:
    """What a Python prints when it runs ``code``; empty where it fails or takes too long."""
    try:
        process = isolation.start([*python, "-I", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ""
    try:
        output, _ = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        isolation.kill(process)
        return ""
    return output.decode("utf-8", "replace").strip() if process.returncode == 0 else ""


def _run(command: List[str], feedback: Any) -> None:
    """Run one step; every line it writes goes to the feedback."""
    process = isolation.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines: queue.Queue[Optional[str]] = queue.Queue()
    threading.Thread(target=_drain, args=(process.stdout, lines.put), daemon=True).start()
    last: List[str] = []
    while True:
        if feedback.isCanceled():
            isolation.kill(process)
            raise Canceled("The set-up was canceled.")
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            break
        last = [*last[-4:], line]
        feedback.pushInfo(line)
    if process.wait() != 0:
        said = " ".join(last)
        raise EngineError(f"Setting up the engine failed: {said} {_TOO_LONG if _LONG_PATH.search(said) else _REMEDY}")


def _drain(stream: Any, put: Callable[[Optional[str]], None]) -> None:
    for line in stream:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            put(text)
    put(None)


def _replace(final: str, building: str) -> None:
    old = f"{final}.{os.getpid()}.old"
    if os.path.isdir(final):
        os.replace(final, old)
    try:
        os.replace(building, final)
    except OSError:
        if os.path.isdir(old):
            os.replace(old, final)
        raise
    shutil.rmtree(old, ignore_errors=True)
