"""Map themes: what is switched on together in the layer tree."""

from __future__ import annotations

from typing import List, Mapping, Sequence

from qgis.core import QgsMapLayer, QgsMapThemeCollection, QgsProject

from .words import output_words, tr


def make_themes(project: QgsProject, layers: Mapping[str, Sequence[QgsMapLayer]]) -> List[str]:
    """Make a theme for each output: its layers, and every other layer that is switched on and is of no output.

    Args:
        project: Whose layer tree; layers that are not in it are left out.
        layers: By output.

    Returns:
        Names of the themes.
    """
    root, collection = project.layerTreeRoot(), project.mapThemeCollection()
    ours = {layer.id() for own in layers.values() for layer in own}
    background = [node.layer() for node in root.findLayers() if node.layerId() not in ours and node.isVisible()]
    names = []
    for output, own in layers.items():
        there = [layer for layer in own if root.findLayer(layer.id()) is not None]
        if not there:
            continue
        record = QgsMapThemeCollection.MapThemeRecord()
        for layer in [*there, *(layer for layer in background if layer is not None)]:
            entry = QgsMapThemeCollection.MapThemeLayerRecord(layer)
            entry.usingCurrentStyle = True
            entry.currentStyle = layer.styleManager().currentStyle()
            record.addLayerRecord(entry)
        name = tr("AuxLens: {}").format(output_words(output))
        collection.insert(name, record)
        names.append(name)
    return names
