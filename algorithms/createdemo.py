"""``createdemo``: synthetic scenes to try AuxLens on."""

from __future__ import annotations

from typing import Any, ClassVar, Mapping

from qgis.core import QgsProcessingParameterFolderDestination
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.jobs import DemoJob
from . import parameters as p
from .base import JobAlgorithm


class CreateDemo(JobAlgorithm):
    JOB = DemoJob
    ID = "createdemo"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Create demo scenes")
    GROUP = "demo"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Writes synthetic but physically plausible scenes to try AuxLens on: optical and radar bands, elevation, land "
        "cover as reference, and the known causes of errors.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "example,sample,synthetic,test data,sentinel")
    FIELDS: ClassVar = {"SCENE_COUNT": "scenes", "SIZE": "size_px"}

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(
            p.described(
                p.number("SCENE_COUNT", p.tr("Number of scenes"), p.default(DemoJob, "scenes"), 1, 1000),
                p.tr("Scenes to write; the last third carries haze, cloud shadow and a class unseen in the others."),
            )
        )
        self.addParameter(
            p.described(
                p.number("SIZE", p.tr("Scene size (pixels)"), p.default(DemoJob, "size_px"), 64, 8192),
                p.tr("Width and height of each scene, in pixels of 10 m."),
            )
        )
        self.addParameter(p.seed(DemoJob))
        self.addParameter(
            p.described(
                QgsProcessingParameterFolderDestination("OUTPUT_FOLDER", p.tr("Folder of scenes")),
                p.tr("Folder to write to; it gets one sub-folder a scene."),
            )
        )
