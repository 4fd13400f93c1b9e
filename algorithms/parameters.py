"""The parameters that algorithms share: label and help of each have their one home here.

Each function makes a new parameter; ``job`` is the job class whose default it takes. Names equal the job's
fields in upper case (``base.py`` relies on it).
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, List, Type

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
    QgsProcessingParameterVectorLayer,
)
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ..engine.jobs import (
    MAP_OUTPUTS,
    MIN_CHIP_PX,
    PRECISIONS,
    REMOVALS,
    SCENE_TASKS,
    SIZES,
    STRATEGIES,
    TASKS,
)
from ..plugin.words import tr as tr  # algorithms take it from here

Parameter = QgsProcessingParameterDefinition
_RASTER = QgsProcessing.SourceType.TypeRaster
_VECTOR = QgsProcessing.SourceType.TypeVectorAnyGeometry
_POLYGON = QgsProcessing.SourceType.TypeVectorPolygon
_INTEGER = QgsProcessingParameterNumber.Type.Integer
_DOUBLE = QgsProcessingParameterNumber.Type.Double
LARGEST = 2**31 - 1
_FROM_MODEL = QT_TRANSLATE_NOOP("AuxLens", "Empty for those that the model was trained with.")


def _kinds(*types: Any) -> List[int]:
    """Layer types as the plain numbers that QGIS takes in lists, with Qt 5 and Qt 6."""
    return [getattr(kind, "value", kind) for kind in types]


def default(job: Type[Any], field: str) -> Any:
    """The default that a job's field has; ``None`` where it is required."""
    value = next(f.default for f in fields(job) if f.name == field)
    return None if value is MISSING else value


def described(parameter: Parameter, text: str, *, advanced: bool = False) -> Parameter:
    """Give a parameter its help; ``advanced`` folds it away in the dialog."""
    parameter.setHelp(text)
    if advanced:
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
    return parameter


def number(
    name: str, label: str, value: Any, smallest: float, largest: float = LARGEST
) -> QgsProcessingParameterNumber:
    """A number; whole where its default is whole."""
    kind = _INTEGER if isinstance(value, int) else _DOUBLE
    return QgsProcessingParameterNumber(name, label, kind, value, False, smallest, largest)


def choice(name: str, label: str, words: Any, value: str) -> QgsProcessingParameterEnum:
    """One of several words, given as such from the command line."""
    return QgsProcessingParameterEnum(name, label, list(words), False, value, False, True)


def model(several: bool = False) -> Parameter:
    parameter = QgsProcessingParameterFile("MODEL", tr("Model"), fileFilter=tr("AuxLens model (*.safetensors)"))
    text = tr("Model file (.safetensors) that AuxLens has trained.")
    ensemble = tr("Several files, separated by semicolons, map together as an ensemble.")
    return described(parameter, f"{text} {ensemble}" if several else text)


def inputs() -> Parameter:
    return described(
        QgsProcessingParameterMultipleLayers("INPUTS", tr("Input rasters"), _RASTER),
        tr(
            "Rasters that the network is given, when it is trained and whenever it maps. Single-band rasters together "
            "form one modality, every multi-band raster is one. The finest band of the first sets the grid."
        ),
    )


def auxiliary() -> Parameter:
    return described(
        QgsProcessingParameterMultipleLayers("AUXILIARY", tr("Auxiliary rasters"), _RASTER, optional=True),
        tr(
            "Rasters of the auxiliary modalities, each one a modality. Training learns to reconstruct them; mapping "
            "does not need them, but compares the reconstruction with them where they exist."
        ),
    )


def reference(optional: bool) -> Parameter:
    return described(
        QgsProcessingParameterMapLayer("REFERENCE", tr("Reference"), optional=optional, types=_kinds(_RASTER, _VECTOR)),
        tr("Raster or vector layer with the truth: classes or, for a regression, numbers. It may be sparse."),
    )


