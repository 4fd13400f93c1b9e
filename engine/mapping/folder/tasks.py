"""What a folder's run and its workers tell each other: scenes to map, and what came of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from ...jobs import MapJob, split_name
from ...paths import sources_of
from ...scene.files import files_of
from ...scene.vectors import file_stamp, split_layer
from ...version import plugin_version

MAPPED, KEPT, FAILED = "mapped", "up to date", "failed"
EMPTY = "no pixel has a value in every input band, so all outputs are empty"
Rows = tuple[int, int]  # of a scene: the first, and the one after the last
_NOT_IN_LINKS = re.compile(r"[#%?;]+")


@dataclass(frozen=True)
class SceneTask:
    """One scene to map.

    Attributes:
        name: The scene's name.
        job: As for a single scene, outputs in the scene's own folder.
        key: What the outputs depend on, as a hash: with another key they are out of date.
        size: Bytes of the files to read; stands for the work in the progress.
        note: What the scene lacks and which layers are left out therefore; empty for nothing.
        strips: Rows that are mapped apart from each other, where the scene is cut for several workers.
    """

    name: str
    job: MapJob
    key: str
    size: int
    note: str = ""
    strips: tuple[Rows, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one scene.

    Attributes:
        name: The scene's name.
        status: ``MAPPED``, ``KEPT`` (done by an earlier run) or ``FAILED``.
        figures: Numbers of the scene, by name (see ``statistics.Statistics.figures``).
        seconds: What mapping it took.
        message: Why it failed, or what the user should know.
        disk_full: Whether it failed because its outputs do not fit on the disk: others would fail too.
    """

    name: str
    status: str
    figures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""
    disk_full: bool = False


@dataclass(frozen=True)
class Orders:
    """What every worker of a run must know.

    Attributes:
        folder: The output folder, under the same path on every worker.
        token: The run's own; the run is over where the folder's lock no longer shows it.
        version: AuxLens's version, which the worker's must equal.
        model_sha256: Hash of the model file, which must be the same on every worker.
    """

    folder: str
    token: str
    version: str
    model_sha256: str


def folder_of(name: str) -> str:
    """Name of a scene's sub-folder: the scene's, but for signs that mean something else in a link.

    They cannot be encoded: a catalog on a disk is read by programs that decode its links, and by others that do not,
    as pystac.
    """
    return _NOT_IN_LINKS.sub("_", name)


def item_of(name: str) -> str:
    """A scene's STAC item in the output folder: written last, so it says that the scene is complete."""
    return "{0}/{0}.json".format(folder_of(name))


def with_key(name: str, job: MapJob, model_sha256: str, note: str) -> SceneTask:
    """A task with its key and size.

    The key covers the layers and how they are computed, the model's content, the plugin's version, and name, size and
    modification time of every file that is read, those that a VRT is made of and masks beside them too. Where the
    outputs go, and how many windows share a batch, do not matter.

    Raises:
        OSError: a file is no more.
    """
    files, total = [], 0
    for text in (*job.inputs, *job.auxiliary, *filter(None, [job.reference])):
        modality, path = split_name(text)
        status = os.stat(split_layer(path)[0])
        files.append([modality, os.path.basename(path), status.st_size, status.st_mtime_ns])
        total += status.st_size
        for beneath in _beneath(split_layer(path)[0]):
            status = os.stat(beneath)
            files.append(["", os.path.basename(beneath), status.st_size, status.st_mtime_ns])
            total += status.st_size
    if job.reference:  # the files beside it
        files += [["", os.path.basename(name), size, modified] for name, size, modified in file_stamp(job.reference)]
    options = ("reference_field", "device", "precision", "tile_size", "overlap")
    values = asdict(job)
    told = [plugin_version(), model_sha256, sorted(job.outputs), [values[name] for name in options], files]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return SceneTask(name, job, key, total, note)


def _beneath(path: str) -> list[str]:
    """Further files that a raster's values come from. Only a VRT is opened: there may be thousands of scenes."""
    of_vrt = sources_of((path,), files_of) if path.lower().endswith(".vrt") else (path,)
    masks = [mask for file in of_vrt if os.path.exists(mask := f"{file}.msk") and mask not in of_vrt]
    return [*(file for file in of_vrt if file != path), *masks]


def finished(task: SceneTask) -> Mapping[str, Any] | None:
    """Properties of the scene's item where its outputs are up to date and whole; else ``None``."""
    folder = os.path.dirname(next(iter(task.job.outputs.values())))
    item = read_item(os.path.dirname(folder), task.name)
    if item is None or item["properties"].get("auxlens:key") != task.key:
        return None
    try:
        for asset in item["assets"].values():
            if os.path.getsize(os.path.join(folder, asset["href"])) != asset["file:size"]:
                return None
    except (OSError, KeyError):
        return None
    properties: Mapping[str, Any] = item["properties"]
    return properties


def kept(task: SceneTask, properties: Mapping[str, Any]) -> Outcome:
    """The outcome of a scene that an earlier run has mapped, from its item."""
    figures, seconds = properties["auxlens:figures"], properties["auxlens:seconds"]
    return Outcome(task.name, KEPT, figures, seconds, properties["auxlens:message"])


def remove_outputs(folder: str, name: str) -> None:
    """Remove what an earlier run has written for a scene: its item first, so that it never describes other files.

    Raises:
        OSError: a file cannot be removed.
    """
    item = read_item(os.path.dirname(folder), name)
    if item is None:
        return
    os.remove(os.path.join(os.path.dirname(folder), item_of(name)))
    for asset in item["assets"].values():
        path = os.path.join(folder, os.path.basename(asset["href"]))
        for file in (path, os.path.splitext(path)[0] + ".qml", path + ".aux.xml"):
            with suppress(FileNotFoundError):
                os.remove(file)


def read_item(folder: str, name: str) -> dict[str, Any] | None:
    """A scene's item in the output folder; ``None`` where there is none, or something else of that name."""
    try:
        with open(os.path.join(folder, item_of(name)), encoding="utf-8") as file:
            item = json.load(file)
    except (OSError, ValueError):
        return None
    return item if isinstance(item, dict) and {"properties", "assets"} <= set(item) else None
