"""The STAC catalog of a mapped folder: an item a scene, one for the model, and the catalog that links them.

Items use the extensions projection, raster, classification and file; the model's item uses MLM. A scene's item is
also the record that the scene is complete (``tasks.finished``), so it is written after everything else.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pystac
from pystac.extensions.classification import Classification, ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.mlm import (
    AssetGeneralMLMExtension,
    InputStructure,
    MLMExtension,
    ModelBand,
    ModelInput,
    ModelOutput,
    ResultStructure,
    TaskType,
)
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import DataType, RasterBand, RasterExtension

from ....models.card import Card, LandClass, Modality
from ....models.members import paths_of
from ...jobs import split_name
from ...json_text import json_text
from ...scene.grid import Grid, bounds_on_earth
from ...scene.writing import Layer
from ...textfile import replace_text
from ...version import plugin_version
from .tasks import Outcome, SceneTask, item_of

CATALOG, MODEL = "catalog.json", "model.json"
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?:[T_]?([01]\d|2[0-3])(\d\d)(\d\d))?"
)


def write_item(
    task: SceneTask, card: Card, grid: Grid, layers: Mapping[str, Layer], thumbnail: str, outcome: Outcome
) -> None:
    """Write a scene's item; with it the scene is complete."""
    place = bounds_on_earth(grid)
    bbox = None if place is None else list(place)
    when, source = _datetime(task)
    properties = {
        "created": _now(),
        "auxlens:key": task.key,
        "auxlens:figures": dict(outcome.figures),
        "auxlens:seconds": outcome.seconds,
        "auxlens:message": outcome.message,
        "auxlens:datetime_from": source,
        "auxlens:version": plugin_version(),
    }
    item = pystac.Item(task.name, _outline(bbox) if bbox else None, bbox, when, properties)
    projection = ProjectionExtension.ext(item, add_if_missing=True)
    code = grid.crs.to_epsg() if grid.crs else None
    projection.apply(
        epsg=code,
        wkt2=grid.crs.to_wkt() if grid.crs and not code else None,
        shape=[grid.height, grid.width],
        transform=list(grid.transform)[:6],
    )
    for name, layer in layers.items():
        _add_layer(item, name, layer)
    item.add_asset("thumbnail", _asset(thumbnail, "Thumbnail", "image/png", ["thumbnail"]))
    for asset in item.assets.values():
        size = os.path.getsize(os.path.join(os.path.dirname(thumbnail), asset.href))
        FileExtension.ext(asset, add_if_missing=True).apply(size=size)
    item.add_link(pystac.Link("derived_from", f"../{MODEL}", "application/geo+json", title=card.name))
    for rel in ("root", "parent"):
        item.add_link(pystac.Link(rel, f"../{CATALOG}", "application/json"))
    root = os.path.dirname(os.path.dirname(thumbnail))
    _write(os.path.join(root, item_of(task.name)), item)


def write_catalog(folder: str, names: Sequence[str], card: Card, model: str) -> None:
    """Write the model's item and the catalog of the scenes that have items."""
    _write(os.path.join(folder, MODEL), _model_item(card, model))
    catalog = pystac.Catalog(
        "auxlens", f"Scenes mapped with the model “{card.name}” by AuxLens {plugin_version()}.", title=card.name
    )
    catalog.add_link(pystac.Link("root", f"./{CATALOG}", "application/json"))
    catalog.add_link(pystac.Link("item", f"./{MODEL}", "application/geo+json", title=card.name))
    for name in names:
        catalog.add_link(pystac.Link("item", f"./{item_of(name)}", "application/geo+json", title=name))
    _write(os.path.join(folder, CATALOG), catalog)


def _add_layer(item: pystac.Item, name: str, layer: Layer) -> None:
    title = name.replace("_", " ")
    asset = _asset(layer.path, title[:1].upper() + title[1:], pystac.MediaType.GEOTIFF, ["data", name])
    item.add_asset(name, asset)
    units = layer.units or ("",) * len(layer.bands)
    nodata: Any = "nan" if math.isnan(layer.nodata) else layer.nodata
    bands = [RasterBand.create(nodata=nodata, data_type=DataType(layer.dtype), unit=unit or None) for unit in units]
    RasterExtension.ext(asset, add_if_missing=True).apply(bands=bands)
    asset.extra_fields["bands"] = [{"name": band} for band in layer.bands]
    if layer.classes:
        ClassificationExtension.ext(asset, add_if_missing=True).apply([_classification(c) for c in layer.classes])


def _classification(c: LandClass) -> Classification:
    name = re.sub(r"[^0-9A-Za-z-]+", "_", c.name).strip("_") or f"class_{c.value}"
    return Classification.create(c.value, c.name, name, color_hint=c.color.lstrip("#").upper())


