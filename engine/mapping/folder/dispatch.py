"""Dispatch: packs of scenes, or strips of large ones, go to a cluster's workers, outcomes and progress come back.

A worker maps one pack of scenes at a time with as many processors as it has threads, and opens and finishes the files
of another meanwhile. Workers that declare the resource GPU get all the work; two packs share a GPU in this way. The
strips of a scene are tasks too, and one more that takes what became of them joins them; of those that are lost with a
worker, Dask sees to the repetition.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from statistics import fmean
from typing import Any

from distributed import Client, get_worker

from ...cluster.following import TELL_S, Telling, next_ended
from ...cluster.workers import able
from ...tuning import tune_process
from .lock import is_running
from .packs import Pack
from .tasks import Orders, Outcome, Rows, SceneTask

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
    flying: dict[Any, tuple[Sequence[int], Pack]] = {}  # a pack's future: the numbers of its tasks, and the pack
    topic, numbers = _topic(orders), count(1)
    client.subscribe_topic(topic, lambda event: shares.update([event[1]]))
    workers, looked = _Workers(client, on_gpu), True

    def submit(function: Callable[..., Any], *work: Any) -> tuple[int, Any]:
        number = next(numbers)
        key = f"{topic}-{number}-{time.monotonic_ns()}"
        return number, client.submit(function, *work, orders, number, key=key, resources=workers.resources, pure=False)

    def begin(pack: Pack) -> tuple[Sequence[int], Any]:
        strips = [submit(map_strip_on_worker, pack[0], strip) for strip in pack[0].strips]
        if not strips:
            number, future = submit(map_on_worker, pack)
            return [number], future
        _, joined = submit(join_on_worker, pack[0], [future for _, future in strips])
        return [number for number, _ in strips], joined

    while True:
        while looked and sum(len(tasks) for tasks, _ in flying.values()) < workers.count * _PACKS_A_WORKER:
            pack = next(packs, None)
            if pack is None:
                looked = False
                break
            tasks, future = begin(pack)
            flying[future] = (tasks, pack)
            future.add_done_callback(ended.put)
        if not flying:
            return
        tell({pack: fmean(shares.get(number, 0.0) for number in tasks) for tasks, pack in flying.values()})
        future = next_ended(client, ended)
        if future is None:
            continue
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
            found, gpu = able(self._client, self._on_gpu)
            self._count, self.resources = len(found), {"GPU": 1.0 / _PACKS_A_WORKER} if gpu else {}
        return max(1, self._count)


def map_on_worker(pack: Sequence[SceneTask], orders: Orders, number: int) -> list[Outcome]:
    """The task: map a pack on the worker that runs this."""
    tune_process()
    from .work import map_pack

    worker = get_worker()
    return map_pack(pack, orders, worker.state.nthreads, _WorkerProgress(worker, orders, number))


def map_strip_on_worker(task: SceneTask, strip: Rows, orders: Orders, number: int) -> Outcome:
    """The task: map a strip of a scene on the worker that runs this."""
    tune_process()
    from .work import map_strip

    worker = get_worker()
    return map_strip(task, strip, orders, worker.state.nthreads, _WorkerProgress(worker, orders, number))


def join_on_worker(task: SceneTask, strips: Sequence[Outcome], orders: Orders, number: int) -> list[Outcome]:
    """The task: put a scene together on the worker that runs this, when all its strips are mapped."""
    tune_process()
    from .work import join_strips

    return join_strips(task, strips, orders, _WorkerProgress(get_worker(), orders, number))


class _WorkerProgress(Telling):
    """The folder's lock says whether the run goes on."""

    def __init__(self, worker: Any, orders: Orders, number: int) -> None:
        super().__init__(worker, _topic(orders), number)
        self._orders = orders
        self._looked = float("-inf")
        self._over = False

    def canceled(self) -> bool:
        if time.monotonic() - self._looked > TELL_S:
            self._looked = time.monotonic()
            self._over = not is_running(self._orders.folder, self._orders.token)
        return self._over


def _topic(orders: Orders) -> str:
    return f"auxlens-{orders.token}"
