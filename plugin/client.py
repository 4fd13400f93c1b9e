"""Runs jobs in the engine process and keeps one engine warm for the QGIS session.

``docs/engine.md`` lists the messages that the two exchange. Standard library only, and nothing here waits without
asking the feedback for cancel.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import Any, Callable, Deque, Dict, Iterator, Optional

from ..engine import jobs
from . import interpreter, isolation

POLL_S = 0.05
LEFTOVERS_S = 1.0  # Windows holds files back for a moment after their process has ended
SILENCE_S = 60.0
START = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "engine", "start.py")

_ERRORS = {
    error.__name__: error
    for error in (
        jobs.AuxLensError,
        jobs.Canceled,
        jobs.DeviceError,
        jobs.EngineError,
        jobs.JobError,
        jobs.ModelFileError,
        jobs.SceneError,
    )
}


class Engine:
    """One engine process.

    Args:
        python: The Python that runs it.
        script: What it runs.

    Raises:
        EngineError: the process cannot be started.
    """

    def __init__(self, python: str, script: str = START) -> None:
        self.python = python
        self.messages: queue.Queue[Dict[str, Any]] = queue.Queue()
        self._complaints: Deque[str] = deque(maxlen=20)
        self._jobs = 0
        self._job: Any = None  # the one that runs now
        self._stopping = False
        self._pid = 0
        try:
            self._process = isolation.start(
                [python, "-I", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise jobs.EngineError(
                f"The engine's Python “{python}” cannot be started ({error.strerror or error}); choose another one or "
                "set up the engine under Settings ▸ Options ▸ AuxLens."
            ) from error
        self._requests: Any = self._process.stdin
        self._readers = [
            threading.Thread(target=self._read_messages, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_complaints, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Process id, as the engine says itself: on Windows an environment's ``python.exe`` only starts another."""
        return self._pid or self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def run(self, job: Any, feedback: Any) -> Dict[str, Any]:
        """Run a job; see ``run_job``. Nobody else may use this engine meanwhile."""
        self._job = job
        try:
            return self._run(job, feedback)
        finally:
            self._job = None

    def _run(self, job: Any, feedback: Any) -> Dict[str, Any]:
        self._jobs += 1
        name = str(self._jobs)
        self._send({"type": "run", "id": name, "job": json.loads(jobs.to_json(job))})
        kill_at = float("inf")
        heard = time.monotonic()
        told = ""
        while True:
            now = time.monotonic()
            if now > kill_at:
                self._end(job)
                raise jobs.Canceled("Canceled.")
            if kill_at == float("inf") and feedback.isCanceled():
                self._send({"type": "cancel", "id": name})
                kill_at = now + jobs.stop_s(job)
            ended = not self.alive
            if ended:  # what it said before comes first
                self._readers[0].join(1.0)
            try:
                message = self.messages.get(timeout=POLL_S)
            except queue.Empty:
                if ended and self._stopping:
                    raise jobs.Canceled("Canceled.") from None
                if ended:
                    raise self._death(job) from None
                if now - heard > SILENCE_S:
                    heard = now
                    feedback.pushWarning(
                        f"The engine has said nothing for {SILENCE_S:.0f} s; it may be short of memory. "
                        "Wait, or cancel: that ends it."
                    )
                continue
            heard = now
            kind = message.get("type")
            if message.get("id") not in (None, name):
                continue
            if kind == "progress":
                feedback.setProgress(100.0 * message["fraction"])
                if message["message"] != told:
                    told = message["message"]
                    feedback.setProgressText(told)
            elif kind == "log":
                feedback.pushInfo(message["message"])
            elif kind == "warning":
                feedback.pushWarning(message["message"])
            elif kind == "result":
                return dict(message["result"])
            elif kind == "error":
                raise _error(message, feedback)

    def stop(self) -> None:
        """End the process: ask, which cancels a job that runs, then kill."""
        job, self._stopping = self._job, True
        self._send({"type": "shutdown"})
        with suppress(OSError):
            self._requests.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5 if job is None else jobs.stop_s(job) + 0.3)
        self._end(job)

    def _end(self, job: Any) -> None:
        """Kill the process, and delete what it began where it was in the middle of a job."""
        isolation.kill(self._process)
        until = time.monotonic() + LEFTOVERS_S
        while job is not None and not jobs.remove_parts(job, self.pid) and time.monotonic() < until:
            time.sleep(POLL_S)

    def _send(self, request: Dict[str, Any]) -> None:
        # That the process is no more is told by ``run``, with the reason.
        with suppress(OSError, ValueError):
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()

    def _read_messages(self, stream: Any) -> None:
        for line in stream:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if not isinstance(message, dict):
                self._complaints.append(line.decode("utf-8", "replace").rstrip())
            else:
                if message.get("type") == "ready":
                    self._pid = int(message["pid"])
                self.messages.put(message)

    def _read_complaints(self, stream: Any) -> None:
        for line in stream:
            self._complaints.append(line.decode("utf-8", "replace").rstrip())

    def _death(self, job: Any) -> jobs.EngineError:
        """Why the process is no more, for the user; deletes what it began."""
        self._readers[1].join(1.0)
        self._end(job)
        code = self._process.returncode
        last = next((line for line in reversed(self._complaints) if line.strip()), "")
        said = f" It last said: “{last}”." if last else ""
        if code == -getattr(signal, "SIGKILL", 9) or code == 137:
            return jobs.EngineError(
                "The engine was killed in the middle of the job, probably because the computer ran out of memory. "
                "Choose a smaller tile size or batch size 1, close other programs, and run again." + said
            )
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return jobs.EngineError(
            f"The engine ended unexpectedly ({how}).{said} Run again; if it happens once more, set up the engine "
            f"anew under Settings ▸ Options ▸ AuxLens (its Python is “{self.python}”)."
        )


