"""Columns: going down a scene gives what windows give, in any number of threads, and stops when it is told to."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from auxlens.engine import jobs
from auxlens.engine.executors.map import run
from auxlens.engine.mapping import columns, plans
from auxlens.models.errors import Canceled, SceneError

BANDS = ("B2", "B3", "B4")


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Columns of 32 px in tiles of 32 rows, so that a small scene has many."""
    monkeypatch.setattr(plans, "_WIDEST", 32)
    monkeypatch.setattr(plans, "_NARROWEST", 32)
    monkeypatch.setattr(plans, "_COLUMN_STEP", 32)
    monkeypatch.setattr(plans, "_COLUMN_TILE_PX", 32 * 32)


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    with ThreadPoolExecutor(1) as later:  # what a job sets for its own threads is not left behind
        assert later.submit(torch.get_num_threads).result() == torch.get_num_threads() == request.param
    torch.set_num_threads(before)


@pytest.fixture
def scene(write, rng):
    """A scene of 230 × 101 px that has nothing in a hole larger than what a pixel sees, and radar for it."""
    values = rng.integers(1, 250, (3, 230, 101)).astype("uint16")
    values[:, 60:170, 20:90] = 0
    return {
        "inputs": (write("s2.tif", values, BANDS, nodata=0),),
        "auxiliary": (write("s1.tif", rng.normal(-14, 3, (2, 230, 101)).astype("float32"), ("VV", "VH")),),
        "reference": write("label.tif", rng.choice(np.array([2, 5, 7], "uint8"), (1, 230, 101))),
    }


def mapped(model: str, scene: dict, folder: Path, quiet, **options) -> dict[str, np.ndarray]:
    folder.mkdir()
    paths = {f"output_{name}": str(folder / f"{name}.tif") for name in jobs.MAP_OUTPUTS}
    run(jobs.MapJob(model, **{"precision": "float32", **scene, **paths, **options}), quiet())
    found = {}
    for name in jobs.MAP_OUTPUTS:
        with rasterio.open(folder / f"{name}.tif") as dataset:
            found[name] = dataset.read()
    return found


@pytest.mark.parametrize("extent", [None, (500_030.0, 5_398_000.0, 500_950.0, 5_399_900.0)])
def test_columns_are_windows(untrained, scene, tmp_path, quiet, threads, extent):
    model = untrained()
    down = mapped(model, scene, tmp_path / "columns", quiet, extent=extent)
    windows = mapped(model, scene, tmp_path / "windows", quiet, extent=extent, tile_size=512)
    for name, values in windows.items():
        assert np.allclose(down[name], values, rtol=1e-4, atol=1e-4, equal_nan=True), name


def test_columns_of_several_models(untrained, scene, tmp_path, quiet, threads):
    models = f"{untrained()};{untrained(widths=(8, 10, 12, 14), seed=1)}"
    down = mapped(models, scene, tmp_path / "columns", quiet)
    windows = mapped(models, scene, tmp_path / "windows", quiet, tile_size=512)
    for name, values in windows.items():
        assert np.allclose(down[name], values, rtol=1e-4, atol=1e-4, equal_nan=True), name


def test_a_column_stops_when_a_tile_cannot_be_written(untrained, scene, tmp_path, quiet, threads, monkeypatch):
    def full(*_):
        raise SceneError("the disk is full")

    monkeypatch.setattr("auxlens.engine.scene.writing.LayerWriter.write", full)
    with pytest.raises(SceneError, match="the disk is full"):
        mapped(untrained(), scene, tmp_path / "columns", quiet)
    assert not list((tmp_path / "columns").iterdir())


def test_cancel_stops_all_columns(untrained, scene, tmp_path, threads, monkeypatch):
    class Told:
        reports = 0

        def report(self, *_):
            self.reports += 1

        def canceled(self):
            return self.reports > 1

    computed, compute = [], columns.Rolling.rows

    def slowly(*arguments, **options):
        computed.append(time.sleep(0.05))
        return compute(*arguments, **options)

    monkeypatch.setattr(columns.Rolling, "rows", slowly)
    told = Told()
    with pytest.raises(Canceled):
        mapped(untrained(), scene, tmp_path / "columns", lambda: told)
    assert told.reports == 2 and len(computed) <= 2 + 2 * threads  # of 28 tiles in four columns
    assert not list((tmp_path / "columns").iterdir())
