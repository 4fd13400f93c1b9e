"""Tiny scenes, and jobs that train on them in seconds."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rasterio.features
import safetensors.torch
import torch
from affine import Affine
from shapely.geometry import shape

from auxlens.engine import jobs
from auxlens.engine.executors.map import run as run_map
from auxlens.engine.executors.train import run
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.network import Network

SIZE = 128
FAST = {"epochs": 3, "chip_size": 32, "batch_size": 8, "precision": "float32"}
CLASSES = {1: "water", 2: "wood", 3: "town"}


def landscape(seed: int) -> np.ndarray:
    """Three smooth classes, 0 to 2."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:SIZE, :SIZE] / SIZE * 2 * np.pi
    waves = sum(np.sin(rng.integers(1, 4) * rows + rng.integers(1, 4) * cols + rng.uniform(0, 6)) for _ in range(4))
    return np.digitize(waves, np.quantile(waves, [1 / 3, 2 / 3]))


def write(path: Path, values: np.ndarray, bands=(), nodata=None, crs="EPSG:32632", west=500_000.0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
    transform = Affine(10, 0, west, 0, -10, 5_400_000)
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform, nodata=nodata) as dataset:
        dataset.write(values)
        dataset.descriptions = bands or dataset.descriptions
    return str(path)


def write_scene(folder: Path, seed: int, s1: bool = True, west: float = 500_000.0) -> np.ndarray:
    """A scene whose classes, radar and height are easily told from its three optical bands."""
    truth, rng = landscape(seed), np.random.default_rng(seed)
    optical = np.stack([1000 + 700 * truth, 3000 - 800 * truth, 800 + 500 * (truth == 1)])
    optical = (optical + rng.normal(0, 150, optical.shape)).astype("uint16")
    write(folder / "s2.tif", optical, ("B2", "B3", "B4"), west=west)
    if s1:
        radar = np.stack([-8 - 4 * truth, -15 + 2 * truth]) + rng.normal(0, 1, (2, SIZE, SIZE))
        write(folder / "s1.tif", radar.astype("float32"), ("VV", "VH"), west=west)
    write(folder / "label.tif", (truth[None] + 1).astype("uint8"), nodata=0, west=west)
    write(folder / "height.tif", (5.0 * truth[None] + rng.normal(0, 0.5, (1, SIZE, SIZE))).astype("float32"), west=west)
    return truth


def write_polygons(path: Path, truths: list[tuple[np.ndarray, float]]) -> str:
    """Polygons of some of the classes' areas, with their names."""
    found = []
    for truth, west in truths:
        transform = Affine(10, 0, west, 0, -10, 5_400_000)
        lattice = (np.indices(truth.shape) // 16).sum(axis=0) % 2 == 0  # half of the scene has no reference
        for geometry, value in rasterio.features.shapes(truth.astype("uint8"), lattice, transform=transform):
            found.append({"geometry": shape(geometry), "cover": CLASSES[int(value) + 1]})
    gpd.GeoDataFrame(found, crs="EPSG:32632").to_file(path)
    return str(path)


def layers(folder: Path, model: Path, **changes) -> jobs.TrainJob:
    scene = folder / "scene_0"
    given = {
        "inputs": (str(scene / "s2.tif"),),
        "auxiliary": (str(scene / "s1.tif"),),
        "reference": str(scene / "label.tif"),
    }
    return jobs.TrainJob(**{"output_model": str(model), **given, **FAST, **changes})


def patterns(folder: Path, model: Path, **changes) -> jobs.TrainFolderJob:
    given = {
        "scenes": str(folder),
        "input_patterns": "s2=s2.tif",
        "auxiliary_patterns": "s1=s1.tif",
        "reference_pattern": "label.tif",
    }
    return jobs.TrainFolderJob(str(model), **{**given, **FAST, **changes})


class StopAt:
    """A progress that is stopped once a message begins with some words."""

    def __init__(self, words: str) -> None:
        self.words, self.stopped, self.said = words, False, []

    def report(self, fraction: float, message: str) -> None:
        assert 0 <= fraction <= 1
        self.said.append(message)
        self.stopped |= message.startswith(self.words)

    def canceled(self) -> bool:
        return self.stopped


class Crash(RuntimeError):
    """What no code expects."""


class CrashAt(StopAt):
    def canceled(self) -> bool:
        if self.stopped:
            raise Crash
        return False


def train_in_two(job, words, quiet) -> list[str]:
    """A training that dies, and another that goes on; gives what the second said."""
    with pytest.raises(Crash):
        run(job, CrashAt(words))
    progress = quiet()
    run(job, progress)
    return [message for _, message in progress.reports]


def read(path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def mapped(model: Path, folder: Path, outputs, reference="label.tif", **options) -> dict[str, np.ndarray]:
    """Maps the second scene with a model, and gives the arrays."""
    scene = folder / "scene_1"
    paths = {f"output_{name}": str(model.parent / f"{name}.tif") for name in outputs}
    given = {"inputs": (str(scene / "s2.tif"),), "reference": str(scene / reference), "precision": "float32"}
    result = run_map(jobs.MapJob(str(model), **{**given, **paths, **options}), StopAt("never"))
    return {name: read(path) for name, path in result["outputs"].items()}


def weights(path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(str(path))


def two_tasks(main: TaskConfig) -> tuple[Network, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    tasks = {"main": main, "a": TaskConfig("density", 1, (0.0,), (1.0,)), "b": TaskConfig("density", 1, (0.0,), (1.0,))}
    network = Network(NetworkConfig((4, 6), (0.0,), (1.0,), tasks))
    targets = {name: torch.randn(2, 1, 16, 16) for name in ("a", "b")}
    targets["main"] = torch.randint(0, 2, (2, 1, 16, 16)).float()
    return network, network(torch.randn(2, 1, 16, 16)), targets
