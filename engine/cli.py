"""The command line: the jobs, with options and help made from their dataclasses.

Ends with exit code 0, 3 where a part of the work failed and the rest was done, 2 for an error that the user can mend,
130 when canceled, 1 for a fault of AuxLens.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from . import jobs
from .console import console_progress
from .failures import known_failure
from .json_text import json_text
from .options import absolute, job_of, options_of
from .run import run
from .tuning import tune_process
from .version import plugin_version


@dataclass(frozen=True)
class JobFile:
    """Run a job that is written as JSON, as QGIS sends it: its kind under “job”, beside its fields.

    Attributes:
        path: JSON file, or - to read standard input.
    """

    path: tyro.conf.Positional[str]


_COMMANDS: dict[str, Any] = {**{name: options_of(job) for name, job in jobs.JOBS.items()}, "run": JobFile}
_DESCRIPTION = (
    f"AuxLens {plugin_version()}: maps satellite scenes with multitask networks, and explains where and why a map is "
    "wrong. auxlens COMMAND --help lists a command's options. --json, anywhere, prints the result as JSON."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    command = _parse([word for word in words if word != "--json"])
    sys.exit(execute(command, as_json))


def execute(command: Any, as_json: bool = False) -> int:
    """Run a job or a job file; tells errors on standard error, the result on standard output.

    Returns:
        The exit code.
    """
    tune_process()
    job: Any = None
    try:
        job = absolute(_job(command))
        with console_progress() as progress:
            result = run(job, progress)
    except BaseException as error:
        if job is not None:
            jobs.remove_parts(job, os.getpid())
        failure = known_failure(error)
        if failure is None:
            raise
        print(f"auxlens: {failure}", file=sys.stderr)
        return 130 if isinstance(failure, jobs.Canceled) else 2
    if as_json:
        print(json_text(result, default=str))
    else:
        for name, value in (*result.get("outputs", {}).items(), *_flat(result.get("figures", {}))):
            if value not in ("", None):
                print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    if "incomplete" in result:
        print(f"auxlens: {result['incomplete']}", file=sys.stderr)
        return 3
    return 0


def _parse(words: list[str]) -> Any:
    return tyro.extras.subcommand_cli_from_dict(
        _COMMANDS, prog="auxlens", description=_DESCRIPTION, args=words, config=()
    )


def _job(command: Any) -> Any:
    if not isinstance(command, JobFile):
        return job_of(command)
    try:
        if command.path == "-":
            text = sys.stdin.read()
        else:
            with open(command.path, encoding="utf-8") as file:
                text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise jobs.JobError(f"The job file “{command.path}” cannot be read: {error}.") from error
    return jobs.from_json(text)


def _flat(figures: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Nested figures as ``(name, value)`` with names joined by a blank."""
    found: list[tuple[str, Any]] = []
    for name, value in figures.items():
        found += _flat(value, f"{prefix}{name} ") if isinstance(value, dict) else [(f"{prefix}{name}", value)]
    return found


if __name__ == "__main__":
    main()
