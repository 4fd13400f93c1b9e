"""Jobs: what AuxLens can be asked to do, as frozen values that travel as JSON.

Every door (a Processing algorithm, the command line, a test) only builds a job; ``engine.run`` executes it.
Standard library only, because both sides of the process boundary read this file. What is wrong with a job is said by
``engine.checks``.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Mapping, Optional, Protocol, Tuple, Type

# Re-exported: the QGIS side reads errors from here.
from ..models.errors import (
    AuxLensError as AuxLensError,
    Canceled as Canceled,
    DeviceError as DeviceError,
    EngineError as EngineError,
    JobError as JobError,
    ModelFileError as ModelFileError,
    SceneError as SceneError,
)
from ..models.parts import parts_in

TASKS = ("segmentation", "regression", "scene_classification", "scene_regression")
CLASS_TASKS = ("segmentation", "scene_classification")  # the others estimate numbers
SCENE_TASKS = ("scene_classification", "scene_regression")  # one label or number a scene or polygon, not a pixel
STRATEGIES = ("multitask", "single", "multimodal", "shuffled")
SIZES = ("small", "base", "large")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")

DEVICE_PATTERN = r"auto|cpu|mps|cuda(:\d+)?"
MIN_CHIP_PX = 32
NO_PLAYERS = "none"  # in the field “players”: train without attributions
PATCHES = "patches"  # in the field “players” of a scene-level task: patches=4 for 4 × 4 patches of a chip

ANYWHERE = "TEMPORARY_OUTPUT"  # QGIS's word in an output: it makes a path of its own of each before the job runs

MAP_OUTPUTS = (
    "map",
    "probability",
    "uncertainty",
    "reconstruction",
    "expected_error",
    "reconstruction_error",
    "main_error",
    "error_probability",
    "attribution",
)
OF_AUXILIARY = ("reconstruction", "expected_error", "reconstruction_error")  # a band an auxiliary band


class Progress(Protocol):
    """What a job tells while it runs, and the only way to stop it."""

    def report(self, fraction: float, message: str) -> None:
        """Say how far the job is (0–1) and what it does now."""

    def canceled(self) -> bool:
        """Whether the user asked for the job to stop."""


@dataclass(frozen=True)
class DemoJob:
    """Write synthetic but physically plausible scenes with references and known causes of error.

    Attributes:
        output_folder: Folder to write to; one sub-folder a scene.
        scenes: Number of scenes; the last third carries haze, cloud shadow and a class unseen in the others.
        size_px: Width and height of each scene, in pixels of 10 m.
        seed: Seed of the generator; the same seed gives the same scenes.
    """

    output_folder: str
    scenes: int = 4
    size_px: int = 1024
    seed: int = 0


@dataclass(frozen=True)
class _Learning:
    """What every training job has in common.

    Attributes:
        output_model: Model file to write (.safetensors).
        output_report: HTML training report to write; empty for none.
        task: Kind of main task; ``scene_…`` has one label or number a polygon or scene instead of one a pixel.
        strategy: ``multitask`` learns to reconstruct the auxiliary modalities too, ``single`` learns the main task
            alone, ``multimodal`` takes the auxiliary modalities as inputs, and ``shuffled``, a control, learns to
            reconstruct those of other chips.
        size: Size of the network.
        players: Groups of input bands whose contributions make up each score, ``player=band,band`` each, separated
            by ``;`` or lines; empty for groups by modality and spectral region, ``none`` for no attributions. Of
            scene-level tasks, ``patches=4`` for image patches of which 4 × 4 make a chip; empty for no attributions.
        auxiliary_weight: Weight of the mean loss of the auxiliary tasks, beside 1 for the main task;
            −1 weighs all tasks by learned uncertainty instead.
        epochs: Passes over the training chips at most; training stops early when validation no longer improves.
        time_limit: Minutes after which training stops and keeps the best weights; 0 for no limit.
        chip_size: Width and height of the training chips, in pixels.
        batch_size: Chips a step; 0 lets the engine choose.
        seed: Seed of the split, the weights and the chips.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
    """

    output_model: str
    output_report: str = ""
    task: str = "segmentation"
    strategy: str = "multitask"
    size: str = "small"
    players: str = ""
    auxiliary_weight: float = 0.3
    epochs: int = 40
    time_limit: float = 0.0
    chip_size: int = 128
    batch_size: int = 0
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"


@dataclass(frozen=True)
class TrainJob(_Learning):
    """Train a model on the layers of one scene.

    Attributes:
        inputs: Rasters that the network is given, at mapping time too; single-band rasters together form one
            modality, every multi-band raster is one. ``name=path`` names a modality.
        auxiliary: Rasters that the network learns to reconstruct; each is a modality.
        reference: Raster or vector layer with the truth.
        reference_field: Field with classes or numbers, for a vector reference.
    """

    inputs: Tuple[str, ...] = ()
    auxiliary: Tuple[str, ...] = ()
    reference: str = ""
    reference_field: str = ""


@dataclass(frozen=True)
class TrainFolderJob(_Learning):
    """Train a model on a folder of scenes.

    Attributes:
        scenes: Folder with one sub-folder a scene, or with the files of all scenes, told apart by what they begin with.
        input_patterns: ``modality=pattern`` for each input modality, separated by ``;`` or lines, for example
            ``s2=B02.tif,B03.tif,B04.tif``; patterns are relative to the scene's sub-folder.
        auxiliary_patterns: The same for the auxiliary modalities.
        reference_pattern: Pattern of the reference, for example ``label.tif`` or ``../classes.gpkg``; for scene-level
            tasks also ``../labels.csv`` with the scenes' names in its first column.
        reference_field: Field with classes or numbers, for a vector reference.
        test_scenes: Folder with the scenes to test on, of the same patterns; empty to hold some of ``scenes`` out.
        masked_share: Share of the chips of scenes without a reference that random input bands are hidden from, 0–1;
            the network learns to reconstruct them. 0 for none.
    """

    scenes: str = ""
    input_patterns: str = ""
    auxiliary_patterns: str = ""
    reference_pattern: str = ""
    reference_field: str = ""
    test_scenes: str = ""
    masked_share: float = 0.0


@dataclass(frozen=True)
class CompareJob:
    """Compare all strategies, and the methods in use today, on a folder of scenes: same split, chips and steps.

    Attributes:
        scenes: Folder of scenes, as for training.
        input_patterns: ``modality=pattern`` for each input modality, separated by ``;`` or lines.
        auxiliary_patterns: The same for the auxiliary modalities; scenes that lack one are left out.
        reference_pattern: Pattern of the reference, for example ``label.tif`` or ``../classes.gpkg``.
        reference_field: Field with classes or numbers, for a vector reference.
        test_scenes: Folder with the scenes to test on, of the same patterns; empty to hold some of ``scenes`` out.
        task: Kind of main task.
        repetitions: Trainings of each strategy, with the seeds ``seed``, ``seed`` + 1, ….
        reference_shares: Shares of the training references in percent, separated by ``;``, for example
            ``10;25;50;100``: at less than 100, ``single`` and ``multitask`` show what fewer references cost, and
            ``multitask`` once more what scenes without a reference give back.
        size: Size of the network.
        epochs: Passes over the training chips at most.
        time_limit: Minutes after which each training stops and keeps the best weights; 0 for no limit.
        chip_size: Width and height of the training chips, in pixels.
        batch_size: Chips a step; 0 lets the engine choose.
        seed: Seed of the split, and of the first training.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        scheduler: Address of a Dask scheduler (tcp://host:8786), whose workers share the trainings; empty for this
            machine.
        output_report: HTML report to write.
        output_table: CSV file to write: a row a method, seed and figure, and the differences with their intervals.
    """

    scenes: str
    input_patterns: str
    auxiliary_patterns: str
    reference_pattern: str
    reference_field: str = ""
    test_scenes: str = ""
    task: str = "segmentation"
    repetitions: int = 3
    reference_shares: str = "100"
    size: str = "small"
    epochs: int = 40
    time_limit: float = 0.0
    chip_size: int = 128
    batch_size: int = 0
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    scheduler: str = ""
    output_report: str = ""
    output_table: str = ""


@dataclass(frozen=True)
class MapJob:
    """Map one scene with a trained model, and explain the map. Outputs left empty are not computed.

    Attributes:
        model: Model file.
        inputs: Rasters with the model's input bands.
        auxiliary: Rasters of the auxiliary modalities, where they exist (for reconstruction errors).
        reference: Raster or vector with the truth, where it exists (for the main error).
        reference_field: Field with classes or numbers, for a vector reference.
        polygons: Polygons that a scene-level model maps, each as a whole; empty for the tiles of a regular grid.
        output_map: Classes (or the regression's estimate).
        output_probability: A band a class, 0–1.
        output_uncertainty: Normalised entropy, 0–1 (regression: predicted scale, target units).
        output_reconstruction: Predicted auxiliary bands, physical units.
        output_expected_error: Predicted scale of the reconstruction's error, physical units.
        output_reconstruction_error: Reconstruction − auxiliary reference, physical units.
        output_main_error: 1 where the map is not the reference (regression: estimate − reference).
        output_error_probability: Calibrated probability that the map is wrong, 0–1.
        output_attribution: A band a player, its contribution to the score of the mapped class (in logits above the
            mean of all classes; regression: target units), and a last band with the dominant player.
        attribution_class: Class, by name or value, whose score is attributed; empty for each pixel's mapped class.
        output_polygons: GeoPackage with the polygons (or tiles) and a field for each result of a scene-level model.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        tile_size: Width and height of the window computed at once, in pixels; 0 for the model's, or for columns on a
            CPU. For a scene-level model without polygons, of the grid's tiles.
        overlap: Context read around each window, in pixels; −1 for the model's margin, which leaves no seams.
        batch_size: Windows a batch; 0 lets the engine choose.
        extent: Part of the scene to map: west, south, east, north.
        extent_crs: CRS of the extent, as WKT or like EPSG:4326; empty for the scene's.
        mask: Raster (not 0) or polygons inside which to map.
    """

    model: str
    inputs: Tuple[str, ...]
    auxiliary: Tuple[str, ...] = ()
    reference: str = ""
    reference_field: str = ""
    polygons: str = ""
    output_map: str = ""
    output_probability: str = ""
    output_uncertainty: str = ""
    output_reconstruction: str = ""
    output_expected_error: str = ""
    output_reconstruction_error: str = ""
    output_main_error: str = ""
    output_error_probability: str = ""
    output_attribution: str = ""
    attribution_class: str = ""
    output_polygons: str = ""
    device: str = "auto"
    precision: str = "auto"
    tile_size: int = 0
    overlap: int = -1
    batch_size: int = 0
    extent: Optional[Tuple[float, float, float, float]] = None
    extent_crs: str = ""
    mask: str = ""

    @property
    def outputs(self) -> Dict[str, str]:
        """Path of each raster that is asked for, by name, in the contract's order."""
        paths = {name: getattr(self, f"output_{name}") for name in MAP_OUTPUTS}
        return {name: path for name, path in paths.items() if path}


@dataclass(frozen=True)
class MapFolderJob:
    """Map every scene of a folder, here or on a Dask cluster. A second run does only what is missing or out of date.

    Attributes:
        model: Model file.
        scenes: Folder with one sub-folder a scene, or with the files of all scenes, told apart by what they begin with.
        input_patterns: ``modality=pattern`` for each input modality, separated by ``;`` or lines; empty for the
            patterns that the model was trained with.
        auxiliary_patterns: The same for the auxiliary modalities, where scenes have them.
        reference_pattern: Pattern of the reference, where scenes have one; empty for the model's.
        reference_field: Field with classes or numbers, for a vector reference.
        layers: Layers to write for each scene.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        tile_size: Width and height of the window computed at once, in pixels; 0 for the model's, or for columns on a
            CPU.
        overlap: Context read around each window, in pixels; −1 for the model's margin, which leaves no seams.
        batch_size: Windows a batch; 0 lets the engine choose.
        scheduler: Address of a Dask scheduler (tcp://host:8786); empty for this machine.
        output_folder: Folder to write to: a sub-folder a scene, and a STAC catalog.
        output_table: CSV file to write: a row a scene.
        output_report: HTML report to write, with thumbnails.
    """

    model: str
    scenes: str
    output_folder: str
    input_patterns: str = ""
    auxiliary_patterns: str = ""
    reference_pattern: str = ""
    reference_field: str = ""
    layers: Tuple[str, ...] = ("map",)
    device: str = "auto"
    precision: str = "auto"
    tile_size: int = 0
    overlap: int = -1
    batch_size: int = 0
    scheduler: str = ""
    output_table: str = ""
    output_report: str = ""


@dataclass(frozen=True)
class ExplainErrorsJob:
    """Ask of mapped scenes whether their main errors are explained by the auxiliary tasks, and where.

    Attributes:
        inputs: Layers of one scene that the map job wrote, known by their tags: main error (or map), reconstruction
            error, expected error, uncertainty, probability, error probability, reconstruction.
        scenes: Folder with one sub-folder of such layers a scene, instead.
        reference: Raster or vector with the truth, where there is no layer of main errors.
        reference_field: Field with classes or numbers, for a vector reference.
        window_size: Side of the window in which local correlations are computed, in pixels; odd.
        seed: Seed of the resampling.
        output_report: HTML report to write.
        output_table: CSV file to write: every figure with its interval.
        output_correlation: Raster to write: local correlation of main and reconstruction errors, a band an auxiliary
            band; for one scene.
    """

    inputs: Tuple[str, ...] = ()
    scenes: str = ""
    reference: str = ""
    reference_field: str = ""
    window_size: int = 65
    seed: int = 0
    output_report: str = ""
    output_table: str = ""
    output_correlation: str = ""


@dataclass(frozen=True)
class AccuracyJob:
    """Compare a map with a reference, pixel by pixel of the map's grid.

    Attributes:
        map: Raster with classes, or with the estimate of a regression, one band; or polygons with a field.
        map_field: Field with classes or numbers, for a map of polygons.
        reference: Raster or vector layer with the truth; it may be sparse.
        reference_field: Field with classes or numbers, for a vector reference.
        probability: Raster with the classes' probabilities, a band a class, 0–1, to judge how reliable they are.
        uncertainty: Raster with a regression's uncertainty, as ``map`` writes it: whether its intervals hold what they
            say.
        task: ``segmentation`` and ``scene_classification`` compare classes, the others numbers.
        output_report: HTML report to write, with charts.
        output_table: CSV file to write: a row a class, then means and the overall figures.
        output_json: JSON file to write, with everything that the report says.
    """

    map: str
    reference: str
    reference_field: str = ""
    probability: str = ""
    uncertainty: str = ""
    map_field: str = "map"
    task: str = "segmentation"
    output_report: str = ""
    output_table: str = ""
    output_json: str = ""


@dataclass(frozen=True)
class ZonalJob:
    """Summarise the explanation layers of a mapped scene by polygon.

    Attributes:
        rasters: Layers that a map job wrote for one scene, in any order: map, probability, uncertainty, error
            probability, expected error, reconstruction error, attribution, …
        polygons: Vector layer with polygons, in any CRS; they may overlap and lie partly or wholly outside.
        output_zones: GeoPackage to write: the polygons with their figures, styled.
        output_table: CSV file to write, with the same figures.
    """

    rasters: Tuple[str, ...]
    polygons: str
    output_zones: str = ""
    output_table: str = ""


@dataclass(frozen=True)
class ModelInfoJob:
    """Write a model's card as a page: what it needs, what it gives, how good it is, where it was trained.

    Attributes:
        model: Model file.
        output_report: HTML page to write.
    """

    model: str
    output_report: str


@dataclass(frozen=True)
class ExportOnnxJob:
    """Write a model's network as ONNX, for other tools.

    Attributes:
        model: Model file.
        output_onnx: ONNX file to write.
        tile_size: 0 for a network that takes any size and gives the map, reconstructions and expected errors. Otherwise
            width and height in pixels of the only size that it takes; it then gives the map alone, with metadata for
            the QGIS plugin Deepness, which needs both.
    """

    model: str
    output_onnx: str
    tile_size: int = 0


REMOVALS = ("mean", "blur", "noise")


@dataclass(frozen=True)
class AttributionQualityJob:
    """Judge a model's attributions: against exact Shapley values, other methods, and controls.

    Attributes:
        model: Model file, trained with players.
        inputs: Rasters of one scene with the model's input bands; better one that it was not trained on.
        other_models: Models trained alike (for example with other seeds), to see whether they explain alike.
        removal: What stands in for the bands of an absent player: ``mean`` as in training, ``blur`` or ``noise``.
        polygons: Polygons that a scene-level model explains; empty for the tiles of a regular grid.
        pixels: Pixels (or polygons) to sample; fewer with many players, of which very many coalitions are computed.
        seed: Seed of the sample.
        scheduler: Address of a Dask scheduler (tcp://host:8786), whose workers share the work; empty for this machine.
        output_report: HTML report to write.
        output_table: CSV file to write: a row a method, a column a measure.
    """

    model: str
    inputs: Tuple[str, ...]
    other_models: Tuple[str, ...] = ()
    polygons: str = ""
    removal: str = "mean"
    pixels: int = 128
    seed: int = 0
    scheduler: str = ""
    output_report: str = ""
    output_table: str = ""


@dataclass(frozen=True)
class SensitivityJob:
    """Take away each player's bands, and measure what changes in the map and in each auxiliary output.

    Attributes:
        model: Model file; without players each of its bands is one.
        inputs: Rasters of one scene with the model's input bands.
        removal: What stands in for the bands: ``mean`` (a network with players is told, as in training), ``blur`` or
            ``noise``.
        seed: Seed of the noise.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        output_report: HTML report to write.
        output_table: CSV file to write: a row a class, player and task.
        output_sensitivity: Raster to write: a band a player with the change of the map, and the most influential one.
    """

    model: str
    inputs: Tuple[str, ...]
    removal: str = "mean"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    output_report: str = ""
    output_table: str = ""
    output_sensitivity: str = ""


JOBS: Dict[str, Type[Any]] = {
    "createdemo": DemoJob,
    "train": TrainJob,
    "trainfolder": TrainFolderJob,
    "comparestrategies": CompareJob,
    "map": MapJob,
    "mapfolder": MapFolderJob,
    "accuracy": AccuracyJob,
    "zonalexplanation": ZonalJob,
    "explainerrors": ExplainErrorsJob,
    "sensitivity": SensitivityJob,
    "modelinfo": ModelInfoJob,
    "exportonnx": ExportOnnxJob,
    "attributionquality": AttributionQualityJob,
}


def to_json(job: Any) -> str:
    """A job as one line of JSON: its fields and, under ``job``, its kind."""
    kind = next(name for name, cls in JOBS.items() if cls is type(job))
    return json.dumps({"job": kind, **asdict(job)})


def from_json(text: str) -> Any:
    """Rebuild a job.

    Raises:
        JobError: no JSON, an unknown kind, an unknown or a missing field, or a value of a wrong type.
    """
    try:
        data = json.loads(text)
    except (ValueError, TypeError) as error:
        raise JobError(f"The job is not valid JSON: {error}.") from error
    if not isinstance(data, dict):
        raise JobError("The job is not a JSON object with its kind under “job”.")
    kind = data.pop("job", None)
    if not isinstance(kind, str) or kind not in JOBS:
        raise JobError(f"Unknown job “{kind}”; known are {', '.join(JOBS)}.")
    cls = JOBS[kind]
    unknown = set(data) - {f.name for f in fields(cls)}
    if unknown:
        raise JobError(f"The job “{kind}” has no field {', '.join(sorted(unknown))}.")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    for field in fields(cls):
        if field.name in values and not _fits(values[field.name], str(field.type)):
            raise JobError(f"The job “{kind}” needs {_TYPES[str(field.type)]} for {field.name}.")
    try:
        return cls(**values)
    except TypeError as error:
        raise JobError(f"The job “{kind}” is incomplete: {error}.") from error


_TYPES = {  # of the jobs' fields, as they are written in the classes above
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "Tuple[str, ...]": "a list of texts",
    "Optional[Tuple[float, float, float, float]]": "a list of four numbers, or null",
}


def _fits(value: Any, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, str)
    if kind in ("int", "float"):
        return isinstance(value, int if kind == "int" else (int, float)) and not isinstance(value, bool)
    if kind == "Tuple[str, ...]":
        return isinstance(value, tuple) and all(_fits(item, "str") for item in value)
    return value is None or (
        isinstance(value, tuple) and len(value) == 4 and all(_fits(item, "float") for item in value)
    )


def patterns(
    text: str, form: str = "modality=pattern, for example s2=s2.tif", noun: str = "modality"
) -> Dict[str, Tuple[str, ...]]:
    """Parse ``name=word[,word…]`` entries, separated by ``;`` or line ends: the patterns of modalities, as a rule.

    Args:
        text: The entries.
        form: What an entry looks like, and
        noun: what it names: for the message.

    Raises:
        JobError: an entry without ``=``, without a word, or a name given twice.
    """
    found: Dict[str, Tuple[str, ...]] = {}
    for entry in filter(None, (part.strip() for part in text.replace("\n", ";").split(";"))):
        name, _, words = entry.partition("=")
        name, parts = name.strip(), tuple(word.strip() for word in words.split(",") if word.strip())
        if not name or not parts:
            raise JobError(f"The entry “{entry}” is not of the form {form}.")
        if name in found:
            raise JobError(f"The {noun} “{name}” is given twice; give each {noun} once.")
        found[name] = parts
    return found


def split_name(text: str) -> Tuple[str, str]:
    """Split ``name=path``; the name is empty for a plain path."""
    name, sign, path = text.partition("=")
    if sign and re.fullmatch(r"\w[\w.-]*", name) and not os.path.exists(text):
        return name, path
    return "", text


def outputs_of(job: Any) -> Mapping[str, str]:
    """Every path that a job is to write, by name without the ``output_`` prefix."""
    pairs = ((f.name, getattr(job, f.name)) for f in fields(job) if f.name.startswith("output_"))
    return {name[len("output_") :]: path for name, path in pairs if path}


def stop_s(job: Any) -> float:
    """Seconds that a canceled job may take to stop by itself before its process is ended; ``None`` for no job."""
    # A training's step on a CPU is long, and the best weights are then saved; a folder's workers may be elsewhere.
    return 10.0 if isinstance(job, (_Learning, CompareJob, MapFolderJob)) else 1.5


def remove_parts(job: Any, pid: int) -> bool:
    """Delete the unfinished files that the process ``pid``, which is no more, left beside the job's outputs.

    Returns:
        Whether none is left: some systems hold a file back for a moment after its process has ended.
    """
    gone = True
    for path in outputs_of(job).values():
        folders = [os.path.dirname(path) or "."]
        if os.path.isdir(path):  # an output folder: in it and in its scenes' folders
            folders = [path, *(entry.path for entry in os.scandir(path) if entry.is_dir())]
        for folder in folders:
            for part in parts_in(folder, pid):
                try:
                    os.remove(part)
                except OSError:
                    gone = not os.path.exists(part) and gone
    return gone
