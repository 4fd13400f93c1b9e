"""Tiny rasters and an untrained model, made anew for each test; and a cluster on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from distributed import Client

from auxlens.engine.jobs import CLASS_TASKS, SCENE_TASKS
from auxlens.models import file
from auxlens.models.card import Card, ErrorModel, InputDensity, LandClass, MainTask, Modality, Player
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.network import Network

ROOT = Path(__file__).resolve().parents[2]
UTM = "EPSG:32632"


class Quiet:
    """A progress that is never stopped, or after a number of reports."""

    def __init__(self, stop_after: float = float("inf")) -> None:
        self.reports: list[tuple[float, str]] = []
        self.stop_after = stop_after

    def report(self, fraction: float, message: str) -> None:
        self.reports.append((fraction, message))

    def canceled(self) -> bool:
        return len(self.reports) >= self.stop_after


@pytest.fixture
def quiet() -> type[Quiet]:
    return Quiet


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Writes ``(C, H, W)`` to a GeoTIFF and gives its path."""

    def make(
        name: str,
        values: np.ndarray,
        bands: tuple[str, ...] = (),
        nodata: float | None = None,
        gsd: float = 10.0,
        origin: tuple[float, float] = (500_000.0, 5_400_000.0),
        crs: str | None = UTM,
    ) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        count, height, width = values.shape
        transform = Affine(gsd, 0, origin[0], 0, -gsd, origin[1])
        profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
        with rasterio.open(path, "w", **profile, crs=crs, transform=transform, nodata=nodata) as dataset:
            dataset.write(values)
            if bands:
                dataset.descriptions = bands
        return str(path)

    return make


def error_models(classes: bool) -> tuple[ErrorModel, ErrorModel]:
    """Both forms, with every kind of feature; each says something else about each class."""
    main = ("entropy", "margin", "support") if classes else ("scale",)
    expected = (*main, "expected s1:VV", "expected s1:VH", "unusual")
    bands = ("s1:VV", "s1:VH")
    observed = (*expected, *(f"{kind} {b}" for kind in ("residual", "mean error", "mean size") for b in bands))

    def model(features: tuple[str, ...]) -> ErrorModel:
        weights = np.random.default_rng(len(features)).normal(0, 0.5, (len(features), 5))
        return ErrorModel(
            features, tuple(weights[:, 0]), (1.0,) * len(features), tuple(weights[:, 1]), -1.0,
            class_intercepts=(0.3, 0.0, -0.3) if classes else (),
            class_coefficients=tuple(map(tuple, weights[:, 2:].tolist())) if classes else (),
        )  # fmt: skip

    return model(expected), model(observed)


def object_error_models(scores: bool) -> tuple[ErrorModel, ErrorModel]:
    """Of objects, which have no surroundings."""
    names = ("entropy" if scores else "scale", "expected s1:VV", "expected s1:VH")
    expected = ErrorModel(names, (0.5, 0.0, 0.0), (0.2, 1.0, 1.0), (1.0, 0.5, -0.5), -1.0)
    seen = (*names, "residual s1:VV")
    return expected, ErrorModel(seen, (0.5, 0.0, 0.0, 0.0), (0.2, 1.0, 1.0, 1.0), (1.0, 0.5, -0.5, 0.4), -1.0)


def density_of(bands: tuple[str, ...]) -> InputDensity:
    """One component around the middle of the values that tests draw."""
    n = len(bands)
    unit = tuple(tuple(float(i == j) for j in range(n)) for i in range(n))
    mean, std = (100.0,) * n, (60.0,) * n
    return InputDensity((0.0,) * n, mean, std, (unit,), ((0.0,) * n,), (0.0,), 0.1, 0.2, 0.5)