_one_job = threading.Lock()
_starting = threading.Lock()  # held while the engine is started, and while it is taken away
_engine: Optional[Engine] = None
_closed = False  # since the plugin was unloaded: jobs that waited until then must not start an engine
_find: Callable[[], str] = interpreter.find


def configure(find: Callable[[], str]) -> None:
    """Say how the engine's Python is found, and take jobs; ``find`` raises ``EngineError`` where there is none."""
    global _find, _closed
    _find, _closed = find, False


def run_job(job: Any, feedback: Any) -> Dict[str, Any]:
    """Run a job in the engine, which is started if it does not run, and stays for the next job.

    Called from a background thread; a second caller waits for its turn.

    Args:
        job: One of ``engine.jobs.JOBS``.
        feedback: Like a ``QgsProcessingFeedback``: ``setProgress`` (0–100), ``setProgressText``, ``pushInfo``,
            ``pushWarning``, ``pushDebugInfo``, ``isCanceled``.

    Returns:
        ``outputs``: path by name; ``figures``: number by name.

    Raises:
        AuxLensError: the engine's own error, rebuilt; ``EngineError`` where the engine is missing, cannot start or
            died; ``Canceled`` at most half a second after the job's ``jobs.stop_s``, or after ``shutdown``.
    """
    _wait_for_turn(feedback, feedback.setProgressText)
    try:
        return _engine_of(_find()).run(job, feedback)
    finally:
        _one_job.release()


@contextmanager
def at_rest(feedback: Any) -> Iterator[None]:
    """Within it no engine runs: the job that runs is waited for, and others wait.

    Args:
        feedback: Is told that it waits (``pushInfo``) and asked for cancel (``isCanceled``).

    Raises:
        Canceled: the user canceled the waiting.
    """
    _wait_for_turn(feedback, feedback.pushInfo)
    try:
        _end()
        yield
    finally:
        _one_job.release()


def shutdown() -> None:
    """End the engine, and take no job before ``configure``. Called when the plugin is unloaded and when QGIS ends."""
    global _closed
    _closed = True
    _end()


def _wait_for_turn(feedback: Any, tell: Callable[[str], None]) -> None:
    """Take ``_one_job``."""
    waiting = False
    while not _one_job.acquire(timeout=POLL_S):
        if feedback.isCanceled():
            raise jobs.Canceled("Canceled.")
        if not waiting:
            waiting = True
            tell("Waiting for another AuxLens job to end …")


def _engine_of(python: str) -> Engine:
    """The engine, started where it does not run yet, or with another Python."""
    global _engine
    with _starting:
        if _closed:
            raise jobs.Canceled("Canceled, because AuxLens was unloaded.")
        if _engine is not None and (not _engine.alive or _engine.python != python):
            _engine.stop()
            _engine = None
        if _engine is None:
            _engine = Engine(python)
        return _engine


def _end() -> None:
    global _engine
    with _starting:
        engine, _engine = _engine, None
    if engine is not None:
        engine.stop()


def _error(message: Dict[str, Any], feedback: Any) -> jobs.AuxLensError:
    error = _ERRORS.get(message["kind"])
    if error is not None:
        return error(message["message"])
    feedback.pushDebugInfo(message.get("traceback", ""))
    return jobs.EngineError(
        f"Something unexpected happened in the engine ({message['kind']}: {message['message']}). This is a fault of "
        "AuxLens; please report it with the log."
    )


atexit.register(shutdown)
