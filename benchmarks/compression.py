"""Why outputs are compressed as they are: GDAL's codecs on a map of classes and on a layer of probabilities.

``python benchmarks/compression.py`` writes ``compression.md`` beside this file. The layers are those of a random
network on the generated benchmark scene, 4096² pixels.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import mapping
import rasterio
from common import HERE
from scenes import make_model, make_scene

CODECS: dict[str, dict[str, object]] = {
    "none": {},
    "lzw": {"compress": "lzw"},
    "deflate, level 1": {"compress": "deflate", "zlevel": 1},
    "deflate, level 6, predictor": {"compress": "deflate", "zlevel": 6, "predictor": True},
    "zstd, level 1": {"compress": "zstd", "zstd_level": 1},
    "zstd, level 1, predictor": {"compress": "zstd", "zstd_level": 1, "predictor": True},
    "zstd, level 9": {"compress": "zstd", "zstd_level": 9},
}
SIDE = 4096


def measure(source: Path, options: dict[str, object], folder: Path) -> tuple[float, float, float]:
    """Write and read speed in MB/s of uncompressed bytes, and how many times smaller the file is."""
    with rasterio.open(source) as dataset:
        values, profile = dataset.read(), dict(dataset.profile)
    for key in ("compress", "zstd_level", "predictor"):
        profile.pop(key, None)
    options = dict(options)
    if options.pop("predictor", False):
        options["predictor"] = 3 if values.dtype.kind == "f" else 2
    target, best = folder / "copy.tif", [float("inf"), float("inf")]
    for _ in range(3):
        start = time.perf_counter()
        with rasterio.open(target, "w", **{**profile, **options}) as sink:
            sink.write(values)
        middle = time.perf_counter()
        with rasterio.open(target) as dataset:
            dataset.read()
        best = [min(best[0], middle - start), min(best[1], time.perf_counter() - middle)]
    megabytes = values.nbytes / 1e6
    return megabytes / best[0], megabytes / best[1], values.nbytes / target.stat().st_size


def main() -> None:
    lines = [
        "# Compression of outputs",
        "",
        f"`python benchmarks/compression.py`: one layer of {SIDE}², best of three, one thread. MB are those of the",
        "uncompressed values; the last number of each group says how many times smaller the file is.",
        "",
        "| codec | map: write, read MB/s, smaller | uncertainty: write, read MB/s, smaller |",
        "|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
        folder = Path(temporary)
        make_scene(folder, SIDE, SIDE)
        make_model(folder / "model.safetensors")
        mapping.ours(folder, "some")
        for name, options in CODECS.items():
            cells = []
            for layer in ("map", "uncertainty"):
                write, read, smaller = measure(folder / f"out_{layer}.tif", options, folder)
                cells.append(f"{write:.0f}, {read:.0f}, {smaller:.2f}×")
            lines.append(f"| {name} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    (HERE / "compression.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
