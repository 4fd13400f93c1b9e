"""Checks of jobs, before any work and without the engine: each door asks them, the QGIS side before it starts one.

Standard library only, because both sides of the process boundary read this file.
"""

from __future__ import annotations

import os
from typing import Collection, Mapping, Tuple, Union

from ..models.card import Card
from ..models.members import members_of
from .jobs import (
    ANYWHERE,
    CLASS_TASKS,
    MAP_OUTPUTS,
    NO_PLAYERS,
    OF_AUXILIARY,
    PATCHES,
    PRECISIONS,
    REMOVALS,
    SCENE_TASKS,
    TASKS,
    AccuracyJob,
    AttributionQualityJob,
    CompareJob,
    ExplainErrorsJob,
    ExportOnnxJob,
    JobError,
    MapFolderJob,
    MapJob,
    ModelInfoJob,
    SceneError,
    SensitivityJob,
    ZonalJob,
    patterns,
)
from .paths import check_outputs, place_of, words

Patterns = Mapping[str, Tuple[str, ...]]  # files of each modality
MIN_PLAYERS, MAX_PLAYERS = 2, 16
MIN_PATCHES, MAX_PATCHES = 2, 8  # along a side of a chip


def patches_of(text: str) -> int:
    """Patches along a side of a scene-level task's chip that are its players; 0 for none.

    Raises:
        JobError: players that are no patches, or too few or too many.
    """
    if text.strip().lower() in ("", NO_PLAYERS):
        return 0
    word, _, number = (part.strip() for part in text.partition("="))
    if word.lower() != PATCHES or not number.isdecimal():
        raise JobError(
            f"The players of a scene-level task are image patches, not bands: write {PATCHES}=4 for 4 × 4 of a chip, "
            f"or leave them out; given: “{text.strip()}”."
        )
    if not MIN_PATCHES <= int(number) <= MAX_PATCHES:
        raise JobError(
            f"A chip is cut into {MIN_PATCHES} to {MAX_PATCHES} patches along each side; {PATCHES}={number} is given."
        )
    return int(number)


def check_players(text: str, task: str) -> None:
    """Check the players of a training as far as that is possible without its bands.

    Raises:
        JobError: entries that cannot be read, fewer than 2 players or more than 16, a band in two of them, or players
            that do not belong to the task.
    """
    if task in SCENE_TASKS:
        patches_of(text)
        return
    if text.strip().lower() in ("", NO_PLAYERS):
        return
    if text.partition("=")[0].strip().lower() == PATCHES and ";" not in text.strip().rstrip(";"):
        raise JobError(
            f"Image patches are the players of scene-level tasks; the task “{task}” has groups of bands, for example "
            "visible=B2,B3,B4. Name such groups, or leave the players out."
        )
    players = patterns(text, "player=band,band, for example visible=B2,B3,B4", "player")
    if not MIN_PLAYERS <= len(players) <= MAX_PLAYERS:
        raise JobError(f"{len(players)} player(s) are given; attributions need {MIN_PLAYERS} to {MAX_PLAYERS}.")
    bands = [band for members in players.values() for band in members]
    for band in bands:
        if bands.count(band) > 1:
            raise JobError(f"The band “{band}” is in more than one player; give each band to one player.")


def check_map(job: MapJob, card: Card) -> None:
    """Check a map job against the model's card, before any work and without the engine.

    Raises:
        JobError: nothing to compute, an output that needs what is not given, that the model cannot give, or that
            would be written over another file of the job.
    """
    wanted = job.outputs
    if not job.inputs:
        raise JobError(f"No input raster is given; the model needs the bands {', '.join(card.input_bands)}.")
    _check_layers(wanted, card)
    if "reconstruction_error" in wanted and not job.auxiliary:
        raise JobError(
            "The output “reconstruction error” compares with auxiliary rasters "
            f"({', '.join(m.name for m in card.auxiliary)}); give them, or leave this output out."
        )
    if "main_error" in wanted and not job.reference:
        raise JobError("The output “main error” compares with a reference; give one, or leave this output out.")
    if job.attribution_class and job.attribution_class not in _class_words(card):
        raise JobError(
            f"The model has no class “{job.attribution_class}” to attribute; choose one of "
            f"{', '.join(c.name for c in card.main.classes) or 'none: it makes a regression'}."
        )
    _check_polygons(job, card)
    check_outputs(job, "choose at least one, for example the map")
    _check_computing(job)


