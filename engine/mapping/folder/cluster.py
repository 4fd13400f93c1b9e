"""Workers: a Dask cluster, made on this machine or reached by its scheduler's address.

A worker maps one pack of scenes at a time with as many processors as it has threads, and opens and finishes the files
of another meanwhile. Workers that declare the resource GPU get all the work; two packs share a GPU in this way.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

import dask
import torch
from distributed import Client, LocalCluster, Nanny, Scheduler, SpecCluster, get_worker
from distributed.comm.core import CommClosedError

from ....models.errors import Canceled, EngineError
from ...jobs import MapFolderJob, Progress
from ...tuning import tune_process
from .lock import is_running
from .tasks import Orders, Outcome, SceneTask

log = logging.getLogger("auxlens")

CONNECT_S = 10.0
RETURN_S = 120.0  # how long a lost scheduler is waited for
_POLL_S = 0.1
_TELL_S = 0.3
_WORKERS_S = 2.0  # how old the number of workers may be
_PACKS_A_WORKER = 2  # one computes, the other one opens or finishes its files
_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
_QUIET = {"distributed.worker.profile.enabled": False}  # Dask's profiler looks at all threads a hundred times a second
_BROKEN = (CommClosedError, asyncio.TimeoutError, CancelledError)
# A worker's process does not import this package by itself where it is the plugin's folder and not installed.
_PRELOAD = """from pathlib import Path
from runpy import run_path
run_path({start!r})["register"](Path({root!r}))
"""


class SchedulerLost(Exception):
    """Raised when the connection to the scheduler broke; scenes that were done are done."""


@contextmanager
def connected(job: MapFolderJob, progress: Progress, patience_s: float = CONNECT_S) -> Iterator[Client]:
    """A client of the job's cluster, which is made here where the job names no scheduler.

    Raises:
        EngineError: no scheduler answers within ``patience_s``.
        SchedulerLost: the connection breaks while the client is used.
        Canceled: the user did not want to wait.
    """
    for name in ("distributed", "bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is told by this package
    if job.scheduler:
        client = _reach(job.scheduler, progress, patience_s)
        try:
            yield client
        except _BROKEN as error:
            raise SchedulerLost from error
        finally:
            with suppress(Exception):  # a lost connection cannot be closed
                client.close(timeout=1)
        return
    with dask.config.set(_QUIET), _local(job) as cluster, Client(cluster, set_as_default=False) as client:
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
                raise EngineError(
                    f"No Dask scheduler answers at {address} ({_reason(error)}). Start one with “dask scheduler”, "
                    "correct the address, or leave the scheduler empty to map on this machine."
                ) from error


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _local(job: MapFolderJob) -> SpecCluster:
    """One worker a GPU, or one in this process where there is not more than one device to compute with."""
    gpus = torch.cuda.device_count() if job.device in ("auto", "cuda") else 0
    if gpus > 1:
        return local_processes([{"CUDA_VISIBLE_DEVICES": str(i)} for i in range(gpus)], {"GPU": 1.0})
    return LocalCluster(
        n_workers=1,
        threads_per_worker=torch.get_num_threads(),
        processes=False,
        dashboard_address=None,
        memory_limit=0,
        silence_logs=logging.CRITICAL,
    )


def local_processes(environments: Sequence[Mapping[str, str]], resources: Mapping[str, float]) -> SpecCluster:
    """A cluster on this machine: a process with an environment of its own for each worker; processors are shared."""
    threads = max(1, torch.get_num_threads() // len(environments))
    preload = _PRELOAD.format(start=os.path.join(_ROOT, "engine", "start.py"), root=_ROOT)
    workers = {
        number: {
            "cls": Nanny,
            "options": {
                "nthreads": threads,
                "env": dict(environment),
                "resources": dict(resources),
                "preload": [preload],
                "memory_limit": 0,
                "silence_logs": logging.CRITICAL,
            },
        }
        for number, environment in enumerate(environments)
    }
    options = {"host": "127.0.0.1", "port": 0, "dashboard": False}
    return SpecCluster(workers=workers, scheduler={"cls": Scheduler, "options": options}, silence_logs=logging.CRITICAL)


def check_workers(client: Client, job: MapFolderJob, orders: Orders, progress: Progress) -> None:
    """Wait for a worker, and check that each that is there can do the work.

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
    found = client.run(_looker(), orders.folder, orders.token, [job.model, job.scenes], on_error="return")
    for address, facts in found.items():
        if isinstance(facts, BaseException):
            raise EngineError(f"The worker {address} does not answer as it should: {facts}.") from facts
        where = f"The worker {address} on {facts['host']}"
        if not facts["version"]:
            raise EngineError(
                f"{where} lacks the package auxlens; install AuxLens {orders.version} into its Python environment."
            )
        if facts["version"] != orders.version:
            raise EngineError(
                f"{where} has AuxLens {facts['version']}, this is {orders.version}; install one version on both."
            )
        if facts["unseen"]:
            raise EngineError(
                f"{where} does not see “{facts['unseen']}”. The model, the scenes and the output folder must lie on a "
                "file system that all workers share, under the same path."
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
        while not unseen:  # a shared folder may show a new file a moment later
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


def each(
    client: Client,
    packs: Iterator[tuple[SceneTask, ...]],
    orders: Orders,
    on_gpu: bool,
    tell: Callable[[Mapping[tuple[SceneTask, ...], float]], None],
) -> Iterator[tuple[tuple[SceneTask, ...], list[Outcome] | Exception]]:
    """Have packs mapped; only as many are under way as keep the workers busy.

    Args:
        client: Of the cluster.
        packs: Scenes to map together.
        orders: The run's.
        on_gpu: Whether the job may use one.
        tell: Called ten times a second with the share that is done of each pack under way; may raise ``Canceled``.

    Yields:
        A pack, and its outcomes or what the worker raised.

    Raises:
        SchedulerLost: the scheduler is gone.
    """
    ended: queue.Queue[Any] = queue.Queue()
    shares: dict[int, float] = {}
    flying: dict[Any, tuple[int, tuple[SceneTask, ...]]] = {}
    topic = f"auxlens-{orders.token}"
    client.subscribe_topic(topic, lambda event: shares.update([event[1]]))
    number, workers, looked = 0, _Workers(client, on_gpu), True
    while True:
        while looked and len(flying) < workers.count * _PACKS_A_WORKER:
            pack = next(packs, None)
            if pack is None:
                looked = False
                break
            number += 1
            future = client.submit(
                map_on_worker,
                pack,
                orders,
                number,
                key=f"{topic}-{number}-{time.monotonic_ns()}",
                resources=workers.resources,
                pure=False,
            )
            flying[future] = (number, pack)
            future.add_done_callback(ended.put)
        if not flying:
            return
        tell({pack: shares.get(at, 0.0) for at, pack in flying.values()})
        try:
            future = ended.get(timeout=_POLL_S)
        except queue.Empty:
            if client.status != "running":
                raise SchedulerLost from None
            continue
        if future.status in ("cancelled", "lost"):
            raise SchedulerLost
        _, pack = flying.pop(future)
        error = future.exception() if future.status == "error" else None
        yield pack, error if error is not None else future.result()


class _Workers:
    """How many workers there are that may have work, and what resource they are asked for."""

    def __init__(self, client: Client, on_gpu: bool) -> None:
        self._client = client
        self._on_gpu = on_gpu
        self._looked = float("-inf")
        self._count = 1
        self.resources: dict[str, float] = {}

    @property
    def count(self) -> int:
        if time.monotonic() - self._looked > _WORKERS_S:
            self._looked = time.monotonic()
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
            with_gpu = [worker for worker in workers if worker.get("resources", {}).get("GPU")]
            self.resources = {"GPU": 1.0 / _PACKS_A_WORKER} if self._on_gpu and with_gpu else {}
            self._count = len(with_gpu) if self.resources else len(workers)
        return max(1, self._count)


def map_on_worker(pack: Sequence[SceneTask], orders: Orders, number: int) -> list[Outcome]:
    """The task: map a pack on the worker that runs this."""
    tune_process()
    from .work import map_pack

    worker = get_worker()
    return map_pack(pack, orders, worker.state.nthreads, _WorkerProgress(worker, orders, number))


class _WorkerProgress:
    """Tells the run by an event, and looks at the folder's lock for whether it goes on."""

    def __init__(self, worker: Any, orders: Orders, number: int) -> None:
        self._worker, self._orders, self._number = worker, orders, number
        self._told = self._looked = float("-inf")
        self._over = False

    def report(self, fraction: float, message: str) -> None:
        if time.monotonic() - self._told > _TELL_S:
            self._told = time.monotonic()
            self._worker.log_event(f"auxlens-{self._orders.token}", (self._number, fraction))

    def canceled(self) -> bool:
        if time.monotonic() - self._looked > _TELL_S:
            self._looked = time.monotonic()
            self._over = not is_running(self._orders.folder, self._orders.token)
        return self._over
