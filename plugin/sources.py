"""From map layers to paths that the engine can open."""

from __future__ import annotations

import os
import re
from itertools import chain
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingUtils,
    QgsProperty,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from ..engine.jobs import SceneError
from ..engine.paths import split_options


def layer_of(value: Any, context: QgsProcessingContext, label: str) -> Optional[QgsMapLayer]:
    """The layer that a parameter's value stands for; ``None`` where nothing is given.

    One that Processing opens from its file gets the style beside it, as in the project.

    Args:
        value: A layer, or the id, name or path of one.
        label: What the parameter is called, for the message.

    Raises:
        SceneError: there is no such layer, or QGIS cannot read the file.
    """
    if isinstance(value, QgsMapLayer):
        return value
    if isinstance(value, QgsProperty):
        value = value.valueAsString(context.expressionContext(), "")[0]
    if not value:
        return None
    layer = QgsProcessingUtils.mapLayerFromString(str(value), context)
    if layer is not None and layer.isValid():
        if context.temporaryLayerStore().mapLayer(layer.id()) is not None:
            layer.loadDefaultStyle()
        return layer
    path = split_options(str(value))[0]
    if os.path.exists(path):
        raise SceneError(f"{label}: “{path}” is no layer that QGIS can read; choose a raster or vector file.")
    raise SceneError(f"{label}: “{path}” does not exist; check the path.")


def raster_layer_of(value: Any, context: QgsProcessingContext, label: str) -> QgsRasterLayer:
    """Like ``layer_of``, for rasters in files only.

    Raises:
        SceneError: as there; or the layer is a vector, a web service or in memory.
    """
    layer = layer_of(value, context, label)
    if not isinstance(layer, QgsRasterLayer):
        found = "nothing" if layer is None else f"“{layer.name()}”, which is no raster"
        raise SceneError(f"{label}: a raster is expected, {found} was found; choose a raster file, such as a GeoTIFF.")
    if layer.providerType() != "gdal":
        raise SceneError(
            f"{label}: “{layer.name()}” is not a raster file but a layer of type “{layer.providerType()}”; "
            "save it as a GeoTIFF (Export, Save As) and choose that."
        )
    return layer


def raster_path(layer: QgsRasterLayer) -> str:
    """What GDAL, and so the engine, opens for a raster layer."""
    return absolute(layer.source().split("|option:")[0])


def absolute(path: str) -> str:
    """A path without the working folder, which the engine does not share; other sources of GDAL as they are."""
    return os.path.abspath(path) if os.path.exists(path) else path


def crs_note(layer: QgsMapLayer) -> str:
    """A warning where QGIS places a raster otherwise than its file says, which alone the engine reads; else empty."""
    if not isinstance(layer, QgsRasterLayer) or layer.crs() == layer.dataProvider().crs():
        return ""
    own = layer.dataProvider().crs().authid() or "none"
    return (
        f"“{layer.name()}” has the CRS {layer.crs().authid() or 'that you gave it'} in QGIS, but its file says {own}, "
        "and that counts here. If the file is wrong, write the CRS into it (Raster ▸ Projections ▸ Assign Projection)."
    )


def vector_path(layer: QgsVectorLayer, *, export: bool) -> str:
    """What the engine opens for a vector layer: ``path`` or ``path|layername=…``.

    A layer that is not plainly a file (in memory, in a database, filtered, one of several types of geometry, with
    unsaved edits, joined or virtual fields, a CRS that its file does not have, or a shapefile that does not say how
    its texts are encoded where that matters) is written to a temporary GeoPackage, so that the engine sees what the
    user sees; ``export=False`` (for checks) skips that.

    Raises:
        SceneError: the temporary file cannot be written.
    """
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    path, name = parts.get("path") or "", parts.get("layerName") or ""
    plain = layer.providerType() == "ogr" and not layer.subsetString() and not layer.isModified()
    provider = layer.dataProvider()
    plain = plain and layer.fields().count() == provider.fields().count() and layer.crs() == provider.crs()
    whole = bool(name) or "layerId" not in parts or parts["layerId"] in (None, "", "0", 0)
    whole = whole and "|geometrytype=" not in layer.source().lower()  # of a layer with points and polygons
    encoded = provider.storageType() != "ESRI Shapefile" or os.path.exists(os.path.splitext(path)[0] + ".cpg")
    if plain and path and whole and (encoded or _is_ascii(layer)):
        return f"{absolute(path)}|layername={name}" if name else absolute(path)
    return _exported(layer) if export else layer.source()


def _is_ascii(layer: QgsVectorLayer) -> bool:
    """Whether names of fields and all texts are the same in every encoding."""
    texts = (value for feature in layer.getFeatures() for value in feature.attributes() if isinstance(value, str))
    return all(text.isascii() for text in chain(layer.fields().names(), texts))


def layer_path(layer: QgsMapLayer, context: QgsProcessingContext, label: str, *, export: bool) -> str:
    """The path of a raster or vector layer.

    Raises:
        SceneError: it is of neither kind, or of a kind that the engine cannot open.
    """
    if isinstance(layer, QgsVectorLayer):
        return vector_path(layer, export=export)
    return raster_path(raster_layer_of(layer, context, label))


def named_path(layer: QgsRasterLayer) -> str:
    """``name=path`` where the user named the layer otherwise than the file, else the path alone.

    The name is one that the engine takes for a name: letters and digits of any script, then ``_``, ``.`` or ``-`` too.
    """
    path = raster_path(layer)
    name = re.sub(r"[^\w.-]+", "_", layer.name()).strip("_.-")
    stem = os.path.splitext(os.path.basename(path))[0]
    return f"{name}={path}" if name and (layer.name() != stem or "=" in path) else path


def _exported(layer: QgsVectorLayer) -> str:
    path = QgsProcessingUtils.generateTempFilename("reference.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", "reference"
    fid = layer.fields().lookupField("fid")
    options.attributes = [i for i in range(len(layer.fields())) if i != fid]  # a foreign fid need not be unique
    error = QgsVectorFileWriter.writeAsVectorFormatV3(layer, path, QgsCoordinateTransformContext(), options)
    if error[0] != QgsVectorFileWriter.WriterError.NoError:
        raise SceneError(f"The layer “{layer.name()}” cannot be written to a temporary file: {error[1]}.")
    return f"{path}|layername=reference"
