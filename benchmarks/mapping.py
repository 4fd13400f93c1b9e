"""Speed and memory of mapping, each part in a process of its own: ``python benchmarks/mapping.py PART ARGUMENTS``.

Every part prints one line of JSON: seconds, pixels, and the peak memory of its process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
import torch
from common import Silent

from auxlens.engine import jobs
from auxlens.engine.scene.writing import COMPRESSION
from auxlens.engine.tuning import tune_process
from auxlens.models import file

SOME = ("map", "uncertainty", "error_probability")
IDEAL_SHAPES = ((1, 256), (4, 256), (16, 256), (1, 512), (4, 512), (1, 1024), (2, 1024))
IDEAL_PX = 2**24


def ours(folder: Path, kind: str) -> dict[str, object]:
    """The map job with some outputs or all of them."""
    from auxlens.engine.executors.map import run

    tune_process()
    names = SOME if kind == "some" else jobs.MAP_OUTPUTS
    inputs = [str(folder / f"{name}.tif") for name in ("s2", "s1", "dem", "label")]
    extra = {} if kind == "some" else {"auxiliary": tuple(inputs[1:3]), "reference": inputs[3]}
    outputs = {f"output_{name}": str(folder / f"out_{name}.tif") for name in names}
    job = jobs.MapJob(str(folder / "model.safetensors"), (inputs[0],), **extra, **outputs)
    start = time.perf_counter()
    figures = run(job, Silent())["figures"]
    return {"seconds": time.perf_counter() - start, "pixels": figures["pixels"], "precision": figures["precision"]}


def ideal(folder: Path, precision: str) -> dict[str, object]:
    """The bare network on pixels in memory, without context, at the best of several shapes."""
    tune_process()
    network, _ = file.load(str(folder / "model.safetensors"))
    with rasterio.open(folder / "s2.tif") as dataset:
        window = rasterio.windows.Window(0, 0, min(2048, dataset.width), min(2048, dataset.height))
        scene = torch.from_numpy(dataset.read(window=window).astype("float32"))
    best: tuple[float, str] = (0.0, "")
    for count, side in IDEAL_SHAPES:
        chips = [scene[:, r : r + side, c : c + side] for r in range(0, 1024, side) for c in range(0, 2048, side)]
        batches = [torch.stack(chips[i : i + count]) for i in range(0, len(chips), count)]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            network(batches[0])
            start, done = time.perf_counter(), 0
            while done < IDEAL_PX / len(IDEAL_SHAPES):
                for batch in batches:
                    network(batch)
                    done += batch.shape[0] * side * side
            best = max(best, (done / (time.perf_counter() - start), f"{count} × {side}²"))
    return {"pixels_a_second": best[0], "shape": best[1]}


def plain(folder: Path, side: str) -> dict[str, object]:
    """What a script does: one tile after the other, float32, contiguous, read – compute – write in turn.

    Tiles are of the model's size, or ``side`` pixels wide; the overlap is the same.
    """
    network, card = file.load(str(folder / "model.safetensors"))
    network = network.to(memory_format=torch.contiguous_format)
    margin, tile = card.margin_px, int(side or card.tile_px)
    model = card.error_models["expected"]
    start = time.perf_counter()
    with rasterio.open(folder / "s2.tif") as source:
        profile = {
            "driver": "GTiff", "width": source.width, "height": source.height, "crs": source.crs, "count": 1,
            "transform": source.transform, "tiled": True, "blockxsize": 512, "blockysize": 512, **COMPRESSION,
        }  # fmt: skip
        paths = {name: folder / f"plain_{name}.tif" for name in SOME}
        types = {"map": "uint8", "uncertainty": "float32", "error_probability": "float32"}
        sinks = {name: rasterio.open(path, "w", dtype=types[name], **profile) for name, path in paths.items()}
        for row in range(0, source.height, tile):
            for col in range(0, source.width, tile):
                top, left = max(0, row - margin) // 8 * 8, max(0, col - margin) // 8 * 8
                bottom, right = min(source.height, row + tile + margin), min(source.width, col + tile + margin)
                chip = source.read(window=rasterio.windows.Window(left, top, right - left, bottom - top))
                with torch.inference_mode():
                    raw = network(torch.from_numpy(chip.astype("float32"))[None])
                    cut = (slice(row - top, row - top + tile), slice(col - left, col - left + tile))
                    probability = torch.softmax(raw["main"], dim=1)[0][:, cut[0], cut[1]]
                    entropy = -(probability * probability.log()).sum(dim=0) / np.log(len(card.main.classes))
                    two = probability.topk(2, dim=0).values.log()
                    scales = [network.head(m.name).physical(raw[m.name])[1][0] for m in card.auxiliary]
                    features = [entropy, two[0] - two[1], *torch.cat(scales).log()[:, cut[0], cut[1]]]
                    total = sum(c * f for c, f in zip(model.coefficients, features, strict=True))
                    error = torch.sigmoid(total + model.intercept)
                window = rasterio.windows.Window(col, row, entropy.shape[1], entropy.shape[0])
                sinks["map"].write((probability.argmax(dim=0) + 1).numpy().astype("uint8"), 1, window=window)
                sinks["uncertainty"].write(entropy.numpy(), 1, window=window)
                sinks["error_probability"].write(error.numpy(), 1, window=window)
        for sink in sinks.values():
            sink.close()
        pixels = source.width * source.height
    return {"seconds": time.perf_counter() - start, "pixels": pixels}


def gdal(folder: Path, kind: str) -> dict[str, object]:
    """GDAL alone: read the bytes that the map job with all outputs reads, and write those that it writes."""
    written = [folder / f"out_{name}.tif" for name in jobs.MAP_OUTPUTS]
    read = [folder / f"{name}.tif" for name in ("s2", "s1", "dem", "label")]
    start, spent = time.perf_counter(), 0.0
    for path in (*read, *written):
        with rasterio.open(path) as source:
            sink = None
            if path in written:
                options = {**source.profile, **COMPRESSION}
                before = time.perf_counter()
                sink = rasterio.open(folder / "copy.tif", "w", **options)
                spent += time.perf_counter() - before
            for _, window in source.block_windows(1):
                before = time.perf_counter()
                values = source.read(window=window)
                if sink is not None:
                    before = time.perf_counter()  # what was written is not read by the job
                    sink.write(values, window=window)
                spent += time.perf_counter() - before
            if sink is not None:
                before = time.perf_counter()
                sink.close()
                spent += time.perf_counter() - before
    return {"seconds": spent, "whole": time.perf_counter() - start}


PARTS: dict[str, Callable[[Path, str], dict[str, object]]] = {
    "ours": ours, "ideal": ideal, "plain": plain, "gdal": gdal,
}  # fmt: skip

if __name__ == "__main__":
    result = PARTS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**result, "peak_mib": round(peak)}))
