"""Renderers of raster layers: amounts on a ramp, classes in their colours, three bands as red, green and blue."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from qgis.core import (
    QgsColorRampLegendNodeSettings,
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRasterDataProvider,
    QgsRasterLayer,
    QgsRasterShader,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

from .words import figure

Range = Tuple[float, float]
Class = QgsPalettedRasterRenderer.Class

_WHOLE_TABLE = 256  # entries of a file's colour table at least, more than a model has classes
_NO_COLOR = "#000000"  # of values in a file's colour table that are no class


def on_ramp(
    provider: QgsRasterDataProvider,
    band: int,
    shown: Range,
    colors: Sequence[QColor],
    unit: str = "",
    ends: Tuple[str, str] = ("", ""),
) -> QgsSingleBandPseudoColorRenderer:
    """One band on a ramp.

    Args:
        provider: Of the layer.
        band: From 1.
        shown: The values of the first and the last colour.
        colors: At even steps.
        unit: For the legend.
        ends: What the lowest and the highest values mean, for the legend.
    """
    low, high = shown
    steps = [at / (len(colors) - 1) for at in range(len(colors))]
    function = QgsColorRampShader(low, high)
    stops = [QgsGradientStop(step, color) for step, color in list(zip(steps, colors))[1:-1]]
    function.setSourceColorRamp(QgsGradientColorRamp(colors[0], colors[-1], False, stops))
    values = [low * (1 - step) + high * step for step in steps]
    items = zip(values, colors)
    function.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, color, figure(value, unit)) for value, color in items]
    )
    legend = QgsColorRampLegendNodeSettings()
    legend.setMinimumLabel(_end(low, unit, ends[0]))
    legend.setMaximumLabel(_end(high, unit, ends[1]))
    function.setLegendSettings(legend)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(function)
    renderer = QgsSingleBandPseudoColorRenderer(provider, band, shader)
    renderer.setClassificationMin(low)
    renderer.setClassificationMax(high)
    return renderer


def as_classes(
    provider: QgsRasterDataProvider, band: int, entries: Sequence[Tuple[int, QColor, str]]
) -> QgsPalettedRasterRenderer:
    """One band as classes: value, colour and name of each."""
    classes = [QgsPalettedRasterRenderer.Class(value, color, name) for value, color, name in entries]
    return QgsPalettedRasterRenderer(provider, band, classes)


def own_classes(layer: QgsRasterLayer, classes: Sequence[Class], band: int) -> List[Class]:
    """Classes without a colour table's other values, which may be 65,536 and are black and called by their numbers.

    Args:
        layer: Whose classes; of a table that is coloured throughout, the values that occur are left.
        classes: Of its style, or of the file's colour table, which QGIS takes where there is no style.
        band: That they are of, from 1.
    """
    if len(classes) < _WHOLE_TABLE:
        return list(classes)
    found = [c for c in classes if c.color.name() != _NO_COLOR or c.label != f"{c.value:.0f}"]
    if 0 < len(found) < _WHOLE_TABLE:
        return found
    there = {c.value for c in QgsPalettedRasterRenderer.classDataFromRaster(layer.dataProvider(), band)}
    return [c for c in classes if c.value in there]


def as_colours(
    provider: QgsRasterDataProvider, bands: Sequence[int], shown: Sequence[Range]
) -> QgsMultiBandColorRenderer:
    """Three bands as red, green and blue, each stretched between two values."""
    renderer = QgsMultiBandColorRenderer(provider, *bands)
    for channel, band, (low, high) in zip(("Red", "Green", "Blue"), bands, shown):
        stretch = QgsContrastEnhancement(provider.dataType(band))
        stretch.setContrastEnhancementAlgorithm(
            QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
        )
        stretch.setMinimumValue(low)
        stretch.setMaximumValue(high)
        getattr(renderer, f"set{channel}ContrastEnhancement")(stretch)
    return renderer


def _end(value: float, unit: str, words: str) -> str:
    return f"{figure(value, unit)}: {words}" if words else figure(value, unit)
