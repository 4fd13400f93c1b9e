"""The plugin's settings and their page among QGIS's options."""

from __future__ import annotations

from typing import Any, List, Optional

from qgis.core import QgsApplication, QgsSettings, QgsTask
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..engine.jobs import AuxLensError
from . import environment
from .preferences import PYTHON_KEY, SETUP_PYTHON_KEY, engine_python, python_setting, setup_python_setting
from .words import tr

_LONGEST_WAIT_MS = 15_000  # until pip has ended and what it unpacked is gone


class SetUpTask(QgsTask):
    """Makes the engine's environment in the background; ``told`` passes every line on, ``lines`` keeps them.

    Args:
        python: The Python to make it with; empty to look for one.
    """

    told = pyqtSignal(str)

    def __init__(self, python: str = "") -> None:
        super().__init__(tr("Setting up the AuxLens engine"), QgsTask.Flag.CanCancel)
        self.error = ""
        self.lines: List[str] = []
        self._python = python

    def run(self) -> bool:
        """Called in a background thread."""
        try:
            environment.create(QgsApplication.qgisSettingsDirPath(), self, self._python)
        except AuxLensError as error:
            self.error = str(error)
        return not self.error

    def pushInfo(self, text: str) -> None:
        """What ``environment.create`` tells."""
        self.lines.append(text)
        self.told.emit(text)


_set_up: Optional[SetUpTask] = None  # here and not in the page, which goes when the options are closed


def start_set_up(python: str) -> SetUpTask:
    """Start the task that makes the environment; the one that runs already where there is one."""
    global _set_up
    if _set_up is None:
        _set_up = SetUpTask(python)
        _set_up.taskCompleted.connect(_forget)
        _set_up.taskTerminated.connect(_forget)
        QgsApplication.taskManager().addTask(_set_up)
    return _set_up


def stop_set_up() -> None:
    """Cancel the set-up that runs, and wait for it: a plugin that is loaded anew would know nothing of it."""
    if _set_up is not None:
        _set_up.cancel()
        _set_up.waitForFinished(_LONGEST_WAIT_MS)


def _forget() -> None:
    global _set_up
    _set_up = None


class AuxLensOptionsPage(QgsOptionsPageWidget):
    """Path of the engine's Python, its state, and the button that sets it up."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._task: Optional[SetUpTask] = None
        self.path = QgsFileWidget()
        self.path.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        self.path.setFilePath(python_setting())
        self.path.setToolTip(tr("Leave empty for the environment that “Set up engine…” makes for your profile."))
        self.base = QgsFileWidget()
        self.base.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        self.base.setFilePath(setup_python_setting())
        self.base.setToolTip(
            tr("Python 3.11 or newer that “Set up engine…” makes the environment with; leave empty to look for one.")
        )
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.button = QPushButton(tr("Set up engine…"))
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setVisible(False)
        self._lay_out()
        self.path.fileChanged.connect(self.show_state)
        self.button.clicked.connect(self.set_up)
        self.show_state()
        if _set_up is not None:
            self._attach(_set_up)

    def _lay_out(self) -> None:
        about = QLabel(
            tr(
                "AuxLens computes in a process of its own, with packages that QGIS does not ship (PyTorch, rasterio "
                "and others). “Set up engine…” downloads them (about 1 GB) into an environment for your QGIS profile; "
                "the Python of QGIS stays as it is."
            )
        )
        about.setWordWrap(True)
        form = QFormLayout()
        form.addRow(tr("Engine's Python"), self.path)
        form.addRow(tr("State"), self.state)
        form.addRow(tr("Python for the set-up"), self.base)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(9, 9, 9, 9)
        for item in (about, self.log):
            layout.addWidget(item)
        layout.insertLayout(1, form)
        layout.insertLayout(2, row)
        layout.addStretch()

    def apply(self) -> None:
        """Called by QGIS when the options are accepted."""
        QgsSettings().setValue(PYTHON_KEY, self.path.filePath().strip())
        QgsSettings().setValue(SETUP_PYTHON_KEY, self.base.filePath().strip())

    def show_state(self, *_: Any) -> None:
        """Say which Python would run the engine, or what is missing."""
        try:
            self.state.setText(tr("Ready: {}").format(engine_python(self.path.filePath().strip())))
        except AuxLensError as error:
            self.state.setText(str(error))

    def set_up(self) -> None:
        """Make the environment in a background task."""
        self._attach(start_set_up(self.base.filePath().strip()))

    def _attach(self, task: SetUpTask) -> None:
        """Show how a set-up goes on."""
        self._task = task
        self.button.setEnabled(False)
        task.told.connect(self.log.appendPlainText)
        self.log.setPlainText("\n".join(task.lines))
        self.log.setVisible(True)
        task.taskCompleted.connect(self._done)
        task.taskTerminated.connect(self._done)

    def _done(self) -> None:
        if self._task is not None and self._task.error:
            self.log.appendPlainText(self._task.error)
        self._task = None
        self.button.setEnabled(True)
        self.show_state()


class AuxLensOptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page when QGIS opens its options."""

    def __init__(self, icon: QIcon) -> None:
        super().__init__()
        self._icon = icon
        self.setTitle("AuxLens")

    def icon(self) -> QIcon:
        return self._icon

    def createWidget(self, parent: Optional[QWidget] = None) -> QgsOptionsPageWidget:
        return AuxLensOptionsPage(parent)
