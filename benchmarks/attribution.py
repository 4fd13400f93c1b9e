"""Attributions on real scenes: fidelity to exact Shapley values, and whether they find what is known; over seeds.

``python benchmarks/attribution.py`` writes ``attribution.md`` beside this file and needs the sample data in
``../shared/data`` beside the checkout. Players change nothing but the attributions (a test says so), so models without
them are not trained. The cases:

* ombria: six Sentinel-2 bands of two dates, each one a player; Sentinel-1 auxiliary; tested on the test split.
* sen1floods11: seven groups of Sentinel-2 bands; trained on the western half of the chip, tested on the eastern.
* demo: five groups of bands of generated scenes, one band of noise among them; tested on an unseen scene.
* known: the same with spectra built so that water shows in near and shortwave infrared alone, and both kinds of forest
  in the red edge alone; which player dominates is known there.
* idtrees: patches of 8 px (1.6 m) around tree crowns, whose genus is told from RGB; trained on the plots of four folds
  of ``crowns.py`` (``single``), judged at crowns of the fifth against captum's sampling.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import crowns as trees
import numpy as np
import pandas as pd
import rasterio
import torch
from accuracy import halves, read  # tunes the process
from common import DATA, HERE, Silent

from auxlens.engine import jobs
from auxlens.engine.attribution.exact import PERMUTATIONS
from auxlens.engine.attribution.patches import ObjectGame, sample_objects
from auxlens.engine.demo import recipe
from auxlens.engine.executors.attributionquality import judge
from auxlens.engine.run import run
from auxlens.engine.scene.bands import match
from auxlens.engine.scene.polygons import polygons_of
from auxlens.engine.scene.reading import scene_grid
from auxlens.models.file import load

SEN1FLOODS11 = "aerosol=B1,B9,B10;blue green=B2,B3;red=B4;red edge=B5,B6,B7,B8A;near infrared=B8;swir 1=B11;swir 2=B12"
DEMO = "visible=B2,B3,B4;red edge=B5,B6,B7,B8A;near infrared=B8;shortwave infrared=B11,B12;noise=noise"
PLAYERS = {name: bands.split(",") for name, _, bands in (entry.partition("=") for entry in DEMO.split(";"))}
# Spectrum of all classes of the case “known”, and the factors that make the difference, by class and player.
COMMON = {
    "B2": 0.03, "B3": 0.05, "B4": 0.04, "B5": 0.09, "B6": 0.16, "B7": 0.20, "B8": 0.24, "B8A": 0.22, "B11": 0.16,
    "B12": 0.09,
}  # fmt: skip
BUILT = {
    "water": {"near infrared": 0.1, "shortwave infrared": 0.1},
    "coniferous forest": {"red edge": 0.5},
    "broadleaved forest": {"red edge": 1.6},
    "cropland": {"shortwave infrared": 2.0},
    "wetland": {"shortwave infrared": 0.5},
    "built-up": {"near infrared": 0.5},
    "bare ground": {"near infrared": 0.5, "shortwave infrared": 2.0},
}
DOMINANT = " dominant"
MOST_PIXELS = 128
FIDELITY = ("rank_correlation", "r2", "same_dominant", "efficiency_gap", "insertion", "deletion", "milliseconds")
PATCHES, CROWNS = 4, 64
Case = Callable[[Path, int, int], dict[str, Any]]


def ombria(folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Flood mapping; IoU and pixel accuracy on the test split, error of the radar reconstruction there."""
    model = str(folder / "model.safetensors")
    run(
        jobs.TrainFolderJob(
            model,
            scenes=str(DATA / "ombria" / "train"),
            input_patterns="s2=s2.tif",
            auxiliary_patterns="s1=s1.tif",
            reference_pattern="flood.tif",
            seed=seed,
            epochs=epochs,
        ),
        Silent(),
    )
    scenes = sorted((DATA / "ombria" / "test").iterdir())
    found = mapped(folder, model, [(s / "s2.tif", s / "s1.tif", s / "flood.tif") for s in scenes])
    judged = [scene / "s2.tif" for scene in scenes[5::12]]
    return {**found, "scenes judged": len(judged), "quality": quality(folder, model, judged)}


