"""Canopy height from RGB (IDTReeS 2020), five folds of whole plots; writes ``heights.md`` beside this file.

``python benchmarks/heights.py`` needs the sample data in ``../shared/data`` beside the checkout. Each fold's plots are
mapped by learners that saw the plots of the other folds alone (a network keeps a quarter of them for validation). Maps
are compared with the height raster on its own grid of 1 m, all folds together. What each learner maps is kept under
``--keep`` and not computed again; ``--learner``, ``--seed`` and ``--fold`` do a part only.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from common import HERE, Silent
from crowns import FOLDS, PLOTS, plots_by_fold, write_scenes
from rasterio.enums import Resampling
from scipy.ndimage import uniform_filter
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor

from auxlens.engine import jobs
from auxlens.engine.assess.numbers import Residuals
from auxlens.engine.run import run

COARSENING = 5  # RGB of 0.1 m, averaged
TRAINING = {"epochs": 40, "chip_size": 32, "batch_size": 8}
CELL = 10  # pixels of RGB along a pixel of the height raster
PERCENTILES = (10, 50, 90)
FOREST = {"n_estimators": 100, "max_samples": 0.2, "min_samples_leaf": 3, "max_features": 1 / 3}
AROUND = (3, 7, 13)  # cells, of neighbourhood means
COMPONENTS = 15  # of 369 bands, for the forest
LEARNERS: Mapping[str, str] = {
    "single": "RGB",
    "multitask": "RGB; learns spectra",
    "forest-cell": "RGB of the cell",
    "forest": "RGB, around it too",
    "forest-hsi": "RGB + 369 bands",
}
Heights = dict[str, np.ndarray]  # by plot, (H, W) in metres


def truth_of(plots: Sequence[str]) -> Heights:
    return {plot: _read(PLOTS / plot / "chm.tif")[0] for plot in plots}


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as raster:
        return raster.read().astype(np.float32)


def network(strategy: str, seed: int, fold: int, **options: object) -> tuple[Heights, float]:
    """Train without a fold's plots and map them; heights on the reference's grid, and CPU seconds of the training."""
    with tempfile.TemporaryDirectory(prefix="auxlens-") as temporary:
        folder, model = Path(temporary), Path(temporary) / "height.safetensors"
        write_plots(folder, fold)
        start = time.process_time()
        train(model, folder, strategy, seed, **options)
        seconds = time.process_time() - start
        found = {}
        for scene in sorted((folder / "held_out").iterdir()):
            job = jobs.MapJob(str(model), (str(scene / "rgb.tif"),), output_map=str(folder / "map.tif"))
            run(replace(job, precision="float32"), Silent())
            with rasterio.open(folder / "map.tif") as raster, rasterio.open(scene / "chm.tif") as reference:
                found[scene.name] = raster.read(1, out_shape=reference.shape, resampling=Resampling.average)
    return found, seconds


def write_plots(folder: Path, fold: int) -> None:
    """Write the plots of a fold to ``held_out``, all others to ``learned``."""
    parts = plots_by_fold()
    learned = [plot for number, plots in enumerate(parts) if number != fold for plot in plots]
    write_scenes({folder / "learned": learned, folder / "held_out": parts[fold]}, COARSENING)


def train(model: Path, folder: Path, strategy: str, seed: int, **options: object) -> None:
    """Train on plots that ``write_plots`` wrote."""
    job = jobs.TrainFolderJob(
        str(model),
        task="regression",
        strategy=strategy,
        seed=seed,
        scenes=str(folder / "learned"),
        test_scenes=str(folder / "held_out"),
        input_patterns="rgb=rgb.tif",
        auxiliary_patterns="hsi=hsi.tif",
        reference_pattern="chm.tif",
        players="none",
        **{**TRAINING, **options},
    )
    run(job, Silent())


def forest(learner: str, seed: int, fold: int) -> tuple[Heights, float]:
    """A random forest on what RGB (and the bands' leading components) are like in each cell of 1 m (and around it)."""
    held_out = plots_by_fold()[fold]
    learned = [plot for plots in plots_by_fold() for plot in plots if plot not in held_out]
    features = {plot: [_colours(plot, alone=learner == "forest-cell")] for plot in (*learned, *held_out)}
    if learner == "forest-hsi":
        spectra = {plot: _read(PLOTS / plot / "hsi.tif") for plot in features}
        components = PCA(COMPONENTS, random_state=0).fit(np.concatenate([_rows(spectra[plot]) for plot in learned]))
        for plot, values in spectra.items():
            scores = components.transform(_rows(values)).T.reshape(-1, *values.shape[1:])
            features[plot].append(_with_surroundings(scores))
    rows = {plot: _rows(np.concatenate(parts)) for plot, parts in features.items()}
    start = time.process_time()
    truth = np.concatenate([heights.ravel() for heights in truth_of(learned).values()])
    model = RandomForestRegressor(**FOREST, random_state=seed)
    model.fit(np.concatenate([rows[plot] for plot in learned]), truth)
    found = {plot: model.predict(rows[plot]).reshape(features[plot][0].shape[1:]) for plot in held_out}
    return found, time.process_time() - start


def _colours(plot: str, alone: bool) -> np.ndarray:
    """``(features, H, W)`` of each cell: means, deviations and percentiles of its pixels, and (or not) means around."""
    rgb = _read(PLOTS / plot / "rgb.tif")
    bands, height, width = len(rgb), rgb.shape[1] // CELL, rgb.shape[2] // CELL
    pixels = rgb.reshape(bands, height, CELL, width, CELL).transpose(0, 1, 3, 2, 4).reshape(bands, height, width, -1)
    share = rgb / rgb.sum(axis=0, keepdims=True).clip(min=1)
    shares = share.reshape(bands, height, CELL, width, CELL).mean(axis=(2, 4))
    own = np.concatenate([pixels.mean(axis=-1), pixels.std(axis=-1), shares])
    ranked = np.percentile(pixels, PERCENTILES, axis=-1).reshape(-1, height, width)
    return np.concatenate([own if alone else _with_surroundings(own), ranked])


def _with_surroundings(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, *(uniform_filter(values, (0, side, side), mode="nearest") for side in AROUND)])


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).T


