"""``explainerrors``: are the map's errors explained by the auxiliary tasks?"""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_explain_errors
from ..engine.jobs import ExplainErrorsJob
from ..plugin import layers
from . import checks, parameters as p
from .base import JobAlgorithm


class ExplainErrors(JobAlgorithm):
    JOB = ExplainErrorsJob
    ID = "explainerrors"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Explain the errors of a map")
    GROUP = "assess"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Asks whether a map's errors are explained by the auxiliary tasks: correlations with honest tests, how well "
        "each layer finds the errors, and where. Takes the layers that “Map a scene” or “Map a folder” wrote.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens",
        "correlation,Dutilleul,bootstrap,AUROC,risk coverage,error detection,uncertainty,calibration,explainability",
    )

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.layers_of_scene())
        self.addParameter(p.mapped_scenes())
        self.addParameter(p.reference(optional=True))
        self.addParameter(p.reference_field())
        self.addParameter(p.window_size(ExplainErrorsJob))
        self.addParameter(p.seed(ExplainErrorsJob))
        report, table = (
            (
                "OUTPUT_REPORT",
                p.tr("Report"),
                p.tr("HTML files (*.html)"),
                p.tr("Verdict, charts, windows to see."),
            ),
            ("OUTPUT_TABLE", p.tr("Table"), p.tr("CSV files (*.csv)"), p.tr("Every figure with its interval.")),
        )
        self.addParameter(p.output_file(*report, by_default=True))
        self.addParameter(p.output_file(*table))
        text = p.tr("Correlation of main and reconstruction errors in a moving window, a band an auxiliary band.")
        self.addParameter(p.output_raster("OUTPUT_CORRELATION", p.tr("Local correlation"), text))

    def check(self, job: ExplainErrorsJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        check_explain_errors(job)
        checks.reference(self, parameters, context)

    def watch_outputs(self, job: ExplainErrorsJob, context: QgsProcessingContext) -> None:
        """Let the raster open with the style beside it."""
        layers.style_on_load(context, job.output_correlation, p.tr("Local correlation"))
