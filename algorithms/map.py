"""``map``: one scene mapped and explained."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_map
from ..engine.jobs import MapJob
from ..models.members import read_cards
from ..plugin import layers
from . import checks, parameters as p
from .base import JobAlgorithm
from .values import raster_layers


class Map(JobAlgorithm):
    JOB = MapJob
    ID = "map"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Map a scene and explain the map")
    GROUP = "map"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Maps one scene with a trained model and explains the map: class probabilities, uncertainty, reconstructed "
        "modalities with their errors, and the probability that the map is wrong. Only what is asked for is computed. "
        "A scene-level model maps whole polygons, or tiles.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens",
        "deep learning,inference,prediction,classification,segmentation,regression,explainability,uncertainty,error",
    )

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.model(several=True))
        self.addParameter(p.inputs())
        self.addParameter(p.auxiliary())
        self.addParameter(p.reference(optional=True))
        self.addParameter(p.reference_field())
        self.addParameter(p.polygons())
        for make in (p.device, p.precision, p.tile_size, p.overlap, p.batch_size):
            self.addParameter(make(MapJob))
        self.addParameter(p.extent())
        self.addParameter(p.mask())
        self.addParameter(p.attribution_class())
        for name, label, text in _outputs():
            self.addParameter(p.output_raster(name, label, text, by_default=name == "OUTPUT_MAP"))
        self.addParameter(p.output_polygons())

    def check(self, job: MapJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        card = read_cards(job.model)
        check_map(job, card)
        checks.input_bands(raster_layers(self, "INPUTS", parameters, context), card)
        checks.reference(self, parameters, context)
        checks.device(job.device)

    def watch_outputs(self, job: MapJob, context: QgsProcessingContext) -> None:
        """Name, style and group the layers that QGIS loads when the run is done."""
        scene = layers.scene_name(job.inputs)
        shown = {**({"polygons": job.output_polygons} if job.output_polygons else {}), **job.outputs}
        for position, (name, path) in enumerate(shown.items()):
            layers.arrange_on_load(context, path, name, scene, visible=position == 0)


def _outputs():
    return (
        ("OUTPUT_MAP", p.tr("Map"), p.tr("Classes, or the estimate of a regression.")),
        ("OUTPUT_PROBABILITY", p.tr("Class probabilities"), p.tr("A band a class, 0 to 1 (models of classes only).")),
        (
            "OUTPUT_UNCERTAINTY",
            p.tr("Uncertainty"),
            p.tr("Normalised entropy of the classes, 0 to 1; for a regression the predicted scale of its error."),
        ),
        (
            "OUTPUT_RECONSTRUCTION",
            p.tr("Reconstruction"),
            p.tr("Auxiliary bands as the network predicts them from the inputs, in their physical units."),
        ),
        (
            "OUTPUT_EXPECTED_ERROR",
            p.tr("Expected error"),
            p.tr("The network's own predicted scale of the reconstruction error; needs no auxiliary raster."),
        ),
        (
            "OUTPUT_RECONSTRUCTION_ERROR",
            p.tr("Reconstruction error"),
            p.tr("Reconstruction minus auxiliary raster, in physical units; needs auxiliary rasters."),
        ),
        (
            "OUTPUT_MAIN_ERROR",
            p.tr("Main error"),
            p.tr("1 where the map differs from the reference; for a regression the difference. Needs a reference."),
        ),
        (
            "OUTPUT_ERROR_PROBABILITY",
            p.tr("Error probability"),
            p.tr("Calibrated probability that the map is wrong at the pixel, 0 to 1; needs no reference."),
        ),
        (
            "OUTPUT_ATTRIBUTION",
            p.tr("Attribution"),
            p.tr("A band a player with its contribution to the mapped class's score; the last is the dominant player."),
        ),
    )