def reference_field() -> Parameter:
    """Text and no list of fields: QGIS 3.22 crashes where the layer that a list depends on may be a raster."""
    return described(
        QgsProcessingParameterString("REFERENCE_FIELD", tr("Reference field"), optional=True),
        tr("Name of the field with the classes or numbers; needed for a vector reference only."),
    )


def layers_of_scene() -> Parameter:
    return described(
        QgsProcessingParameterMultipleLayers("INPUTS", tr("Layers of a mapped scene"), _RASTER, optional=True),
        tr(
            "Layers that AuxLens wrote for one scene, in any order: main error (or map), reconstruction error, "
            "expected error, uncertainty, probability, error probability, reconstruction. What is missing is left out."
        ),
    )


def mapped_scenes() -> Parameter:
    folder = QgsProcessingParameterFile.Behavior.Folder
    return described(
        QgsProcessingParameterFile("SCENES", tr("Folder of mapped scenes"), folder, optional=True),
        tr("Folder with a sub-folder of such layers a scene, as “Map a folder” writes; instead of single layers."),
    )


def window_size(job: Type[Any]) -> Parameter:
    return described(
        number("WINDOW_SIZE", tr("Window of local correlations"), default(job, "window_size"), 3),
        tr("Side of the moving window of the local correlations, in pixels; an odd number."),
        advanced=True,
    )


def removal(job: Type[Any]) -> Parameter:
    return described(
        choice("REMOVAL", tr("Absent bands"), REMOVALS, default(job, "removal")),
        tr(
            "What stands in for the bands of an absent player: their mean as in training, a blurred copy, or noise; "
            "verdicts on explanations depend on it."
        ),
    )


def assessed_map() -> Parameter:
    return described(
        QgsProcessingParameterMapLayer("MAP", tr("Map"), types=_kinds(_RASTER, _POLYGON)),
        tr(
            "Map to assess: classes or, for a regression, numbers. A raster's grid is the one that is compared on; of "
            "a layer of polygons each polygon counts once."
        ),
    )


def map_field() -> Parameter:
    return described(
        QgsProcessingParameterString("MAP_FIELD", tr("Map field"), "map", optional=True),
        tr("Name of the field with the mapped classes or numbers; for a map of polygons only."),
    )


def probability() -> Parameter:
    return described(
        QgsProcessingParameterRasterLayer("PROBABILITY", tr("Class probabilities"), optional=True),
        tr("Probabilities of the classes, a band a class, 0 to 1: shows whether they mean what they say."),
    )


def uncertainty() -> Parameter:
    return described(
        QgsProcessingParameterRasterLayer("UNCERTAINTY", tr("Uncertainty of a regression"), optional=True),
        tr("Uncertainty that “map” wrote for a regression: shows whether its intervals hold what they say."),
    )


def mapped_layers() -> Parameter:
    return described(
        QgsProcessingParameterMultipleLayers("LAYERS", tr("Layers of the mapped scene"), _RASTER),
        tr(
            "Rasters that “map” wrote for one scene, in any order and under any name: map, probability, uncertainty, "
            "error probability, expected error, reconstruction error, attribution. Other rasters are left out."
        ),
    )


def zones() -> Parameter:
    return described(
        QgsProcessingParameterMapLayer("POLYGONS", tr("Polygons"), types=_kinds(_POLYGON)),
        tr("Parcels, districts or other areas, in any CRS. They may overlap, have several parts, and lie outside."),
    )


def scenes() -> Parameter:
    parameter = QgsProcessingParameterFile("SCENES", tr("Folder of scenes"), QgsProcessingParameterFile.Behavior.Folder)
    return described(
        parameter,
        tr(
            "Folder with one sub-folder a scene; or with the files of all scenes, told apart by what * stands for in "
            "the first input pattern, for example *_S2.tif."
        ),
    )