def card_of(config: NetworkConfig, bands: tuple[str, ...], kind: str = "segmentation", name: str = "tiny") -> Card:
    """A card for an untrained network with inputs ``s2`` and auxiliary ``s1``."""
    classes = (LandClass(2, "water", "#0000ff"), LandClass(5, "wood", "#00aa00"), LandClass(7, "town", "#ff0000"))
    scores = kind in CLASS_TASKS
    expected, observed = error_models(scores) if kind not in SCENE_TASKS else object_error_models(scores)
    return Card(
        name=name,
        created="2026-01-01T00:00:00+00:00",
        plugin_version="0.1.0",
        inputs=(Modality("s2", bands, config.mean, config.std),),
        auxiliary=(Modality("s1", ("VV", "VH"), (-12.0, -18.0), (3.0, 4.0), unit="dB"),),
        main=MainTask(kind, "class", classes) if scores else MainTask(kind, "height", unit="m"),
        network=config.to_dict(),
        tile_px=96,
        margin_px=config.margin_px,
        players=tuple(
            Player(f"player {i}", tuple(f"s2:{bands[b]}" for b in group)) for i, group in enumerate(config.players, 1)
        ),
        patch_px=config.patch_px,
        error_models={"expected": expected, "observed": observed},
        input_density=density_of(bands),
    )


@pytest.fixture
def untrained(tmp_path: Path) -> Callable[..., str]:
    """Writes a model with random weights: three bands in, three classes (or a height), auxiliary VV and VH."""

    def make(
        kind: str = "segmentation",
        widths: tuple[int, ...] = (8, 12, 16),
        seed: int = 0,
        players: bool = True,
        patch_cells: int = 0,
    ) -> str:
        torch.manual_seed(seed)
        main = TaskConfig("score", 3) if kind in CLASS_TASKS else TaskConfig("density", 1, (10.0,), (5.0,))
        tasks = {
            "main": replace(main, pooled=kind in SCENE_TASKS),
            "s1": TaskConfig("density", 2, (-12.0, -18.0), (3.0, 4.0)),
        }
        shown = ((0, 1), (2,)) if players and kind not in SCENE_TASKS else ()
        patches = (2 ** (len(widths) - 1) * patch_cells, 3) if patch_cells else (0, 0)
        config = NetworkConfig(widths, (100.0, 100.0, 100.0), (60.0, 60.0, 60.0), tasks, shown, *patches)
        network = Network(config)
        with torch.no_grad():  # spread the scores, so that classes differ over the scene
            for parameter in network.heads.parameters():
                parameter.mul_(4.0)
            if shown:
                network.explainer.bias.normal_()
            if patch_cells:
                network.patch_explainer.bias.normal_()
                network.patch_explainer.out.weight.normal_()
        suffix = "" if players else "_without_players"
        path = tmp_path / f"{kind}_{seed}{suffix}{f'_patches_{patch_cells}' if patch_cells else ''}.safetensors"
        file.save(str(path), network, card_of(config, ("B2", "B3", "B4"), kind))
        return str(path)

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


class Dask:
    """Processes of a cluster on loopback, that find this checkout under the package's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.packages = folder / "packages"
        self.packages.mkdir()
        (self.packages / "auxlens").symlink_to(ROOT)

    def start(self, *words: str, packages: Path | None = None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(packages or self.packages), "OMP_NUM_THREADS": "1"}
        with open(self.folder / "dask.log", "ab") as said:
            done = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_worker" if words[0] == "worker" else
                 "distributed.cli.dask_scheduler", *words[1:]],
                env=environment, stdout=said, stderr=said, cwd=self.folder,
            )  # fmt: skip
        self.running.append(done)
        return done

    def scheduler(self) -> subprocess.Popen[bytes]:
        return self.start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def worker(self, packages: Path | None = None) -> subprocess.Popen[bytes]:
        words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder / "scratch"))
        return self.start("worker", self.address, *words, packages=packages)

    def wait_for_workers(self, count: int) -> None:
        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """This process computes as the workers do: how many threads share a sum changes its last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def dask(tmp_path: Path, one_thread: None) -> Iterator[Dask]:
    folder = tmp_path / "dask"
    folder.mkdir()
    made = Dask(folder)
    yield made
    made.stop()
