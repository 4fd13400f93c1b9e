"""The zonalexplanation job: the explanation layers of a scene, polygon by polygon."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import Any

from ..checks import check_zonal
from ..jobs import Progress, ZonalJob, outputs_of
from ..scene.classes import PALETTE, legend
from ..scene.geopackage import write_geopackage
from ..scene.writing import check_writable
from ..zones.figures import deviations, table
from ..zones.gather import gather
from ..zones.layers import Layers, open_layers
from ..zones.polygons import read_zones
from ..zones.sentences import sentence
from ..zones.style import qml
from ..zones.writing import joined, write_csv

log = logging.getLogger("auxlens")

_LAYER = "zones"


def run(job: ZonalJob, progress: Progress) -> dict[str, Any]:
    """Summarise the layers of a scene by polygon.

    Returns:
        ``outputs``: the files written, by name; ``figures``: polygons, how many of them are mapped, seconds.

    Raises:
        AuxLensError: layers or polygons do not fit together, or the outputs cannot be written.
        Canceled: stopped by the user; nothing is written.
    """
    started = time.perf_counter()
    check_zonal(job)
    outputs = dict(outputs_of(job))
    check_writable(list(outputs.values()))
    with ExitStack() as stack:
        layers = open_layers(job.rasters, stack)
        progress.report(0.0, "Reading the polygons")
        zones = read_zones(job.polygons, layers.grid)
        sums = gather(layers, zones.shapes, progress)
    progress.report(1.0, "Writing")
    off = deviations(layers.bands, sums, len(zones.sizes))
    figures = table(layers, sums, zones.sizes, off)
    figures["sentence"] = [
        sentence(layers, sums.get(i), size, {modality: values[i] for modality, values in off.items()})
        for i, size in enumerate(zones.sizes)
    ]
    result, columns = joined(zones.frame, figures)
    if "zones" in outputs:
        style = qml(columns, _colors(layers))
        write_geopackage(outputs["zones"], result, _LAYER, style, "AuxLens")
    if "table" in outputs:
        write_csv(outputs["table"], result)
    mapped = int((figures["mapped_share"] > 0).sum())
    log.info("%d of %d polygons are mapped, in part at least.", mapped, len(figures))
    seconds = round(time.perf_counter() - started, 3)
    return {"outputs": outputs, "figures": {"polygons": len(figures), "mapped": mapped, "seconds": seconds}}


def _colors(layers: Layers) -> dict[str, str]:
    """Colours of the map's classes, by name."""
    path = next((band.sources[0].path for band in layers.bands if band.output == "map" and band.categorical), "")
    colors = legend(path)[1] if path else {}
    return {
        name: colors.get(value, PALETTE[i % len(PALETTE)]) for i, (value, name) in enumerate(layers.classes.items())
    }
