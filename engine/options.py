"""The jobs as the command line shows and takes them: choices, kinds of value and defaults that a person can read."""

from __future__ import annotations

import os
from dataclasses import MISSING, Field, asdict, field, fields, make_dataclass, replace
from typing import Annotated, Any, Literal, get_args, get_type_hints

import tyro

from ..models.members import absolute_paths
from . import jobs
from .paths import split_options

_CHOICES = {
    "task": jobs.TASKS,
    "strategy": jobs.STRATEGIES,
    "size": jobs.SIZES,
    "precision": jobs.PRECISIONS,
}
_LISTS: dict[str, Any] = {"layers": tuple[Literal[jobs.MAP_OUTPUTS], ...]}  # type: ignore[valid-type]
_METAVARS = {
    "map": "FILE",
    "mask": "FILE",
    "model": "FILE",
    "output_folder": "FOLDER",
    "polygons": "FILE",
    "probability": "FILE",
    "reference": "FILE",
    "scenes": "FOLDER",
    "test_scenes": "FOLDER",
    "uncertainty": "FILE",
}


def options_of(job: type) -> type:
    """A dataclass with a job's fields, defaults and docs, annotated for tyro; ``job_of`` turns its value back."""
    types = get_type_hints(job)
    annotated: list[Any] = [(f.name, *_option(f, types[f.name])) for f in fields(job)]
    options = make_dataclass(job.__name__, annotated, bases=(job,), frozen=True)
    options.__doc__ = job.__doc__
    return options


def job_of(options: Any) -> Any:
    """The job that a value of an ``options_of`` class stands for."""
    return type(options).__mro__[1](**asdict(options))


def absolute(job: Any) -> Any:
    """The job with absolute paths: outputs keep it in their tags, and are read from other folders."""
    types = get_type_hints(type(job))
    places = [f.name for f in fields(job) if f.name not in _LISTS and _is_place(_metavar(f.name, types[f.name]))]
    return replace(job, **{name: _absolute(name, getattr(job, name)) for name in places})


def _is_place(metavar: str | None) -> bool:
    return metavar is not None and metavar.startswith(("FILE", "FOLDER"))


def _absolute(name: str, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(value, tuple):
        named = [jobs.split_name(text) for text in value]
        return tuple(f"{modality}={_path(path)}" if modality else _path(path) for modality, path in named)
    return absolute_paths(value) if name == "model" else _path(value)


def _path(text: str) -> str:
    if not text or os.path.isabs(text):
        return text
    file, layer = split_options(text)
    if ":" in file[2:] and not os.path.exists(file):  # a URL or a part of a file, which GDAL alone knows
        return text
    return os.path.abspath(file) + layer


def _option(f: Field[Any], kind: Any) -> tuple[Any, Any]:
    """A field's annotated type and its dataclass field."""
    required = f.default is MISSING
    if f.name in _CHOICES:
        kind = Literal[_CHOICES[f.name]]
    elif f.name in _LISTS:
        kind = _LISTS[f.name]
    shown = tyro.conf.arg(
        metavar=_metavar(f.name, kind),
        help_behavior_hint="" if f.default in ("", (), None) else None,  # an empty default says nothing
    )
    return Annotated[kind, shown], (field() if required else field(default=f.default))


def _metavar(name: str, kind: Any) -> str | None:
    if get_args(kind) == (str, ...):
        return "FILE [FILE …]"
    if kind is str:
        return _METAVARS.get(name, "FILE" if name.startswith("output_") else "TEXT")
    return "WEST SOUTH EAST NORTH" if name == "extent" else None
