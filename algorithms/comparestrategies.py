"""``comparestrategies``: what the auxiliary modalities are good for, on a folder of scenes."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_compare
from ..engine.jobs import CompareJob
from . import checks, parameters as p
from .base import JobAlgorithm

_LEARNING = (p.size, p.epochs, p.time_limit, p.chip_size, p.chips_a_step, p.seed, p.device, p.precision)


class CompareStrategies(JobAlgorithm):
    JOB = CompareJob
    ID = "comparestrategies"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Compare strategies on a folder of scenes")
    GROUP = "train"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Compares what auxiliary modalities are good for, as something to learn (multitask), as inputs (multimodal), "
        "not at all (single) or as a control (shuffled), with random forests and gradient boosting beside them: same "
        "scenes, split and steps, several seeds, differences with confidence intervals.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens",
        "ablation,benchmark,baseline,random forest,gradient boosting,multitask,multimodal,bootstrap,label efficiency",
    )

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        for parameter in (
            p.scenes(),
            p.input_patterns(),
            p.auxiliary_patterns(optional=False),
            p.reference_pattern(),
            p.reference_field(),
            p.test_scenes(),
            p.task(CompareJob, scene_level=False),
            p.repetitions(CompareJob),
            p.reference_shares(CompareJob),
            *(make(CompareJob) for make in _LEARNING),
            p.scheduler(),
        ):
            self.addParameter(parameter)
        files = (
            ("OUTPUT_REPORT", p.tr("Report"), p.tr("HTML files (*.html)"), p.tr("Report with verdicts and charts.")),
            ("OUTPUT_TABLE", p.tr("Table"), p.tr("CSV files (*.csv)"), p.tr("A row a method, seed and figure.")),
        )
        for name, label, kind, text in files:
            self.addParameter(p.output_file(name, label, kind, text, by_default=name == "OUTPUT_REPORT"))

    def check(self, job: CompareJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        check_compare(job)
        checks.scene_folder(job)
        checks.device(job.device)
