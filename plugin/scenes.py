"""Mapped scenes: layers that belong together, recognised by their tags and never by their names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from qgis.core import QgsMapLayer, QgsRasterLayer

from ..engine.jobs import MAP_OUTPUTS, OF_AUXILIARY, SceneError, split_name
from .layers import scene_name
from .tags import Tags, tags_of
from .words import tr

_ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True)
class MappedScene:
    """What ``map`` made of one scene with one model, on one grid.

    Attributes:
        name: The scene's.
        layers: Valid raster layers by output.
        tags: Those of the first output; the model's are the same in all.
    """

    name: str
    layers: Mapping[str, QgsRasterLayer]
    tags: Tags

    @property
    def any_layer(self) -> QgsRasterLayer:
        """The layer that gives the grid; all have the same."""
        return next(iter(self.layers.values()))

    @property
    def size(self) -> Tuple[int, int]:
        """Height and width in pixels."""
        return self.any_layer.height(), self.any_layer.width()

    @property
    def doubt(self) -> str:
        """The output that says where the map is doubtful; empty where there is none."""
        return next((name for name in ("error_probability", "uncertainty") if name in self.layers), "")

    def band_names(self, output: str) -> List[str]:
        """Names of an output's bands as the engine gave them; empty without that output."""
        layer = self.layers.get(output)
        return [] if layer is None else band_names(layer)

    @property
    def attributed_class(self) -> str:
        """The class that all attributions are about; empty where each is about its own pixel's class."""
        tags = tags_of(self.layers.get("attribution"))
        return str(tags.job.get("attribution_class") or "") if tags is not None else ""

    @property
    def tolerance(self) -> float:
        """The absolute error from which on the error probability calls a regression wrong; NaN where no tag tells."""
        tags = tags_of(self.layers.get("error_probability"))
        try:
            return float(tags.others["ERROR_TOLERANCE"]) if tags is not None else float("nan")
        except (KeyError, ValueError):
            return float("nan")

    @property
    def biases(self) -> Mapping[int, float]:
        """What attributions and it add up to is the score: by class value, or the one of a regression by 0."""
        tags = tags_of(self.layers.get("attribution"))
        try:
            found = json.loads(tags.others["ATTRIBUTION_BIAS"]) if tags is not None else {}
            return {int(k): float(v) for k, v in found.items()} if isinstance(found, dict) else {0: float(found)}
        except (KeyError, TypeError, ValueError):  # of an older version, or of patches
            return {}

    def modalities(self) -> Dict[str, List[str]]:
        """Auxiliary modalities and their bands, in the files' order, from the outputs about them."""
        found: Dict[str, List[str]] = {}
        for name in next((self.band_names(o) for o in OF_AUXILIARY if o in self.layers), []):
            modality, _, band = name.partition(":")
            found.setdefault(modality, []).append(band or modality)
        return found


def band_names(layer: QgsRasterLayer) -> List[str]:
    """Descriptions of a raster's bands: ``VV`` for what QGIS calls “Band 1: VV”."""
    provider = layer.dataProvider()
    names = (provider.generateBandName(band) for band in range(1, provider.bandCount() + 1))
    return [name.partition(": ")[2] or name for name in names]


def mapped_scenes(layers: Iterable[QgsMapLayer]) -> Tuple[List[MappedScene], List[str]]:
    """Sort layers into mapped scenes.

    Returns:
        The scenes, in the order of their first layers; and a sentence about each layer that is none of ours, cannot be
        read, or gives an output that another layer of the scene gives already.
    """
    sorted_out: Dict[Any, Dict[str, Tuple[QgsRasterLayer, Tags]]] = {}
    notes = []
    for layer in layers:
        tags = tags_of(layer)
        if tags is None:
            notes.append(_refusal(layer))
            continue
        outputs = sorted_out.setdefault(_key(layer, tags), {})
        if tags.output in outputs:
            notes.append(
                tr("“{}” shows the same output of the same scene as “{}” and was left out.").format(
                    layer.name(), outputs[tags.output][0].name()
                )
            )
            continue
        outputs[tags.output] = (layer, tags)
    return _named([_scene(outputs) for outputs in sorted_out.values()]), notes