def _model_item(card: Card, model: str) -> pystac.Item:
    try:
        created = datetime.fromisoformat(card.created)
    except ValueError:
        created = datetime.fromtimestamp(os.path.getmtime(paths_of(model)[0]), timezone.utc)
    item = pystac.Item("auxlens-model", None, None, created, {"title": card.name})
    task = TaskType.SEMANTIC_SEGMENTATION if card.main.classes else TaskType.REGRESSION
    size = card.tile_px + 2 * card.margin_px
    inputs = [
        ModelInput.create(
            m.name,
            [ModelBand.create(band) for band in m.bands],
            InputStructure.create(
                [-1, len(m.bands), size, size], ["batch", "bands", "height", "width"], DataType.FLOAT32
            ),
        )
        for m in card.inputs
    ]
    channels = max(1, len(card.main.classes))
    result = ResultStructure.create([-1, channels, size, size], ["batch", "class", "height", "width"], DataType.FLOAT32)
    output = ModelOutput.create(
        card.main.name, [task], result, classes=[_classification(c) for c in card.main.classes] or None
    )
    MLMExtension.ext(item, add_if_missing=True).apply(
        name=mlm_name(card.name),
        architecture="U-Net, one decoder a task",
        tasks=[task],
        input=inputs,
        output=[output],
        framework="PyTorch",
    )
    paths = paths_of(model)
    names = ["weights"] if len(paths) == 1 else [f"weights_{number}" for number in range(1, len(paths) + 1)]
    # Inputs refer to bands by name. STAC 1.1 has no bands among an item's properties, so the asset describes them.
    bands = [RasterBand({"name": band, **described}) for m in card.inputs for band, described in _statistics(m)]
    for name, path in zip(names, paths, strict=True):
        asset = _asset(path, "Model", "application/octet-stream", ["mlm:model", "mlm:weights"], _href(path))
        item.add_asset(name, asset)
        AssetGeneralMLMExtension.ext(asset).apply(artifact_type="safetensors.torch.save_file")
        RasterExtension.ext(asset, add_if_missing=True).apply(bands=bands)
    for rel in ("root", "parent"):
        item.add_link(pystac.Link(rel, f"./{CATALOG}", "application/json"))
    return item


def _statistics(modality: Modality) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and description of each band that a model was trained with."""
    for band, mean, std in zip(modality.bands, modality.mean, modality.std, strict=True):
        unit = {"unit": modality.unit} if modality.unit else {}
        yield band, {"data_type": modality.dtype, **unit, "statistics": {"mean": mean, "stddev": std}}


def mlm_name(name: str) -> str:
    """A model's name as MLM allows it: three characters or more, first a letter, no accents, no punctuation last."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-zA-Z0-9_. -]+", "_", plain).strip("_.- ")
    return plain if re.match("[a-zA-Z]..", plain) else f"model {plain}".rstrip()


def _href(path: str) -> str:
    """A path as a link: what would end it or make it invalid is encoded, such as ``#``, ``%`` and spaces."""
    return re.sub(r"[^\w.!$&'()*+,=@~:/-]", lambda found: quote(found[0]), Path(path).as_posix())


def _asset(path: str, title: str, media_type: str, roles: list[str], href: str = "") -> pystac.Asset:
    return pystac.Asset(href or f"./{os.path.basename(path)}", title, media_type=media_type, roles=roles)


def _write(path: str, thing: pystac.STACObject) -> None:
    text = json_text(thing.to_dict(include_self_link=False, transform_hrefs=False), ensure_ascii=False)
    replace_text(Path(path), text)


def _outline(bbox: Sequence[float]) -> dict[str, Any]:
    """The rectangle as GeoJSON; one across the date line is cut there (RFC 7946, 3.1.9)."""
    west, south, east, north = bbox
    if west <= east:
        return {"type": "Polygon", "coordinates": _rings(west, south, east, north)}
    parts = [_rings(west, south, 180.0, north), _rings(-180.0, south, east, north)]
    return {"type": "MultiPolygon", "coordinates": parts}


def _rings(west: float, south: float, east: float, north: float) -> list[list[list[float]]]:
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def _datetime(task: SceneTask) -> tuple[datetime, str]:
    """When the scene was taken, and what says so: the first date in its name or its files' names, else their time."""
    files = [split_name(text)[1] for text in task.job.inputs]
    for text in (task.name, *map(os.path.basename, files)):
        if found := _DATE.search(text):
            year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
            try:
                return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc), "name"
            except ValueError:  # 31 February
                continue
    return datetime.fromtimestamp(os.path.getmtime(files[0]), timezone.utc), "file"


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
