"""``mapfolder``: a folder of scenes mapped and explained."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext, QgsProcessingParameterFolderDestination
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_map_folder
from ..engine.jobs import MapFolderJob
from ..models.members import read_cards
from . import checks, parameters as p
from .base import JobAlgorithm


class MapFolder(JobAlgorithm):
    JOB = MapFolderJob
    ID = "mapfolder"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Map a folder of scenes")
    GROUP = "map"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Maps every scene of a folder with a trained model, on this machine or on a Dask cluster; a scene that fails "
        "does not stop the others, and a second run does only what is missing or out of date.",
    )
    TAGS = QT_TRANSLATE_NOOP(
        "AuxLens",
        "deep learning,inference,prediction,classification,segmentation,regression,batch,cluster,dask,stac,uncertainty",
    )

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.model(several=True))
        self.addParameter(p.scenes())
        self.addParameter(p.input_patterns(from_model=True))
        self.addParameter(p.auxiliary_patterns(from_model=True))
        self.addParameter(p.reference_pattern(from_model=True))
        self.addParameter(p.reference_field())
        self.addParameter(p.layers(MapFolderJob))
        for make in (p.device, p.precision, p.tile_size, p.overlap, p.batch_size):
            self.addParameter(make(MapFolderJob))
        self.addParameter(p.scheduler())
        folder = QgsProcessingParameterFolderDestination("OUTPUT_FOLDER", p.tr("Output folder"))
        self.addParameter(
            p.described(folder, p.tr("Folder to write to: a sub-folder a scene, and a STAC catalog of all of them."))
        )
        for name, label, kind, text in _files():
            self.addParameter(p.output_file(name, label, kind, text, by_default=True))

    def check(self, job: MapFolderJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        checks.device(job.device)
        check_map_folder(job, read_cards(job.model))


def _files():
    return (
        (
            "OUTPUT_TABLE",
            p.tr("Summary table"),
            p.tr("CSV files (*.csv)"),
            p.tr("Table to write: a row a scene with its status, class areas, mean uncertainty and mean errors."),
        ),
        (
            "OUTPUT_REPORT",
            p.tr("Summary report"),
            p.tr("HTML files (*.html)"),
            p.tr("Report to write: what became of each scene, with thumbnails."),
        ),
    )
