"""Ids, names, defaults and help of every algorithm are what the contract says."""

import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from qgis.core import QgsProcessingParameterDefinition, QgsProcessingParameterEnum

from auxlens.algorithms.base import JobAlgorithm
from auxlens.algorithms.provider import ALGORITHMS
from auxlens.algorithms.style import SAVE
from auxlens.engine import jobs
from auxlens.plugin.report.layout import PAPERS

ROOT = Path(__file__).resolve().parents[2]
LEARNING = [
    *["TASK", "STRATEGY", "SIZE", "PLAYERS", "AUXILIARY_WEIGHT", "EPOCHS", "TIME_LIMIT", "CHIP_SIZE", "BATCH_SIZE"],
    *["SEED", "DEVICE"],
    *["PRECISION", "OUTPUT_MODEL", "OUTPUT_REPORT"],
]
CONTRACT = {
    "createdemo": ["SCENE_COUNT", "SIZE", "SEED", "OUTPUT_FOLDER"],
    "train": ["INPUTS", "AUXILIARY", "REFERENCE", "REFERENCE_FIELD", *LEARNING],
    "trainfolder": [
        *["SCENES", "INPUT_PATTERNS", "AUXILIARY_PATTERNS", "REFERENCE_PATTERN", "REFERENCE_FIELD"],
        *["TEST_SCENES", "MASKED_SHARE"],
        *LEARNING,
    ],
    "comparestrategies": [
        *["SCENES", "INPUT_PATTERNS", "AUXILIARY_PATTERNS", "REFERENCE_PATTERN", "REFERENCE_FIELD", "TEST_SCENES"],
        *["TASK", "REPETITIONS", "REFERENCE_SHARES", "SIZE", "EPOCHS", "TIME_LIMIT", "CHIP_SIZE", "BATCH_SIZE", "SEED"],
        *["DEVICE", "PRECISION", "SCHEDULER", "OUTPUT_REPORT", "OUTPUT_TABLE"],
    ],
    "map": [
        *["MODEL", "INPUTS", "AUXILIARY", "REFERENCE", "REFERENCE_FIELD", "POLYGONS", "DEVICE", "PRECISION"],
        *["TILE_SIZE", "OVERLAP", "BATCH_SIZE", "EXTENT", "MASK", "ATTRIBUTION_CLASS"],
        *["OUTPUT_MAP", "OUTPUT_PROBABILITY", "OUTPUT_UNCERTAINTY", "OUTPUT_RECONSTRUCTION"],
        *["OUTPUT_EXPECTED_ERROR", "OUTPUT_RECONSTRUCTION_ERROR", "OUTPUT_MAIN_ERROR", "OUTPUT_ERROR_PROBABILITY"],
        *["OUTPUT_ATTRIBUTION", "OUTPUT_POLYGONS"],
    ],
    "mapfolder": [
        *["MODEL", "SCENES", "INPUT_PATTERNS", "AUXILIARY_PATTERNS", "REFERENCE_PATTERN", "REFERENCE_FIELD", "LAYERS"],
        *["DEVICE", "PRECISION", "TILE_SIZE", "OVERLAP", "BATCH_SIZE", "SCHEDULER"],
        *["OUTPUT_FOLDER", "OUTPUT_TABLE", "OUTPUT_REPORT"],
    ],
    "attributionquality": [
        *["MODEL", "INPUTS", "OTHER_MODELS", "POLYGONS", "REMOVAL", "PIXELS", "SEED", "SCHEDULER"],
        *["OUTPUT_REPORT", "OUTPUT_TABLE"],
    ],
    "accuracy": [
        *["MAP", "MAP_FIELD", "REFERENCE", "REFERENCE_FIELD", "PROBABILITY", "UNCERTAINTY", "TASK"],
        *["OUTPUT_REPORT", "OUTPUT_TABLE", "OUTPUT_JSON"],
    ],
    "zonalexplanation": ["LAYERS", "POLYGONS", "OUTPUT", "OUTPUT_TABLE"],
    "sensitivity": [
        *["MODEL", "INPUTS", "REMOVAL", "SEED", "DEVICE", "PRECISION"],
        *["OUTPUT_REPORT", "OUTPUT_TABLE", "OUTPUT_SENSITIVITY"],
    ],
    "explainerrors": [
        *["INPUTS", "SCENES", "REFERENCE", "REFERENCE_FIELD", "WINDOW_SIZE", "SEED"],
        *["OUTPUT_REPORT", "OUTPUT_TABLE", "OUTPUT_CORRELATION"],
    ],
    "modelinfo": ["MODEL", "OUTPUT_REPORT"],
    "exportonnx": ["MODEL", "TILE_SIZE", "OUTPUT_ONNX"],
    "style": ["LAYERS", "GROUP", "BAND", "PERCENTILE", "THEMES", "SAVE"],
    "report": [
        *["LAYERS", "SCENES", "TITLE", "MODEL", "ACCURACY", "ERRORS", "TEMPLATE", "PAPER"],
        *["OUTPUT_REPORT", "OUTPUT_PDF"],
    ],
}
EXPERT = {
    *["AUXILIARY_WEIGHT", "MASKED_SHARE"],
    *["PLAYERS", "CHIP_SIZE", "BATCH_SIZE", "SEED", "DEVICE", "PRECISION", "TILE_SIZE", "OVERLAP", "EXTENT", "MASK"],
    *["ATTRIBUTION_CLASS", "REFERENCE_SHARES", "SCHEDULER", "WINDOW_SIZE", "TEMPLATE", "PAPER"],
}