def input_patterns(*, from_model: bool = False) -> Parameter:
    """``from_model``: they may be left empty, for those of the model."""
    text = tr(
        "Files of each input modality inside a scene's folder: modality=pattern, one a line or separated by “;”, "
        "for example s2=s2.tif or s2=B02.tif,B03.tif,B04.tif."
    )
    return described(
        QgsProcessingParameterString("INPUT_PATTERNS", tr("Input patterns"), multiLine=True, optional=from_model),
        f"{text} {tr(_FROM_MODEL)}" if from_model else text,
    )


def auxiliary_patterns(*, from_model: bool = False, optional: bool = True) -> Parameter:
    """``optional``: scenes without them count too; otherwise they are left out."""
    text = tr("Files of each auxiliary modality, in the same form, for example s1=s1.tif.")
    lacking = tr("Scenes may lack them.") if optional else tr("Scenes that lack one are left out.")
    text = f"{text} {lacking}"
    return described(
        QgsProcessingParameterString("AUXILIARY_PATTERNS", tr("Auxiliary patterns"), multiLine=True, optional=optional),
        f"{text} {tr(_FROM_MODEL)}" if from_model else text,
    )


def reference_pattern(*, from_model: bool = False, by_scene: bool = False) -> Parameter:
    """``by_scene``: it may be a table of scenes."""
    text = tr("File with the truth, relative to the scene's folder, for example label.tif or ../classes.gpkg.")
    if by_scene:
        table = tr("For scene-level tasks also ../labels.csv, with the scenes' names in its first column.")
        text = f"{text} {table}"
    return described(
        QgsProcessingParameterString("REFERENCE_PATTERN", tr("Reference pattern"), optional=from_model),
        f"{text} {tr(_FROM_MODEL)}" if from_model else text,
    )


def layers(job: Type[Any]) -> Parameter:
    words = list(MAP_OUTPUTS)
    return described(
        QgsProcessingParameterEnum("LAYERS", tr("Layers"), words, True, list(default(job, "layers")), False, True),
        tr("Layers to write for each scene; only what is asked for is computed."),
    )


def scheduler() -> Parameter:
    return described(
        QgsProcessingParameterString("SCHEDULER", tr("Dask scheduler"), optional=True),
        tr(
            "Address of a Dask cluster's scheduler, for example tcp://host:8786, whose workers have AuxLens and see "
            "the same files; empty to work on this machine."
        ),
        advanced=True,
    )


def test_scenes() -> Parameter:
    behavior = QgsProcessingParameterFile.Behavior.Folder
    parameter = QgsProcessingParameterFile("TEST_SCENES", tr("Folder of test scenes"), behavior, optional=True)
    return described(
        parameter,
        tr(
            "Folder with the scenes to test on, found by the same patterns; without one, some of the scenes are held "
            "out for testing."
        ),
    )


def task(job: Type[Any], *, scene_level: bool = True) -> Parameter:
    text = tr("What the map shows: classes (segmentation) or a quantity (regression) of every pixel.")
    if scene_level:
        whole = tr("Or one class (scene_classification) or number (scene_regression) for each polygon or scene.")
        text = f"{text} {whole}"
    offered = [name for name in TASKS if scene_level or name not in SCENE_TASKS]
    return described(choice("TASK", tr("Main task"), offered, default(job, "task")), text)


def strategy(job: Type[Any]) -> Parameter:
    return described(
        choice("STRATEGY", tr("Strategy"), STRATEGIES, default(job, "strategy")),
        tr(
            "What the auxiliary rasters are for: multitask learns to reconstruct them, single leaves them out, "
            "multimodal takes them as inputs (and needs them whenever it maps), shuffled is a control that learns to "
            "reconstruct those of other places."
        ),
    )


def repetitions(job: Type[Any]) -> Parameter:
    return described(
        number("REPETITIONS", tr("Repetitions"), default(job, "repetitions"), 2, 100),
        tr("Trainings of each strategy, each with a seed of its own: chance needs at least two, better three to five."),
    )


