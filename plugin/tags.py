"""What a raster says of itself: the tags that the engine wrote into it, read without any name of file or layer."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional

from qgis.core import QgsMapLayer, QgsRasterLayer

from ..engine.jobs import MAP_OUTPUTS
from .datasets import tags_in
from .sources import raster_path

_PREFIX = "AUXLENS_"
_ITEM = re.compile(rf"<li>{_PREFIX}([A-Z0-9_]+)=(.*?)</li>", re.DOTALL)


@dataclass(frozen=True)
class Tags:
    """The tags of an output raster.

    Attributes:
        output: Which output it is, one of ``engine.jobs.MAP_OUTPUTS``.
        model: Name of the model.
        model_sha256: SHA-256 of the model file.
        version: Version of the plugin that made it.
        job: The job that made it, as in its JSON; empty where it cannot be read.
        others: Every further tag, by name without ``AUXLENS_``.
    """

    output: str
    model: str = ""
    model_sha256: str = ""
    version: str = ""
    job: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


def tags_of(layer: Optional[QgsMapLayer]) -> Optional[Tags]:
    """The tags of a layer; ``None`` for a layer that ``map`` did not write, or that is no raster.

    QGIS has no function for a raster's tags, but lists them in the layer's properties, of a layer of a reopened project
    as well; that text is what is read here. Of a raster that is rotated or has its south up QGIS shows a copy without
    tags, so that the file itself is asked.
    """
    if not isinstance(layer, QgsRasterLayer) or not layer.isValid():
        return None
    found: Dict[str, str] = dict(_ITEM.findall(layer.dataProvider().htmlMetadata())) or _of_file(layer)
    if found.get("OUTPUT") not in MAP_OUTPUTS:  # correlations and sensitivities have tags too
        return None
    return Tags(
        output=found.pop("OUTPUT"),
        model=found.pop("MODEL", ""),
        model_sha256=found.pop("MODEL_SHA256", ""),
        version=found.pop("VERSION", ""),
        job=_job(found.pop("JOB", "")),
        others=found,
    )


def _of_file(layer: QgsRasterLayer) -> Dict[str, str]:
    path = raster_path(layer)
    if layer.providerType() != "gdal" or not os.path.isfile(path):
        return {}
    return {name[len(_PREFIX) :]: text for name, text in tags_in(path).items() if name.startswith(_PREFIX)}


def _job(text: str) -> Mapping[str, Any]:
    try:
        job = json.loads(text)
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}
