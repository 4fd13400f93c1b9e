"""Finds the Python that runs the engine. Never QGIS's own: its libraries and the engine's do not mix."""

from __future__ import annotations

import hashlib
import os
import sys

from ..engine.jobs import EngineError

VARIABLE = "AUXLENS_PYTHON"


def find(setting: str = "", profile: str = "") -> str:
    """Path of the engine's Python.

    Looks at ``setting`` (the plugin's option), then at the environment variable ``AUXLENS_PYTHON``, then at the
    environment that the plugin made under ``profile``. The first two may also name an environment's folder. One that
    is given and wrong is an error: a choice of the user is not passed over.

    Args:
        setting: The plugin's option; empty where the user chose nothing.
        profile: Folder of the QGIS profile (``QgsApplication.qgisSettingsDirPath()``); empty for none.

    Raises:
        EngineError: there is none; says where was looked and what to do.
    """
    for where, value in (("The AuxLens option “Engine's Python”", setting), (f"The variable {VARIABLE}", _variable())):
        if value:
            python = python_in(value) if os.path.isdir(value) else value
            if os.path.isfile(python) and os.access(python, os.X_OK):
                return python
            raise EngineError(
                f"{where} names “{value}”, where there is no Python that can be run. Correct it, or clear it and set "
                "up the engine under Settings ▸ Options ▸ AuxLens."
            )
    python = python_in(environment_folder(profile)) if profile else ""
    if python and os.path.isfile(python):
        return python
    raise EngineError(
        "AuxLens's engine is not set up. Looked at the AuxLens option “Engine's Python” (empty), the variable "
        f"{VARIABLE} (not set) and “{python or 'the QGIS profile'}” (not there). Set the engine up under "
        "Settings ▸ Options ▸ AuxLens, or choose there the Python of an environment that has its packages."
    )


def environment_folder(profile: str) -> str:
    """Folder of the environment that the plugin makes for the engine: under the profile, but on Windows.

    There paths are short (260 characters), torch's files are far down, and gigabytes do not belong into a profile that
    roams; so each profile has a folder of its own among the local data.
    """
    local = os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "win32" and local:
        own = hashlib.sha256(os.path.normcase(os.path.abspath(profile)).encode()).hexdigest()[:6]
        return os.path.join(local, "auxlens", f"e{own}")
    return os.path.join(profile, "auxlens", "engine")


def python_in(environment: str) -> str:
    """Path that the Python of a virtual environment has on this system, whether it is there or not."""
    if sys.platform == "win32":
        return os.path.join(environment, "Scripts", "python.exe")
    return os.path.join(environment, "bin", "python")


def _variable() -> str:
    return os.environ.get(VARIABLE, "")