def scenes_in_folder(folder: str) -> Tuple[List[MappedScene], List[str]]:
    """The mapped scenes whose rasters lie in a folder or in its sub-folders; other rasters are passed over.

    Raises:
        SceneError: there is no such folder, or no raster in it that AuxLens made.
    """
    if not os.path.isdir(folder):
        raise SceneError(f"The folder “{folder}” does not exist; check the path.")
    layers, notes = [], []
    for place, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            if file.startswith(".") or not file.lower().endswith(_ENDINGS):  # hidden ones may be unfinished
                continue
            path = os.path.join(place, file)
            layer = QgsRasterLayer(path, os.path.relpath(path, folder))
            if not layer.isValid():
                notes.append(_refusal(layer))
            elif tags_of(layer) is not None:
                layers.append(layer)
    if not layers:
        raise SceneError(
            f"The folder “{folder}” holds no raster that AuxLens made; choose the folder that “map” wrote to."
        )
    scenes, more = mapped_scenes(layers)
    return scenes, notes + more


def _refusal(layer: QgsMapLayer) -> str:
    if not layer.isValid():
        return tr("“{}” cannot be read (was its file deleted?) and was left out.").format(layer.name())
    return tr("“{}” was not made by “map” and was left out.").format(layer.name())


def _key(layer: QgsRasterLayer, tags: Tags) -> Any:
    """What the layers of one scene have in common: inputs, model and grid."""
    inputs = tuple(tags.job.get("inputs") or (os.path.dirname(layer.source()),))
    box = layer.extent()
    corner = (round(box.xMinimum(), 6), round(box.yMaximum(), 6))
    return inputs, tags.model_sha256, layer.width(), layer.height(), corner


def _scene(outputs: Mapping[str, Tuple[QgsRasterLayer, Tags]]) -> MappedScene:
    order = [name for name in MAP_OUTPUTS if name in outputs]
    layer, tags = outputs[order[0]]
    inputs = tags.job.get("inputs")
    name = scene_name(inputs) if inputs else os.path.basename(os.path.dirname(layer.source())) or layer.name()
    return MappedScene(name, {output: outputs[output][0] for output in order}, tags)


def _named(scenes: List[MappedScene]) -> List[MappedScene]:
    """With the model, and then a number, behind names that several scenes share."""
    names = [scene.name for scene in scenes]
    told = [s.name if names.count(s.name) == 1 else f"{s.name} ({s.tags.model})" for s in scenes]
    final: List[str] = []
    for name in told:
        again = 1 + sum(other == name for other in told[: len(final)])
        final.append(name if told.count(name) == 1 else f"{name} {again}")
    return [MappedScene(name, s.layers, s.tags) for name, s in zip(final, scenes)]


def reference_layer(scene: MappedScene, modality: str) -> Optional[Tuple[QgsRasterLayer, Dict[str, int]]]:
    """The measured raster of an auxiliary modality, as the job names it, and the number of each of its bands.

    ``None`` where the job had none, its file is gone, or nothing says which file is the modality's: its bands'
    descriptions, its name, or that there is no other.
    """
    paths = [split_name(text) for text in scene.tags.job.get("auxiliary") or ()]
    bands = scene.modalities().get(modality, [])
    for name, path in paths:
        layer = QgsRasterLayer(path, modality)
        if not layer.isValid() or layer.bandCount() < len(bands):
            continue
        found = band_names(layer)
        if set(bands) <= set(found):
            return layer, {band: found.index(band) + 1 for band in bands}
        stem = name or os.path.splitext(os.path.basename(path))[0]
        if layer.bandCount() == len(bands) and (stem == modality or len(paths) == len(scene.modalities()) == 1):
            return layer, {band: number for number, band in enumerate(bands, 1)}
    return None
