"""How a layer is drawn, as plain values: what two layers have in common that look alike."""

from qgis.core import QgsRasterLayer, QgsVectorLayer


def shown(layer):
    """Kind of the renderer, its bands, and the legend's values, labels and colours."""
    if isinstance(layer, QgsVectorLayer):
        items = [[item.label(), item.symbol().color().name()] for item in layer.renderer().legendSymbolItems()]
        return [layer.renderer().type(), [], items]
    renderer = layer.renderer()
    kind, bands = renderer.type(), renderer.usesBands()
    if kind == "paletted":
        items = [[c.value, c.label, c.color.name()] for c in renderer.classes()]
    elif kind == "singlebandpseudocolor":
        ramp = renderer.shader().rasterShaderFunction().colorRampItemList()
        items = [[item.value, item.label, item.color.name()] for item in ramp]
    elif kind == "multibandcolor":
        channels = (getattr(renderer, f"{name}ContrastEnhancement")() for name in ("red", "green", "blue"))
        items = [[channel.minimumValue(), channel.maximumValue()] for channel in channels]
    else:
        items = []
    return [kind, bands, items]


def opened(path):
    """A file as QGIS opens it by itself."""
    layer = QgsVectorLayer(path, "layer") if path.endswith(".gpkg") else QgsRasterLayer(path, "layer")
    assert layer.isValid(), path
    return layer
