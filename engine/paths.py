"""What jobs read and write: that there is an output, and that nothing is written over a file that is read.

Standard library only, because both sides of the process boundary read this file.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, List, Mapping, Tuple

from ..models.members import paths_of
from .jobs import ANYWHERE, MAP_OUTPUTS, JobError, outputs_of, split_name

FilesOf = Callable[[str], Iterable[str]]  # of a raster, its own path among them; none of what is no raster
RASTER_ENDINGS = (".tif", ".tiff")
_RASTERS = (*MAP_OUTPUTS, "correlation", "sensitivity")  # outputs that are rasters
_READ = (  # fields of jobs with files that are read, beside the model
    "other_models",
    "inputs",
    "auxiliary",
    "rasters",
    "map",
    "reference",
    "probability",
    "uncertainty",
    "mask",
    "polygons",
)


def check_outputs(job: Any, remedy: str = "choose at least one, for example the report") -> None:
    """Check that a job has an output, no raster with an ending that promises something else than a GeoTIFF, and none
    with the path of a file that it reads or of another output, or the style of another.

    Raises:
        JobError: it has not; ``remedy`` says what to do.
    """
    wanted = outputs_of(job)
    if not wanted:
        raise JobError(f"No output is asked for; {remedy}.")
    for name, path in wanted.items():
        if name in _RASTERS and path != ANYWHERE and not path.lower().endswith(RASTER_ENDINGS):
            raise JobError(
                f"The output “{words(name)}” is a GeoTIFF; “{path}” must end in {' or '.join(RASTER_ENDINGS)}."
            )
    pair = of_one_style(wanted)
    if pair:
        raise JobError(
            f"The outputs “{words(pair[0])}” and “{words(pair[1])}” have one name but for the ending "
            f"(“{wanted[pair[1]]}”), and would share the style beside them; choose another name for one."
        )
    name = clash(wanted, files_read(job))
    if name:
        raise JobError(
            f"The output “{words(name)}” has the path of an input or of another output (“{wanted[name]}”); "
            "choose another."
        )


def check_sources(job: Any, files_of: FilesOf) -> None:
    """Check that no output would be written over a file that a job reads, or that its rasters are made of.

    Raises:
        JobError: one would.
    """
    wanted = outputs_of(job)
    sources = {place_of(file) for file in sources_at_stake(wanted, files_read(job), files_of)}
    name = next((name for name, path in wanted.items() if place_of(path) in sources), "")
    if name:
        raise JobError(
            f"The output “{words(name)}” has the path of an input or of a file that one is made of "
            f"(“{wanted[name]}”); choose another."
        )


def files_read(job: Any) -> Tuple[str, ...]:
    """Files that a job reads, as it has them: ``name=path`` and ``path|layername=…`` too."""
    values = [*paths_of(getattr(job, "model", "")), *(getattr(job, name, "") for name in _READ)]
    texts = [text for value in values for text in (value if isinstance(value, tuple) else (value,))]
    return tuple(filter(None, texts))


def sources_at_stake(wanted: Mapping[str, str], given: Iterable[str], files_of: FilesOf) -> Tuple[str, ...]:
    """``sources_of`` where an output's file is there already; else none, as nothing can be lost: rasters may be far
    away and made of many others, and need not be opened.

    Args:
        wanted: Path of each output, by name.
        given: Files that are read.
        files_of: Gives a raster's files.
    """
    return sources_of(given, files_of) if any(map(os.path.isfile, wanted.values())) else ()


def sources_of(given: Iterable[str], files_of: FilesOf) -> Tuple[str, ...]:
    """Files that rasters are made of, as a VRT is of its sources, which may be VRTs themselves."""
    found: List[str] = []
    waiting = [split_options(split_name(text)[1])[0] for text in given]
    while waiting:
        files = [file for file in files_of(waiting.pop()) if file not in found]
        found += files
        waiting += [file for file in files if file.lower().endswith(".vrt")]
    return tuple(found)


def clash(wanted: Mapping[str, str], given: Iterable[str]) -> str:
    """Name of the first output that would be written over a file that is read, or over another output.

    Args:
        wanted: Path of each output, by name; ``ANYWHERE`` is no path yet.
        given: Files that are read; ``name=path`` and ``path|layername=…`` too.

    Returns:
        The name; empty for none.
    """
    files = (split_options(file)[0] for text in given for file in (text, text.partition("=")[2]))
    taken = {place_of(file) for file in files if file}
    for name, path in wanted.items():
        if path == ANYWHERE:
            continue
        if place_of(path) in taken:
            return name
        taken.add(place_of(path))
    return ""


def split_options(text: str) -> Tuple[str, str]:
    """Split ``file|layername=…`` into the file and the rest from the sign on, which is empty for a plain path.

    A file or its folders may have the sign in their names: the longest part that exists is the file, and where none
    does, what stands before the first sign.
    """
    file = text
    while "|" in file and not os.path.exists(file):
        file = file.rpartition("|")[0]
    return file, text[len(file) :]


def of_one_style(wanted: Mapping[str, str]) -> Tuple[str, ...]:
    """Names of the first two rasters of different paths that would have the same ``.qml``; empty for none.

    Args:
        wanted: Path of each output, by name; ``ANYWHERE`` is no path yet.
    """
    taken: Dict[str, str] = {}
    for name, path in wanted.items():
        if path.lower().endswith(RASTER_ENDINGS):
            other = taken.setdefault(os.path.splitext(place_of(path))[0], name)
            if place_of(wanted[other]) != place_of(path):
                return other, name
    return ()


def place_of(path: str) -> str:
    """Where a path leads, by whatever links: two paths of one place are one file."""
    return os.path.normcase(os.path.realpath(path))


def words(name: str) -> str:
    """An output's name as messages have it."""
    return name.replace("_", " ")
