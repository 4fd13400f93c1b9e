"""The training manifest: enough to say what a model was made of, and to train it again."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import jobs
from ..scene.folder import Scene
from ..scene.hashing import sha256
from .options import Training
from .survey import Block

_PACKAGES = ("torch", "numpy", "rasterio", "scikit-learn", "lightning-fabric")
_ROOT = Path(__file__).resolve().parents[2]


def version() -> str:
    """The plugin's version, from its only home."""
    for line in (_ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            return value.strip()
    return "unknown"


def describe(
    job: Training, scenes: Sequence[Scene], blocks: Sequence[Block], splits: Sequence[str], unit: str
) -> dict[str, Any]:
    """The job, the files with their SHA-256, the split and the versions, as JSON-able values."""
    return {
        "job": json.loads(jobs.to_json(job)),
        "split_unit": unit,
        "scenes": [_scene(i, scene, blocks, splits) for i, scene in enumerate(scenes)],
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in _PACKAGES}},
    }


def _scene(number: int, scene: Scene, blocks: Sequence[Block], splits: Sequence[str]) -> dict[str, Any]:
    own = [split for block, split in zip(blocks, splits, strict=True) if block.scene == number]
    paths = dict.fromkeys(path for m in (*scene.inputs, *scene.auxiliary) for path in m.paths)
    reference = scene.reference.partition("|")[0]
    files = [*paths, *([reference] if reference else [])]
    return {
        "name": scene.name,
        "blocks": {split: own.count(split) for split in dict.fromkeys(own)},
        "sha256": {path: sha256(path) for path in files if Path(path).is_file()},
    }
