"""From a dialog's parameter values to a job's fields."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFile,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterVectorDestination,
    QgsProcessingParameterVectorLayer,
    QgsProcessingUtils,
    QgsProperty,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
)

from ..engine.jobs import SceneError
from ..models.members import absolute_paths
from ..plugin.sources import crs_note, layer_of, layer_path, raster_layer_of, raster_path

Values = Mapping[str, Any]
_LAYER_DESTINATIONS = (QgsProcessingParameterRasterDestination, QgsProcessingParameterVectorDestination)


def job_values(
    algorithm: QgsProcessingAlgorithm, parameters: Values, context: QgsProcessingContext, *, export: bool
) -> Dict[str, Any]:
    """Value of every parameter that is no output, by parameter name, as a job takes it; an extent's CRS beside it.

    Layers become paths, and paths absolute, because the engine keeps the working folder that it started in. ``export``
    allows temporary files for vector layers that are none (see ``sources``).

    Raises:
        SceneError: a layer is missing or of a kind that the engine cannot open.
    """
    inputs = [d for d in algorithm.parameterDefinitions() if not d.isDestination()]
    values = {d.name(): _value(algorithm, d, parameters, context, export) for d in inputs}
    extents = [d.name() for d in inputs if isinstance(d, QgsProcessingParameterExtent)]
    return {**values, **{f"{name}_CRS": _extent_crs(algorithm, name, parameters, context) for name in extents}}


def _value(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterDefinition,
    parameters: Values,
    context: QgsProcessingContext,
    export: bool,
) -> Any:
    name = definition.name()
    if isinstance(definition, QgsProcessingParameterMultipleLayers):
        if definition.layerType() == QgsProcessing.SourceType.TypeFile:
            files = algorithm.parameterAsFileList(parameters, name, context)
            return tuple(os.path.abspath(path) for path in files if path)  # QGIS gives [""] where none is given
        return tuple(raster_path(layer) for layer in raster_layers(algorithm, name, parameters, context))
    if isinstance(definition, (QgsProcessingParameterMapLayer, QgsProcessingParameterVectorLayer)):
        layer = layer_of(parameters.get(name), context, definition.description())
        return layer_path(layer, context, definition.description(), export=export) if layer else ""
    if isinstance(definition, QgsProcessingParameterRasterLayer):
        value = parameters.get(name)
        return raster_path(raster_layer_of(value, context, definition.description())) if value else ""
    if isinstance(definition, QgsProcessingParameterExtent):
        return _extent(algorithm, name, parameters, context)
    if isinstance(definition, QgsProcessingParameterEnum) and definition.allowMultiple():
        return tuple(algorithm.parameterAsEnumStrings(parameters, name, context))
    if isinstance(definition, QgsProcessingParameterEnum):
        return algorithm.parameterAsEnumString(parameters, name, context)
    if isinstance(definition, QgsProcessingParameterNumber):
        if definition.dataType() == QgsProcessingParameterNumber.Type.Integer:
            return algorithm.parameterAsInt(parameters, name, context)
        return algorithm.parameterAsDouble(parameters, name, context)
    text = algorithm.parameterAsString(parameters, name, context)
    if not text or not isinstance(definition, QgsProcessingParameterFile):
        return text
    return absolute_paths(text) if name == "MODEL" else os.path.abspath(text)


def raster_layers(
    algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext
) -> List[QgsRasterLayer]:
    """The raster layers of a parameter that takes several."""
    label = algorithm.parameterDefinition(name).description()
    return [raster_layer_of(item, context, label) for item in _items(name, parameters, context)]


def map_layers(
    algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext
) -> List[QgsMapLayer]:
    """The layers of a parameter that takes several, of any kind."""
    layers, unreadable = readable_layers(algorithm, name, parameters, context)
    if unreadable:
        raise SceneError(unreadable[0])
    return layers


def readable_layers(
    algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext
) -> Tuple[List[QgsMapLayer], List[str]]:
    """Those of them that can be read, and a sentence about each other one."""
    label = algorithm.parameterDefinition(name).description()
    layers, unreadable = [], []
    for item in _items(name, parameters, context):
        try:
            layers.append(layer_of(item, context, label))
        except SceneError as error:
            unreadable.append(str(error))
    return [layer for layer in layers if layer is not None], unreadable


def _items(name: str, parameters: Values, context: QgsProcessingContext) -> List[Any]:
    value = parameters.get(name)
    if isinstance(value, str) and not layer_exists(value, context):
        value = value.split(";")
    return [item for item in (value if isinstance(value, (list, tuple)) else [value]) if item]


def layer_exists(value: str, context: QgsProcessingContext) -> bool:
    """Whether a text stands for one layer (and not for several, separated by ``;``)."""
    return ";" not in value or QgsProcessingUtils.mapLayerFromString(value, context) is not None


def _extent(
    algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext
) -> Optional[Tuple[float, float, float, float]]:
    """West, south, east, north as they are given; only the engine knows the scene's CRS."""
    if not parameters.get(name):
        return None
    box = algorithm.parameterAsExtent(parameters, name, context)
    return None if box.isNull() else (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())


