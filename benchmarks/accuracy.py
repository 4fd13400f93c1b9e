"""Accuracy on real scenes that the model never saw, over seeds; writes ``accuracy.md`` beside this file.

``python benchmarks/accuracy.py`` needs the sample data in ``../shared/data`` beside the checkout. Two cases:

* Aberystwyth: Sentinel-2 in, elevation and NDVI auxiliary; trained on every other tile, tested on the reference
  polygons in the tiles between them.
* Sen1Floods11: Sentinel-2 in, Sentinel-1 auxiliary; trained on the western half of the chip, tested on the eastern.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import DATA, HERE, Silent

from auxlens.engine.tuning import tune_process

tune_process()

import numpy as np  # noqa: E402
import rasterio  # noqa: E402
from rasterio.windows import Window  # noqa: E402

from auxlens.engine import jobs  # noqa: E402
from auxlens.engine.run import run  # noqa: E402
from auxlens.models.errors import SceneError  # noqa: E402

TILES = DATA / "aberystwyth" / "tiles"
FLOOD = DATA / "sen1floods11"


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def aberystwyth(folder: Path, seed: int, minutes: float) -> dict[str, float]:
    """Train on even tiles, map odd ones; overall accuracy on the polygons there, RMSE of the elevation."""
    numbers = sorted(int(tile.name.removeprefix("tile")) for tile in TILES.iterdir())
    for number in numbers[::2]:
        scene = folder / "train" / f"tile{number}"
        scene.mkdir(parents=True)
        (scene / "s2.tif").symlink_to(TILES / f"tile{number}" / "s2.tif")
    base = TILES.parent
    model = str(folder / "model.safetensors")
    start = time.perf_counter()
    job = jobs.TrainFolderJob(
        model,
        scenes=str(folder / "train"),
        input_patterns="s2=s2.tif",
        auxiliary_patterns=f"dem={base / 'dem.tif'};ndvi={base / 'ndvi.tif'}",
        reference_pattern=str(base / "classes.gpkg"),
        seed=seed,
        time_limit=minutes,
    )
    run(job, Silent())
    seconds = time.perf_counter() - start
    right, pixels, squared, seen = 0, 0, 0.0, 0
    for number in numbers[1::2]:
        outputs = {f"output_{name}": str(folder / f"{name}.tif") for name in ("main_error", "reconstruction_error")}
        auxiliary = (str(base / "dem.tif"), str(base / "ndvi.tif"))
        inputs = (str(TILES / f"tile{number}" / "s2.tif"),)
        reference = str(base / "classes.gpkg")
        try:
            run(jobs.MapJob(model, inputs, auxiliary, reference, **outputs), Silent())
        except SceneError:  # no polygon on this tile
            continue
        error = read(folder / "main_error.tif")
        right, pixels = right + int((error == 0).sum()), pixels + int((error != 255).sum())
        height = read(folder / "reconstruction_error.tif")[0]
        squared, seen = squared + float(np.nansum(height**2)), seen + int(np.isfinite(height).sum())
    return {
        "overall accuracy": right / pixels,
        "pixels": pixels,
        "elevation RMSE, m": (squared / seen) ** 0.5,
        "training, s": seconds,
    }


def halves(folder: Path) -> tuple[Path, Path]:
    """Cut the Sen1Floods11 chip in two: folders of its western and its eastern half."""
    windows = {"west": Window(0, 0, 256, 512), "east": Window(256, 0, 256, 512)}
    for name in ("s2", "s1", "label"):
        with rasterio.open(FLOOD / f"{name}.tif") as source:
            for half, window in windows.items():
                profile = {**source.profile, "width": 256, "transform": source.window_transform(window)}
                (folder / half).mkdir(exist_ok=True)
                with rasterio.open(folder / half / f"{name}.tif", "w", **profile) as cut:
                    cut.write(source.read(window=window))
                    cut.descriptions = source.descriptions
    return folder / "west", folder / "east"


def sen1floods11(folder: Path, seed: int, minutes: float) -> dict[str, float]:
    """Train on one half, map the other; IoU of water, RMSE of the radar in dB."""
    west, east = halves(folder)
    model = str(folder / "model.safetensors")
    start = time.perf_counter()
    job = jobs.TrainJob(
        model,
        inputs=(str(west / "s2.tif"),),
        auxiliary=(str(west / "s1.tif"),),
        reference=str(west / "label.tif"),
        seed=seed,
        time_limit=minutes,
    )
    run(job, Silent())
    seconds = time.perf_counter() - start
    outputs = {f"output_{name}": str(folder / f"{name}.tif") for name in ("map", "reconstruction_error")}
    run(jobs.MapJob(model, (str(east / "s2.tif"),), (str(east / "s1.tif"),), **outputs), Silent())
    mapped, truth = read(folder / "map.tif")[0], read(east / "label.tif")[0]
    known = (truth >= 0) & (mapped != 255)
    water, flood = (mapped == 1) & known, (truth == 1) & known
    error, radar = read(folder / "reconstruction_error.tif"), read(east / "s1.tif")
    rmse, spread = np.sqrt(np.nanmean(error**2, axis=(1, 2))), np.nanstd(radar, axis=(1, 2))
    return {
        "water IoU": float((water & flood).sum() / (water | flood).sum()),
        "overall accuracy": float((mapped == truth)[known].mean()),
        "VV RMSE, dB": float(rmse[0]),
        "VH RMSE, dB": float(rmse[1]),
        "VV sd, dB": float(spread[0]),
        "VH sd, dB": float(spread[1]),
        "training, s": seconds,
    }


# Each with the minutes that its training may take.
CASES = {aberystwyth: 1.0, sen1floods11: 3.0}


def rows(case: Callable[[Path, int, float], dict[str, float]], minutes: float, seeds: int) -> list[str]:
    """Run a case with several seeds; a table row for each of its figures."""
    results = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="auxlens-") as folder:
            results.append(case(Path(folder), seed, minutes))
        print(case.__name__, seed, results[-1], flush=True)
    found = []
    for name in results[0]:
        values = [result[name] for result in results]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ", ".join(f"{value:.4g}" for value in values)
        found.append(f"| {case.__name__} | {name} | {statistics.mean(values):.4g} ± {spread:.2g} | {each} |")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--case", choices=[case.__name__ for case in CASES], help="one case only")
    options = parser.parse_args()
    limits = ", ".join(f"{case.__name__} {minutes:g} min" for case, minutes in CASES.items())
    lines = [
        "# Accuracy on real scenes",
        "",
        f"`python benchmarks/accuracy.py --seeds {options.seeds}`: preset `small`, strategy `multitask`, defaults but",
        f"for a time limit of the training ({limits}) on 2 CPU cores. Mean ± sd over the seeds, on pixels",
        "that no training saw.",
        "",
        "| case | figure | mean ± sd | each seed |",
        "|---|---|---|---|",
    ]
    for case, minutes in CASES.items():
        if options.case in (None, case.__name__):
            lines += rows(case, minutes, options.seeds)
    (HERE / "accuracy.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
