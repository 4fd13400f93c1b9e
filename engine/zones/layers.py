"""The explanation layers of one scene, recognised by their tags and read together."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.errors import SceneError
from ...models.members import player_names
from ..jobs import MAP_OUTPUTS, OF_AUXILIARY
from ..scene.bands import BandSource, ModalitySource, bands_of, open_raster
from ..scene.classes import legend
from ..scene.grid import Grid
from ..scene.mapped import mapped_raster, of_one_scene
from ..scene.reading import ModalityReader
from ..scene.tags import JOB, MODEL, MODEL_SHA256
from ..scene.window import Window

log = logging.getLogger("auxlens")

DOMINANT = "dominant player"  # the attributions' last band: the 1-based number of the player that contributes most
_MOST_BANDS = 12  # of a modality; one with more is summarised by the mean over its bands


@dataclass(frozen=True)
class Band:
    """One line of what is read: a band, or the mean of several.

    Attributes:
        output: One of ``MAP_OUTPUTS``.
        name: What the band is called: ``modality:band``, a class, a player.
        unit: Physical unit, or empty.
        categorical: Whether values are numbers of classes or players.
        sources: The bands of the file.
    """

    output: str
    name: str
    unit: str
    categorical: bool
    sources: tuple[BandSource, ...]


@dataclass(frozen=True)
class Layers:
    """Open layers on one grid.

    Attributes:
        grid: The grid.
        bands: What is read, in this order.
        classes: The map's class names by value, as far as the file holds them.
        attributes_map: Whether attributions are those of the mapped class, and not of one class everywhere.
        readers: A reader a file, and its bands.
    """

    grid: Grid
    bands: tuple[Band, ...]
    classes: dict[int, str]
    attributes_map: bool
    readers: tuple[tuple[ModalityReader, tuple[Band, ...]], ...]

    def read(self, window: Window) -> NDArray[np.float32]:
        """``(bands, window.height, window.width)`` float32, NaN where there is no value."""
        values = np.empty((len(self.bands), window.height, window.width), np.float32)
        at = 0
        for reader, bands in self.readers:
            if all(len(band.sources) == 1 for band in bands):
                values[at : at + len(bands)] = reader.read(window)
            else:
                read = reader.read(window)
                first = 0
                for i, band in enumerate(bands):
                    values[at + i] = read[first : first + len(band.sources)].mean(axis=0)
                    first += len(band.sources)
            at += len(bands)
        return values

    def class_name(self, value: int) -> str:
        return self.classes.get(value) or f"class {value}"

    @property
    def players(self) -> tuple[str, ...]:
        """Names of the players, in the order in which the dominant one is numbered."""
        return tuple(player_names([band.name for band in self.bands if band.output == "attribution"]))


def open_layers(paths: Sequence[str], stack: ExitStack) -> Layers:
    """Open layers on ``stack``; rasters that AuxLens did not make are left out with a warning.

    Raises:
        SceneError: unreadable files, none that AuxLens made, two of one output, or different grids.
    """
    rasters = []
    for path in paths:
        raster = mapped_raster(path)
        if raster is None:
            log.warning("“%s” is no layer that “map” made (no tag in the file says so); it is left out.", path)
        else:
            rasters.append(raster)
    if not rasters:
        raise SceneError("None of the layers was made by AuxLens; choose rasters that the algorithm “map” wrote.")
    found = of_one_scene(rasters)
    models = {r.tags.get(MODEL_SHA256, ""): r.tags.get(MODEL, "") for r in rasters}
    if len(models) > 1:
        log.warning(
            "The layers come from different models (%s): they do not speak of one map.", ", ".join(models.values())
        )
    ordered = [found[output] for output in MAP_OUTPUTS if output in found]
    grid = ordered[0].grid
    readers = []
    for raster in ordered:
        bands = _bands(raster.output, raster.path)
        source = ModalitySource(raster.output, tuple(source for band in bands for source in band.sources))
        readers.append((stack.enter_context(ModalityReader(source, grid)), bands))
    classes = legend(found["map"].path)[0] if "map" in found else {}
    attributes_map = "attribution" not in found or not _job(found["attribution"].tags).get("attribution_class")
    bands = tuple(band for _, own in readers for band in own)
    return Layers(grid, bands, classes, attributes_map, tuple(readers))


def _job(tags: Mapping[str, str]) -> Mapping[str, Any]:
    """The job that made a layer; empty where the tag does not say."""
    try:
        job = json.loads(tags.get(JOB, ""))
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}


def _bands(output: str, path: str) -> tuple[Band, ...]:
    with open_raster(path) as dataset:
        units = [unit or "" for unit in dataset.units]
        whole = np.issubdtype(np.dtype(dataset.dtypes[0]), np.integer)
    sources = bands_of(path)
    if output not in OF_AUXILIARY:
        return tuple(
            Band(output, s.name, units[s.number - 1], _is_categorical(output, s, whole), (s,)) for s in sources
        )
    bands = []
    for modality, group in groupby(sources, key=lambda source: source.name.partition(":")[0]):
        own = tuple(group)
        unit = units[own[0].number - 1]
        if len(own) > _MOST_BANDS:
            bands.append(Band(output, modality, unit, False, own))
        else:
            bands += [Band(output, s.name, units[s.number - 1], False, (s,)) for s in own]
    return tuple(bands)


def _is_categorical(output: str, source: BandSource, whole: bool) -> bool:
    return (output == "map" and whole) or (output == "attribution" and source.name == DOMINANT)
