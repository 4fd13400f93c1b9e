"""``trainfolder``: a model from a folder of scenes."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_players
from ..engine.jobs import TrainFolderJob
from . import checks, parameters as p
from .base import JobAlgorithm


class TrainFolder(JobAlgorithm):
    JOB = TrainFolderJob
    ID = "trainfolder"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Train a model on a folder of scenes")
    GROUP = "train"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Trains a model on a folder of scenes, with a sub-folder or a file name for each; whole scenes are kept "
        "apart for validation and test where there are enough of them.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "deep learning,neural network,classification,segmentation,regression,multitask")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.scenes())
        self.addParameter(p.input_patterns())
        self.addParameter(p.auxiliary_patterns())
        self.addParameter(p.reference_pattern(by_scene=True))
        self.addParameter(p.reference_field())
        self.addParameter(p.test_scenes())
        self.addParameter(p.masked_share(TrainFolderJob))
        for parameter in p.learning(TrainFolderJob):
            self.addParameter(parameter)

    def check(self, job: TrainFolderJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        checks.scene_folder(job)
        checks.device(job.device)
        check_players(job.players, job.task)
