"""A very large scene is cut into strips for several workers, and nobody sees that in its outputs."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from auxlens.engine import jobs
from auxlens.engine.mapping import plans
from auxlens.engine.mapping.folder import packs, work
from auxlens.engine.mapping.folder.listing import list_tasks
from auxlens.engine.mapping.folder.tasks import FAILED, KEPT, MAPPED, Orders, SceneTask
from auxlens.engine.mapping.scene import SceneReader
from auxlens.engine.scene.hashing import sha256
from auxlens.engine.version import plugin_version
from auxlens.models.card import read_card

BANDS = ("B2", "B3", "B4")


@pytest.fixture
def small_strips(monkeypatch):
    monkeypatch.setattr(packs, "STRIP_PX", 1)


@pytest.fixture
def scene(untrained, write, rng, tmp_path, small_strips):
    """Makes the job, the card, the scene's task in strips, and the orders of a run, for a scene of some size."""

    def make(height, width, count, name="out", **sizes):
        values = rng.integers(1, 250, (3, height, width)).astype("uint16")
        values[:, :, :5] = 0
        write("in/a/s2.tif", values, BANDS, nodata=0)
        write("in/a/s1.tif", rng.normal(-14, 3, (2, height, width)).astype("float32"), ("VV", "VH"))
        write("in/a/label.tif", rng.choice(np.array([2, 5, 7], "uint8"), (1, height, width)), nodata=0)
        job = jobs.MapFolderJob(
            untrained(), str(tmp_path / "in"), str(tmp_path / name), "s2=s2.tif", "s1=s1.tif", "label.tif",
            layers=jobs.MAP_OUTPUTS, precision="float32", **(sizes or {"tile_size": 64, "batch_size": 1}),
        )  # fmt: skip
        card, digest = read_card(job.model), sha256(job.model)
        task = list_tasks(job, card, digest).tasks[0]
        orders = Orders(job.output_folder, "token", plugin_version(), digest)
        return replace(task, strips=packs.strips(task.job, card, count)), orders

    return make


def hashes(folder):
    """Of the pixels of every raster."""
    found = {}
    for path in Path(folder).glob("*.tif"):
        with rasterio.open(path) as dataset:
            found[path.stem] = hashlib.sha256(dataset.read().tobytes()).hexdigest()
    return found


def described(folder):
    """All that rasters, styles and item say besides pixels; not when, and how long it took."""
    found = {path.name: path.read_text(encoding="utf-8") for path in Path(folder).glob("*.[qx]ml")}
    for path in Path(folder).glob("*.tif"):
        with rasterio.open(path) as dataset:
            colors = dataset.colormap(1) if path.stem == "map" else None
            found[path.name] = (dataset.tags(), dataset.descriptions, dataset.units, str(dataset.profile), colors)
    item = json.loads((Path(folder) / "a.json").read_text(encoding="utf-8"))
    figures = item["properties"].pop("auxlens:figures")
    for name in ("created", "auxlens:seconds"):
        del item["properties"][name]
    for asset in item["assets"].values():
        del asset["file:size"]  # blocks may lie in another order
    return {**found, "item": item, "names": sorted(p.name for p in Path(folder).iterdir())}, figures


@pytest.mark.parametrize(("height", "width", "count"), [(500, 130, 3), (257, 300, 9), (129, 64, 2)])
def test_outputs_are_those_of_the_scene_in_one_piece(scene, quiet, tmp_path, height, width, count):
    task, orders = scene(height, width, count)
    assert 1 < len(task.strips) <= count
    threads = torch.get_num_threads()
    (whole,) = work.map_pack([task], orders, threads, quiet())
    expected, (said, _) = hashes(tmp_path / "out/a"), described(tmp_path / "out/a")
    (tmp_path / "out").rename(tmp_path / "whole")
    strips = [work.map_strip(task, strip, orders, threads, quiet()) for strip in task.strips[::-1]]
    assert [outcome.status for outcome in strips] == [MAPPED] * len(strips)
    (joined,) = work.join_strips(task, strips, orders, quiet())
    assert hashes(tmp_path / "out/a") == expected and set(expected) == set(jobs.MAP_OUTPUTS)
    assert described(tmp_path / "out/a")[0] == said
    assert joined.figures == described(tmp_path / "out/a")[1] == pytest.approx(whole.figures, rel=1e-9)
    again = work.map_strip(task, task.strips[0], orders, threads, quiet())
    assert (again.status, again.figures) == (KEPT, joined.figures)