def check_map_folder(job: MapFolderJob, card: Card) -> None:
    """Check a folder's map job against the model's card, before any work and without the engine.

    Raises:
        JobError: as ``check_map``; patterns that do not fit the model; or outputs among the scenes.
    """
    if not os.path.isdir(job.scenes):
        raise SceneError(f"The folder of scenes “{job.scenes}” does not exist; check the path.")
    if not job.layers:
        raise JobError("No layer is asked for; choose at least one, for example the map.")
    for name in job.layers:
        check_choice("layer", name, MAP_OUTPUTS)
    if card.main.is_scene_level:
        raise JobError(
            f"“{card.name}” is a scene-level model, and a folder is mapped pixel by pixel; map its scenes one by one."
        )
    _check_layers(job.layers, card)
    _, auxiliary, reference = model_patterns(job, card)
    if "reconstruction_error" in job.layers and not auxiliary:
        raise JobError(
            "The layer “reconstruction error” compares with auxiliary rasters "
            f"({', '.join(m.name for m in card.auxiliary)}); give their patterns, or leave this layer out."
        )
    if "main_error" in job.layers and not reference:
        raise JobError("The layer “main error” compares with a reference; give its pattern, or leave this layer out.")
    if not job.output_folder:
        raise JobError("No output folder is given; choose one that may hold a sub-folder a scene.")
    if job.output_folder != ANYWHERE and place_of(job.output_folder) == place_of(job.scenes):
        raise JobError("The output folder is the folder of scenes; choose another, so that inputs and maps stay apart.")
    _check_scheduler(job.scheduler)
    check_outputs(job)
    _check_computing(job)


def model_patterns(job: MapFolderJob, card: Card) -> Tuple[Patterns, Patterns, str]:
    """Patterns of the inputs, of the auxiliary modalities and of the reference: the job's, else the model's.

    Raises:
        JobError: a pattern that cannot be read, a modality that the model does not have, or an input without one.
    """
    found = []
    for text, modalities in ((job.input_patterns, card.inputs), (job.auxiliary_patterns, card.auxiliary)):
        given, names = patterns(text), [m.name for m in modalities]
        strange = sorted(set(given) - set(names))
        if strange:
            raise JobError(
                f"The model “{card.name}” has no modality “{strange[0]}” there; it has {', '.join(names) or 'none'}. "
                "Name the patterns after the model's modalities."
            )
        known = {m.name: patterns(f"{m.name}={m.pattern}")[m.name] for m in modalities if m.pattern}
        found.append({name: (given or known)[name] for name in names if name in (given or known)})
    lacking = [m.name for m in card.inputs if m.name not in found[0]]
    if lacking:
        raise JobError(
            f"No pattern is given for the input modality “{lacking[0]}”, and the model “{card.name}” was not trained "
            f"on a folder and keeps none; give input patterns, for example {lacking[0]}={lacking[0]}.tif."
        )
    return found[0], found[1], job.reference_pattern.strip() or card.reference_pattern


def _check_computing(job: Union[MapJob, MapFolderJob]) -> None:
    check_choice("precision", job.precision, PRECISIONS)
    if job.tile_size < 0 or job.overlap < -1 or job.batch_size < 0:
        raise JobError("Tile size and batch size are 0 or more, the overlap is −1 or more.")


def _check_layers(wanted: Collection[str], card: Card) -> None:
    """Check that the model can give the layers.

    Raises:
        JobError: it cannot; says why and what to do.
    """
    needs_auxiliary = [n for n in OF_AUXILIARY if n in wanted]
    if needs_auxiliary and not card.auxiliary:
        raise JobError(
            f"The output “{words(needs_auxiliary[0])}” needs a model with auxiliary tasks, but “{card.name}” "
            "was trained without; train one with auxiliary rasters, or leave this output out."
        )
    if "probability" in wanted and not card.main.classes:
        raise JobError("The output “probability” exists for classes only; this model estimates a number.")
    if "main_error" in wanted and card.main.is_scene_level:
        raise JobError(
            "A scene-level model has no output “main error”; write the output “polygons” and assess its accuracy "
            "against the field with the truth."
        )
    if "error_probability" in wanted and not card.error_models:
        canceled = any(one.training.get("ended") == "canceled" for one in members_of(card))
        remedy = "train it to its end" if canceled else "train one with more references"
        raise JobError(
            f"The model “{card.name}” has no calibrated error probability "
            f"({'its training was canceled' if canceled else 'too few validation references'}); {remedy}, or leave "
            "this output out."
        )
    if "attribution" in wanted and (lack := lack_of_attributions(card)):
        raise JobError(f"{lack}, or leave this output out.")


