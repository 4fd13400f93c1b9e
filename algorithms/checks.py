"""What can be checked before a run, without the engine: each function raises one clear sentence, or returns."""

from __future__ import annotations

import os
import re
from typing import Any, Mapping, Sequence, Union

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsRasterLayer,
    QgsVectorLayer,
)

from ..engine.jobs import (
    ANYWHERE,
    DEVICE_PATTERN,
    CompareJob,
    DeviceError,
    JobError,
    SceneError,
    TrainFolderJob,
    patterns,
)
from ..engine.paths import RASTER_ENDINGS, clash, of_one_style
from ..models.card import Card
from ..plugin.sources import layer_of
from .parameters import LARGEST

_ENDINGS = {
    "OUTPUT": (".gpkg",),
    "OUTPUT_MODEL": (".safetensors",),
    "OUTPUT_ONNX": (".onnx",),
    "OUTPUT_REPORT": (".html", ".htm"),
    "OUTPUT_TABLE": (".csv",),
    "OUTPUT_JSON": (".json",),
    "OUTPUT_PDF": (".pdf",),
    "OUTPUT_POLYGONS": (".gpkg",),
}


def device(text: str) -> None:
    """Whether a device's name is well formed; whether it exists is for the engine to say."""
    if not re.fullmatch(DEVICE_PATTERN, text):
        raise DeviceError(f"Unknown device “{text}”; choose auto, cpu, cuda, cuda:1 (the second GPU) or mps.")


def reference(algorithm: QgsProcessingAlgorithm, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
    """Whether a vector reference has the field that holds the truth."""
    layer = layer_of(parameters.get("REFERENCE"), context, algorithm.parameterDefinition("REFERENCE").description())
    if not isinstance(layer, QgsVectorLayer):
        return
    field = algorithm.parameterAsString(parameters, "REFERENCE_FIELD", context)
    names = ", ".join(f.name() for f in layer.fields()) or "none"
    if not field:
        raise SceneError(
            f"The reference “{layer.name()}” is a vector layer and needs a reference field; its fields are {names}."
        )
    if field not in layer.fields().names():  # as the engine looks: aliases and another case are none
        raise SceneError(f"The reference “{layer.name()}” has no field “{field}”; its fields are {names}.")


def input_bands(layers: Sequence[QgsRasterLayer], card: Card) -> None:
    """Whether there are bands enough for the model; which is which is for the engine to say."""
    found = [f"{layer.name()}: {layer.bandName(i + 1)}" for layer in layers for i in range(layer.bandCount())]
    if len(found) < len(card.input_bands):
        raise SceneError(
            f"The model “{card.name}” needs {len(card.input_bands)} input bands ({', '.join(card.input_bands)}), but "
            f"the input rasters have {len(found)} ({', '.join(found)}); choose rasters with all of the model's bands."
        )


def scene_folder(job: Union[TrainFolderJob, CompareJob]) -> None:
    """Whether the folder is there and the patterns can be read; what they match is for the engine to say."""
    for folder in filter(None, (job.scenes, job.test_scenes)):
        if not os.path.isdir(folder):
            raise SceneError(f"The folder of scenes “{folder}” does not exist; check the path.")
    if not patterns(job.input_patterns):
        raise JobError("No input pattern is given; give at least one, for example s2=s2.tif.")
    patterns(job.auxiliary_patterns)


def acceptable(definition: QgsProcessingParameterDefinition, value: Any, context: QgsProcessingContext) -> None:
    """Whether a parameter's value is of the right kind, in words that say more than QGIS's own."""
    name, label = definition.name(), definition.description()
    words = definition.options() if isinstance(definition, QgsProcessingParameterEnum) else []
    if words:
        chosen = value.split(",") if isinstance(value, str) and definition.allowMultiple() else [value]
        for word in value if isinstance(value, (list, tuple)) else chosen:
            if isinstance(word, str) and word not in words:
                raise JobError(f"Unknown value “{word}” of {name}; choose one of {', '.join(words)}.")
    if value is None and definition.defaultValue() is not None:
        return
    if definition.checkValueIsAcceptable(value, context):
        return
    if value in (None, "", [], ()):
        raise JobError(f"{label} ({name}) is not given. {definition.help()}")
    if words:
        raise JobError(f"“{value}” is no value for {label} ({name}); choose one of {', '.join(words)}.")
    if isinstance(definition, QgsProcessingParameterNumber):
        least, most = definition.minimum(), definition.maximum()
        span = f"{least:g} or more" if most >= LARGEST else f"from {least:g} to {most:g}"
        raise JobError(f"{label} ({name}) is “{value}”, but it must be a number, {span}.")
    if isinstance(definition, QgsProcessingParameterFile) and definition.fileFilter():
        raise JobError(f"{label} ({name}): “{value}” is no file of the kind “{definition.fileFilter()}”; choose one.")
    raise JobError(f"“{value}” is no value for {label} ({name}). {definition.help()}")


def outputs(targets: Mapping[str, str], inputs: Sequence[str]) -> None:
    """Whether each output can be written, none twice, none over an input and none with the style of another."""
    for name, path in targets.items():
        if path != ANYWHERE:
            _check_ending(name, path)
            _check_writable(name, path)
    pair = of_one_style(targets)
    if pair:
        raise JobError(
            f"{pair[0]} and {pair[1]} “{targets[pair[1]]}” have one name but for the ending, and would share the style "
            "beside them; choose another name for one."
        )
    name = clash(targets, inputs)
    if name:
        raise JobError(f"{name} “{targets[name]}” is the file of an input or of another output; choose another name.")


def _check_ending(name: str, path: str) -> None:
    if name == "OUTPUT_FOLDER":
        return
    endings = _ENDINGS.get(name, RASTER_ENDINGS)
    if not path.lower().endswith(endings):
        raise JobError(f"{name} “{path}” must end in {' or '.join(endings)}; choose another name.")


def _check_writable(name: str, path: str) -> None:
    if name != "OUTPUT_FOLDER" and os.path.isdir(path):
        raise JobError(f"{name} “{path}” is a folder; give a file name in it.")
    place = os.path.abspath(path)
    if name != "OUTPUT_FOLDER" or not os.path.isdir(place):
        place = os.path.dirname(place)
    # Folders that are missing are made, so the nearest one that exists counts; a drive or share may not exist at all.
    while not os.path.exists(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    if not os.path.isdir(place) or not os.access(place, os.W_OK):
        raise JobError(f"{name} cannot be written: “{place}” is not a folder that you may write to; choose another.")