def sen1floods11(folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Water mapping, west to east."""
    west, east = halves(folder)
    model = str(folder / "model.safetensors")
    run(
        jobs.TrainJob(
            model,
            players=SEN1FLOODS11,
            inputs=(str(west / "s2.tif"),),
            auxiliary=(str(west / "s1.tif"),),
            reference=str(west / "label.tif"),
            seed=seed,
            epochs=epochs,
        ),
        Silent(),
    )
    found = mapped(folder, model, [(east / "s2.tif", east / "s1.tif", east / "label.tif")])
    return {**found, "quality": quality(folder, model, [east / "s2.tif"])}


def demo(folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Generated land cover; a further band is noise."""
    model, unseen = generated(folder, seed, epochs)
    found = mapped(folder, model, [(unseen / "s2.tif", unseen / "s1.tif", unseen / "label.tif")])
    return {**found, "quality": quality(folder, model, [unseen / "s2.tif"])}


def known(folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Generated land cover whose classes depend on known bands."""
    with built_spectra(folder / "recipe.json"):
        model, unseen = generated(folder, seed, epochs)
    found = mapped(folder, model, [(unseen / "s2.tif", unseen / "s1.tif", unseen / "label.tif")])
    return {**found, **plausible(folder, model, unseen), "quality": quality(folder, model, [unseen / "s2.tif"])}


@contextmanager
def built_spectra(path: Path) -> Iterator[None]:
    """Demo scenes of one spectrum, but for what the factors of ``BUILT`` change."""
    content = json.loads(recipe._FILE.read_text(encoding="utf-8"))
    for kind in content["classes"]:
        spectrum = dict(COMMON)
        for player, factor in BUILT.get(kind["name"], {}).items():
            spectrum |= {band: factor * COMMON[band] for band in PLAYERS[player]}
        kind |= {"states": [[spectrum[band] for band in content["bands"]]] * 2, "texture": 0.05, "variation": 0.05}
    path.write_text(json.dumps(content), encoding="utf-8")
    with patch.object(recipe, "_FILE", path):
        recipe.recipe.cache_clear()
        yield
    recipe.recipe.cache_clear()


def generated(folder: Path, seed: int, epochs: int) -> tuple[str, Path]:
    """A model of generated scenes, and a scene that it has not seen."""
    run(jobs.DemoJob(str(folder / "scenes"), scenes=4, size_px=512, seed=7), Silent())
    for scene in (folder / "scenes").iterdir():
        add_noise(scene / "s2.tif", seed)
    unseen = (folder / "scenes" / "scene_02").rename(folder / "unseen")
    model = str(folder / "model.safetensors")
    run(
        jobs.TrainFolderJob(
            model,
            players=DEMO,
            scenes=str(folder / "scenes"),
            input_patterns="s2=s2.tif",
            auxiliary_patterns="s1=s1.tif;dem=dem.tif",
            reference_pattern="label.tif",
            seed=seed,
            epochs=epochs,
        ),
        Silent(),
    )
    return model, unseen


def add_noise(path: Path, seed: int) -> None:
    """Append a band of noise to a scene's raster."""
    with rasterio.open(path) as source:
        values, profile, names = source.read(), source.profile, source.descriptions
    noise = np.random.default_rng(seed).normal(2000, 500, values.shape[1:]).clip(1, 9999).astype(values.dtype)
    with rasterio.open(path, "w", **{**profile, "count": len(values) + 1}) as target:
        target.write(np.concatenate([values, noise[None]]))
        target.descriptions = (*names, "noise")


def plausible(folder: Path, model: str, scene: Path) -> dict[str, float]:
    """Mean size of each player's attributions as a share of the largest one's, and the dominant player by class."""
    run(
        jobs.MapJob(
            model, (str(scene / "s2.tif"),), output_map=str(folder / "m.tif"), output_attribution=str(folder / "a.tif")
        ),
        Silent(),
    )
    values, classes, truth = read(folder / "a.tif"), read(folder / "m.tif")[0], read(scene / "label.tif")[0]
    sizes = np.nanmean(np.abs(values[:-1]), axis=(1, 2))
    names = list(PLAYERS)
    found = {
        f"mean size of the attributions of {name}, share of the largest": s / sizes.max()
        for name, s in zip(names, sizes, strict=True)
    }
    for kind in recipe.land_classes():
        here = (classes == kind["value"]) & (truth == kind["value"])
        if not here.any():
            continue
        counts = np.bincount(values[-1][here].astype(int), minlength=len(names) + 1)[1:]
        for name, count in zip(names, counts, strict=True):
            found[f"{kind['name']}: {name}{DOMINANT}"] = count / counts.sum()
        if kind["name"] in BUILT:
            built = [count for name, count in zip(names, counts, strict=True) if name in BUILT[kind["name"]]]
            found[f"{kind['name']}: dominant player as built"] = sum(built) / counts.sum()
    return {name: float(value) for name, value in found.items()}


def mapped(folder: Path, model: str, scenes: list[tuple[Path, Path, Path]]) -> dict[str, float]:
    """IoU of class 1, pixel accuracy, and error of the first auxiliary modality, over all scenes."""
    both = either = right = known = squared = bands = 0.0
    for inputs, radar, reference in scenes:
        outputs = {f"output_{name}": str(folder / f"{name}.tif") for name in ("map", "reconstruction")}
        run(jobs.MapJob(model, (str(inputs),), **outputs), Silent())
        classes, truth = read(folder / "map.tif")[0], read(reference)[0].astype(int)
        seen = (classes != 255) & (truth >= 0)
        both += ((classes == 1) & (truth == 1) & seen).sum()
        either += (((classes == 1) | (truth == 1)) & seen).sum()
        right, known = right + (classes == truth)[seen].sum(), known + seen.sum()
        measured = read(radar)
        error = read(folder / "reconstruction.tif")[: len(measured)] - measured
        squared, bands = squared + np.nansum(error**2), bands + np.isfinite(error).sum()
    return {
        "IoU of class 1": both / either,
        "pixel accuracy": right / known,
        "auxiliary RMSE": (squared / bands) ** 0.5,
    }


def quality(folder: Path, model: str, scenes: list[Path]) -> dict[str, dict[str, float]]:
    """The table of ``attributionquality``, by method, then by measure: means over scenes with as many pixels each."""
    table, pixels = folder / "quality.csv", max(MOST_PIXELS // len(scenes), 48)
    found: dict[str, dict[str, list[float]]] = {}
    for scene in scenes:
        run(jobs.AttributionQualityJob(model, (str(scene),), pixels=pixels, output_table=str(table)), Silent())
        with table.open() as file:
            for line in csv.DictReader(file):
                measures = found.setdefault(line.pop("method"), {})
                for name, value in line.items():
                    if value:
                        measures.setdefault(name, []).append(float(value))
    return {method: {name: statistics.mean(v) for name, v in row.items()} for method, row in found.items()}


def idtrees(folder: Path, seed: int, epochs: int) -> dict[str, Any]:
    """Genus of tree crowns; accuracy at all crowns of the plots that were held out, fidelity at some of them."""
    crowns, held_out = trees.crowns_by_plot(), trees.plots_by_fold()[0]
    trees.write_scenes(
        {folder / "learned": [p for p in sorted(crowns) if p not in held_out], folder / "held": held_out}
    )
    pd.concat(crowns.values()).to_file(folder / "crowns.gpkg")
    model = str(folder / "model.safetensors")
    trained = run(
        jobs.TrainFolderJob(
            model,
            task="scene_classification",
            strategy="single",
            players=f"patches={PATCHES}",
            seed=seed,
            scenes=str(folder / "learned"),
            test_scenes=str(folder / "held"),
            input_patterns="rgb=rgb.tif",
            reference_pattern="../../crowns.gpkg",
            reference_field="genus",
            **{**trees.TRAINING, "epochs": epochs},
        ),
        Silent(),
    )
    network, card = load(model)
    game, found = ObjectGame(network, "mean", seed), []
    for plot in (plot for plot in held_out if len(crowns[plot])):
        crowns[plot].to_file(folder / f"{plot}.gpkg")
        sources = match([(m.name, m.bands) for m in card.inputs], (str(folder / "held" / plot / "rgb.tif"),))
        grid = scene_grid(sources)
        polygons = polygons_of(str(folder / f"{plot}.gpkg"), grid, grid.whole)
        found.append(sample_objects(sources, polygons, network, len(crowns[plot]), seed))
    everything = found[0].of(*(torch.cat(parts) for parts in zip(*((f.chips, *f.places) for f in found), strict=True)))
    chosen = torch.from_numpy(np.random.default_rng(seed).permutation(len(everything))[:CROWNS])
    job = jobs.AttributionQualityJob(model, (str(folder),), seed=seed)
    judged = judge(job, card, game, everything.pick(chosen), {}, Silent())
    figures = {**judged.figures, "Shapley values": judged.attainable}
    for control, value in judged.controls.items():
        figures[f"control: {control}"] = {"rank_correlation": value}
    return {
        "overall accuracy": trained["figures"]["test"]["overall_accuracy"],
        "crowns judged": judged.pixels,
        "error of the sampled Shapley values": judged.truth_error,
        "quality": figures,
    }


CASES: dict[str, tuple[Case, int]] = {
    "ombria": (ombria, 10),
    "sen1floods11": (sen1floods11, 20),
    "demo": (demo, 10),
    "known": (known, 16),
    "idtrees": (idtrees, 10),
}


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """The tables of all results, a case after the other."""
    for case in dict.fromkeys(result["case"] for result in results):
        found = [result["found"] for result in results if result["case"] == case]
        yield from (f"## {case}: {len(found)} seed{'s' * (len(found) > 1)}", "", "| figure | over seeds |", "|---|---|")
        for name in found[0]:
            if name != "quality" and not name.endswith(DOMINANT):
                yield f"| {name} | {spread([values[name] for values in found if name in values])} |"
        yield from dominant_table(found)
        yield from ("", "| method | " + " | ".join(FIDELITY) + " |", "|---|" + "---|" * len(FIDELITY))
        for method in max((values["quality"] for values in found), key=len):
            lines = [values["quality"][method] for values in found if method in values["quality"]]
            yield f"| {method} | " + " | ".join(spread([x[m] for x in lines if m in x]) for m in FIDELITY) + " |"
        yield ""


def dominant_table(found: list[dict[str, Any]]) -> Iterator[str]:
    """Which player dominates the pixels of each class that are mapped right; none where that was not measured."""
    shares: dict[str, dict[str, list[float]]] = {}
    for values in found:
        for name, share in values.items():
            if name.endswith(DOMINANT):
                of_class, player = name.removesuffix(DOMINANT).split(": ")
                shares.setdefault(of_class, {}).setdefault(player, []).append(share)
    if not shares:
        return
    players = list(next(iter(shares.values())))
    yield from ("", "| dominant at | " + " | ".join(players) + " |", "|---" * (len(players) + 1) + "|")
    for of_class, row in shares.items():
        yield f"| {of_class} | " + " | ".join(spread(row[player]) for player in players) + " |"


def spread(values: list[float]) -> str:
    if not values:
        return "–"
    deviation = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4g}{deviation}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--case", choices=list(CASES), action="append", help="some cases only")
    parser.add_argument(
        "--results", type=Path, help="JSON lines to add results to, and to take those that are there from"
    )
    options = parser.parse_args()
    done = [json.loads(line) for line in options.results.open()] if options.results and options.results.exists() else []
    for case in options.case or CASES:
        work, epochs = CASES[case]
        for seed in range(options.seeds):
            key = {"case": case, "seed": seed}
            if any(key.items() <= result.items() for result in done):
                continue
            with tempfile.TemporaryDirectory(prefix="auxlens-") as folder:
                found = work(Path(folder), seed, epochs)
            done.append({**key, "found": found})
            print(json.dumps(done[-1]), flush=True)
            if options.results:
                with options.results.open("a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
    epochs_of = ", ".join(f"{name} {epochs}" for name, (_, epochs) in CASES.items())
    lines = [
        "# Attributions",
        "",
        "`python benchmarks/attribution.py`, seed by seed as far as said below: preset `small`, at most so many epochs",
        f"({epochs_of}), then the explainer's steps. Mean ± sd over the seeds;",
        f"`attributionquality` at {MOST_PIXELS} pixels of a scene that no training saw, or 48 each of several, against",
        "exact Shapley values of all coalitions;",
        f"idtrees at {CROWNS} crowns, against captum's `ShapleyValueSampling` with {2 * PERMUTATIONS} permutations.",
        "",
    ]
    (HERE / "attribution.md").write_text("\n".join([*lines, *table(done)]), encoding="utf-8")


if __name__ == "__main__":
    main()
