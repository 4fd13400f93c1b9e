"""The plugin as QGIS sees it: registers provider, options page and panel, and ends the engine."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.core import QgsApplication, QgsProcessingProvider

from . import client, translation
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
        self._why_here: Any = None
        self._translator: Any = None

    def initProcessing(self) -> None:
        """Register the provider; QGIS calls this alone in ``qgis_process``."""
        client.configure(engine_python)
        self._translator = translation.install()  # first: the provider's algorithms ask for their texts
        self.provider = self._make_provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Register the provider, the options page and the panel “Why here?”."""
        self.initProcessing()
        from .panel.action import WhyHereAction  # these need a desktop
        from .settings import AuxLensOptionsFactory

        self._options = AuxLensOptionsFactory(self.provider.icon())
        self.iface.registerOptionsWidgetFactory(self._options)
        self._why_here = WhyHereAction(self.iface)

    def unload(self) -> None:
        """Take back what was registered and end the engine."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        if self._options is not None:
            from .settings import stop_set_up

            self.iface.unregisterOptionsWidgetFactory(self._options)
            stop_set_up()
            self._options = None
        if self._why_here is not None:
            self._why_here.remove()
            self._why_here = None
        translation.remove(self._translator)
        self._translator = None
        client.shutdown()
