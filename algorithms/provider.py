"""The Processing provider: an explicit list of algorithms, no discovery."""

from __future__ import annotations

from pathlib import Path
from typing import List

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from ..engine.version import plugin_version
from .accuracy import Accuracy
from .attributionquality import AttributionQuality
from .comparestrategies import CompareStrategies
from .createdemo import CreateDemo
from .explainerrors import ExplainErrors
from .exportonnx import ExportOnnx
from .map import Map
from .mapfolder import MapFolder
from .modelinfo import ModelInfo
from .report import Report
from .sensitivity import Sensitivity
from .style import Style
from .train import Train
from .trainfolder import TrainFolder
from .zonalexplanation import ZonalExplanation

ROOT = Path(__file__).resolve().parent.parent
ALGORITHMS = (
    CreateDemo,
    Train,
    TrainFolder,
    CompareStrategies,
    Map,
    MapFolder,
    Accuracy,
    ExplainErrors,
    Sensitivity,
    ZonalExplanation,
    ModelInfo,
    ExportOnnx,
    AttributionQuality,
    Style,
    Report,
)


class AuxLensProvider(QgsProcessingProvider):
    """All algorithms of AuxLens, id ``auxlens``."""

    def id(self) -> str:
        return "auxlens"

    def name(self) -> str:
        return "AuxLens"

    def icon(self) -> QIcon:
        return QIcon(str(ROOT / "resources" / "icons" / "auxlens.svg"))

    def svgIconPath(self) -> str:
        return str(ROOT / "resources" / "icons" / "auxlens.svg")

    def versionInfo(self) -> str:
        return plugin_version()

    def supportedOutputRasterLayerExtensions(self) -> List[str]:
        return ["tif", "tiff"]

    def supportedOutputVectorLayerExtensions(self) -> List[str]:
        return ["gpkg"]

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        return "gpkg"

    def loadAlgorithms(self) -> None:
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
