"""Tree genus of crowns from RGB (IDTReeS 2020), five folds of whole plots; writes ``crowns.md`` beside this file.

``python benchmarks/crowns.py`` needs the sample data in ``../shared/data`` beside the checkout. Each fold's crowns are
mapped by a model that was trained on the plots of the other folds (of which it keeps a quarter for validation), and the
crowns of all folds are counted together. Trainings take long: their crowns are kept under ``--keep``, and what is there
already is not computed again; ``--seed``, ``--strategy`` and ``--fold`` do a part only.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import DATA, HERE, Silent

from auxlens.engine.tuning import tune_process

tune_process()

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import rasterio  # noqa: E402
import shapely  # noqa: E402
from rasterio.enums import Resampling  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.metrics import accuracy_score, f1_score  # noqa: E402

from auxlens.engine import jobs  # noqa: E402
from auxlens.engine.run import run  # noqa: E402
from auxlens.engine.scene.grid import grid_of  # noqa: E402
from auxlens.engine.scene.objects import mask_of  # noqa: E402

PLOTS = DATA / "idtrees" / "plots"
CROWNS = PLOTS.parent / "crowns.gpkg"
FOLDS, LEAST_CROWNS, COMPONENTS = 5, 15, 8
STRATEGIES = ("single", "multitask")
PERCENTILES = (10, 25, 50, 75, 90)
COARSENING = 2  # RGB of 0.1 m, averaged: a chip of 32 px then holds most crowns
TRAINING = {"epochs": 10, "chip_size": 32, "batch_size": 16}
FORESTS = (  # name, what it is given, whether that includes spectra, share of the plots that it learns from
    ("random forest", "RGB", False, 1.0),
    ("random forest, as many plots as a network has", "RGB", False, 0.75),
    ("random forest", "RGB + 369 bands", True, 1.0),
)
Labels = tuple[list[str], list[str]]  # truth and map
PROBABILITIES, FIELD = "probabilities", "probability_"
UNCERTAINTY, EXPECTED, OBSERVED = "uncertainty", "without references", "with references"  # what shall tell errors


def plots_by_fold() -> list[list[str]]:
    names = sorted(path.name for path in PLOTS.iterdir())
    return [list(part) for part in np.array_split(np.random.default_rng(0).permutation(names), FOLDS)]


def crowns_by_plot() -> dict[str, gpd.GeoDataFrame]:
    """Crowns of the genera with crowns enough, by the first plot that holds their middle."""
    frame = gpd.read_file(CROWNS)
    frame = frame[frame["genus"].map(frame["genus"].value_counts()) >= LEAST_CROWNS].reset_index(drop=True)
    frame["crown"] = frame.index
    found, left = {}, frame
    for plot in sorted(path.name for path in PLOTS.iterdir()):
        with rasterio.open(PLOTS / plot / "rgb.tif") as raster:
            inside = left.geometry.centroid.within(shapely.box(*raster.bounds))
        found[plot], left = left[inside], left[~inside]
    return found


def forest(
    crowns: dict[str, gpd.GeoDataFrame], hyperspectral: bool, seed: int, folds: int = FOLDS, share: float = 1.0
) -> Labels:
    """A random forest on means, deviations and percentiles of RGB in each crown (and means of 369 bands).

    It learns from a share of the plots that are not held out, drawn by the seed.
    """
    features: dict[str, list[np.ndarray]] = {plot: [] for plot in crowns}
    for plot, frame in crowns.items():
        with rasterio.open(PLOTS / plot / "rgb.tif") as rgb, rasterio.open(PLOTS / plot / "hsi.tif") as hsi:
            values, spectra = rgb.read().astype(float), hsi.read().astype(float)
            grids = grid_of(rgb), grid_of(hsi)
        for geometry in frame.geometry:
            colour = values[:, mask_of(geometry, grids[0], grids[0].whole)]
            parts = [colour.mean(axis=1), colour.std(axis=1), *np.percentile(colour, PERCENTILES, axis=1)]
            if hyperspectral:
                near = mask_of(geometry, grids[1], grids[1].whole)
                parts.append((spectra[:, near] if near.any() else spectra.reshape(len(spectra), -1)).mean(axis=1))
            features[plot].append(np.concatenate(parts))
    truth, mapped = [], []
    for held_out in plots_by_fold()[:folds]:
        others = [plot for plot in crowns if plot not in held_out and features[plot]]
        learned = np.random.default_rng(seed).permutation(others)[: round(share * len(others))].tolist()
        x = np.stack([row for plot in learned for row in features[plot]])
        y = np.concatenate([crowns[plot]["genus"].to_numpy(str) for plot in learned])
        model = RandomForestClassifier(500, random_state=seed).fit(x, y)
        tests = [plot for plot in held_out if features[plot]]
        truth += [genus for plot in tests for genus in crowns[plot]["genus"]]
        mapped += model.predict(np.stack([row for plot in tests for row in features[plot]])).tolist()
    return truth, mapped


def write_scenes(folders: dict[Path, Sequence[str]], coarsening: int = COARSENING) -> None:
    """Folders of plots: averaged RGB, height, and leading components fitted on the plots of the first folder."""
    spectra = {}
    for plot in (plot for plots in folders.values() for plot in plots):
        with rasterio.open(PLOTS / plot / "hsi.tif") as raster:
            spectra[plot] = (raster.read().astype(np.float32), raster.profile)
    learned = next(iter(folders.values()))
    pixels = np.concatenate([spectra[plot][0].reshape(len(spectra[plot][0]), -1).T for plot in learned])
    components = PCA(COMPONENTS, random_state=0).fit(pixels)
    for scene in (folder / plot for folder, plots in folders.items() for plot in plots):
        scene.mkdir(parents=True)
        values, profile = spectra[scene.name]
        scores = components.transform(values.reshape(len(values), -1).T).T.reshape(-1, *values.shape[1:])
        write(scene / "hsi.tif", scores.astype(np.float32), profile["crs"], profile["transform"])
        (scene / "chm.tif").symlink_to(PLOTS / scene.name / "chm.tif")
        with rasterio.open(PLOTS / scene.name / "rgb.tif") as raster:
            shape = (raster.count, raster.height // coarsening, raster.width // coarsening)
            rgb = raster.read(out_shape=shape, resampling=Resampling.average)
            scale = raster.transform.scale(raster.width / shape[2], raster.height / shape[1])
            write(scene / "rgb.tif", rgb, raster.crs, raster.transform * scale)


def write(path: Path, values: np.ndarray, crs: object, transform: object) -> None:
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform) as raster:
        raster.write(values)


def network(crowns: dict[str, gpd.GeoDataFrame], strategy: str, seed: int, fold: int) -> dict[str, object]:
    """Train without a fold's plots and map its crowns; truth, map, what tells errors, and how long it took."""
    held_out = plots_by_fold()[fold]
    with tempfile.TemporaryDirectory(prefix="auxlens-") as temporary:
        folder, model = Path(temporary), f"{temporary}/genus.safetensors"
        learned = [plot for plot in sorted(crowns) if plot not in held_out]
        write_scenes({folder / "learned": learned, folder / "held_out": held_out})
        pd.concat(crowns.values()).to_file(folder / "crowns.gpkg")
        job = jobs.TrainFolderJob(
            model,
            task="scene_classification",
            strategy=strategy,
            seed=seed,
            scenes=str(folder / "learned"),
            test_scenes=str(folder / "held_out"),
            input_patterns="rgb=rgb.tif",
            auxiliary_patterns="hsi=hsi.tif;chm=chm.tif",
            reference_pattern="../../crowns.gpkg",
            reference_field="genus",
            **TRAINING,
        )
        run(job, Silent())
        found: dict[str, list[object]] = {"plot": [], "truth": [], "map": [], UNCERTAINTY: [], PROBABILITIES: []}
        for plot in (plot for plot in held_out if len(crowns[plot])):
            crowns[plot].to_file(folder / f"{plot}.gpkg")
            mapped = mapped_crowns(model, folder / "held_out" / plot, folder / f"{plot}.gpkg", ())
            found["plot"] += [plot] * len(mapped)
            for name, column in (("truth", "genus"), ("map", "map"), (UNCERTAINTY, "uncertainty")):
                found[name] += mapped[column].tolist()
            found[PROBABILITIES] += mapped.filter(regex=f"^{FIELD}").rename(columns=genus_of).to_dict("records")
            if strategy == "multitask":
                observed = mapped_crowns(model, folder / "held_out" / plot, folder / f"{plot}.gpkg", ("hsi", "chm"))
                for name, frame in ((EXPECTED, mapped), (OBSERVED, observed)):
                    found.setdefault(name, []).extend(frame["error_probability"].tolist())
    return dict(found)


