"""``modelinfo``: a model's card, readable."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_modelinfo
from ..engine.jobs import ModelInfoJob
from ..models.card import read_card
from . import parameters as p
from .base import JobAlgorithm


class ModelInfo(JobAlgorithm):
    JOB = ModelInfoJob
    ID = "modelinfo"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Describe a model")
    GROUP = "model"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Writes what a model needs, what it gives, how good it is and where it was trained, with a map of the training "
        "scenes, as a page to read, keep or hand over.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "model card,metadata,accuracy,training data,extent,documentation")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.model())
        self.addParameter(
            p.output_file(
                "OUTPUT_REPORT",
                p.tr("Model page"),
                p.tr("HTML files (*.html)"),
                p.tr("Page to write, without scripts."),
                by_default=True,
            )
        )

    def check(self, job: ModelInfoJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        read_card(job.model)
        check_modelinfo(job)
