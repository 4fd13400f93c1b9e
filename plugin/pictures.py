"""Pictures of layers: the layer as QGIS draws it, its legend, and single bands on one scale."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QSize
from qgis.PyQt.QtGui import QColor, QImage

from ..engine.palettes import GREYS, colour_bands
from .charts import Chart, ramp, swatches
from .renderers import Range, as_classes, as_colours, on_ramp, own_classes

NOTHING = QColor("#f2f2f0")  # where a layer has no value


def legend(layer: QgsRasterLayer) -> Optional[Chart]:
    """A layer's legend, made from its style; ``None`` for a style that needs none, such as natural colour."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsPalettedRasterRenderer):
        classes = own_classes(layer, renderer.classes(), renderer.usesBands()[0])
        return swatches([(c.color, c.label) for c in classes])
    if isinstance(renderer, QgsSingleBandPseudoColorRenderer):
        items = renderer.shader().rasterShaderFunction().colorRampItemList()
        return ramp([(item.color, item.label) for item in items]) if items else None
    return None


def rendered(
    layers: Sequence[QgsMapLayer], crs: QgsCoordinateReferenceSystem, box: QgsRectangle, width: int, height: int
) -> QImage:
    """Layers, the first on top, as QGIS draws them in a box of a CRS, on a light grey."""
    settings = QgsMapSettings()
    settings.setLayers(list(layers))
    settings.setDestinationCrs(crs)
    settings.setExtent(box)
    settings.setOutputSize(QSize(width, height))
    settings.setBackgroundColor(NOTHING)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def encoded(image: QImage, kind: str) -> bytes:
    """An image as a file of its kind, ``PNG`` or ``JPG``."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, kind, 88 if kind == "JPG" else -1)
    return bytes(data)


def is_classes(layer: QgsMapLayer) -> bool:
    """Whether a layer is drawn in few plain colours."""
    return not isinstance(layer, QgsRasterLayer) or isinstance(layer.renderer(), QgsPalettedRasterRenderer)


def band_layer(
    layer: QgsRasterLayer, band: int, low: float, high: float, unit: str = "", like: Optional[QgsRasterLayer] = None
) -> QgsRasterLayer:
    """A copy of a layer that shows one band from ``low`` to ``high``, in the colours of its own style or of another."""
    copy = layer.clone()
    copy.setRenderer(on_ramp(copy.dataProvider(), band, (low, high), _colours(like or layer), unit))
    return copy


def paletted(layer: QgsRasterLayer, band: int, entries: Sequence[Tuple[int, QColor, str]]) -> QgsRasterLayer:
    """A copy of a layer that shows one band as classes: value, colour and name of each."""
    copy = layer.clone()
    copy.setRenderer(as_classes(copy.dataProvider(), band, entries))
    return copy


def _colours(layer: QgsRasterLayer) -> List[QColor]:
    renderer = layer.renderer()
    if isinstance(renderer, QgsSingleBandPseudoColorRenderer):
        items = renderer.shader().rasterShaderFunction().colorRampItemList()
        if len(items) > 1:
            return [item.color for item in items]
    return [QColor(color) for color in GREYS]


def natural_colour(layer: QgsRasterLayer, names: List[str]) -> QgsRasterLayer:
    """A copy of a scene's input in natural colour where its bands say so, otherwise its first three (or one).

    Stretched between the 2nd and 98th percentile of what is seen, as it is only to be recognised.
    """
    chosen = colour_bands(names) or [1, 1, 1]
    return coloured(layer, chosen, [_cut(layer, band) for band in chosen])


def coloured(layer: QgsRasterLayer, bands: Sequence[int], shown: Sequence[Range]) -> QgsRasterLayer:
    """A copy of a layer that shows three bands as red, green and blue, each stretched between two values."""
    copy = layer.clone()
    copy.setRenderer(as_colours(copy.dataProvider(), bands, shown))
    return copy


def _cut(layer: QgsRasterLayer, band: int) -> Tuple[float, float]:
    low, high = layer.dataProvider().cumulativeCut(band, 0.02, 0.98, layer.extent(), 250_000)
    return (low, high) if high > low else (low, low + 1.0)
