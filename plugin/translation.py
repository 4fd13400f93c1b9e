"""AuxLens's texts in the user's language."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

_FOLDER = Path(__file__).resolve().parent.parent / "resources" / "i18n"


def install(language: str = "") -> Optional[QTranslator]:
    """Translate AuxLens's texts from now on; texts that were asked for before stay as they are.

    Args:
        language: For example ``de`` or ``de_AT``; QGIS's own where empty.

    Returns:
        What ``remove`` takes; ``None`` where there is no translation into the language.
    """
    language = language or QgsApplication.instance().locale()
    translator = QTranslator()
    names = (f"auxlens_{language}.qm", f"auxlens_{language[:2]}.qm")
    path = next((_FOLDER / name for name in names if (_FOLDER / name).exists()), None)
    if path is None or not translator.load(str(path)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator


def remove(translator: Optional[QTranslator]) -> None:
    """Undo ``install``."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
