"""The button and menu entry that open the panel and its map tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from ..words import tr
from .dock import WhyHereDock

_ICON = str(Path(__file__).resolve().parents[2] / "resources" / "icons" / "why.svg")
_MENU = "AuxLens"


class WhyHereAction:
    """Adds panel, button and menu entry to the desktop; ``remove`` takes them back.

    Args:
        iface: The QGIS interface.
    """

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self.dock = WhyHereDock(iface.mapCanvas(), iface.mainWindow())
        iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        self.dock.hide()
        self.action = QAction(QIcon(_ICON), tr("Why here?"), iface.mainWindow())
        self.action.setObjectName("AuxLensWhyHereAction")
        self.action.setToolTip(tr("Ask a mapped scene about a place: click a pixel or draw an outline."))
        self.action.setCheckable(True)
        self.dock.tool.setAction(self.action)
        self.action.triggered.connect(self._triggered)
        iface.addToolBarIcon(self.action)
        iface.addPluginToMenu(_MENU, self.action)

    def _triggered(self, on: bool) -> None:
        if on:
            self.dock.show()
            self._iface.mapCanvas().setMapTool(self.dock.tool)
        else:
            self._iface.mapCanvas().unsetMapTool(self.dock.tool)
            self.dock.tool.clear()

    def remove(self) -> None:
        """Take everything back."""
        self._iface.removeToolBarIcon(self.action)
        self._iface.removePluginMenu(_MENU, self.action)
        self.dock.close_down()
        self._iface.removeDockWidget(self.dock)
        self.dock.deleteLater()
        self.action.deleteLater()
