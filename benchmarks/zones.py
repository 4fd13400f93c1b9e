"""Time and memory of ``zonalexplanation`` on a generated scene and generated parcels; writes ``zones.md``.

``python benchmarks/zones.py`` takes a Sentinel-2 tile (10980²) and 100,000 parcels, and about 12 GB of disk;
``--side 2048 --parcels 3000`` is a quick look.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from common import HERE, Silent

TRANSFORM = Affine(10, 0, 500_000, 0, -10, 5_400_000)
PATTERN_PX = 1024
AUXILIARY = ("s1:VV", "s1:VH", "dem:elevation")
BANDS = {
    "map": ("class",),
    "probability": tuple(f"class {i}" for i in range(1, 7)),
    "uncertainty": ("uncertainty",),
    "expected_error": AUXILIARY,
    "reconstruction_error": AUXILIARY,
    "error_probability": ("error probability",),
    "attribution": ("visible", "red edge", "near infrared", "shortwave infrared", "dominant player"),
}


def make_layers(folder: Path, side: int, seed: int = 0) -> list[str]:
    """Layers as ``map`` writes them: a smooth pattern with noise, repeated."""
    rng = np.random.default_rng(seed)
    paths = []
    for output, bands in BANDS.items():
        coarse = rng.normal(size=(len(bands), PATTERN_PX // 16, PATTERN_PX // 16))
        values = np.kron(coarse, np.ones((1, 16, 16))) + 0.3 * rng.normal(size=(len(bands), PATTERN_PX, PATTERN_PX))
        if output in ("probability", "uncertainty", "error_probability"):
            values = 1.0 / (1.0 + np.exp(-values))
        values = np.abs(values) if output == "expected_error" else values
        if output == "attribution":
            values[-1] = np.abs(values[:-1]).argmax(axis=0) + 1
        kind = "uint8" if output == "map" else "float32"
        values = (3 + 2 * values).clip(1, 6) if output == "map" else values
        paths.append(str(folder / f"{output}.tif"))
        profile = {
            "driver": "GTiff", "count": len(bands), "dtype": kind, "height": side, "width": side, "crs": "EPSG:32632",
            "transform": TRANSFORM, "nodata": 0 if kind == "uint8" else np.nan, "tiled": True, "blockxsize": 512,
            "blockysize": 512, "compress": "zstd", "zstd_level": 1, "interleave": "band", "bigtiff": "if_safer",
        }  # fmt: skip
        with rasterio.open(paths[-1], "w", **profile) as dataset:
            dataset.descriptions = bands
            dataset.update_tags(AUXLENS_OUTPUT=output, AUXLENS_MODEL="benchmark", AUXLENS_MODEL_SHA256="0")
            for row in range(0, side, PATTERN_PX):
                for col in range(0, side, PATTERN_PX):
                    height, width = min(PATTERN_PX, side - row), min(PATTERN_PX, side - col)
                    window = rasterio.windows.Window(col, row, width, height)
                    dataset.write(values[:, :height, :width].astype(kind), window=window)
    return paths


def make_parcels(path: Path, side: int, count: int, seed: int = 0) -> str:
    """Star-shaped parcels of 12 corners that cover about nine tenths of the scene, in degrees."""
    rng = np.random.default_rng(seed)
    columns = int(np.ceil(np.sqrt(count)))
    size = 10.0 * side / columns
    i = np.arange(count)
    x, y = TRANSFORM.c + (i % columns + 0.5) * size, TRANSFORM.f - (i // columns + 0.5) * size
    angles = np.linspace(0.0, 2.0 * np.pi, 13)[:-1]
    radii = size * 0.57 * (0.8 + 0.4 * rng.random((count, 12)))
    corners = np.stack([x[:, None] + radii * np.cos(angles), y[:, None] + radii * np.sin(angles)], axis=-1)
    frame = gpd.GeoDataFrame({"parcel": [f"P{k:06d}" for k in i]}, geometry=shapely.polygons(corners), crs=32632)
    frame.to_crs(4326).to_file(path)
    return str(path)


def measure(folder: Path, polygons: str) -> dict[str, float]:
    """Run the job in this process."""
    from auxlens.engine.executors.zonalexplanation import run
    from auxlens.engine.jobs import ZonalJob
    from auxlens.engine.tuning import tune_process

    tune_process()
    layers = tuple(str(folder / f"{output}.tif") for output in BANDS)
    job = ZonalJob(layers, polygons, str(folder / "out.gpkg"), str(folder / "out.csv"))
    start, cpu = time.perf_counter(), time.process_time()
    figures = run(job, Silent())["figures"]
    return {
        "polygons": figures["polygons"],
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def apart(folder: Path, polygons: str) -> dict[str, float]:
    """Run the job in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", str(folder), polygons]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(result, flush=True)
    return result


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--side", type=int, default=10_980, help="width and height of the scene, in pixels")
    arguments.add_argument("--parcels", type=int, default=100_000)
    arguments.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.measure:
        print(json.dumps(measure(Path(options.measure[0]), options.measure[1])))
        return
    from run import processor  # not above: it brings torch along, which would count as memory

    side = options.side
    with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
        folder = Path(temporary)
        make_layers(folder, side)
        parcels = apart(folder, make_parcels(folder / "parcels.gpkg", side, options.parcels))
        ring = shapely.box(TRANSFORM.c + 5, TRANSFORM.f - 10 * side + 5, TRANSFORM.c + 10 * side - 5, TRANSFORM.f - 5)
        gpd.GeoDataFrame(geometry=[ring], crs=32632).to_file(folder / "whole.gpkg")
        whole = apart(folder, str(folder / "whole.gpkg"))
    count = sum(map(len, BANDS.values()))
    lines = [
        "# Time and memory of zonal statistics",
        "",
        f"`python benchmarks/zones.py`: {count} bands of {side}² pixels (map, class probabilities, uncertainty, error",
        "probability, expected and reconstruction errors of three bands, attributions of four players); GeoPackage and",
        f"CSV are written. Machine: {processor()}, {len(os.sched_getaffinity(0))} cores, otherwise idle.",
        "",
        "| polygons | seconds | of the processor | peak memory | goal |",
        "|---|---|---|---|---|",
    ]
    goals = ((parcels, "≤ 300 s, ≤ 2048 MiB"), (whole, "≤ 2048 MiB"))
    for result, goal in goals:
        name = f"{result['polygons']:.0f} parcels" if result["polygons"] > 1 else "1, as large as the scene"
        seconds, cpu, peak = (f"{result[key]:.0f}" for key in ("seconds", "cpu_seconds", "peak_mib"))
        lines.append(f"| {name} | {seconds} | {cpu} | {peak} MiB | {goal} |")
    (HERE / "zones.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