def reference_shares(job: Type[Any]) -> Parameter:
    return described(
        QgsProcessingParameterString(
            "REFERENCE_SHARES", tr("Shares of references (%)"), default(job, "reference_shares")
        ),
        tr(
            "Shares of the training references in percent, separated by “;”, for example 10;25;50;100: what fewer "
            "references cost. Each share below 100 trains single and multitask once more."
        ),
        advanced=True,
    )


def size(job: Type[Any]) -> Parameter:
    return described(
        choice("SIZE", tr("Network size"), SIZES, default(job, "size")),
        tr("Size of the network: small is quick and enough for most scenes; base and large want a GPU."),
    )


def epochs(job: Type[Any]) -> Parameter:
    return described(
        number("EPOCHS", tr("Epochs"), default(job, "epochs"), 1),
        tr("Passes over the training chips at most; training stops early when validation no longer improves."),
    )


def time_limit(job: Type[Any]) -> Parameter:
    return described(
        number("TIME_LIMIT", tr("Time limit (minutes)"), default(job, "time_limit"), 0),
        tr("Minutes for learning; with players the last quarter is for attributions. 0 for no limit."),
    )


def chip_size(job: Type[Any]) -> Parameter:
    return described(
        number("CHIP_SIZE", tr("Chip size (pixels)"), default(job, "chip_size"), MIN_CHIP_PX, 4096),
        tr("Width and height of the training chips, in pixels of the input grid."),
        advanced=True,
    )


def seed(job: Type[Any]) -> Parameter:
    return described(
        number("SEED", tr("Seed"), default(job, "seed"), 0),
        tr("Start of the random numbers; the same seed gives the same result again."),
        advanced=True,
    )


def device(job: Type[Any]) -> Parameter:
    return described(
        QgsProcessingParameterString("DEVICE", tr("Device"), default(job, "device")),
        tr("Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1 (the second GPU) or mps."),
        advanced=True,
    )


def precision(job: Type[Any]) -> Parameter:
    return described(
        choice("PRECISION", tr("Precision"), PRECISIONS, default(job, "precision")),
        tr("Number format of the network; auto takes 16 bits where the device computes in them, else float32."),
        advanced=True,
    )


def tile_size(job: Type[Any]) -> Parameter:
    return described(
        number("TILE_SIZE", tr("Tile size (pixels)"), default(job, "tile_size"), 0, 16384),
        tr(
            "Width and height of the window computed at once, in pixels; of the grid's tiles for a scene-level model "
            "without polygons. 0 lets the engine choose."
        ),
        advanced=True,
    )


def overlap(job: Type[Any]) -> Parameter:
    return described(
        number("OVERLAP", tr("Overlap (pixels)"), default(job, "overlap"), -1, 4096),
        tr("Context read around each tile, in pixels; −1 takes the model's margin, which leaves no seams."),
        advanced=True,
    )


def batch_size(job: Type[Any]) -> Parameter:
    return _batch_size(job, tr("Windows computed together; 0 lets the engine choose."))


def chips_a_step(job: Type[Any]) -> Parameter:
    """``batch_size`` of a training."""
    return _batch_size(job, tr("Training chips a step; 0 lets the engine choose."))


def _batch_size(job: Type[Any], text: str) -> Parameter:
    parameter = number("BATCH_SIZE", tr("Batch size"), default(job, "batch_size"), 0, 4096)
    return described(parameter, text, advanced=True)


def extent() -> Parameter:
    return described(
        QgsProcessingParameterExtent("EXTENT", tr("Extent"), optional=True),
        tr("Part of the scene to map, in any CRS; empty for the whole scene."),
        advanced=True,
    )


def polygons() -> Parameter:
    return described(
        QgsProcessingParameterVectorLayer("POLYGONS", tr("Polygons"), _kinds(_POLYGON), optional=True),
        tr(
            "Polygons that a scene-level model is about, each as a whole; without any it takes the tiles of a regular "
            "grid. Other models take none."
        ),
    )


