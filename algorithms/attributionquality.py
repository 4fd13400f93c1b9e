"""``attributionquality``: what a model's attributions are worth."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessing, QgsProcessingContext, QgsProcessingParameterMultipleLayers
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_attribution_quality
from ..engine.jobs import AttributionQualityJob
from ..models.card import read_card
from . import checks, parameters as p
from .base import JobAlgorithm
from .values import raster_layers


class AttributionQuality(JobAlgorithm):
    JOB = AttributionQualityJob
    ID = "attributionquality"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Assess the attributions of a model")
    GROUP = "assess"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Judges a model's attributions at sampled pixels or polygons of a scene: against Shapley values, against other "
        "methods on the same network, and against controls.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens", "explanation,Shapley,SHAP,XAI,insertion,deletion,infidelity,integrated gradients,occlusion"
    )

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.model())
        self.addParameter(p.inputs())
        self.addParameter(
            p.described(
                QgsProcessingParameterMultipleLayers(
                    "OTHER_MODELS", p.tr("Other models"), QgsProcessing.SourceType.TypeFile, optional=True
                ),
                p.tr("Models trained alike, for example with other seeds, to see whether they explain alike."),
            )
        )
        self.addParameter(p.polygons())
        self.addParameter(p.removal(AttributionQualityJob))
        self.addParameter(
            p.described(
                p.number("PIXELS", p.tr("Pixels"), p.default(AttributionQualityJob, "pixels"), 8, 4096),
                p.tr(
                    "Pixels (or polygons) to sample; fewer are taken with many players, of which very many coalitions "
                    "are computed."
                ),
            )
        )
        self.addParameter(p.seed(AttributionQualityJob))
        self.addParameter(p.scheduler())
        files = (
            ("OUTPUT_REPORT", p.tr("Report"), p.tr("HTML files (*.html)"), p.tr("Report with charts and a verdict.")),
            ("OUTPUT_TABLE", p.tr("Table"), p.tr("CSV files (*.csv)"), p.tr("A row a method, a column a measure.")),
        )
        for name, label, kind, text in files:
            self.addParameter(p.output_file(name, label, kind, text, by_default=name == "OUTPUT_REPORT"))

    def check(self, job: AttributionQualityJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        card = read_card(job.model)
        check_attribution_quality(job, card)
        checks.input_bands(raster_layers(self, "INPUTS", parameters, context), card)
