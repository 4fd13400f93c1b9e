"""Following: how a run hears of its tasks on a cluster: of their progress by events, of their ends by a queue."""

from __future__ import annotations

import queue
import time
from typing import Any

from distributed import Client

from .workers import SchedulerLost

POLL_S = 0.1  # so that a cancel is heard
TELL_S = 0.3


def next_ended(client: Client, ended: queue.Queue[Any]) -> Any | None:
    """The next future that has ended, or ``None`` if none does for a moment.

    Args:
        client: Of the cluster.
        ended: Where futures put themselves when they are done.

    Raises:
        SchedulerLost: the scheduler is gone.
    """
    try:
        future = ended.get(timeout=POLL_S)
    except queue.Empty:
        if client.status != "running":
            raise SchedulerLost from None
        return None
    if future.status in ("cancelled", "lost"):
        raise SchedulerLost
    return future


class Telling:
    """The half of a task's progress that is alike in all runs: it is told by an event, as a number and a share."""

    def __init__(self, worker: Any, topic: str, number: int) -> None:
        self._worker, self._topic, self._number = worker, topic, number
        self._told = float("-inf")

    def report(self, fraction: float, message: str) -> None:
        if time.monotonic() - self._told > TELL_S:
            self._told = time.monotonic()
            self._worker.log_event(self._topic, (self._number, fraction))