def genus_of(field: str) -> str:
    return field.removeprefix(FIELD)


def ensemble(seeds: Sequence[Sequence[dict[str, float]]]) -> list[str]:
    """The genus of each crown by the mean of its probabilities over trainings."""
    total = sum(pd.DataFrame(list(crowns)).fillna(0.0) for crowns in seeds)
    return list(total.idxmax(axis=1))


def mapped_crowns(model: str, plot: Path, crowns: Path, auxiliary: Sequence[str]) -> gpd.GeoDataFrame:
    """Crowns of a plot as mapped from RGB, with some auxiliary references beside it."""
    out = crowns.with_name(f"{crowns.stem}_map.gpkg")
    references = tuple(str(plot / f"{name}.tif") for name in auxiliary)
    job = jobs.MapJob(
        model, (str(plot / "rgb.tif"),), references, polygons=str(crowns), output_polygons=str(out), precision="float32"
    )
    run(job, Silent())
    return gpd.read_file(out, layer=out.stem)


def kept(keep: Path, crowns: dict[str, gpd.GeoDataFrame], strategy: str, seed: int, fold: int) -> dict[str, Any]:
    """What ``network`` finds, learned now unless it was before."""
    path = keep / f"{strategy}_{seed}_{fold}.json"
    if not path.exists():
        path.write_text(json.dumps(network(crowns, strategy, seed, fold)))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def figures(labels: Labels) -> tuple[float, float]:
    """Accuracy and macro-F1."""
    return accuracy_score(*labels), f1_score(*labels, average="macro")


