"""``exportonnx``: a model's network for other tools."""

from __future__ import annotations

from typing import Any, Mapping

from qgis.core import QgsProcessingContext
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.checks import check_exportonnx
from ..engine.jobs import ExportOnnxJob
from ..models.card import read_card
from . import parameters as p
from .base import JobAlgorithm


class ExportOnnx(JobAlgorithm):
    JOB = ExportOnnxJob
    ID = "exportonnx"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Export a model as ONNX")
    GROUP = "model"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Writes a model's network as an ONNX file for other tools, checked against the model; with a tile size, the "
        "map alone with metadata for the QGIS plugin Deepness.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "ONNX,Deepness,interoperability,deployment,ONNX Runtime,exchange")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        self.addParameter(p.model())
        tile_size = p.number("TILE_SIZE", p.tr("Tile size (pixels)"), p.default(ExportOnnxJob, "tile_size"), 0, 16384)
        text = p.tr(
            "0 for a network that takes any size and gives everything. Otherwise the one size that it takes, and the "
            "map alone, as Deepness needs it, for example 512."
        )
        self.addParameter(p.described(tile_size, text, advanced=True))
        kind = p.tr("ONNX files (*.onnx)")
        text = p.tr("ONNX file to write; the model's card is in its metadata.")
        self.addParameter(p.output_file("OUTPUT_ONNX", p.tr("Network"), kind, text, by_default=True))

    def check(self, job: ExportOnnxJob, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        check_exportonnx(job, read_card(job.model))