JOB_ALGORITHMS = [a.ID for a in ALGORITHMS if issubclass(a, JobAlgorithm)]


@pytest.fixture(params=CONTRACT)
def algorithm(request, provider):
    return provider.algorithm(request.param)


@pytest.fixture(params=JOB_ALGORITHMS)
def job_algorithm(request, provider):
    return provider.algorithm(request.param)


def test_provider(provider):
    assert provider.id() == "auxlens"
    assert sorted(a.name() for a in provider.algorithms()) == sorted(CONTRACT)
    assert {a.ID for a in ALGORITHMS if issubclass(a, JobAlgorithm)} == set(jobs.JOBS)
    assert f"version={provider.versionInfo()}" in (ROOT / "metadata.txt").read_text(encoding="utf-8")
    assert (provider.defaultRasterFileExtension(), provider.defaultVectorFileExtension()) == ("tif", "gpkg")
    assert not provider.icon().isNull()


def test_parameters(algorithm):
    assert [d.name() for d in algorithm.parameterDefinitions()] == CONTRACT[algorithm.name()]


def test_outputs(algorithm):
    assert [o.name() for o in algorithm.outputDefinitions()] == [
        name for name in CONTRACT[algorithm.name()] if name.startswith("OUTPUT")
    ]


def test_only_the_map_is_on_by_default(provider):
    destinations = provider.algorithm("map").destinationParameterDefinitions()
    assert [d.name() for d in destinations if d.createByDefault()] == ["OUTPUT_MAP"]
    assert all(d.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional for d in destinations)


def test_only_the_report_of_an_assessment_is_on_by_default(provider):
    destinations = provider.algorithm("accuracy").destinationParameterDefinitions()
    assert [d.name() for d in destinations if d.createByDefault()] == ["OUTPUT_REPORT"]
    assert all(d.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional for d in destinations)


def test_help(algorithm):
    for text in (algorithm.shortHelpString(), algorithm.shortDescription()):
        assert text.split()[0].endswith("s")  # Maps …, Trains …, Writes …
        assert text.endswith(".")
        assert "\n" not in text
    assert algorithm.displayName()
    assert algorithm.group()
    assert len(algorithm.tags()) >= 3
    assert algorithm.helpUrl().endswith(f"docs/algorithms/{algorithm.name()}.md")
    assert (ROOT / "docs" / "algorithms" / f"{algorithm.name()}.md").exists()
    for definition in algorithm.parameterDefinitions():
        assert definition.help().endswith("."), definition.name()
        assert definition.description(), definition.name()


def test_help_pages_name_every_parameter(algorithm):
    page = (ROOT / "docs" / "algorithms" / f"{algorithm.name()}.md").read_text(encoding="utf-8")
    missing = [d.name() for d in algorithm.parameterDefinitions() if f"`{d.name()}`" not in page]
    assert not missing


def test_expert_parameters_are_folded_away(algorithm):
    for definition in algorithm.parameterDefinitions():
        advanced = bool(definition.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        assert advanced == (definition.name() in EXPERT), definition.name()


def test_defaults_are_those_of_the_job(job_algorithm):
    by_field = {f.name: f.default for f in fields(job_algorithm.JOB)}
    for definition in job_algorithm.parameterDefinitions():
        if definition.isDestination():
            continue
        default = by_field[job_algorithm.FIELDS.get(definition.name(), definition.name().lower())]
        nothing = default is MISSING or default in ("", (), None)
        shown = list(default) if isinstance(default, tuple) else default
        assert definition.defaultValue() == (None if nothing else shown), definition.name()


def test_every_job_field_has_a_parameter(job_algorithm):
    named = {job_algorithm.FIELDS.get(d.name(), d.name().lower()) for d in job_algorithm.parameterDefinitions()}
    named |= {f"{name}_crs" for name in named & {"extent"}}  # a parameter that holds both
    assert named == {f.name for f in fields(job_algorithm.JOB)}


def test_choices_are_words(algorithm):
    for definition in algorithm.parameterDefinitions():
        if isinstance(definition, QgsProcessingParameterEnum):
            assert definition.usesStaticStrings()
            dense = tuple(task for task in jobs.TASKS if task not in jobs.SCENE_TASKS)
            words = (jobs.TASKS, dense, jobs.STRATEGIES, jobs.SIZES, jobs.PRECISIONS, jobs.MAP_OUTPUTS, jobs.REMOVALS)
            assert tuple(definition.options()) in (*words, tuple(PAPERS), tuple(SAVE))


def test_importing_the_package_imports_nothing_of_qgis():
    code = (
        "import importlib.util, sys\n"
        f"s = importlib.util.spec_from_file_location('auxlens', {str(ROOT / '__init__.py')!r})\n"
        "m = importlib.util.module_from_spec(s); s.loader.exec_module(m)\n"
        "assert m.classFactory and not [n for n in sys.modules if n.startswith(('qgis', 'PyQt'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
