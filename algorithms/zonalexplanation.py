"""``zonalexplanation``: the explanation layers of a scene, polygon by polygon."""

from __future__ import annotations

from typing import Any, ClassVar, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_zonal
from ..engine.jobs import JobError, ZonalJob
from ..plugin import layers
from ..plugin.tags import tags_of
from . import parameters as p
from .base import JobAlgorithm
from .values import raster_layers


class ZonalExplanation(JobAlgorithm):
    JOB = ZonalJob
    ID = "zonalexplanation"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Explain a map by polygon")
    GROUP = "assess"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Summarises the explanation layers of a mapped scene by polygon: areas by class, uncertainty, error "
        "probability, expected and observed reconstruction errors, attributions, and a sentence in plain words.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens", "zonal statistics,parcels,fields,area,percentile,error probability,attribution,uncertainty,table"
    )
    FIELDS: ClassVar = {"LAYERS": "rasters", "OUTPUT": "output_zones"}

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.mapped_layers())
        self.addParameter(p.zones())
        self.addParameter(
            p.output_zones(
                "OUTPUT",
                p.tr("Explained polygons"),
                p.tr("The polygons with their figures, styled by error probability."),
            )
        )
        self.addParameter(
            p.output_file(
                "OUTPUT_TABLE", p.tr("Table"), p.tr("CSV files (*.csv)"), p.tr("The same figures, a row a polygon.")
            )
        )

    def check(self, job: ZonalJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        check_zonal(job)
        chosen = raster_layers(self, "LAYERS", parameters, context)
        if not any(tags_of(layer) for layer in chosen):
            names = ", ".join(f"“{layer.name()}”" for layer in chosen)
            raise JobError(f"None of the layers was made by AuxLens ({names}); choose rasters that “map” wrote.")

    def watch_outputs(self, job: ZonalJob, context: QgsProcessingContext) -> None:
        """Let the polygons open with the style that the file holds."""
        layers.style_on_load(context, job.output_zones, p.tr("Explained polygons"))
