"""Layers that a run leaves in the project: named, styled and grouped under the scene's name."""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsVectorLayer,
)
from qgis.PyQt import sip

from ..engine.jobs import MAP_OUTPUTS
from ..engine.paths import split_options
from .words import output_words

OUTPUT_PROPERTY = "auxlens/output"
ORDER = ("polygons", *MAP_OUTPUTS)  # from the top
SCENE_PROPERTY = "auxlens/scene"
# QGIS silently skips a post-processor that Python no longer holds.
_kept: List[QgsProcessingLayerPostProcessorInterface] = []


def scene_name(inputs: Sequence[str]) -> str:
    """The scene's name: its folder's where the folder is the scene's own, otherwise the file's.

    A folder is the scene's own where several inputs share it, or the file is called by a short word such as ``s2``.
    """
    first = Path(split_options(inputs[0])[0])
    shared = len({Path(path).parent for path in inputs}) == 1 < len(inputs)
    return first.parent.name if first.parent.name and (shared or len(first.stem) <= 3) else first.stem


def layer_title(output: str, scene: str) -> str:
    """How a layer is called: the output first, because legends cut the end."""
    return f"{output_words(output)} – {scene}"


def arrange_on_load(context: QgsProcessingContext, path: str, output: str, scene: str, *, visible: bool) -> None:
    """Where QGIS will load ``path`` when the run is done: name, style and group its layer.

    Args:
        output: One of ``ORDER``.
        visible: Whether the layer is switched on.
    """
    if not context.willLoadLayerOnCompletion(path):
        return
    _process_on_load(context, path, layer_title(output, scene), _Arranger(output, scene, visible))


def style_on_load(context: QgsProcessingContext, path: str, title: str) -> None:
    """Where QGIS will load ``path`` when the run is done: name its layer, and give it the style that the file holds."""
    if not context.willLoadLayerOnCompletion(path):
        return
    _process_on_load(context, path, title, _Styler())


def _process_on_load(
    context: QgsProcessingContext, path: str, title: str, processor: QgsProcessingLayerPostProcessorInterface
) -> None:
    _kept[:] = [held for held in _kept if not sip.isdeleted(held)] + [processor]  # the context deletes them
    details = context.layerToLoadOnCompletionDetails(path)
    details.name = title
    details.setPostProcessor(processor)


class _Styler(QgsProcessingLayerPostProcessorInterface):
    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by QGIS in the main thread when the layer is in the project."""
        layer.loadDefaultStyle()


class _Arranger(QgsProcessingLayerPostProcessorInterface):
    def __init__(self, output: str, scene: str, visible: bool) -> None:
        super().__init__()
        self._output, self._scene, self._visible = output, scene, visible

    def postProcessLayer(
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Called by QGIS in the main thread when the layer is in the project."""
        style = Path(layer.source()).with_suffix(".qml")
        if isinstance(layer, QgsVectorLayer):
            layer.loadDefaultStyle()  # the one in its GeoPackage
        elif style.exists():
            layer.loadNamedStyle(str(style))
        layer.setName(layer_title(self._output, self._scene))
        layer.setCustomProperty(OUTPUT_PROPERTY, self._output)  # after the style, which has properties of its own
        node = context.project().layerTreeRoot().findLayer(layer.id()) if context.project() else None
        if node is not None:
            _group(node, self._output, self._scene, self._visible)


def _group(node: QgsLayerTreeLayer, output: str, scene: str, visible: bool) -> None:
    """Move a layer's node into the group of its scene, in their ``ORDER``."""
    parent = node.parent()
    group = _scene_group(parent, scene)
    moved = node.clone()
    moved.setItemVisibilityChecked(visible)
    moved.setExpanded(visible)
    group.insertChildNode(_position(group, node, output), moved)
    parent.removeChildNode(node)


def _scene_group(parent: QgsLayerTreeGroup, scene: str) -> QgsLayerTreeGroup:
    """The scene's group, wherever the user has put it; else a new one beside the other scenes'."""
    root = parent
    while root.parent() is not None:
        root = root.parent()
    group = root.findGroup(scene)
    if group is None:
        while parent.customProperty(SCENE_PROPERTY) is not None:  # QGIS adds layers where the current layer is
            parent = parent.parent()
        group = parent.insertGroup(0, scene)
        group.setCustomProperty(SCENE_PROPERTY, scene)
    return group


def _position(group: QgsLayerTreeGroup, node: QgsLayerTreeLayer, output: str) -> int:
    rank = ORDER.index(output)
    for position, child in enumerate(group.children()):
        if child == node:
            continue
        layer = child.layer() if isinstance(child, QgsLayerTreeLayer) else None
        found = layer.customProperty(OUTPUT_PROPERTY) if layer is not None else None
        if found not in ORDER or ORDER.index(found) >= rank:
            return position
    return len(group.children())
