"""Spread: pieces of work that do not depend on each other, done here one by one, or side by side on a cluster."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from distributed import Client, get_worker
from distributed.scheduler import KilledWorker

from ...models.errors import Canceled, EngineError
from ..jobs import Progress
from ..progress import Part
from ..tuning import tune_process
from .following import Telling, next_ended
from .workers import SchedulerLost, able, check_workers, connected

log = logging.getLogger("auxlens")

_one_at_a_time = threading.Lock()  # in a worker: each call computes with all of its threads


@dataclass(frozen=True)
class Call:
    """A piece of work: ``function(*arguments, progress)``, a function of a module and values that can travel."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


def spread(calls: Sequence[Call], scheduler: str, device: str, files: Sequence[str], progress: Progress) -> list[Any]:
    """Do all calls.

    Args:
        calls: Each gives the same wherever it is done, but for the number of threads.
        scheduler: Address of a Dask scheduler; empty to do one after the other in this process.
        device: What the calls compute with, as a job has it.
        files: What they read: every worker must see it.
        progress: Of all calls together.

    Returns:
        What the calls gave, in their order.

    Raises:
        Canceled: the user asked to stop.
        EngineError: no scheduler, workers that cannot do the work, or a cluster that is lost.
        Exception: what a call raised.
    """
    if not scheduler:
        return [_here(call, number, len(calls), progress) for number, call in enumerate(calls)]
    try:
        with connected(scheduler, device, progress) as client:
            check_workers(client, progress, files)
            return _there(client, calls, device != "cpu", progress)
    except SchedulerLost as error:
        raise EngineError(f"The connection to the Dask scheduler {scheduler} is lost; run again.") from error
    except KilledWorker as error:
        raise EngineError(
            "Several workers were lost at the same piece of work, one after the other; look into their logs, for "
            "example for a full memory."
        ) from error


def _here(call: Call, number: int, count: int, progress: Progress) -> Any:
    if progress.canceled():
        raise Canceled("Canceled.")
    log.info("%d of %d: %s.", number + 1, count, call.name)
    return call.function(*call.arguments, Part(progress, number / count, 1 / count, call.name))


def _there(client: Client, calls: Sequence[Call], on_gpu: bool, progress: Progress) -> list[Any]:
    """Keep each worker busy with one call at a time."""
    topic = f"auxlens-{uuid.uuid4().hex}"
    shares: dict[int, float] = {}
    client.subscribe_topic(topic, lambda event: shares.update([event[1]]))
    ended: queue.Queue[Any] = queue.Queue()
    waiting, flying, results = iter(enumerate(calls)), dict[Any, tuple[int, str]](), dict[int, Any]()
    while len(results) < len(calls):
        busy = {worker for _, worker in flying.values()}
        idle = [worker for worker in able(client, on_gpu)[0] if worker not in busy]
        for worker, (number, call) in zip(idle, itertools.islice(waiting, len(idle)), strict=False):
            log.info("%d of %d: %s, on %s.", number + 1, len(calls), call.name, worker)
            future = client.submit(
                _on_worker, call, topic, number, workers=[worker], allow_other_workers=True, pure=False
            )
            flying[future] = (number, worker)
            future.add_done_callback(ended.put)
        done = next_ended(client, ended)
        if done is not None:
            number, _ = flying.pop(done)
            results[number] = done.result()
        if progress.canceled():
            raise Canceled("Canceled.")
        under_way = sum(shares.get(number, 0.0) for number, _ in flying.values())
        progress.report((len(results) + under_way) / len(calls), f"{len(results)} of {len(calls)} done")
    return [results[number] for number in range(len(calls))]


def _on_worker(call: Call, topic: str, number: int) -> Any:
    tune_process()
    worker = get_worker()
    with _one_at_a_time:
        torch.set_num_threads(worker.state.nthreads)
        return call.function(*call.arguments, _WorkerProgress(worker, topic, number))


class _WorkerProgress(Telling):
    """The run is over when the scheduler no longer wants the task's result."""

    def __init__(self, worker: Any, topic: str, number: int) -> None:
        super().__init__(worker, topic, number)
        self._task = worker.get_current_task()

    def canceled(self) -> bool:
        task = self._worker.state.tasks.get(self._task)
        return task is None or task.state != "executing"
