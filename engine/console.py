"""Progress and log of a job in a terminal: a bar that a person watches, or plain lines for a file."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .jobs import Progress as JobProgress

LINE_S = 1.0  # plain lines at most this often


@contextmanager
def console_progress() -> Iterator[JobProgress]:
    """A progress on standard error. The first Ctrl-C (or SIGTERM) asks the job to stop, the second interrupts it."""
    console = Console(stderr=True, highlight=False)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    progress = _ConsoleProgress(bar, console)
    logger, handler = logging.getLogger("auxlens"), _Lines(bar.console.print)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        with bar, _interrupts(progress.stop):
            yield progress
    finally:
        logger.removeHandler(handler)


class _ConsoleProgress:
    def __init__(self, bar: Progress, console: Console) -> None:
        self._bar = bar
        self._console = console
        self._task = bar.add_task("Starting …", total=1.0)
        self._stopped = threading.Event()
        self._told = ("", 0.0)  # the last line and when

    def report(self, fraction: float, message: str) -> None:
        self._bar.update(self._task, completed=fraction, description=message)
        if self._bar.disable:
            text, when = self._told
            if message != text and (fraction >= 1.0 or time.monotonic() - when >= LINE_S):
                self._told = (message, time.monotonic())
                _print(self._console.print, f"{100 * fraction:3.0f} %  {message}")

    def canceled(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        if self._stopped.is_set():
            raise KeyboardInterrupt
        self._stopped.set()


class _Lines(logging.Handler):
    def __init__(self, write: Callable[..., None]) -> None:
        super().__init__(logging.INFO)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "Warning: " if record.levelno >= logging.WARNING else ""
        _print(self._write, prefix + record.getMessage())


def _print(write: Callable[..., None], text: str) -> None:
    write(text, markup=False, soft_wrap=True)


@contextmanager
def _interrupts(stop: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
