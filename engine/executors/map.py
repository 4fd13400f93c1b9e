"""The map job: map one scene and explain the map."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from ...models.card import Card
from ...models.ensemble import load
from ...models.mapper import Mapper
from ...models.network import Network
from ..checks import check_map
from ..devices import choose_device
from ..jobs import MapJob, Progress, outputs_of
from ..mapping.object_attributions import ObjectAttributions, attribution_tiles, read_around
from ..mapping.object_outputs import map_objects, write_polygons
from ..mapping.object_products import ObjectProducts
from ..mapping.outputs import layers_of, tags_of
from ..mapping.plans import follow, margin_of, plan_of, runner_of, warn_of_seams, window_px
from ..mapping.products import Arrays, Products
from ..mapping.scene import SceneReader, warn_of_unknown_classes
from ..mapping.stream import Stages, stream
from ..progress import Part
from ..scene.writing import LayerWriter, check_room, check_writable

log = logging.getLogger("auxlens")


def run(job: MapJob, progress: Progress) -> dict[str, Any]:
    """Map one scene.

    Returns:
        ``outputs``: the files written, by name; ``figures``: pixels, seconds and what they were computed with.

    Raises:
        AuxLensError: the model, the rasters or the device do not fit the job; before anything is written.
    """
    started = time.perf_counter()
    network, card = load(job.model)
    check_map(job, card)
    check_writable([job.output_polygons] if job.output_polygons else [])
    with ExitStack() as stack:
        scene = SceneReader(job, card, stack)
        grid = scene.grid.cropped(scene.area)
        device = choose_device(job.device)
        network = network.to(device)
        products = _products(job, card, network, scene)
        layers = layers_of(job, card, products)
        check_room(list(layers.values()), grid)
        runner = runner_of(job, network, device, products)
        warn_of_seams(job, card)
        plan = plan_of(job, card, runner, scene.area, scene.grid.whole, torch.get_num_threads())
        writers = {name: stack.enter_context(LayerWriter(layer, grid, plan.block_px)) for name, layer in layers.items()}

        def write(arrays: Arrays, window: Any) -> None:
            for name, values in arrays.items():
                writers[name].write(values, window.relative_to(scene.area))

        stages = Stages(scene.read, runner, products, write)
        if isinstance(products, ObjectProducts):
            first = Part(progress, 0.0, 0.5) if job.output_attribution else progress
            map_objects(plan.tiles, stages, products, first)
            if job.output_attribution:
                assert isinstance(network, Network)  # scene-level models do not map together
                attributions = ObjectAttributions(network, products, job.attribution_class)
                sizes = window_px(job, card), margin_of(job, card)
                again = attribution_tiles(scene.area, scene.grid.whole, *sizes, network.config)
                read = partial(read_around, scene.read, products.polygons, scene.area, network.config)
                explaining = Stages(read, replace(runner, tasks=attributions.tasks), attributions, write)
                stream(again, explaining, Part(progress, 0.5, 0.5))
                products.explained = attributions.of_objects()
                products.largest_residual = attributions.largest_residual
            if job.output_polygons:
                write_polygons(job.output_polygons, products, tags_of(job, card, products))
        else:
            follow([plan], stages, progress)
        for writer in writers.values():
            writer.commit()
    if not scene.has_data:
        log.warning("No pixel has a value in every input band (and in the mask), so all outputs are empty.")
    warn_of_unknown_classes(products, job.reference)
    seconds = time.perf_counter() - started
    log.info("Mapped %d × %d pixels in %.1f s.", grid.height, grid.width, seconds)
    figures = {
        "pixels": grid.height * grid.width,
        "seconds": round(seconds, 3),
        "device": str(device),
        "precision": str(runner.dtype).removeprefix("torch."),
        "error_probability": products.error_form,
    }
    if job.output_attribution:
        figures["efficiency_residual"] = products.largest_residual
    if isinstance(products, ObjectProducts):
        figures["polygons"] = int((products.pixels > 0).sum())
    return {"outputs": dict(outputs_of(job)), "figures": figures}


def _products(job: MapJob, card: Card, network: Mapper, scene: SceneReader) -> Products:
    if scene.polygons is None:
        return Products(network, card, tuple(job.outputs), scene.observes, job.attribution_class)
    return ObjectProducts(
        network, card, tuple(job.outputs), scene.observes, scene.polygons, described=bool(job.output_polygons)
    )
