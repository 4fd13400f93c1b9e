"""The training manifest: enough to say what a model was made of, and to train it again."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from ...models.errors import Canceled
from .. import jobs
from ..scene.folder import Scene
from ..scene.grid import Grid, bounds_on_earth
from ..scene.hashing import sha256
from ..scene.vectors import file_stamp
from ..version import plugin_version
from .options import Training
from .survey import Block

_PACKAGES = ("torch", "numpy", "rasterio", "scikit-learn", "lightning-fabric")


def hash_files(scenes: Sequence[Scene], progress: jobs.Progress) -> None:
    """Hash all files of the scenes once, so that a training that is stopped need not wait for it.

    Raises:
        Canceled: stopped by the user.
    """
    for scene in scenes:
        for path in _files(scene):
            if progress.canceled():
                raise Canceled("The training was canceled.")
            progress.report(0.0, f"Reading the scene “{scene.name}”")
            sha256(path)


def describe(
    job: Training,
    scenes: Sequence[Scene],
    grids: Sequence[Grid],
    blocks: Sequence[Block],
    splits: Sequence[str],
    unit: str,
) -> dict[str, Any]:
    """The job, the files with their SHA-256 and place, the split and the versions, as JSON-able values."""
    return {
        "job": json.loads(jobs.to_json(job)),
        "split_unit": unit,
        "scenes": [
            _scene(i, scene, grid, blocks, splits) for i, (scene, grid) in enumerate(zip(scenes, grids, strict=True))
        ],
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}},
    }


def fingerprint(job: Training, scenes: Sequence[Scene]) -> str:
    """What tells a training from every other: the job, the SHA-256 of its files, and the AuxLens that learns."""
    hashes = {path: sha256(path) for scene in scenes for path in _files(scene)}
    return json.dumps([json.loads(jobs.to_json(job)), hashes, plugin_version()], sort_keys=True)


def _scene(number: int, scene: Scene, grid: Grid, blocks: Sequence[Block], splits: Sequence[str]) -> dict[str, Any]:
    own = [split for block, split in zip(blocks, splits, strict=True) if block.scene == number]
    return {
        "name": scene.name,
        "bounds": geographic_bounds(grid),
        "blocks": {split: own.count(split) for split in dict.fromkeys(own)},
        "sha256": {path: sha256(path) for path in _files(scene)},
    }


def geographic_bounds(grid: Grid) -> list[float] | None:
    """West, south, east, north in degrees (EPSG:4326); ``None`` for a scene that has no place on the Earth.

    West is greater than east where a scene lies across the date line.
    """
    bounds = bounds_on_earth(grid)
    return None if bounds is None else [round(value, 6) for value in bounds]


def _files(scene: Scene) -> list[str]:
    reference = [path for path, _, _ in file_stamp(scene.reference)] if scene.reference else []
    paths = dict.fromkeys([*(path for m in (*scene.inputs, *scene.auxiliary) for path in m.paths), *reference])
    return [path for path in paths if os.path.isfile(path)]