def row(name: str, given: str, results: Sequence[Labels]) -> str:
    columns = []
    for values in zip(*map(figures, results), strict=True):
        if len(values) == 1:
            columns.append(f"{values[0]:.3f}")
            continue
        each = ", ".join(f"{value:.3f}" for value in values)
        columns.append(f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f} ({each})")
    return f"| {name} | {given} | {columns[0]} | {columns[1]} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=FOLDS, help="count the crowns of so many folds only")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "auxlens-crowns")
    parser.add_argument("--seed", type=int, help="train with one seed only, and write no table")
    parser.add_argument("--fold", type=int, help="train for one fold only, and write no table")
    parser.add_argument("--strategy", choices=STRATEGIES, help="train with one strategy only, and write no table")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    crowns = crowns_by_plot()
    rows = []
    for strategy in STRATEGIES if options.strategy is None else [options.strategy]:
        results, probabilities = [], []
        for seed in range(options.seeds) if options.seed is None else [options.seed]:
            truth, mapped, each = [], [], []
            for fold in range(options.folds) if options.fold is None else [options.fold]:
                part = kept(options.keep, crowns, strategy, seed, fold)
                truth += part["truth"]
                mapped += part["map"]
                each += part[PROBABILITIES]
                print(strategy, seed, fold, *figures((part["truth"], part["map"])), flush=True)
            results.append((truth, mapped))
            probabilities.append(each)
        learned = "RGB; learns height and spectra" if strategy == "multitask" else "RGB"
        rows.append(row(f"network, `{strategy}`", learned, results))
        rows.append(row(f"the {len(results)} of them as an ensemble", learned, [(truth, ensemble(probabilities))]))
    if (options.seed, options.strategy, options.fold) != (None, None, None):
        return
    for name, given, hyperspectral, share in FORESTS:
        results = [forest(crowns, hyperspectral, seed, options.folds, share) for seed in range(options.seeds)]
        rows.append(row(name, given, results))
    (HERE / "crowns.md").write_text(
        "\n".join([*heading(crowns, options.seeds, options.folds), *rows, ""]), encoding="utf-8"
    )
    print("\n".join(rows))


def heading(crowns: dict[str, gpd.GeoDataFrame], seeds: int, folds: int) -> list[str]:
    genera = pd.concat(crowns.values())["genus"].value_counts()
    counted = sum(len(crowns[plot]) for plots in plots_by_fold()[:folds] for plot in plots)
    named = ", ".join(f"{name} {count}" for name, count in genera.items())
    return [
        "# Tree genus of crowns from RGB",
        "",
        f"`python benchmarks/crowns.py --seeds {seeds} --folds {folds}`: IDTReeS 2020, {genera.sum()} crowns of",
        f"{len(genera)} genera ({named}) in {len(crowns)} plots,",
        f"five folds of whole plots. Preset `small`, {TRAINING['epochs']} epochs, chips of {TRAINING['chip_size']} px,",
        f"batches of {TRAINING['batch_size']}, RGB averaged to {0.1 * COARSENING:.1f} m; auxiliary: {COMPONENTS}",
        "leading components of 369 bands (fitted on each fold's training plots) and canopy height, both of 1 m. The",
        "forests (500 trees) see each crown's RGB means, deviations and percentiles at 0.1 m.",
        *(["Mean ± sd over the seeds (each of them)."] if seeds > 1 else []),
        f"The {counted} crowns of {folds} of the five folds are counted together: the standard error of an",
        f"accuracy of 0.6 is {math.sqrt(0.6 * 0.4 / counted):.3f}.",
        "Networks keep a quarter of their plots for validation.",
        "",
        "| learner | given | accuracy | macro-F1 |",
        "|---|---|---|---|",
    ]


if __name__ == "__main__":
    main()
