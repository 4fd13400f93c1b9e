"""``report``: a mapped scene, or a folder of them, as PDF and HTML."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Tuple

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.jobs import JobError, SceneError
from ..models.members import paths_of
from ..plugin.report.build import Request, write_report
from ..plugin.report.layout import PAPERS, read_template
from ..plugin.report.tables import read_accuracy, read_rows
from ..plugin.scenes import MappedScene, mapped_scenes, scenes_in_folder
from . import checks, parameters as p
from .base import LayerAlgorithm, make_folders
from .values import readable_layers, wanted_outputs

_FILES = ("MODEL", "ACCURACY", "ERRORS", "TEMPLATE")
_OUTPUTS = ("OUTPUT_REPORT", "OUTPUT_PDF")


class Report(LayerAlgorithm):
    ID = "report"
    LABEL = QT_TRANSLATE_NOOP("AuxLens", "Report on a mapped scene")
    GROUP = "present"
    HELP = QT_TRANSLATE_NOOP(
        "AuxLens",
        "Makes a report of a mapped scene, as PDF through a layout that you may edit and as HTML: the map, where it is "
        "doubtful and why, the auxiliary modalities, areas, the model and how to make it again.",
    )
    TAGS = QT_TRANSLATE_NOOP("AuxLens", "layout,print,PDF,HTML,atlas,map book,publication,explainability")

    def initAlgorithm(self, configuration: Mapping[str, Any] = {}) -> None:
        """Declare the parameters."""
        raster = QgsProcessing.SourceType.TypeRaster
        layers = QgsProcessingParameterMultipleLayers(
            "LAYERS", p.tr("Layers of the mapped scene"), raster, optional=True
        )
        text = p.tr("Layers that “map” made, of one scene or of several; they are told by their tags, not their names.")
        self.addParameter(p.described(layers, text))
        self.addParameter(p.mapped_scenes())
        title = QgsProcessingParameterString("TITLE", p.tr("Title"), optional=True)
        self.addParameter(p.described(title, p.tr("Title of the report; the scene's name where it is empty.")))
        for name, label, ending, text, advanced in _files():
            file = QgsProcessingParameterFile(name, label, optional=True, fileFilter=ending)
            self.addParameter(p.described(file, text, advanced=advanced))
        paper = p.choice("PAPER", p.tr("Paper"), PAPERS, "template")
        text = p.tr("Size of the pages: the template's own (A4 in AuxLens's), A4 or Letter.")
        self.addParameter(p.described(paper, text, advanced=True))
        html, pdf = p.tr("HTML files (*.html)"), p.tr("PDF files (*.pdf)")
        text = p.tr("One static HTML file with everything inside.")
        self.addParameter(p.output_file("OUTPUT_REPORT", p.tr("Report"), html, text))
        text = p.tr("Pages at 300 dpi, printed through the template.")
        self.addParameter(p.output_file("OUTPUT_PDF", p.tr("Report as PDF"), pdf, text, by_default=True))

    def readable(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> Mapping[str, Any]:
        """See the base class; layers that cannot be read are left out."""
        self._given(parameters, context)
        layers, _ = readable_layers(self, "LAYERS", parameters, context)
        return {**parameters, "LAYERS": layers or None}

    def check_values(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        files = {name: self.parameterAsString(parameters, name, context) for name in _FILES}
        targets = wanted_outputs(self, parameters, context)
        if not targets:
            raise JobError("No output is asked for; choose the PDF, the HTML report or both.")
        checks.outputs(targets, list(files.values()))
        _check_files(files)

    def work(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Write the report; what is left out is told as a warning each."""
        outputs = {name: self.parameterAsFileOutput(parameters, name, context) for name in _OUTPUTS}
        places = {name: os.path.abspath(path) if path else "" for name, path in outputs.items()}
        said: List[str] = []

        def progress(fraction: float, message: str) -> bool:
            feedback.setProgress(100 * fraction)
            if message and said[-1:] != [message]:
                said.append(message)
                feedback.setProgressText(message)
            return not feedback.isCanceled()

        scenes, notes = self._given(parameters, context)
        make_folders(filter(None, places.values()))
        files = {name.lower(): self.parameterAsString(parameters, name, context) for name in (*_FILES, "TITLE")}
        paper = self.parameterAsEnumString(parameters, "PAPER", context)
        html, pdf = places["OUTPUT_REPORT"], places["OUTPUT_PDF"]
        for note in write_report(Request(scenes, notes, paper=paper, html=html, pdf=pdf, **files), progress):
            feedback.pushWarning(note)
        return {name: path for name, path in outputs.items() if path}

    def _given(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext
    ) -> Tuple[List[MappedScene], List[str]]:
        """The mapped scenes that the parameters name.

        Raises:
            SceneError, JobError: neither layers nor a folder, both, or nothing that AuxLens made.
        """
        layers, unreadable = readable_layers(self, "LAYERS", parameters, context)
        if unreadable and not layers:
            raise SceneError(unreadable[0])
        folder = self.parameterAsString(parameters, "SCENES", context)
        if bool(layers) == bool(folder):
            raise JobError("Give either the layers of a mapped scene (LAYERS) or a folder of mapped scenes (SCENES).")
        if folder:
            return scenes_in_folder(os.path.abspath(folder))
        scenes, notes = mapped_scenes(layers)
        notes = unreadable + notes
        if not scenes:
            raise JobError("None of the layers was made by AuxLens; choose layers that “map” made. " + " ".join(notes))
        return scenes, notes


def _files():
    return (
        (
            "MODEL",
            p.tr("Model"),
            p.tr("AuxLens model (*.safetensors)"),
            p.tr("Model that made the map, where it is no longer where the map's tags say."),
            False,
        ),
        (
            "ACCURACY",
            p.tr("Figures of accuracy"),
            p.tr("Figures (*.json *.csv)"),
            p.tr("What “accuracy” wrote as JSON or CSV: gives areas with confidence intervals."),
            False,
        ),
        (
            "ERRORS",
            p.tr("Table of explained errors"),
            p.tr("CSV files (*.csv)"),
            p.tr("What “explainerrors” wrote as CSV; any other table is shown as it is."),
            False,
        ),
        (
            "TEMPLATE",
            p.tr("Layout template"),
            p.tr("Layout templates (*.qpt)"),
            p.tr("Template of your own; the items are named as in AuxLens's, resources/templates/report.qpt."),
            True,
        ),
    )


def _check_files(files: Mapping[str, str]) -> None:
    models = [("MODEL", path) for path in paths_of(files["MODEL"])]
    for name, path in (*models, ("TEMPLATE", files["TEMPLATE"])):
        if path and not os.path.isfile(path):
            raise JobError(f"{name} “{path}” does not exist; check the path.")
    if files["TEMPLATE"]:
        read_template(files["TEMPLATE"])
    if files["ACCURACY"]:
        read_accuracy(files["ACCURACY"])
    if files["ERRORS"]:
        read_rows(files["ERRORS"])
