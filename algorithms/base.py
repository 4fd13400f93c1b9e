"""The bases of all algorithms: what each says of itself; and, where a job does the work, how values become one."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, Dict, Iterable, List, Mapping, Optional, Tuple

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP
from qgis.PyQt.QtGui import QIcon

from ..engine.jobs import AuxLensError, Canceled, JobError
from ..engine.paths import files_read, sources_at_stake
from ..plugin.client import run_job
from ..plugin.datasets import files_of
from . import checks
from .parameters import tr
from .values import job_values, notes, output_paths, wanted_outputs

ROOT = Path(__file__).resolve().parent.parent
ICON = str(ROOT / "resources" / "icons" / "auxlens.svg")
HELP_URL = "https://github.com/auxlens/auxlens/blob/main/docs/algorithms/{}.md"
GROUPS = {
    "demo": QT_TRANSLATE_NOOP("AuxLens", "Demo"),
    "train": QT_TRANSLATE_NOOP("AuxLens", "Train"),
    "map": QT_TRANSLATE_NOOP("AuxLens", "Map"),
    "assess": QT_TRANSLATE_NOOP("AuxLens", "Assess"),
    "present": QT_TRANSLATE_NOOP("AuxLens", "Present"),
    "model": QT_TRANSLATE_NOOP("AuxLens", "Model"),
}


class Algorithm(QgsProcessingAlgorithm):
    """What every algorithm says of itself. A child sets the constants and declares parameters."""

    ID: str
    LABEL: str
    GROUP: str
    HELP: str
    TAGS: str

    def createInstance(self) -> Algorithm:
        return type(self)()

    def name(self) -> str:
        return self.ID

    def displayName(self) -> str:
        return tr(self.LABEL)

    def group(self) -> str:
        return tr(GROUPS[self.GROUP])

    def groupId(self) -> str:
        return self.GROUP

    def shortHelpString(self) -> str:
        return tr(self.HELP)

    def shortDescription(self) -> str:
        return tr(self.HELP)

    def helpUrl(self) -> str:
        return HELP_URL.format(self.ID)

    def tags(self) -> List[str]:
        return tr(self.TAGS).split(",")

    def icon(self) -> QIcon:
        return QIcon(ICON)

    def svgIconPath(self) -> str:
        return ICON

    def readable(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> Mapping[str, Any]:
        """The values that are checked further; raises an ``AuxLensError`` that says which layer cannot be read."""
        return parameters

    def check_values(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """Raise an ``AuxLensError`` where values do not go together."""

    def work(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Do it; gives the results by output. May raise any ``AuxLensError``."""
        raise NotImplementedError

    def checkParameterValues(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> Tuple[bool, str]:
        """Everything that can be said before the run, in one sentence."""
        try:
            parameters = self.readable(parameters, context)  # first, because QGIS does not say why it cannot read
            for definition in self.parameterDefinitions():
                checks.acceptable(definition, parameters.get(definition.name()), context)
            ok, message = super().checkParameterValues(parameters, context)
            if not ok:
                return ok, message
            self.check_values(parameters, context)
        except AuxLensError as error:
            return False, str(error)
        return True, ""

    def processAlgorithm(
        self,
        parameters: Mapping[str, Any],
        context: QgsProcessingContext,
        feedback: Optional[QgsProcessingFeedback],
    ) -> Dict[str, Any]:
        """Work; an error is told by its message alone, a canceled run says what is kept and gives no result."""
        told = feedback or QgsProcessingFeedback()
        try:
            return self.work(parameters, context, told)
        except Canceled as stop:
            told.pushInfo(str(stop))
            return {}
        except AuxLensError as error:
            raise QgsProcessingException(str(error)) from None


class JobAlgorithm(Algorithm):
    """An algorithm that runs one job.

    A child declares parameters in ``initAlgorithm`` (named as the job's fields in upper case, or as in ``FIELDS``)
    and may override ``check`` and ``watch_outputs``.
    """

    JOB: Any
    FIELDS: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._job: Any = None

    def job(self, parameters: Mapping[str, Any], context: QgsProcessingContext, *, export: bool) -> Any:
        """The job that the values describe, its outputs still empty.

        Args:
            export: Whether vector layers that are no file may be written to a temporary one.
        """
        values = self.by_field(job_values(self, parameters, context, export=export))
        empty = {f.name: "" for f in fields(self.JOB) if f.name.startswith("output_")}
        return self.JOB(**{**empty, **values})

    def by_field(self, values: Mapping[str, Any]) -> Dict[str, Any]:
        """Values by job field instead of by parameter."""
        return {self.FIELDS.get(name, name.lower()): value for name, value in values.items()}

    def check(self, job: Any, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """Raise an ``AuxLensError`` where the job cannot work; ``job`` may hold ``TEMPORARY_OUTPUT`` as a path."""

    def watch_outputs(self, job: Any, context: QgsProcessingContext) -> None:
        """See to the layers that QGIS will load from the job's outputs."""

    def readable(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> Mapping[str, Any]:
        """See the base class."""
        self.job(parameters, context, export=False)
        return parameters

    def check_values(self, parameters: Mapping[str, Any], context: QgsProcessingContext) -> None:
        """See the base class."""
        targets = wanted_outputs(self, parameters, context)
        job = replace(self.job(parameters, context, export=False), **self.by_field(targets))
        read = files_read(job)
        checks.outputs(targets, (*read, *sources_at_stake(targets, read, files_of)))
        self.check(job, parameters, context)

    def prepareAlgorithm(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers here, in the main thread, where the project's layers live."""
        try:
            self._job = self.job(parameters, context, export=True)
            for note in notes(self, parameters, context):
                feedback.pushWarning(note)
        except AuxLensError as error:
            raise QgsProcessingException(str(error)) from None
        return True

    def work(
        self, parameters: Mapping[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Dict[str, Any]:
        """Run the job."""
        outputs = output_paths(self, parameters, context)
        job = replace(self._job, **self.by_field(outputs))
        self.watch_outputs(job, context)
        places = {name: os.path.abspath(path) for name, path in outputs.items()}
        make_folders(places.values())
        result = run_job(replace(job, **self.by_field(places)), feedback)
        if "incomplete" in result:
            _tell_incomplete(result["incomplete"], feedback)
        return outputs


class LayerAlgorithm(Algorithm):
    """An algorithm that works on layers in QGIS's own process, without the engine."""

    def flags(self) -> Any:
        """In the main thread, where the project's layers live."""
        return super().flags() | QgsProcessingAlgorithm.Flag.FlagNoThreading


def _tell_incomplete(text: str, feedback: QgsProcessingFeedback) -> None:
    """A part of the work failed: the desktop shows it in red beside the results, a script gets an exit code.

    Raises:
        QgsProcessingException: outside of the desktop. Processing has no way to tell both results and a failure.
    """
    if QgsApplication.platform() != "desktop":
        raise QgsProcessingException(text)
    feedback.reportError(text, False)


def make_folders(paths: Iterable[str]) -> None:
    """Make the folders of files that will be written.

    Raises:
        JobError: one cannot be made.
    """
    for path in paths:
        folder = os.path.dirname(path)
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise JobError(f"The folder “{folder}” cannot be made: {error.strerror}; choose another.") from error
