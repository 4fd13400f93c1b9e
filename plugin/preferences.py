"""What the user has set, without any window."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsApplication, QgsSettings

from . import interpreter

PYTHON_KEY = "auxlens/python"
SETUP_PYTHON_KEY = "auxlens/setup_python"


def python_setting() -> str:
    """Path of the engine's Python that the user chose; empty for none."""
    return str(QgsSettings().value(PYTHON_KEY, "") or "")


def setup_python_setting() -> str:
    """Path of the Python that the user chose to make the engine's environment with; empty to look for one."""
    return str(QgsSettings().value(SETUP_PYTHON_KEY, "") or "")


def engine_python(setting: Optional[str] = None) -> str:
    """Path of the Python that runs the engine; see ``interpreter.find``.

    Args:
        setting: What to take for the user's choice; ``None`` for the saved one.

    Raises:
        EngineError: there is none.
    """
    chosen = python_setting() if setting is None else setting
    return interpreter.find(chosen, QgsApplication.qgisSettingsDirPath())
