"""Independent pieces of work give the same here and on a cluster, and survive what happens to clusters."""

from __future__ import annotations

import csv
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auxlens.engine import jobs
from auxlens.engine.cluster.spread import Call, spread
from auxlens.engine.executors import comparestrategies as comparison
from auxlens.engine.run import run
from auxlens.models.config import PRESETS
from auxlens.models.errors import Canceled, EngineError, SceneError

BANDS = ("B2", "B3", "B4")


def squares(folder, seconds=0.0):
    """Calls that say who did them. A function within a function travels as code, so workers need not have this file."""

    def square(number, place, pause, progress):
        progress.report(0.5, "half")
        with open(os.path.join(place, f"{number}.{os.getpid()}"), "w"):
            time.sleep(pause)
        return number**2

    return [Call(f"square of {i}", square, (i, str(folder), seconds)) for i in range(6)]


def workers_of(folder):
    return {int(path.suffix[1:]) for path in Path(folder).glob("*.*")}


@pytest.fixture
def done(tmp_path):
    folder = tmp_path / "done"
    folder.mkdir()
    return folder


def test_here(done, quiet):
    progress = quiet()
    assert spread(squares(done), "", "cpu", [], progress) == [0, 1, 4, 9, 16, 25]
    assert workers_of(done) == {os.getpid()}
    assert progress.reports[3] == (pytest.approx(3.5 / 6), "square of 3: half")


def test_on_two_workers(done, dask, quiet):
    dask.scheduler()
    both = {dask.worker().pid, dask.worker().pid}
    dask.wait_for_workers(2)
    progress = quiet()
    assert spread(squares(done, 0.5), dask.address, "cpu", [str(done)], progress) == [0, 1, 4, 9, 16, 25]
    assert workers_of(done) == both
    assert progress.reports[-1] == (1.0, "6 of 6 done")


def test_a_worker_is_lost(done, dask, quiet):
    dask.scheduler(), dask.worker()
    victim = dask.worker()

    def kill():
        while not list(done.glob(f"*.{victim.pid}")):
            time.sleep(0.05)
        victim.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert spread(squares(done, 1.0), dask.address, "cpu", [], quiet()) == [0, 1, 4, 9, 16, 25]
    killer.join()
    assert victim.poll() == -signal.SIGKILL and len(list(done.iterdir())) > 6


def test_the_scheduler_is_lost(done, dask, quiet):
    scheduler = dask.scheduler()
    dask.worker()
    threading.Timer(6.0, scheduler.kill).start()
    with pytest.raises(EngineError, match=r"The connection to the Dask scheduler tcp://.* is lost; run again"):
        spread(squares(done, 3.0), dask.address, "cpu", [], quiet())


def test_what_a_call_raises(done, dask, quiet):
    def fail(progress):
        raise SceneError("The scene is empty.")

    dask.scheduler(), dask.worker()
    for address in ("", dask.address):
        with pytest.raises(SceneError, match="The scene is empty"):
            spread([Call("fail", fail, ())], address, "cpu", [], quiet())


def test_cancel_stops_what_is_under_way(done, dask, quiet):
    def wait(place, progress):
        while not progress.canceled():
            time.sleep(0.05)
        with open(os.path.join(place, "stopped"), "w"):
            return

    dask.scheduler(), dask.worker()
    with pytest.raises(Canceled):
        spread([Call("wait", wait, (str(done),))], dask.address, "cpu", [], quiet(stop_after=20))
    until = time.monotonic() + 5
    while not (done / "stopped").exists():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_files_that_workers_do_not_see(done, dask, quiet):
    dask.scheduler(), dask.worker()
    with pytest.raises(EngineError, match="does not see “/elsewhere”"):
        spread(squares(done), dask.address, "cpu", ["/elsewhere"], quiet())


def test_attributions_are_judged_alike(untrained, write, rng, dask, quiet, tmp_path):
    values = rng.integers(1, 250, (3, 60, 70)).astype("uint16")
    job = jobs.AttributionQualityJob(
        untrained(), (write("s2.tif", values, BANDS),), pixels=40, output_table=str(tmp_path / "q.csv")
    )

    def judged(job):
        run(job, quiet())
        with open(job.output_table, encoding="utf-8") as file:
            return [{k: v for k, v in row.items() if k != "milliseconds"} for row in csv.DictReader(file)]

    here = judged(job)
    dask.scheduler(), dask.worker(), dask.worker()
    assert judged(replace(job, scheduler=dask.address)) == here


def test_strategies_are_compared_alike(write, rng, dask, quiet, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "small", (8, 16))  # here; the network's configuration travels
    for number in range(6):
        west = 500_000.0 + 2000 * number
        truth = rng.choice(np.array([1, 2], "uint8"), (1, 16, 16)).repeat(6, 1).repeat(6, 2)
        place = f"in/scene_{number}"
        write(f"{place}/s2.tif", (100 + 40 * truth + rng.normal(0, 30, (3, 96, 96))).astype("float32"), BANDS,
              origin=(west, 5_400_000.0))  # fmt: skip
        write(f"{place}/s1.tif", (rng.normal(-14, 3, (1, 96, 96))).astype("float32"), ("VV",),
              origin=(west, 5_400_000.0))  # fmt: skip
        write(f"{place}/label.tif", truth, origin=(west, 5_400_000.0))
    job = jobs.CompareJob(
        str(tmp_path / "in"), "s2=s2.tif", "s1=s1.tif", "label.tif", chip_size=32, batch_size=32, epochs=1,
        precision="float32", output_table=str(tmp_path / "t.csv"),
    )  # fmt: skip
    training = comparison.training_job(job)
    setups = comparison.setups_of(training, quiet())
    calls = [
        Call(step.method, comparison.one_here, (step, training, setups[step.strategy], setups["single"]))
        for step in comparison.plan((1.0,), 1)
        if step.method in ("multitask", "random forest")
    ]

    def learned(address):
        found = spread(calls, address, "cpu", [job.scenes], quiet())
        return [(sums.tolist(), [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history])
                for (sums, _, history), batch in found if batch == 32]  # fmt: skip

    here = learned("")
    dask.scheduler(), dask.worker(), dask.worker()
    assert learned(dask.address) == here
    assert len(here) == 2 and here[0] != here[1]
