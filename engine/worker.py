"""The engine process: jobs come in on standard input, what happens goes out on standard output, as JSON lines.

``docs/engine.md`` lists the messages. One thread reads requests, one tells progress and signs of life, and the main
thread runs the jobs one after the other, so that no library is imported or used from two threads.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, BinaryIO

from . import jobs
from .failures import known_failure
from .json_text import json_text
from .run import run
from .tuning import tune_process
from .version import plugin_version

TICK_S = 0.1  # progress is told at most this often
HEARTBEAT_S = 2.0
WARM_UP = ("numpy", "rasterio", "torch")


def main() -> None:
    """Serve requests until ``shutdown`` or end-of-file, then end the process."""
    requests, replies = _take_pipes()
    with suppress(ValueError):  # Ctrl-C in QGIS's terminal is for QGIS; it decides what becomes of the engine
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_process()
    Worker(requests, replies).serve()
    # Ends at once: libraries' threads and their clean-up at exit would keep QGIS waiting.
    os._exit(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output away, so that no library can read requests or write into the replies.

    What C code or ``print`` writes to descriptor 1 from now on goes to standard error.
    """
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, replies


class Worker:
    """Runs jobs that are read from ``requests`` and writes ``replies``; see ``serve``."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies
        self._writing = threading.Lock()
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._cancels: dict[str, threading.Event] = {}
        self._job: Any = None  # the one that runs now

    def serve(self) -> None:
        """Say ``ready``, then run jobs until ``shutdown`` or end-of-file."""
        self.say("ready", version=plugin_version(), pid=os.getpid(), python=sys.executable)
        threading.Thread(target=self._read, daemon=True).start()
        self._warm_up()
        while (request := self._waiting.get()) is not None:
            self._run(str(request["id"]), request.get("job"))

    def say(self, kind: str, /, **fields: Any) -> None:
        """Write one message."""
        line = json_text({"type": kind, **fields}, default=str).encode() + b"\n"
        with self._writing:
            try:
                self._replies.write(line)
                self._replies.flush()
            except OSError:
                self._abandon()  # nobody listens any more

    def _warm_up(self) -> None:
        """Import what most jobs need while nothing is asked for."""
        for name in WARM_UP:
            if self._waiting.empty():
                with suppress(Exception):  # told when a job needs it
                    import_module(name)

    def _read(self) -> None:
        for line in self._requests:
            try:
                request = json.loads(line)
                kind = request["type"]
                if kind == "run":
                    self._cancels[str(request["id"])] = threading.Event()
                    self._waiting.put(request)
                elif kind == "cancel":
                    if event := self._cancels.get(str(request["id"])):  # it may have crossed the result
                        event.set()
                elif kind == "shutdown":
                    break
            except (ValueError, KeyError, TypeError) as error:
                self.say("warning", id=None, message=f"The engine did not understand a request: {error!r}.")
        for cancel in list(self._cancels.values()):
            cancel.set()
        self._waiting.put(None)
        time.sleep(jobs.stop_s(self._job))  # the main thread ends the process first, unless its job does not stop
        self._abandon()

    def _abandon(self) -> None:
        """End the process now, without the files that the job has begun."""
        if self._job is not None:
            jobs.remove_parts(self._job, os.getpid())
        os._exit(1)

    def _run(self, name: str, description: Any) -> None:
        progress = _Progress(self._cancels[name])
        with self._telling(name, progress):
            try:
                self._job = jobs.from_json(json.dumps(description))
                result = run(self._job, progress)
            except BaseException as error:  # everything, SystemExit of a library too: the worker must live on
                failure = known_failure(error)
                reply: dict[str, Any] = {"kind": type(failure or error).__name__, "message": str(failure or error)}
                if failure is None:
                    reply["traceback"] = traceback.format_exc()
            else:
                reply = {"result": result}
        self._job = None
        del self._cancels[name]
        self.say("result" if "result" in reply else "error", id=name, **reply)

    @contextmanager
    def _telling(self, name: str, progress: _Progress) -> Iterator[None]:
        """Pass the job's progress and log records on, and give signs of life."""
        ended = threading.Event()
        logger, handler = logging.getLogger("auxlens"), _Handler(self, name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        ticker = threading.Thread(target=self._tick, args=(name, progress, ended), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            ended.set()
            ticker.join()
            logger.removeHandler(handler)

    def _tick(self, name: str, progress: _Progress, ended: threading.Event) -> None:
        beat = time.monotonic()
        last: tuple[float, str] | None = None
        over = False
        while not over:
            over = ended.wait(TICK_S)
            latest = progress.latest
            if latest != last and latest is not None:
                last = latest
                self.say("progress", id=name, fraction=latest[0], message=latest[1])
            if time.monotonic() - beat >= HEARTBEAT_S:
                beat = time.monotonic()
                self.say("heartbeat", id=name)


class _Progress:
    """Keeps what a job reported last; the ticker passes it on, so a job may report as often as it likes."""

    def __init__(self, cancel: threading.Event) -> None:
        self._cancel = cancel
        self.latest: tuple[float, str] | None = None

    def report(self, fraction: float, message: str) -> None:
        self.latest = (min(max(0.0, float(fraction)), 1.0), message)  # in this order NaN is 0

    def canceled(self) -> bool:
        return self._cancel.is_set()


class _Handler(logging.Handler):
    """Sends the job's log records: ``log``, or ``warning`` from WARNING on."""

    def __init__(self, worker: Worker, name: str) -> None:
        super().__init__(logging.INFO)
        self._worker = worker
        self._job = name

    def emit(self, record: logging.LogRecord) -> None:
        kind = "warning" if record.levelno >= logging.WARNING else "log"
        self._worker.say(kind, id=self._job, message=record.getMessage())
