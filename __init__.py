"""AuxLens: maps from satellite scenes that say where they are wrong, and why.

The repository's root is the QGIS plugin's package. Importing it imports nothing of QGIS, so that the engine and
the tests, which run without QGIS, can import from it; ``classFactory`` puts plugin and provider together.
"""


def classFactory(iface):  # the name and argument that QGIS calls with
    """Make the plugin. ``iface`` is the QGIS interface, or ``None`` in ``qgis_process``."""
    from .algorithms.provider import AuxLensProvider
    from .plugin.plugin import AuxLensPlugin

    return AuxLensPlugin(iface, AuxLensProvider)
