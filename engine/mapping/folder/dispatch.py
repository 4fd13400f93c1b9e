"""Dispatch: packs of scenes go to a cluster's workers, outcomes and progress come back.

A worker maps one pack of scenes at a time with as many processors as it has threads, and opens and finishes the files
of another meanwhile. Workers that declare the resource GPU get all the work; two packs share a GPU in this way.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from distributed import Client, get_worker

from ...tuning import tune_process
from .cluster import SchedulerLost
from .lock import is_running
from .tasks import Orders, Outcome, SceneTask

Pack = tuple[SceneTask, ...]

_POLL_S = 0.1
_TELL_S = 0.3
_WORKERS_S = 2.0  # how old the number of workers may be
_PACKS_A_WORKER = 2  # one computes, the other one opens or finishes its files


def each(
    client: Client,
    packs: Iterator[Pack],
    orders: Orders,
    on_gpu: bool,
    tell: Callable[[Mapping[Pack, float]], None],
) -> Iterator[tuple[Pack, list[Outcome] | Exception]]:
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
    flying: dict[Any, tuple[int, Pack]] = {}
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
