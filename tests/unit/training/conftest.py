"""Scenes to learn from."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_scenes import write_polygons, write_scene

from auxlens.engine.training import options
from auxlens.models.config import PRESETS


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three scenes beside each other; the last has no radar. Polygons lie one folder up."""
    root = tmp_path_factory.mktemp("training")
    wests = [500_000.0 + i * 2000 for i in range(3)]
    truths = [write_scene(root / "scenes" / f"scene_{i}", i, i < 2, west) for i, west in enumerate(wests)]
    write_polygons(root / "classes.gpkg", list(zip(truths, wests, strict=True)))
    return root / "scenes"


@pytest.fixture
def small(monkeypatch):
    """A network and epochs a few times smaller than the smallest on offer."""
    monkeypatch.setitem(PRESETS, "small", (8, 16, 24))
    monkeypatch.setattr(options, "CHIPS_AN_EPOCH", (64, 64))


@pytest.fixture
def sparse(folder, tmp_path) -> Path:
    """The scenes; the second has inputs alone."""
    for number, names in enumerate((("s2", "s1", "label"), ("s2",), ("s2", "label"))):
        scene = tmp_path / "scenes" / f"scene_{number}"
        scene.mkdir(parents=True)
        for name in names:
            (scene / f"{name}.tif").symlink_to(folder / f"scene_{number}" / f"{name}.tif")
    return tmp_path / "scenes"
