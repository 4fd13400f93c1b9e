"""Write the demo scenes: rasters that open in QGIS, from a seed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import check_seed
from ..demo.causes import Causes, make_causes, no_causes
from ..demo.cover import Cover, burn, make_cover
from ..demo.files import write_bands, write_categories
from ..demo.optics import Sky, sensed, surface_reflectance
from ..demo.radar import backscatter
from ..demo.recipe import land_classes, recipe
from ..demo.relief import Relief, make_relief
from ..demo.styles import category_style, scene_styles
from ..jobs import Canceled, DemoJob, JobError, Progress
from ..textfile import replace_text

_SMALLEST_PX, _LARGEST_PX = 64, 8192
_BYTES_A_PIXEL = 40


def run(job: DemoJob, progress: Progress) -> dict[str, Any]:
    """Write ``scene_01``, ``scene_02``, … into the job's folder.

    Each has ``s2.tif``, ``s1.tif``, ``dem.tif``, ``label.tif`` and ``causes.tif``, and a style beside each. The last
    third of the scenes (one at least) carries the causes of error; the last one has an edge of nodata in ``s2.tif``.

    Returns:
        The folder, the scenes' names, and the share of each cause in each scene.

    Raises:
        JobError: a size, number or seed that makes no sense, a folder that cannot be written, too little disk.
        Canceled: the user asked for it.
    """
    folder = _checked(job)
    names = [f"scene_{number + 1:02d}" for number in range(job.scenes)]
    shares = {}
    for number, name in enumerate(names):
        if progress.canceled():
            raise Canceled("Canceled; scenes already written are kept.")
        progress.report(number / job.scenes, f"Making {name} ({number + 1} of {job.scenes})")
        affected = number >= job.scenes - max(1, job.scenes // 3)
        shares[name] = _write_scene(folder / name, job, number, affected, edge=number == job.scenes - 1)
    progress.report(1.0, f"Wrote {job.scenes} scenes to {folder}")
    return {"outputs": {"folder": str(folder)}, "figures": {"scenes": names, "cause_shares": shares}}


def _checked(job: DemoJob) -> Path:
    if job.scenes < 1:
        raise JobError(f"The number of scenes is 1 or more, found {job.scenes}.")
    if not _SMALLEST_PX <= job.size_px <= _LARGEST_PX:
        raise JobError(f"The size of a scene is {_SMALLEST_PX} to {_LARGEST_PX} pixels, found {job.size_px}.")
    check_seed(job.seed)
    folder = Path(job.output_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JobError(f"The folder “{folder}” cannot be made: {error.strerror}; choose another.") from error
    if not os.access(folder, os.W_OK):
        raise JobError(f"The folder “{folder}” cannot be written to; choose another.")
    needed, free = job.scenes * job.size_px**2 * _BYTES_A_PIXEL, shutil.disk_usage(folder).free
    if free < needed:
        raise JobError(
            f"The demo scenes need about {needed / 1e6:.0f} MB, but “{folder}” has {free / 1e6:.0f} MB left; "
            "free some space or choose another folder."
        )
    return folder


def _write_scene(folder: Path, job: DemoJob, number: int, affected: bool, edge: bool) -> dict[str, float]:
    rng = np.random.default_rng([job.seed, number])
    relief, cover, causes = make_ground(job.size_px, affected, rng)
    sky = Sky(46.0 + 8.0 * rng.random(), 142.0 + 20.0 * rng.random(), causes.haze, causes.shadow)
    s2 = sensed(surface_reflectance(cover, rng), relief, cover, sky, rng)
    if edge:
        s2[:, _beyond_swath(job.size_px)] = 0
    s1 = backscatter(cover, relief, rng)

    data = recipe()
    west, north = data["origin"]
    corner = (west + 1.5 * number * job.size_px * data["gsd_m"], north)
    folder.mkdir(exist_ok=True)
    write_bands(folder / "s2.tif", s2, tuple(data["bands"]), corner, data["gsd_m"], nodata=0)
    write_bands(folder / "s1.tif", s1, tuple(data["radar"]["bands"]), corner, data["gsd_m"], unit="dB")
    write_bands(folder / "dem.tif", relief.elevation[None], ("elevation",), corner, data["gsd_m"], unit="m")
    write_categories(folder / "label.tif", cover.label, "land cover", land_classes(), corner, data["gsd_m"], nodata=0)
    write_categories(folder / "causes.tif", causes.kind, "cause of error", data["causes"], corner, data["gsd_m"])
    categories = {"label": category_style(land_classes()), "causes": category_style(data["causes"])}
    for name, style in {**scene_styles(), **categories}.items():
        replace_text(folder / f"{name}.qml", style)
    return {str(c["name"]): round(float((causes.kind == c["value"]).mean()), 4) for c in data["causes"][1:]}


def make_ground(size: int, affected: bool, rng: np.random.Generator) -> tuple[Relief, Cover, Causes]:
    """Relief, land cover and causes of error of one scene of ``size`` × ``size`` pixels."""
    relief = make_relief(size, recipe()["gsd_m"], rng)
    cover = make_cover(relief, rng)
    if not affected:
        return relief, cover, no_causes(size)
    causes = make_causes(cover, rng)
    return relief, burn(cover, causes.kind == 3, rng), causes


def _beyond_swath(size: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    rows, columns = np.indices((size, size))
    return np.asarray(columns + 0.22 * rows > 1.13 * size)