def mask() -> Parameter:
    return described(
        QgsProcessingParameterMapLayer("MASK", tr("Mask"), optional=True, types=_kinds(_RASTER, _POLYGON)),
        tr("Raster (not 0) or polygons inside which to map; everything outside becomes nodata."),
        advanced=True,
    )


def output_model() -> Parameter:
    return described(
        QgsProcessingParameterFileDestination("OUTPUT_MODEL", tr("Model"), tr("AuxLens model (*.safetensors)")),
        tr("Model file to write: the weights and a card that describes them."),
    )


def output_report() -> Parameter:
    return described(
        QgsProcessingParameterFileDestination(
            "OUTPUT_REPORT", tr("Training report"), tr("HTML files (*.html)"), optional=True, createByDefault=True
        ),
        tr("Report to write: learning curves, figures on validation and test, example chips."),
    )


def output_file(name: str, label: str, kind: str, text: str, *, by_default: bool = False) -> Parameter:
    """An optional file to write; ``by_default`` is ticked in the dialog."""
    parameter = QgsProcessingParameterFileDestination(name, label, kind, optional=True, createByDefault=by_default)
    return described(parameter, text)


def auxiliary_weight(job: Type[Any]) -> Parameter:
    return described(
        number("AUXILIARY_WEIGHT", tr("Weight of the auxiliary tasks"), default(job, "auxiliary_weight"), -1),
        tr(
            "Weight of the mean loss of the auxiliary tasks, beside 1 for the main task; −1 weighs all tasks by "
            "learned uncertainty instead."
        ),
        advanced=True,
    )


def masked_share(job: Type[Any]) -> Parameter:
    return described(
        number("MASKED_SHARE", tr("Share of chips with masked bands"), default(job, "masked_share"), 0, 1),
        tr(
            "Of the chips from scenes without a reference, the share in which random input bands are hidden, to be "
            "reconstructed: what such scenes teach without auxiliary rasters. 0 for none."
        ),
        advanced=True,
    )


def players(_job: Type[Any]) -> Parameter:
    return described(
        QgsProcessingParameterString("PLAYERS", tr("Players"), multiLine=True, optional=True),
        tr(
            "Groups of input bands whose contributions make up each score, one “player=band,band” a line, for example "
            "“visible=B2,B3,B4”; empty for groups by modality and spectral region, “none” for no attributions. Of "
            "scene-level tasks, “patches=4” for image patches of which 4 × 4 make a chip; empty for no attributions."
        ),
        advanced=True,
    )


def attribution_class() -> Parameter:
    return described(
        QgsProcessingParameterString("ATTRIBUTION_CLASS", tr("Attributed class"), optional=True),
        tr("Class, by name or value, whose score the attributions explain; empty for each pixel's mapped class."),
        advanced=True,
    )


def learning(job: Type[Any]) -> List[Parameter]:
    """What every training algorithm asks for, in the dialog's order, outputs last."""
    shared = (
        task,
        strategy,
        size,
        players,
        auxiliary_weight,
        epochs,
        time_limit,
        chip_size,
        chips_a_step,
        seed,
        device,
        precision,
    )
    return [make(job) for make in shared] + [output_model(), output_report()]


def output_polygons() -> Parameter:
    return described(
        QgsProcessingParameterVectorDestination("OUTPUT_POLYGONS", tr("Polygons"), _POLYGON, None, True, False),
        tr("GeoPackage with the polygons (or tiles) and a field for each result; of scene-level models only."),
    )


def output_raster(name: str, label: str, text: str, *, by_default: bool = False) -> Parameter:
    """An optional raster to write; ``by_default`` is ticked in the dialog."""
    parameter = QgsProcessingParameterRasterDestination(name, label, None, True, by_default)
    return described(parameter, text)


def output_zones(name: str, label: str, text: str) -> Parameter:
    """An optional GeoPackage to write, ticked in the dialog."""
    return described(QgsProcessingParameterVectorDestination(name, label, _POLYGON, None, True, True), text)
