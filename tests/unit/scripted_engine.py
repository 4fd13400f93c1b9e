"""A real worker whose demo job does what its output folder's name says: for what real jobs do too rarely.

Started as ``python -I scripted_engine.py``, as the client starts ``engine/start.py``.
"""

import importlib.util
import logging
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(job, progress):
    name = getattr(job, "output_folder", "") or job.output_model
    getattr(sys.modules[__name__], Path(name).stem)(job, progress)
    figures = {"seen": os.environ.get("PROJ_DATA"), "share": 0.5, "undefined": float("nan")}
    return {"outputs": {"folder": name}, "figures": figures}


def chatter(job, progress):
    """Writes to descriptor 1 as C code does, floods standard error, reads standard input."""
    os.write(1, b'{"type": "result", "id": "1", "result": "not mine"}\nnoise\n')
    print("more noise", flush=True)
    for _ in range(2000):
        os.write(2, b"x" * 500 + b"\n")
    assert sys.stdin.read() == ""


def deaf(job, progress):
    """Begins a file and never looks at cancel."""
    part(job).write_bytes(b"begun")
    progress.report(0.5, "deaf")
    time.sleep(60)


def reluctant(job, progress):
    """Needs longer to stop than a map may, as a training does in the middle of a step."""
    progress.report(0.5, "reluctant")
    while not progress.canceled():
        time.sleep(0.01)
    time.sleep(2.0)
    Path(job.output_model).write_bytes(b"the best weights so far")
    raise jobs.Canceled("The best weights so far are kept.")


def part(job):
    folder = Path(job.output_folder)
    folder.mkdir(exist_ok=True)
    return folder / f".map.{os.getpid()}.part.tif"


def eager(job, progress):
    for step in range(20001):
        progress.report(step / 20000, f"step {step}")
        if step % 20 == 0:
            time.sleep(0.001)


def talk(job, progress):
    logging.getLogger("auxlens").info("loss %.2f", 0.5)
    logging.getLogger("auxlens.training").warning("few chips")
    time.sleep(2.3)


def undecided(job, progress):
    progress.report(float("nan"), "0 of 0")
    time.sleep(0.3)


def lacks(job, progress):
    import surely_not_installed  # noqa: F401


def exhausts(job, progress):
    raise MemoryError


def breaks(job, progress):
    raise KeyError("a fault")


def leaves(job, progress):
    print("libfoo: assertion failed", file=sys.stderr, flush=True)
    os._exit(7)


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("start", ROOT / "engine" / "start.py")
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    start.register(ROOT)
    from auxlens.engine import jobs, run as registry, worker

    sys.modules["auxlens.engine.executors.scripted"] = sys.modules[__name__]
    registry.EXECUTORS[jobs.DemoJob] = registry.EXECUTORS[jobs.TrainJob] = "scripted"
    worker.main()
