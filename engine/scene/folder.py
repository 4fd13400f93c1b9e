"""Scene folders: which scenes a folder holds, by patterns of their files."""

from __future__ import annotations

import glob
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...models.errors import SceneError
from .bands import BandSource, ModalitySource, bands_of

log = logging.getLogger("auxlens")

Patterns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Scene:
    """The files of one scene.

    Attributes:
        name: The scene's name.
        inputs: Input modalities.
        auxiliary: Auxiliary modalities that the scene has.
        reference: File with the truth, or empty.
        for_test: Held out by the user.
        required: Modalities, inputs or not, without which a reference counts nowhere: those of a comparison.
    """

    name: str
    inputs: tuple[ModalitySource, ...]
    auxiliary: tuple[ModalitySource, ...] = ()
    reference: str = ""
    for_test: bool = False
    required: tuple[ModalitySource, ...] = ()


@dataclass(frozen=True)
class SceneFiles:
    """The files of one scene as the patterns match them, before any is opened.

    Attributes:
        name: The scene's name.
        inputs: Files of each input modality; empty where a pattern matches nothing.
        auxiliary: Files of each auxiliary modality that the scene has.
        reference: File with the truth, or empty.
        missing: Input patterns (``modality=pattern``) that match nothing.
        ambiguous: What is wrong where a pattern matches too many files; else empty.
    """

    name: str
    inputs: Mapping[str, tuple[str, ...]]
    auxiliary: Mapping[str, tuple[str, ...]]
    reference: str = ""
    missing: tuple[str, ...] = ()
    ambiguous: str = ""


def find_scenes(folder: str, inputs: Patterns, auxiliary: Patterns, reference: str) -> tuple[Scene, ...]:
    """Find the scenes of a folder that have every input modality, and the bands of their files; warn of the others.

    Raises:
        SceneError: as ``list_scenes``; a pattern that matches too many files; or a file that cannot be read.
    """
    found = list_scenes(folder, inputs, auxiliary, reference)
    for scene in found:
        if scene.ambiguous:
            raise SceneError(scene.ambiguous)
    lacking = [f"{scene.name} ({', '.join(scene.missing)})" for scene in found if scene.missing]
    if lacking:
        log.warning("Scenes are left out because no file matches: %s.", "; ".join(lacking))
    return tuple(
        Scene(
            scene.name, _modalities(scene.inputs, scene.name), _modalities(scene.auxiliary, scene.name), scene.reference
        )
        for scene in found
        if not scene.missing
    )


def list_scenes(folder: str, inputs: Patterns, auxiliary: Patterns, reference: str) -> tuple[SceneFiles, ...]:
    """List the scenes of a folder, those too in which something is missing or ambiguous. Opens no file.

    A scene is a sub-folder in which the patterns match; or, in a folder of files, what ``*`` stands for in the
    first input pattern (``*_S2Hand.tif``), with the same text for ``*`` in the others; where that is nothing, the scene
    is called as the folder. Patterns may lead out of the sub-folder (``../dem.tif``).

    Raises:
        SceneError: no such folder, no input pattern, or nothing matches (says what each pattern matched).
    """
    if not os.path.isdir(folder):
        raise SceneError(f"The scene folder “{folder}” does not exist; check the path.")
    if not inputs:
        raise SceneError("No input pattern is given; for example: s2=s2.tif.")
    try:
        subfolders = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError as error:
        raise SceneError(f"The scene folder “{folder}” cannot be read: {error.strerror}.") from error
    found = [_scene(os.path.basename(f), f, "*", inputs, auxiliary, reference) for f in subfolders]
    if all(scene.missing for scene in found):
        beside = _prefixes(folder, next(iter(inputs.values()))[0])
        own = os.path.basename(os.path.abspath(folder))
        found = [_scene(prefix or own, folder, prefix, inputs, auxiliary, reference) for prefix in beside] or found
    if all(scene.missing for scene in found):
        raise SceneError(f"No scene in “{folder}” has all inputs. {_what_matched(folder, inputs)}")
    return tuple(scene for scene in found if _has_files(scene, folder) or scene.ambiguous)


