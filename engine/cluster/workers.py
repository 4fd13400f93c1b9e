"""Workers: a Dask cluster, made on this machine or reached by its scheduler's address, and checked before the work."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

import dask
import torch
from distributed import Client, Nanny, Scheduler, SpecCluster, Worker
from distributed.comm.core import CommClosedError

from ...models.errors import Canceled, EngineError
from ..jobs import Progress
from ..version import plugin_version

log = logging.getLogger("auxlens")

CONNECT_S = 10.0
RETURN_S = 120.0  # how long a lost scheduler is waited for
_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 2))
_LOOPBACK = "127.0.0.1:0"  # Dask always serves HTTP; nobody else shall reach it
_OPTIONS = {"memory_limit": 0, "silence_logs": logging.CRITICAL, "dashboard": False, "dashboard_address": _LOOPBACK}
_QUIET = {"distributed.worker.profile.enabled": False}  # Dask's profiler looks at all threads a hundred times a second
_BROKEN = (CommClosedError, asyncio.TimeoutError, CancelledError)
# A worker's process does not import this package by itself where it is the plugin's folder and not installed.
_PRELOAD = """from pathlib import Path
from runpy import run_path
run_path({start!r})["register"](Path({root!r}))
"""


class SchedulerLost(Exception):
    """Raised when the connection to the scheduler broke; what was done is done."""


@contextmanager
def connected(scheduler: str, device: str, progress: Progress, patience_s: float = CONNECT_S) -> Iterator[Client]:
    """A client of a cluster: the scheduler's, or one that is made on this machine, for the device of a job.

    Raises:
        EngineError: no scheduler answers within ``patience_s``.
        SchedulerLost: the connection breaks while the client is used.
        Canceled: the user did not want to wait.
    """
    for name in ("distributed", "bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is told by this package
    if scheduler:
        client = _reach(scheduler, progress, patience_s)
        try:
            yield client
        except _BROKEN as error:
            raise SchedulerLost from error
        finally:
            with suppress(Exception):  # a lost connection cannot be closed
                client.close(timeout=1)
        return
    with dask.config.set(_QUIET), _local(device) as cluster, Client(cluster, set_as_default=False) as client:
        yield client


def _reach(address: str, progress: Progress, patience_s: float) -> Client:
    until = time.monotonic() + patience_s
    while True:
        if progress.canceled():
            raise Canceled("Canceled.")
        try:
            return Client(address, timeout=min(2.0, patience_s), set_as_default=False)
        except (OSError, asyncio.TimeoutError, ValueError) as error:
            if isinstance(error, ValueError) or time.monotonic() >= until:
                reason = str(error) if isinstance(error, ValueError) else f"waited {patience_s:.0f} s"
                raise EngineError(
                    f"No Dask scheduler answers at {address} ({reason}). Start one with “dask scheduler”, "
                    "correct the address, or leave the scheduler empty to work on this machine."
                ) from error


def _local(device: str) -> SpecCluster:
    """One worker a GPU, or one in this process where there is not more than one device to compute with."""
    gpus = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    if gpus > 1:
        return local_processes([{"CUDA_VISIBLE_DEVICES": str(i)} for i in range(gpus)], {"GPU": 1.0})
    worker = {**_OPTIONS, "nthreads": torch.get_num_threads()}
    return _cluster({0: {"cls": Worker, "options": worker}}, {"protocol": "inproc://"})


def local_processes(environments: Sequence[Mapping[str, str]], resources: Mapping[str, float]) -> SpecCluster:
    """A cluster on this machine: a process with an environment of its own for each worker; processors are shared."""
    options = {
        **_OPTIONS,
        "nthreads": max(1, torch.get_num_threads() // len(environments)),
        "preload": [_PRELOAD.format(start=os.path.join(_ROOT, "engine", "start.py"), root=_ROOT)],
        "resources": dict(resources),
        "host": "127.0.0.1",
    }
    workers = {
        number: {"cls": Nanny, "options": {**options, "env": dict(environment)}}
        for number, environment in enumerate(environments)
    }
    return _cluster(workers, {"host": "127.0.0.1", "port": 0})


def _cluster(workers: Mapping[int, Mapping[str, Any]], scheduler: Mapping[str, Any]) -> SpecCluster:
    options = {**scheduler, "dashboard": False, "dashboard_address": _LOOPBACK}
    return SpecCluster(
        workers=dict(workers), scheduler={"cls": Scheduler, "options": options}, silence_logs=logging.CRITICAL
    )


def able(client: Client, on_gpu: bool) -> tuple[list[str], bool]:
    """Addresses of the workers that may have work, and whether they are those that declare the resource GPU.

    If any worker declares it, and the job may use a GPU, only those that do may have work.
    """
    workers: Mapping[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    with_gpu = [address for address, facts in workers.items() if facts.get("resources", {}).get("GPU")]
    return (with_gpu, True) if on_gpu and with_gpu else (list(workers), False)


def check_workers(client: Client, progress: Progress, files: Sequence[str], folder: str = "", token: str = "") -> None:
    """Wait for a worker, and check that each that is there can do the work.

    Args:
        client: Of the cluster.
        progress: Told that there is no worker, and asked whether to wait.
        files: Files and folders that the work reads.
        folder: Where the workers write, in which a note shows the run's
        token: so it is the same folder, and not another machine's of that name; both empty if they write nothing.

    Raises:
        EngineError: a worker lacks AuxLens, has another version, or does not see the files.
        Canceled: the user did not want to wait.
    """
    told = False
    while not client.scheduler_info(n_workers=-1)["workers"]:
        if not told:
            log.info("The cluster has no worker yet; waiting for one.")
            progress.report(0.0, "Waiting for a worker")
        told = True
        if progress.canceled():
            raise Canceled("Canceled.")
        time.sleep(0.5)
    found = client.run(_looker(), folder, token, files, on_error="return")
    for address, facts in found.items():
        if isinstance(facts, BaseException):
            raise EngineError(f"The worker {address} does not answer as it should: {facts}.") from facts
        where = f"The worker {address} on {facts['host']}"
        version = plugin_version()
        if not facts["version"]:
            raise EngineError(
                f"{where} lacks the package auxlens; install AuxLens {version} into its Python environment."
            )
        if facts["version"] != version:
            raise EngineError(
                f"{where} has AuxLens {facts['version']}, this is {version}; install one version on both."
            )
        if facts["unseen"]:
            raise EngineError(
                f"{where} does not see “{facts['unseen']}”. Models, scenes and the output folder must lie on a file "
                "system that all workers share, under the same path."
            )


def _looker() -> Callable[..., dict[str, str]]:
    """What a worker is asked before the work. A function within a function: it travels as code, not by import."""

    def look(folder: str, token: str, files: Sequence[str]) -> dict[str, str]:
        import os
        import time

        try:
            from auxlens.engine.version import plugin_version

            version = plugin_version()
        except ImportError:
            version = ""
        note, until = os.path.join(folder, ".auxlens.run"), time.monotonic() + 5.0
        unseen = next((file for file in files if not os.path.exists(file)), "")
        while token and not unseen:  # a shared folder may show a new file a moment later
            try:
                with open(note, encoding="utf-8") as file:
                    if token in file.read() and os.access(folder, os.W_OK):
                        break
            except OSError:
                pass
            if time.monotonic() > until:
                unseen = folder
            time.sleep(0.1)
        return {"version": version, "host": socket.gethostname(), "unseen": unseen}

    return look