def _extent_crs(algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext) -> str:
    """CRS of an extent, as its id or WKT; empty for numbers alone, which count in the scene's."""
    value = parameters.get(name)
    if isinstance(value, QgsProperty):
        value = value.valueAsString(context.expressionContext(), "")[0]
    numbers = isinstance(value, str) and re.fullmatch(r"[-+.,\deE\s]*", value)
    if not value or numbers or (isinstance(value, QgsRectangle) and not isinstance(value, QgsReferencedRectangle)):
        return ""
    crs = algorithm.parameterAsExtentCrs(parameters, name, context)
    if crs.authid().startswith("EPSG:"):
        return crs.authid()
    return crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED)


def notes(algorithm: QgsProcessingAlgorithm, parameters: Values, context: QgsProcessingContext) -> List[str]:
    """What the user should know about the layers before the run."""
    layers: List[Optional[QgsMapLayer]] = []
    for definition in algorithm.parameterDefinitions():
        name, label = definition.name(), definition.description()
        if isinstance(definition, QgsProcessingParameterMultipleLayers):
            if definition.layerType() != QgsProcessing.SourceType.TypeFile:
                layers += raster_layers(algorithm, name, parameters, context)
        elif isinstance(definition, (QgsProcessingParameterMapLayer, QgsProcessingParameterRasterLayer)):
            layers.append(layer_of(parameters.get(name), context, label))
    return [note for note in (crs_note(layer) for layer in layers if layer is not None) if note]


def wanted_outputs(
    algorithm: QgsProcessingAlgorithm, parameters: Values, context: QgsProcessingContext
) -> Dict[str, str]:
    """Each output that is asked for and its target, a path or ``TEMPORARY_OUTPUT``, without side effects."""
    found = {}
    for definition in algorithm.destinationParameterDefinitions():
        value = parameters.get(definition.name())
        if isinstance(value, QgsProcessingOutputLayerDefinition):
            value = value.sink
        if isinstance(value, QgsProperty):
            value = value.valueAsString(context.expressionContext(), "")[0]
        if value:
            found[definition.name()] = str(value)
    return found


def output_paths(
    algorithm: QgsProcessingAlgorithm, parameters: Values, context: QgsProcessingContext
) -> Dict[str, str]:
    """Path of each output that is asked for, as QGIS knows it; tells QGIS which layers to load when the run is done."""
    paths = {}
    for definition in algorithm.destinationParameterDefinitions():
        if isinstance(definition, _LAYER_DESTINATIONS):
            path = algorithm.parameterAsOutputLayer(parameters, definition.name(), context)
        else:
            path = algorithm.parameterAsFileOutput(parameters, definition.name(), context)
        if path:
            paths[definition.name()] = path
    return paths