def _class_words(card: Card) -> Tuple[str, ...]:
    """What a class may be called: by its name or its value."""
    return tuple(word for c in card.main.classes for word in (c.name, str(c.value)))


def _check_polygons(job: MapJob, card: Card) -> None:
    """Check what is asked for against whether the model maps pixels or polygons."""
    if not card.main.is_scene_level:
        if job.polygons or job.output_polygons:
            raise JobError(
                f"Polygons are for scene-level models; “{card.name}” is a {card.main.kind}, which maps every pixel. "
                "Leave the polygons out, or give them as the mask."
            )
        return
    if job.output_polygons and not job.output_polygons.lower().endswith(".gpkg") and job.output_polygons != ANYWHERE:
        raise JobError(f"The output “polygons” is a GeoPackage; “{job.output_polygons}” must end in .gpkg.")


def lack_of_attributions(card: Card) -> str:
    """Why a model gives no attributions and what to do, without a full stop; empty if it gives them."""
    if not (card.players or card.patch_px):
        players = f"the players {PATCHES}=4" if card.main.is_scene_level else "players"
        return (
            f"The model “{card.name}” was trained without players and gives no attributions; train one with {players}"
        )
    for one in members_of(card):
        if one.training.get("ended") == "canceled" and not one.training.get("attribution"):
            return f"The training of “{one.name}” was canceled before it learned attributions; run it again to its end"
    return ""


def check_accuracy(job: AccuracyJob) -> None:
    """Check an accuracy job before any work and without the engine.

    Raises:
        JobError: map or reference is not given, an unknown task, probabilities for a regression or an uncertainty for
            anything else, no output is asked for, or one that would be written over another file of the job.
    """
    if not job.map:
        raise JobError("No map is given; give the raster that is to be assessed.")
    if not job.reference:
        raise JobError("No reference is given; give a raster or vector layer with the truth.")
    check_choice("task", job.task, TASKS)
    if job.probability and job.task not in CLASS_TASKS:
        raise JobError("Probabilities belong to classes; choose the task “segmentation”, or leave them out.")
    if job.uncertainty and job.task != "regression":
        raise JobError(
            "The uncertainty is judged by its intervals, which a raster of numbers has; choose the task “regression”, "
            "or leave it out."
        )
    check_outputs(job)


def check_zonal(job: ZonalJob) -> None:
    """Check a zonal job before any work and without the engine.

    Raises:
        JobError: layers or polygons are not given, no output is asked for, or one that would be written over another
            file of the job.
    """
    if not job.rasters:
        raise JobError("No layer is given; give the rasters that “map” wrote for a scene.")
    if not job.polygons:
        raise JobError("No polygons are given; give a vector layer with areas.")
    check_outputs(job, "choose the polygons, the table or both")


def check_exportonnx(job: ExportOnnxJob, card: Card) -> None:
    """Check an export's job before any work and without the engine.

    Raises:
        JobError: no output is asked for, it would be written over the model, or the tiles' size does not suit the
            model.
    """
    check_outputs(job, "give an ONNX file to write")
    if job.tile_size < 0:
        raise JobError("The tile size is 0 or more.")
    if job.tile_size and card.main.kind.startswith("scene_"):
        raise JobError("Deepness maps pixels, this model labels scenes; export it without a tile size.")
    if 0 < job.tile_size <= 2 * card.margin_px:
        raise JobError(
            f"Tiles of {job.tile_size} px are all margin: the model looks {card.margin_px} px around each pixel. Give "
            f"{4 * card.margin_px} px or more, for example {card.tile_px}."
        )


def check_modelinfo(job: ModelInfoJob) -> None:
    """Check a model page's job before any work and without the engine.

    Raises:
        JobError: no output is asked for, or it would be written over the model.
    """
    check_outputs(job, "give a page to write")


