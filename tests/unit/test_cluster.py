"""``mapfolder`` survives: runs that are killed, and workers and schedulers of a cluster that get lost, or are wrong."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import rasterio

from auxlens.engine import jobs
from auxlens.engine.cluster import workers
from auxlens.engine.executors.mapfolder import run
from auxlens.engine.mapping.folder import lock, packs
from auxlens.engine.version import plugin_version
from auxlens.models.errors import Canceled, EngineError

ROOT = Path(__file__).resolve().parents[2]
BANDS = ("B2", "B3", "B4")
COUNT = 16


@pytest.fixture
def job(untrained, write, rng, tmp_path):
    for i in range(COUNT):
        write(f"in/s{i:02d}/s2.tif", rng.integers(1, 250, (3, 640, 500)).astype("uint16"), BANDS)
    return jobs.MapFolderJob(
        untrained(), str(tmp_path / "in"), str(tmp_path / "out"), "s2=s2.tif", layers=("map", "uncertainty"),
        precision="float32",
    )  # fmt: skip


class Watch:
    """Sees each item that appears in an output folder, and does something when a number of them is there."""

    def __init__(self, folder, number=COUNT + 1, then=lambda: None):
        self.seen = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(Path(folder), number, then))

    def _look(self, folder, number, then):
        while not self._over.wait(0.02):
            for item in folder.glob("*/[!.]*.json"):
                self.seen.setdefault(item.stem, set()).add(item.stat().st_ino)
            if len(self.seen) >= number:
                number = COUNT + 1
                then()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        time.sleep(0.1)
        self._over.set()
        self._thread.join()


def rasters(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*.tif")}


def pixels(folder):
    """Hashes of pixels: a scene in strips has its blocks in another order."""
    found = {}
    for path in Path(folder).rglob("*.tif"):
        with rasterio.open(path) as dataset:
            found[str(path.relative_to(folder))] = hashlib.sha256(dataset.read().tobytes()).hexdigest()
    return found


def undisturbed(job, quiet):
    """What a run on this machine writes, under the same paths."""
    run(job, quiet())
    expected = rasters(job.output_folder)
    shutil.rmtree(job.output_folder)
    return expected


def check_all_done_once(job, watch, result, expected):
    assert sorted(watch.seen) == sorted(os.listdir(job.scenes))
    assert all(len(inodes) == 1 for inodes in watch.seen.values())
    assert (result["figures"]["failed"], result["figures"]["scenes"]) == (0, COUNT)
    assert rasters(job.output_folder) == expected
    left = [p.name for p in Path(job.output_folder).rglob("*") if p.name.startswith(".")]
    assert left == []


def test_killed_ten_times(job, quiet, tmp_path):
    expected = undisturbed(job, quiet)
    (tmp_path / "job.json").write_text(jobs.to_json(job))
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import conftest; from auxlens.engine.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "run", str(tmp_path / "job.json"), "--json"]
    moments, got_on = random.Random(0), []
    with Watch(job.output_folder) as watch:
        for number in range(10):
            killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before, moment = len(watch.seen), moments.uniform(0.0, 0.15)
            # Seconds after it has got on with the scenes or, every other time, has begun: few of them are done by then.
            while killed.poll() is None and moment > 0:
                begun = Path(job.output_folder, ".auxlens.run").exists()
                time.sleep(0.01)
                moment -= 0.01 * (begun if number % 2 else len(watch.seen) > before)
            killed.kill()
            got_on.append(killed.wait() == -signal.SIGKILL and len(watch.seen) > before)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert sum(got_on) >= 2  # runs that were killed in the middle, with some scenes done
    check_all_done_once(job, watch, json.loads(done.stdout), expected)


def test_a_worker_is_lost(job, dask, quiet):
    expected = undisturbed(job, quiet)
    dask.scheduler(), dask.worker()
    victim = dask.worker()
    with Watch(job.output_folder, 3, lambda: victim.send_signal(signal.SIGKILL)) as watch:
        result = run(replace(job, scheduler=dask.address), quiet())
    assert victim.poll() == -signal.SIGKILL
    check_all_done_once(job, watch, result, expected)


def test_a_large_scene_is_cut_into_strips_and_a_worker_is_lost(job, dask, quiet, write, rng, monkeypatch):
    """Half of the work is one scene; the worker that is lost has some of its strips."""
    shutil.rmtree(job.scenes)
    for i in range(3):
        write(f"in/s{i:02d}/s2.tif", rng.integers(1, 250, (3, 320, 400)).astype("uint16"), BANDS)
    write("in/large/s2.tif", rng.integers(1, 250, (3, 1600, 1100)).astype("uint16"), BANDS)
    job = replace(job, tile_size=128, batch_size=1)
    run(job, quiet())
    expected = pixels(job.output_folder)
    shutil.rmtree(job.output_folder)
    monkeypatch.setattr(packs, "STRIP_PX", 1)
    seen: dict[str, set[int]] = {}

    def look(number):
        while not over.wait(0.01):
            for strip in Path(job.output_folder, "large").glob(".map.*-*.part.tif"):
                with suppress(FileNotFoundError):
                    seen.setdefault(strip.name.split(".")[3], set()).add(strip.stat().st_ino)
            if len(seen) >= number:
                number = 1000
                victim.send_signal(signal.SIGKILL)

    over = threading.Event()
    dask.scheduler(), dask.worker()
    victim = dask.worker()
    dask.wait_for_workers(2)
    watch = threading.Thread(target=look, args=(4,))
    watch.start()
    result = run(replace(job, scheduler=dask.address), quiet())
    over.set()
    watch.join()
    assert victim.poll() == -signal.SIGKILL
    assert 6 <= len(seen) <= 8
    # Each was mapped once, but for one that the lost worker may have finished and not told of yet.
    assert sum(len(inodes) - 1 for inodes in seen.values()) <= 1
    assert (result["figures"]["failed"], result["figures"]["scenes"]) == (0, 4)
    assert pixels(job.output_folder) == expected
    assert not [p.name for p in Path(job.output_folder).rglob(".*")]


def test_the_scheduler_is_lost_and_comes_back(job, dask, quiet, caplog):
    expected = undisturbed(job, quiet)
    first = [dask.scheduler(), dask.worker(), dask.worker()]

    def restart():
        for process in first:
            process.kill()
        dask.scheduler(), dask.worker()

    with Watch(job.output_folder, 3, restart) as watch, caplog.at_level(logging.WARNING, "auxlens"):
        result = run(replace(job, scheduler=dask.address), quiet())
    assert "The connection to the Dask scheduler is lost" in caplog.text
    check_all_done_once(job, watch, result, expected)


def test_the_scheduler_is_lost_for_good_and_another_run_goes_on(job, dask, quiet, monkeypatch):
    expected = undisturbed(job, quiet)
    first = [dask.scheduler(), dask.worker(), dask.worker()]
    monkeypatch.setattr("auxlens.engine.executors.mapfolder.RETURN_S", 2.0)
    with Watch(job.output_folder, 3, lambda: [process.kill() for process in first]) as watch:
        with pytest.raises(EngineError, match=r"did not come back. \d+ of 16 scenes are mapped. Run again to go on"):
            run(replace(job, scheduler=dask.address), quiet())
        dask.scheduler(), dask.worker()
        result = run(replace(job, scheduler=dask.address), quiet())
    assert result["figures"]["kept"] >= 3
    check_all_done_once(job, watch, result, expected)


def test_cancel_stops_the_workers(job, dask, quiet):
    dask.scheduler(), dask.worker()
    with pytest.raises(Canceled, match="of 16 scenes are mapped"):
        run(replace(job, scheduler=dask.address), quiet(stop_after=40))
    time.sleep(3.0)
    done = len(list(Path(job.output_folder).glob("*/[!.]*.json")))
    assert done < COUNT
    time.sleep(1.0)
    assert len(list(Path(job.output_folder).glob("*/[!.]*.json"))) == done
    assert not [p for p in Path(job.output_folder).rglob("*") if p.name.startswith(".")]


def test_a_worker_of_another_version_is_refused(job, dask, quiet):
    other = dask.folder / "other" / "auxlens"
    for part in ("engine", "models"):
        shutil.copytree(ROOT / part, other / part)
    shutil.copy(ROOT / "__init__.py", other)
    text = (ROOT / "metadata.txt").read_text(encoding="utf-8")
    (other / "metadata.txt").write_text(text.replace(f"version={plugin_version()}", "version=9.9.9"), encoding="utf-8")
    dask.scheduler(), dask.worker(packages=other.parent)
    with pytest.raises(EngineError, match=rf"has AuxLens 9\.9\.9, this is {plugin_version()}; install one version"):
        run(replace(job, scheduler=dask.address), quiet())
    assert not list(Path(job.output_folder).glob("*/*.tif"))


def test_a_worker_that_does_not_see_the_folder_is_refused(job, dask, quiet):
    dask.scheduler(), dask.worker()
    with lock.locked(job.output_folder), workers.connected(dask.address, "cpu", quiet()) as client:
        with pytest.raises(EngineError, match=r"does not see “.*out”. Models, scenes and the output folder must"):
            workers.check_workers(client, quiet(), [job.model], job.output_folder, "another machine's folder's token")
        with pytest.raises(EngineError, match="does not see “/elsewhere/model”"):
            workers.check_workers(client, quiet(), ["/elsewhere/model"])


def test_a_run_waits_for_workers(job, dask, quiet, caplog):
    dask.scheduler()
    timer = threading.Timer(6.0, dask.worker)
    timer.start()
    with caplog.at_level(logging.INFO, "auxlens"):
        assert run(replace(job, scheduler=dask.address), quiet())["figures"]["mapped"] == COUNT
    assert "The cluster has no worker yet" in caplog.text


@pytest.mark.usefixtures("one_thread")
def test_a_process_a_device(job, quiet, monkeypatch):
    """As on a machine with two GPUs, but the workers compute on the processor."""
    expected = undisturbed(job, quiet)
    two = [{"CUDA_VISIBLE_DEVICES": str(i)} for i in range(2)]
    monkeypatch.setattr(workers, "_local", lambda device: workers.local_processes(two, {"GPU": 1.0}))
    with Watch(job.output_folder) as watch:
        result = run(job, quiet())
    check_all_done_once(job, watch, result, expected)
