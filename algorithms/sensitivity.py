"""``sensitivity``: which bands each task leans on."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_sensitivity
from ..engine.jobs import SensitivityJob
from ..models.card import read_card
from ..plugin import layers
from . import checks, parameters as p
from .base import JobAlgorithm
from .values import raster_layers


class Sensitivity(JobAlgorithm):
    JOB = SensitivityJob
    ID = "sensitivity"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Measure what a map depends on")
    GROUP = "assess"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Takes away the bands of each player in turn and measures how much the map and each reconstructed band change, "
        "by class, and whether the map and the auxiliary tasks depend on the same bands.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "occlusion,perturbation,band importance,explainability,XAI,ablation")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.model())
        self.addParameter(p.inputs())
        for make in (p.removal, p.seed, p.device, p.precision):
            self.addParameter(make(SensitivityJob))
        report, table = (
            ("OUTPUT_REPORT", p.tr("Report"), p.tr("HTML files (*.html)"), p.tr("Report with charts and a verdict.")),
            ("OUTPUT_TABLE", p.tr("Table"), p.tr("CSV files (*.csv)"), p.tr("A row a class, player and task.")),
        )
        self.addParameter(p.output_file(*report, by_default=True))
        self.addParameter(p.output_file(*table))
        text = p.tr("A band a player with the change of the map without it; the last is the most influential player.")
        self.addParameter(p.output_raster("OUTPUT_SENSITIVITY", p.tr("Sensitivity"), text))

    def check(self, job: SensitivityJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        card = read_card(job.model)
        check_sensitivity(job, card)
        checks.input_bands(raster_layers(self, "INPUTS", parameters, context), card)
        checks.device(job.device)

    def watch_outputs(self, job: SensitivityJob, context: QgsProcessingContext) -> None:
        """Let the raster open with the style beside it."""
        layers.style_on_load(context, job.output_sensitivity, p.tr("Sensitivity"))
