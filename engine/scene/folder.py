"""Scene folders: which scenes a folder holds, by patterns of their files."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...models.errors import SceneError
from .bands import ModalitySource, bands_of

Patterns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Scene:
    """The files of one scene. ``auxiliary`` may lack modalities; ``reference`` may be empty."""

    name: str
    inputs: tuple[ModalitySource, ...]
    auxiliary: tuple[ModalitySource, ...] = ()
    reference: str = ""


def find_scenes(folder: str, inputs: Patterns, auxiliary: Patterns, reference: str) -> tuple[Scene, ...]:
    """Find the scenes of a folder that have every input modality.

    A scene is a sub-folder in which the patterns match; or, in a folder of files, what ``*`` stands for in the
    first input pattern (``*_S2Hand.tif``), with the same text for ``*`` in the others. Patterns may lead out of
    the sub-folder (``../dem.tif``).

    Raises:
        SceneError: no such folder, no input pattern, or nothing matches (says what each pattern matched).
    """
    if not os.path.isdir(folder):
        raise SceneError(f"The scene folder “{folder}” does not exist; check the path.")
    if not inputs:
        raise SceneError("No input pattern is given; for example: s2=s2.tif.")
    subfolders = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    found = [_scene(os.path.basename(f), f, "*", inputs, auxiliary, reference) for f in subfolders]
    if not any(scene for scene in found):
        found = [
            _scene(prefix, folder, prefix, inputs, auxiliary, reference)
            for prefix in _prefixes(folder, next(iter(inputs.values()))[0])
        ]
    scenes = tuple(scene for scene in found if scene)
    if not scenes:
        raise SceneError(f"No scene in “{folder}” has all inputs. {_what_matched(folder, inputs)}")
    return scenes


def _scene(name: str, folder: str, star: str, inputs: Patterns, auxiliary: Patterns, reference: str) -> Scene | None:
    given = {m: _modality(m, folder, star, patterns) for m, patterns in inputs.items()}
    if any(source is None for source in given.values()):
        return None
    others = [_modality(m, folder, star, patterns) for m, patterns in auxiliary.items()]
    truth = _files(folder, star, reference) if reference else []
    if len(truth) > 1:
        raise SceneError(
            f"The reference pattern “{reference}” matches {len(truth)} files for the scene “{name}” in “{folder}”; "
            "one expected. Make the pattern more exact."
        )
    return Scene(
        name,
        tuple(source for source in given.values() if source),
        tuple(source for source in others if source),
        truth[0] if truth else "",
    )


def _modality(name: str, folder: str, star: str, patterns: Sequence[str]) -> ModalitySource | None:
    matches = [_files(folder, star, pattern) for pattern in patterns]
    if not all(matches):
        return None
    for pattern, files in zip(patterns, matches, strict=True):
        if len(files) > 1 and len(patterns) > 1:
            raise SceneError(
                f"The pattern “{pattern}” of {name} matches {len(files)} files in “{folder}”; one expected. "
                "Make the pattern more exact."
            )
    return ModalitySource(name, tuple(band for files in matches for path in files for band in bands_of(path)))


def _files(folder: str, star: str, pattern: str) -> list[str]:
    text = pattern if star == "*" else pattern.replace("*", glob.escape(star))
    file, sign, layer = text.partition("|")
    return sorted(os.path.normpath(path) + sign + layer for path in glob.glob(os.path.join(glob.escape(folder), file)))


def _prefixes(folder: str, pattern: str) -> list[str]:
    before, star, after = os.path.normpath(pattern.partition("|")[0]).partition("*")
    if not star or "*" in after:
        return []
    paths = (path.partition("|")[0] for path in _files(folder, "*", pattern))
    names = [os.path.relpath(path, folder) for path in paths]  # the pattern may begin with folders
    return sorted(name[len(before) : len(name) - len(after)] for name in names)


def _what_matched(folder: str, inputs: Patterns) -> str:
    parts = []
    for name, patterns in inputs.items():
        for pattern in patterns:
            inside = glob.glob(os.path.join(glob.escape(folder), "*", pattern))
            beside = glob.glob(os.path.join(glob.escape(folder), pattern))
            parts.append(f"{name}={pattern} matched {len(inside)} files in sub-folders and {len(beside)} in the folder")
    return "; ".join(parts) + ". Correct the patterns or the folder."
