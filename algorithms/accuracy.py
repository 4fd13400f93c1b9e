"""``accuracy``: a map against a reference."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_accuracy
from ..engine.jobs import AccuracyJob
from . import checks, parameters as p
from .base import JobAlgorithm


class Accuracy(JobAlgorithm):
    JOB = AccuracyJob
    ID = "accuracy"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Assess the accuracy of a map")
    GROUP = "assess"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Compares a map with a reference: confusion matrix, accuracies of each class and area-adjusted estimates with "
        "confidence intervals, or the errors of a regression, and how reliable the probabilities are.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens",
        "validation,confusion matrix,kappa,F1,IoU,user's accuracy,producer's accuracy,area estimation,Olofsson,RMSE,R2,"
        "calibration,reliability",
    )

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.assessed_map())
        self.addParameter(p.map_field())
        self.addParameter(p.reference(optional=False))
        self.addParameter(p.reference_field())
        self.addParameter(p.probability())
        self.addParameter(p.uncertainty())
        self.addParameter(p.task(AccuracyJob))
        files = (
            ("OUTPUT_REPORT", p.tr("Accuracy report"), p.tr("HTML files (*.html)"), p.tr("Report with charts.")),
            ("OUTPUT_TABLE", p.tr("Table"), p.tr("CSV files (*.csv)"), p.tr("A row a class, means, overall figures.")),
            ("OUTPUT_JSON", p.tr("Figures"), p.tr("JSON files (*.json)"), p.tr("Everything, for other programs.")),
        )
        for name, label, kind, text in files:
            self.addParameter(p.output_file(name, label, kind, text, by_default=name == "OUTPUT_REPORT"))

    def check(self, job: AccuracyJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        check_accuracy(job)
        checks.reference(self, parameters, context)
