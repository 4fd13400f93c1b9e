"""From a dialog's parameter values to a job's fields."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProperty,
    QgsRasterLayer,
)

from ..plugin.sources import layer_of, layer_path, raster_layer_of, raster_path

Values = Mapping[str, Any]


def job_values(
    algorithm: QgsProcessingAlgorithm, parameters: Values, context: QgsProcessingContext, *, export: bool
) -> Dict[str, Any]:
    """Value of every parameter that is no output, by parameter name, as a job takes it.

    Layers become paths. ``export`` allows temporary files for vector layers that are none (see ``sources``).

    Raises:
        SceneError: a layer is missing or of a kind that the engine cannot open.
    """
    inputs = [d for d in algorithm.parameterDefinitions() if not d.isDestination()]
    return {d.name(): _value(algorithm, d, parameters, context, export) for d in inputs}


def _value(
    algorithm: QgsProcessingAlgorithm,
    definition: QgsProcessingParameterDefinition,
    parameters: Values,
    context: QgsProcessingContext,
    export: bool,
) -> Any:
    name = definition.name()
    if isinstance(definition, QgsProcessingParameterMultipleLayers):
        return tuple(raster_path(layer) for layer in raster_layers(algorithm, name, parameters, context))
    if isinstance(definition, QgsProcessingParameterMapLayer):
        layer = layer_of(parameters.get(name), context, definition.description())
        return layer_path(layer, context, definition.description(), export=export) if layer else ""
    if isinstance(definition, QgsProcessingParameterRasterLayer):
        value = parameters.get(name)
        return raster_path(raster_layer_of(value, context, definition.description())) if value else ""
    if isinstance(definition, QgsProcessingParameterExtent):
        return _extent(algorithm, name, parameters, context)
    if isinstance(definition, QgsProcessingParameterEnum):
        return algorithm.parameterAsEnumString(parameters, name, context)
    if isinstance(definition, QgsProcessingParameterNumber):
        if definition.dataType() == QgsProcessingParameterNumber.Type.Integer:
            return algorithm.parameterAsInt(parameters, name, context)
        return algorithm.parameterAsDouble(parameters, name, context)
    return algorithm.parameterAsString(parameters, name, context)


def raster_layers(
    algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext
) -> List[QgsRasterLayer]:
    """The raster layers of a parameter that takes several."""
    value = parameters.get(name)
    if isinstance(value, str) and not layer_exists(value, context):
        value = value.split(";")
    items = value if isinstance(value, (list, tuple)) else [value]
    label = algorithm.parameterDefinition(name).description()
    return [raster_layer_of(item, context, label) for item in items if item]


def layer_exists(value: str, context: QgsProcessingContext) -> bool:
    """Whether a text stands for one layer (and not for several, separated by ``;``)."""
    return ";" not in value or QgsProcessingUtils.mapLayerFromString(value, context) is not None


def _extent(
    algorithm: QgsProcessingAlgorithm, name: str, parameters: Values, context: QgsProcessingContext
) -> Optional[Tuple[float, float, float, float]]:
    """West, south, east, north in the CRS of the first input raster."""
    rasters = raster_layers(algorithm, "INPUTS", parameters, context)
    if not parameters.get(name) or not rasters:
        return None
    box = algorithm.parameterAsExtent(parameters, name, context, rasters[0].crs())
    return None if box.isNull() else (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())


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
    """Path of each output that is asked for; tells QGIS which layers to load when the run is done."""
    paths = {}
    for definition in algorithm.destinationParameterDefinitions():
        if isinstance(definition, QgsProcessingParameterRasterDestination):
            path = algorithm.parameterAsOutputLayer(parameters, definition.name(), context)
        else:
            path = algorithm.parameterAsFileOutput(parameters, definition.name(), context)
        if path:
            paths[definition.name()] = path
    return paths