def test_columns_of_strips_are_those_of_the_scene_in_one_piece(scene, quiet, tmp_path, monkeypatch):
    """But for the last bit: columns begin anew in each strip."""
    monkeypatch.setattr(plans, "_COLUMN_STEP", 64)
    monkeypatch.setattr(plans, "_COLUMN_TILE_PX", 512 * 64)
    task, orders = scene(1500, 600, 2, tile_size=0)
    assert task.strips == ((0, 768), (768, 1500))
    work.map_pack([task], orders, 2, quiet())
    said, _ = described(tmp_path / "out/a")
    (tmp_path / "out").rename(tmp_path / "whole")
    strips = [work.map_strip(task, strip, orders, 1, quiet()) for strip in task.strips]
    work.join_strips(task, strips, orders, quiet())
    assert described(tmp_path / "out/a")[0] == said
    for path in (tmp_path / "out/a").glob("*.tif"):
        with rasterio.open(path) as found, rasterio.open(tmp_path / "whole/a" / path.name) as expected:
            assert np.allclose(found.read(), expected.read(), rtol=1e-4, atol=1e-4, equal_nan=True), path.stem


def test_seconds_are_counted_once(scene, quiet, tmp_path, monkeypatch):
    """Windows are read and written while the stream runs; of a scene in strips those of all parts count."""
    task, orders = scene(200, 64, 2)
    read = SceneReader.read

    def slow(reader, tile):
        time.sleep(0.25)
        return read(reader, tile)

    monkeypatch.setattr(SceneReader, "read", slow)
    started = time.perf_counter()
    (whole,) = work.map_pack([task], orders, 1, quiet())
    assert 4 * 0.25 < whole.seconds <= time.perf_counter() - started
    (tmp_path / "out").rename(tmp_path / "whole")
    started = time.perf_counter()
    strips = [work.map_strip(task, strip, orders, 1, quiet()) for strip in task.strips]
    (joined,) = work.join_strips(task, strips, orders, quiet())
    assert sum(strip.seconds for strip in strips) < joined.seconds <= time.perf_counter() - started


def test_a_strip_that_is_there_is_not_mapped_again(scene, quiet, monkeypatch):
    task, orders = scene(200, 64, 2)
    work.map_strip(task, task.strips[0], orders, 1, quiet())
    monkeypatch.setattr(work, "_stream", None)
    assert work.map_strip(task, task.strips[0], orders, 1, quiet()).status == MAPPED


def test_a_scene_of_which_a_strip_fails_leaves_nothing(scene, quiet, tmp_path):
    task, orders = scene(700, 400, 4)
    with rasterio.open(tmp_path / "in/a/s2.tif") as whole:
        values, profile = whole.read(), {**whole.profile, "compress": "deflate"}
    with rasterio.open(tmp_path / "in/a/s2.tif", "w", **profile) as packed:
        packed.write(values)
    content = bytearray((tmp_path / "in/a/s2.tif").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    (tmp_path / "in/a/s2.tif").write_bytes(content)
    strips = [work.map_strip(task, strip, orders, 1, quiet()) for strip in task.strips]
    assert {outcome.status for outcome in strips} == {MAPPED, FAILED}
    (joined,) = work.join_strips(task, strips, orders, quiet())
    assert joined.status == FAILED and "damaged or cut short" in joined.message
    assert not (tmp_path / "out/a").exists()


def test_strips_begin_where_windows_do(scene):
    task, _ = scene(500, 130, 3)
    assert task.strips == ((0, 192), (192, 384), (384, 500))


def test_strips_are_not_small(scene, monkeypatch):
    task, _ = scene(500, 130, 100)
    assert len(task.strips) == 8  # a row of windows each
    monkeypatch.setattr(packs, "STRIP_PX", 130 * 200)
    assert [end - first for first, end in scene(500, 130, 100)[0].strips] == [256, 244]
    monkeypatch.setattr(packs, "STRIP_PX", 4096**2)
    assert scene(500, 130, 100)[0].strips == ()


def test_what_would_hold_up_the_others_is_cut(scene):
    task, _ = scene(500, 130, 1)
    card = read_card(task.job.model)
    small = [SceneTask(f"s{i}", task.job, "", task.size // 20) for i in range(20)]
    for workers, cut in ((1, ()), (2, ((0, 128), (128, 256), (256, 384), (384, 500)))):
        found = list(packs.packs([task, *small], card, workers))
        assert found[0][0].strips == cut and [t.name for pack in found for t in pack][1:] == [s.name for s in small]
        assert not cut or len(found[0]) == 1
    alike = [replace(task, name=f"s{i}") for i in range(8)]
    assert not any(t.strips for pack in packs.packs(alike, card, 2) for t in pack)


def test_a_scene_that_cannot_be_read_is_not_cut(scene, tmp_path):
    task, _ = scene(500, 130, 1)
    (tmp_path / "in/a/s2.tif").write_bytes(b"no raster")
    assert packs.strips(task.job, read_card(task.job.model), 3) == ()
