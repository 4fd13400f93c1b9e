"""The plugin as QGIS sees it: registers the Processing provider and the options page, and ends the engine."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.core import QgsApplication, QgsProcessingProvider

from . import client
from .preferences import engine_python


class AuxLensPlugin:
    """Made by ``classFactory``.

    Args:
        iface: The QGIS interface; ``None`` in ``qgis_process``.
        make_provider: Makes the Processing provider (handed in, because this package knows no algorithm).
    """

    def __init__(self, iface: Any, make_provider: Callable[[], QgsProcessingProvider]) -> None:
        self.iface = iface
        self._make_provider = make_provider
        self.provider: Optional[QgsProcessingProvider] = None
        self._options: Any = None

    def initProcessing(self) -> None:
        """Register the provider; QGIS calls this alone in ``qgis_process``."""
        client.configure(engine_python)
        self.provider = self._make_provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Register the provider and the options page."""
        self.initProcessing()
        from .settings import AuxLensOptionsFactory  # needs a desktop

        self._options = AuxLensOptionsFactory(self.provider.icon())
        self.iface.registerOptionsWidgetFactory(self._options)

    def unload(self) -> None:
        """Take back what was registered and end the engine."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        if self._options is not None:
            self.iface.unregisterOptionsWidgetFactory(self._options)
            self._options = None
        client.shutdown()
