"""Rasters that ``map`` wrote, recognised by their tags and never by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...models.errors import SceneError
from ..jobs import MAP_OUTPUTS
from .bands import open_raster
from .grid import Grid, grid_of
from .tags import OUTPUT


@dataclass(frozen=True)
class Mapped:
    """One output of ``map``: which of ``MAP_OUTPUTS``, its file, its grid and all its tags."""

    output: str
    path: str
    grid: Grid
    tags: Mapping[str, str]


def mapped_raster(path: str) -> Mapped | None:
    """What a raster says it is; ``None`` where no tag says that ``map`` wrote it.

    Raises:
        SceneError: it cannot be read.
    """
    with open_raster(path) as dataset:
        tags, grid = dataset.tags(), grid_of(dataset)
    output = tags.get(OUTPUT, "")
    return Mapped(output, path, grid, tags) if output in MAP_OUTPUTS else None


def of_one_scene(rasters: Iterable[Mapped]) -> dict[str, Mapped]:
    """Rasters by output, in their order.

    Raises:
        SceneError: two of one output, or rasters that do not lie on one grid.
    """
    found: dict[str, Mapped] = {}
    for raster in rasters:
        other = found.get(raster.output)
        if other is not None:
            raise SceneError(
                f"“{other.path}” and “{raster.path}” are both of the output “{raster.output.replace('_', ' ')}”; "
                "choose the layers of one scene and one run."
            )
        found[raster.output] = raster
    first = next(iter(found.values()), None)
    for raster in found.values():
        if first is not None and not first.grid.aligned_with(raster.grid):
            raise SceneError(
                f"The layers “{first.path}” ({_size(first.grid)}) and “{raster.path}” ({_size(raster.grid)}) do not "
                "lie on one grid; choose the layers of one scene and one run."
            )
    return found


def _size(grid: Grid) -> str:
    west, south, east, north = (f"{value:.8g}" for value in grid.bounds)
    return f"{grid.height} × {grid.width} pixels from {west}, {south} to {east}, {north}"