def kept(folder: Path, learner: str, seed: int, fold: int) -> tuple[Heights, float]:
    """What a learner maps of a fold, and its CPU seconds; from an earlier run where there is one."""
    path = folder / f"{learner}_{seed}_{fold}.npz"
    if not path.exists():
        work = forest if learner.startswith("forest") else network
        found, seconds = work(learner, seed, fold)
        np.savez(path.with_suffix(".part.npz"), seconds=seconds, **found)
        path.with_suffix(".part.npz").rename(path)
    with np.load(path) as arrays:
        return {plot: arrays[plot] for plot in arrays.files if plot != "seconds"}, float(arrays["seconds"])


def figures(found: Heights) -> dict[str, float]:
    """Figures of all pixels together (``r2``, ``rmse``, ``mae``); RMSE of the plots' means, and inside of plots."""
    sums, truth = Residuals(), truth_of(list(found))
    means, inside = [], []
    for plot, heights in found.items():
        sums.add(heights, truth[plot])
        error = heights - truth[plot]
        means.append(error.mean() ** 2)
        inside.append(error.var())
    return sums.figures() | {"means": math.sqrt(np.mean(means)), "inside": math.sqrt(np.mean(inside))}


def row(name: str, given: str, results: Sequence[dict[str, float]], seconds: Sequence[float]) -> str:
    """A line of the table: mean ± standard deviation over the seeds, and each of them for R²."""
    columns = []
    for figure, digits in (("r2", 3), ("rmse", 2), ("mae", 2), ("means", 2), ("inside", 2)):
        values = [result[figure] for result in results]
        spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
        columns.append(f"{statistics.mean(values):.{digits}f}{spread}")
    each = ", ".join(f"{result['r2']:.3f}" for result in results)
    columns[0] += f" ({each})" if len(results) > 1 else ""
    time_s = f"{statistics.mean(seconds):.0f}" if seconds else ""
    return f"| {name} | {given} | {' | '.join(columns)} | {time_s} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "auxlens-heights")
    parser.add_argument("--learner", choices=LEARNERS, help="one learner only, and write no table")
    parser.add_argument("--seed", type=int, help="one seed only, and write no table")
    parser.add_argument("--fold", type=int, help="one fold only, and write no table")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    rows = []
    for learner in LEARNERS if options.learner is None else [options.learner]:
        results: list[Heights] = []
        seconds = []
        seeds = 1 if learner.startswith("forest") else options.seeds
        for seed in range(seeds) if options.seed is None else [options.seed]:
            mapped: Heights = {}
            for fold in range(FOLDS) if options.fold is None else [options.fold]:
                found, time_s = kept(options.keep, learner, seed, fold)
                mapped |= found
                seconds.append(time_s)
                print(learner, seed, fold, *(f"{v:.3f}" for v in figures(found).values()), f"{time_s:.0f}", flush=True)
            results.append(mapped)
        name = "random forest" if learner.startswith("forest") else f"network, `{learner}`"
        rows.append(row(name, LEARNERS[learner], [figures(mapped) for mapped in results], seconds))
        if len(results) > 1 and not learner.startswith("forest"):
            together = {plot: np.mean([mapped[plot] for mapped in results], axis=0) for plot in results[0]}
            rows.append(row(f"{name}, the seeds as an ensemble", LEARNERS[learner], [figures(together)], ()))
    print("\n".join(rows))
    if (options.learner, options.seed, options.fold) == (None, None, None):
        (HERE / "heights.md").write_text("\n".join([*heading(options.seeds), *rows, ""]), encoding="utf-8")


def heading(seeds: int) -> list[str]:
    text = (
        f"`python benchmarks/heights.py --seeds {seeds}`: IDTReeS 2020, 85 plots of 20 m in two forests, five folds of "
        f"whole plots. Preset `small`, at most {TRAINING['epochs']} epochs, chips of {TRAINING['chip_size']} px, "
        f"batches of {TRAINING['batch_size']}, RGB averaged to {0.1 * COARSENING:.1f} m; a quarter of the training "
        "plots is kept for validation. Auxiliary: eight leading components of 369 bands of 1 m (fitted on the training "
        f"plots). The forests ({FOREST['n_estimators']} trees) learn from all training plots. They see each cell of "
        "1 m by means, deviations and percentiles of its RGB pixels of 0.1 m, and by means over "
        f"{', '.join(map(str, AROUND))} m around it; with 369 bands, {COMPONENTS} leading components likewise. Heights "
        "of all 34,000 cells of 1 m together, in metres; mean ± standard deviation over the seeds (one of a forest). "
        "Plot means, inside: RMSE of the plots' mean heights, and of what is left without them. An ensemble maps with "
        "the models of all seeds (`MODEL=a;b;c`). CPU seconds a training, on a shared core."
    )
    return [
        "# Canopy height from RGB",
        "",
        *textwrap.wrap(text, 120),
        "",
        "| learner | given | R² (each seed) | RMSE | MAE | plot means | inside | CPU s |",
        "|---|---|---|---|---|---|---|---|",
    ]


if __name__ == "__main__":
    main()