def _has_files(scene: SceneFiles, folder: str) -> bool:
    """Whether a pattern matches an input, or another file of the scene's own: those beside scenes are everybody's."""
    inside = os.path.normpath(os.path.join(folder, scene.name)) + os.sep
    others = [path for files in scene.auxiliary.values() for path in files] + [scene.reference]
    return any(scene.inputs.values()) or any(os.path.normpath(path).startswith(inside) for path in others)


def _scene(name: str, folder: str, star: str, inputs: Patterns, auxiliary: Patterns, reference: str) -> SceneFiles:
    given = {m: [_files(folder, star, pattern) for pattern in patterns] for m, patterns in inputs.items()}
    missing = tuple(
        f"{m}={pattern}"
        for m, patterns in inputs.items()
        for pattern, files in zip(patterns, given[m], strict=True)
        if not files
    )
    others = {m: [_files(folder, star, pattern) for pattern in patterns] for m, patterns in auxiliary.items()}
    others = {m: files for m, files in others.items() if all(files)}
    truth = _files(folder, star, reference) if reference else []
    ambiguous = ""
    if not missing:
        ambiguous = next(filter(None, (_too_many(m, inputs[m], f, folder) for m, f in given.items())), "")
        ambiguous = ambiguous or next(
            filter(None, (_too_many(m, auxiliary[m], f, folder) for m, f in others.items())), ""
        )
    if len(truth) > 1 and not missing and not ambiguous:
        ambiguous = (
            f"The reference pattern “{reference}” matches {len(truth)} files for the scene “{name}” in “{folder}”; "
            "one expected. Make the pattern more exact."
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        missing, ambiguous = (), f"The folder “{folder}” cannot be read; check its permissions."
    return SceneFiles(name, _joined(given), _joined(others), truth[0] if truth else "", missing, ambiguous)


def _too_many(name: str, patterns: Sequence[str], matches: Sequence[Sequence[str]], folder: str) -> str:
    """What is wrong where one of several patterns of a modality matches more than one file."""
    for pattern, files in zip(patterns, matches, strict=True):
        if len(files) > 1 and len(patterns) > 1:
            return (
                f"The pattern “{pattern}” of {name} matches {len(files)} files in “{folder}”; one expected. "
                "Make the pattern more exact."
            )
    return ""


def _joined(matches: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(path for files in found for path in files) for name, found in matches.items()}


def _modalities(files: Mapping[str, tuple[str, ...]], scene: str) -> tuple[ModalitySource, ...]:
    return tuple(
        ModalitySource(name, tuple(_of_any_scene(band, scene) for path in paths for band in bands_of(path)))
        for name, paths in files.items()
    )


def _of_any_scene(band: BandSource, scene: str) -> BandSource:
    """A band whose name comes from its file's, ``alpha_red``, as it is called in any scene: ``red``."""
    own = re.fullmatch(rf"{re.escape(scene)}[\W_]+(.+)|(.+?)[\W_]+{re.escape(scene)}", band.name)
    return replace(band, name=own[1] or own[2]) if own else band


def _files(folder: str, star: str, pattern: str) -> list[str]:
    file, sign, layer = pattern.partition("|")
    if star != "*":
        file, layer = file.replace("*", glob.escape(star)), layer.replace("*", star)
    return sorted(os.path.normpath(path) + sign + layer for path in glob.glob(os.path.join(glob.escape(folder), file)))


def _prefixes(folder: str, pattern: str) -> list[str]:
    pattern = pattern.partition("|")[0]
    before, star, after = os.path.normpath(pattern).partition("*")
    if not star or "*" in after:
        return []
    found = _files(folder, "*", pattern)
    names = [os.path.relpath(path, folder) for path in found]  # the pattern may begin with folders
    return sorted(name[len(before) : len(name) - len(after)] for name in names)


def _what_matched(folder: str, inputs: Patterns) -> str:
    parts = []
    for name, patterns in inputs.items():
        for pattern in patterns:
            inside = glob.glob(os.path.join(glob.escape(folder), "*", pattern))
            beside = glob.glob(os.path.join(glob.escape(folder), pattern))
            parts.append(f"{name}={pattern} matched {len(inside)} files in sub-folders and {len(beside)} in the folder")
    return "; ".join(parts) + ". Correct the patterns or the folder."
