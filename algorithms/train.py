"""``train``: a model from the layers of one scene."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_players
from ..engine.jobs import TrainJob
from ..plugin.sources import named_path, raster_path
from . import checks, parameters as p
from .base import JobAlgorithm
from .values import raster_layers


class Train(JobAlgorithm):
    JOB = TrainJob
    ID = "train"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Train a model on layers")
    GROUP = "train"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Trains a model on the layers of one scene: it learns to map the reference from the input rasters and, as "
        "auxiliary tasks, to reconstruct the auxiliary rasters, which are not needed when it maps.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "deep learning,neural network,classification,segmentation,regression,multitask")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.inputs())
        self.addParameter(p.auxiliary())
        self.addParameter(p.reference(optional=False))
        self.addParameter(p.reference_field())
        for parameter in p.learning(TrainJob):
            self.addParameter(parameter)

    def job(self, parameters: Mapping[str, Any], context: QgsProcessingContext, *, export: bool) -> TrainJob:
        """As the base class; layers that the user named give their names to the modalities."""
        job = super().job(parameters, context, export=export)
        inputs = raster_layers(self, "INPUTS", parameters, context)
        auxiliary = raster_layers(self, "AUXILIARY", parameters, context)
        return replace(
            job,
            # single-band inputs form one modality together, so a name of their own would part them
            inputs=tuple(named_path(r) if r.bandCount() > 1 else raster_path(r) for r in inputs),
            auxiliary=tuple(named_path(r) for r in auxiliary),
        )

    def check(self, job: TrainJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        checks.reference(self, parameters, context)
        checks.device(job.device)
        check_players(job.players, job.task)
