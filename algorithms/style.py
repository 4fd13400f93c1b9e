"""``style``: the explanation styles on layers that are already there."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from qgis.core import (
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
    QgsProject,
)
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.jobs import JobError
from ..plugin.restyle import restyle, save_styles
from ..plugin.scenes import mapped_scenes
from ..plugin.themes import make_themes
from . import parameters as p
from .base import LayerAlgorithm
from .values import map_layers

SAVE = {"no": (), "qml": ("qml",), "sld": ("sld",), "both": ("qml", "sld")}


class Style(LayerAlgorithm):
    ID = "style"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Style explanation layers alike")
    GROUP = "present"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Applies the explanation styles to layers or to a group of them, told by their tags and not by their names: "
        "the same colours and the same scale for the same output, so that scenes can be compared.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "symbology,legend,colour ramp,theme,QML,SLD,colour blind,percentile,batch")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        raster = QgsProcessing.SourceType.TypeRaster
        layers = QgsProcessingParameterMultipleLayers("LAYERS", p.tr("Layers"), raster, optional=True)
        text = p.tr("Layers that “map” made, of one scene or of several; others are left as they are.")
        self.addParameter(p.described(layers, text))
        group = QgsProcessingParameterString("GROUP", p.tr("Group"), optional=True)
        text = p.tr("Name of a group of the layer tree, whose layers are styled too, with those of the groups in it.")
        self.addParameter(p.described(group, text))
        band = QgsProcessingParameterString("BAND", p.tr("Band"), optional=True)
        text = p.tr("Band to show where a layer has one of that name, for example s1:VH, a class or a player.")
        self.addParameter(p.described(band, text))
        percentile = p.number("PERCENTILE", p.tr("Percent cut off at either end"), 2.0, 0.0, 49.0)
        text = p.tr("Share of the values, in percent, beyond a scale's ends: 0 shows all, 2 lets outliers saturate.")
        self.addParameter(p.described(percentile, text))
        themes = QgsProcessingParameterBoolean("THEMES", p.tr("Make a map theme for each output"), True)
        text = p.tr("Makes a map theme for each output, to switch between them in the layer tree and in layouts.")
        self.addParameter(p.described(themes, text))
        save = p.choice("SAVE", p.tr("Save styles beside the rasters"), tuple(SAVE), "no")
        text = p.tr("Writes each style beside its raster: qml opens styled in QGIS, sld is for other programs.")
        self.addParameter(p.described(save, text))

    def readable(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> Mapping[str, Any]:
        """See the base class."""
        self._layers(parameters, context)
        return parameters

    def check_values(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        scenes, notes = mapped_scenes(self._layers(parameters, context))
        if not scenes:
            raise JobError("None of the layers was made by AuxLens; choose layers that “map” made. " + " ".join(notes))

    def work(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Style the layers; says which scales, and what is left out."""
        project = context.project() or QgsProject.instance()
        scenes, notes = mapped_scenes(self._layers(parameters, context))
        band = self.parameterAsString(parameters, "BAND", context)
        percentile = self.parameterAsDouble(parameters, "PERCENTILE", context)
        for line in restyle(scenes, band, percentile, project.mapLayers().values()):
            feedback.pushInfo(line)
        if self.parameterAsBool(parameters, "THEMES", context):
            outputs = dict.fromkeys(output for scene in scenes for output in scene.layers)
            by_output = {o: [scene.layers[o] for scene in scenes if o in scene.layers] for o in outputs}
            for name in make_themes(project, by_output):
                feedback.pushInfo(p.tr("Theme “{}”.").format(name))
        kinds = SAVE[self.parameterAsEnumString(parameters, "SAVE", context)]
        notes += save_styles([layer for scene in scenes for layer in scene.layers.values()], kinds)
        for note in notes:
            feedback.pushWarning(note)
        return {}

    def _layers(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> List[QgsMapLayer]:
        """The layers chosen, and those of the group.

        Raises:
            SceneError, JobError: a layer that cannot be read, no such group, or nothing chosen.
        """
        layers = map_layers(self, "LAYERS", parameters, context)
        name = self.parameterAsString(parameters, "GROUP", context)
        if name:
            project = context.project() or QgsProject.instance()
            group = project.layerTreeRoot().findGroup(name)
            if group is None:
                known = ", ".join(found.name() for found in project.layerTreeRoot().findGroups()) or "none"
                raise JobError(f"The project has no group “{name}”; its groups are {known}.")
            layers += [node.layer() for node in group.findLayers()]
        found = {layer.id(): layer for layer in layers if layer is not None}
        if not found:
            raise JobError("No layer is chosen; give layers (LAYERS) or the name of a group (GROUP).")
        return list(found.values())