def check_attribution_quality(job: AttributionQualityJob, card: Card) -> None:
    """Check an assessment of attributions before any work and without the engine.

    Raises:
        JobError: a model without players, no scene, an unknown way to remove players, no output, or a bad number or
            path.
    """
    if lack := lack_of_attributions(card):
        raise JobError(f"{lack}.")
    if job.polygons and not card.main.is_scene_level:
        raise JobError(
            f"Polygons are for scene-level models; “{card.name}” is a {card.main.kind}, of which pixels are judged. "
            "Leave the polygons out."
        )
    if not job.inputs:
        raise JobError(f"No input raster is given; the model needs the bands {', '.join(card.input_bands)}.")
    check_choice("removal", job.removal, REMOVALS)
    if job.pixels < 8:
        raise JobError("At least 8 pixels are needed.")
    check_seed(job.seed)
    _check_scheduler(job.scheduler)
    check_outputs(job)


def check_compare(job: CompareJob) -> Tuple[float, ...]:
    """Check a comparison before any work and without the engine.

    Returns:
        The shares of the references to train on, 0–1, descending; the first is 1.

    Raises:
        JobError: no auxiliary modality, nothing to write, fewer than two repetitions, or shares that are none.
    """
    if job.task in SCENE_TASKS:
        raise JobError(
            f"Strategies are compared pixel by pixel, which the task “{job.task}” does not allow; choose segmentation "
            "or regression."
        )
    if not patterns(job.auxiliary_patterns):
        raise JobError(
            "No auxiliary pattern is given; strategies differ in what the auxiliary modalities are for, so give at "
            "least one, for example s1=s1.tif."
        )
    if job.repetitions < 2:
        raise JobError("A comparison needs 2 repetitions or more; one training says nothing about chance.")
    words = [word.strip().rstrip("%").strip() for word in job.reference_shares.split(";")]
    try:
        shares = {float(word) / 100 for word in words if word}
    except ValueError:
        raise JobError(f"The shares “{job.reference_shares}” are not numbers in percent, like 10;25;50;100.") from None
    if not all(0 < share <= 1 for share in shares):
        raise JobError(f"Shares of the references are above 0 and at most 100 percent; given: {job.reference_shares}.")
    _check_scheduler(job.scheduler)
    check_outputs(job, "choose the report, the table or both")
    return tuple(sorted(shares | {1.0}, reverse=True))


def check_explain_errors(job: ExplainErrorsJob) -> None:
    """Check a job on explained errors before any work and without the engine.

    Raises:
        JobError: no layers, or both layers and a folder; a window that has no middle; a raster for several scenes; no
            output, or one that would be written over another file of the job.
    """
    if bool(job.inputs) == bool(job.scenes):
        raise JobError("Give either the layers of one mapped scene, or a folder of mapped scenes.")
    if job.window_size < 3 or job.window_size % 2 == 0:
        raise JobError(f"The window's side is an odd number of 3 pixels or more, found {job.window_size}.")
    check_seed(job.seed)
    if job.scenes and job.reference:
        raise JobError(
            "A reference belongs to one scene; map the folder with the layer “main error”, or give the layers of one "
            "scene."
        )
    if job.scenes and job.output_correlation:
        raise JobError("Local correlations are drawn for one scene; give its layers, or leave the raster out.")
    check_outputs(job)


def check_sensitivity(job: SensitivityJob, card: Card) -> None:
    """Check a sensitivity job before any work and without the engine.

    Raises:
        JobError: no scene, no output, a model of whole scenes, an unknown word, or an output over another file.
    """
    if card.main.kind not in ("segmentation", "regression"):
        raise JobError("Sensitivity is measured pixel by pixel; choose a model of segmentation or regression.")
    if not job.inputs:
        raise JobError(f"No input raster is given; the model needs the bands {', '.join(card.input_bands)}.")
    if len(card.players or card.input_bands) < 2:
        raise JobError("The model has one input band only; there is nothing to compare it with.")
    check_choice("removal", job.removal, REMOVALS)
    check_choice("precision", job.precision, PRECISIONS)
    check_seed(job.seed)
    check_outputs(job)


def _check_scheduler(address: str) -> None:
    if address and "://" not in address:
        raise JobError(f"“{address}” is no address of a Dask scheduler; give one like tcp://host:8786.")


def check_seed(seed: int) -> None:
    """Check the number that random numbers come from.

    Raises:
        JobError: it is negative.
    """
    if seed < 0:
        raise JobError(f"The seed is 0 or more, found {seed}.")


def check_choice(name: str, value: str, choices: Tuple[str, ...]) -> None:
    """Check that a word is one of those allowed.

    Raises:
        JobError: it is not; lists those that are.
    """
    if value not in choices:
        raise JobError(f"Unknown {name} “{value}”; choose one of {', '.join(choices)}.")
