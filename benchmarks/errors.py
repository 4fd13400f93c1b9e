"""How well errors are found and explained, over seeds; writes ``errors.md`` beside this file and ``docs/causes.md``.

``python benchmarks/errors.py --keep FOLDER`` needs the sample data in ``../shared/data`` beside the checkout. Models
and results are kept in the folder, so that a case can be measured again without training; the tables are written from
all results in it. Cases, each on pixels that no training saw:

* ombria: floods; Sentinel-2 before and after in, Sentinel-1 before and after auxiliary; the test chips.
* ombria-shuffled: the control, with auxiliary targets of other chips.
* sen1floods11: trained on the western half of the chip, tested on the eastern.
* idtrees: canopy height from RGB, hyperspectral components auxiliary; plots that no training saw. Wrong means farther
  off than the root mean square error on validation, and the size of errors is ranked as well.
* crowns: genus of tree crowns from RGB, as in ``crowns.py``; crowns instead of pixels, of all five folds.
* demo: the demo's last scene, with haze, cloud shadow and a class that training had not: errors by cause.
* ombria-limit: how well the same models would do if they were fitted on the test chips of ombria, in five folds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crowns
import heights
import numpy as np
import torch
from accuracy import halves, read  # tunes the process
from common import DATA, HERE, Silent
from crowns import EXPECTED, OBSERVED, PROBABILITIES, UNCERTAINTY
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from auxlens.engine import jobs
from auxlens.engine.assess.reliability import Reliability
from auxlens.engine.explain import calibration, detection, error_probability as errors
from auxlens.engine.run import run
from auxlens.engine.training import evaluation
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.engine.training.split import TEST
from auxlens.models.card import read_card
from auxlens.models.file import load

OMBRIA = {"input_patterns": "s2=s2.tif", "auxiliary_patterns": "s1=s1.tif", "reference_pattern": "flood.tif"}
DEMO = {"input_patterns": "s2=s2.tif", "auxiliary_patterns": "s1=s1.tif;dem=dem.tif", "reference_pattern": "label.tif"}
CAUSES = {0: "none", 1: "haze", 2: "cloud shadow", 3: "unseen class"}
_MOST_PIXELS = 4000  # a chip, drawn at random, so that all chips count alike


@dataclass(frozen=True)
class Scene:
    """Files of one test scene."""

    inputs: str
    auxiliary: tuple[str, ...]
    reference: str


def train(model: Path, seed: int, strategy: str, epochs: int, minutes: float, scenes: Path, patterns: Any) -> None:
    """Train on a folder, unless the model is there already."""
    if not model.exists():
        job = jobs.TrainFolderJob(
            str(model), scenes=str(scenes), seed=seed, strategy=strategy, epochs=epochs, time_limit=minutes,
            players="none", **patterns,
        )  # fmt: skip
        run(job, Silent())


def mapped(model: Path, scene: Scene, folder: Path) -> dict[str, np.ndarray]:
    """Main error, and the layers that shall tell it: ``(bands, H, W)`` each."""
    outputs = {f"output_{n}": str(folder / f"{n}.tif") for n in ("main_error", "uncertainty", "error_probability")}
    run(jobs.MapJob(str(model), (scene.inputs,), reference=scene.reference, **outputs), Silent())
    found = {name: read(folder / f"{name}.tif") for name in ("main_error", "uncertainty")}
    found[EXPECTED] = read(folder / "error_probability.tif")
    outputs = {f"output_{n}": str(folder / f"{n}.tif") for n in ("error_probability", "reconstruction_error")}
    outputs["output_expected_error"] = str(folder / "expected_error.tif")
    run(jobs.MapJob(str(model), (scene.inputs,), scene.auxiliary, **outputs), Silent())
    found[OBSERVED] = read(folder / "error_probability.tif")
    found["reconstruction error"] = np.abs(read(folder / "reconstruction_error.tif"))
    found["expected error"] = read(folder / "expected_error.tif")
    return found


def measured(model: Path, scenes: Sequence[Scene], blocks: int = 0, tolerance: float | None = None) -> dict[str, Any]:
    """Detection figures of each score with intervals over scenes, or over blocks of the only scene.

    Of a regression, whose pixels are wrong where the error exceeds ``tolerance``, also rank correlations with its size.
    """
    rng = np.random.default_rng(0)
    pixels: dict[str, list[np.ndarray]] = {}
    for number, scene in enumerate(scenes):
        with tempfile.TemporaryDirectory(prefix="auxlens-") as folder:
            layers = mapped(model, scene, Path(folder))
        error = layers["main_error"][0]
        has_error = error != 255 if tolerance is None else np.isfinite(error)
        known = np.flatnonzero(has_error & np.isfinite(layers[OBSERVED][0]))
        if not blocks:
            known = rng.permutation(known)[:_MOST_PIXELS]
        rows, cols = np.unravel_index(known, error.shape)
        side = -(-max(error.shape) // blocks) if blocks else 1
        unit = rows // side * blocks + cols // side if blocks else np.full(len(known), number)
        size = np.abs(error.ravel()[known])
        pixels.setdefault("size", []).append(size)
        pixels.setdefault("wrong", []).append(size == 1 if tolerance is None else size > tolerance)
        pixels.setdefault("unit", []).append(unit)
        for name in (UNCERTAINTY, EXPECTED, OBSERVED):
            pixels.setdefault(name, []).append(layers[name][0].ravel()[known])
    joined = {name: np.concatenate(values) for name, values in pixels.items()}
    unit = np.unique(joined["unit"], return_inverse=True)[1]
    scores = {name: joined[name] for name in (UNCERTAINTY, EXPECTED, OBSERVED)}
    result = detected(scores, joined["wrong"], unit)
    if tolerance is not None:
        ranked = {name: rank_correlations(values, joined["size"], unit) for name, values in scores.items()}
        for name, values in ranked.items():
            result[name]["rank"] = vars(detection.interval(values))
            if name != UNCERTAINTY:
                result[name]["rank gain"] = vars(detection.interval(values - ranked[UNCERTAINTY]))
    return result


def detected(scores: dict[str, np.ndarray], wrong: np.ndarray, unit: np.ndarray) -> dict[str, Any]:
    """Detection figures of each score, with intervals over units, which are numbered from 0."""
    counts = {name: detection.counts(values, wrong, unit) for name, values in scores.items()}
    drawn = detection.resampled(counts, seed=0)
    result: dict[str, Any] = {"error rate": float(wrong.mean()), "pixels": len(wrong), "units": int(unit.max()) + 1}
    for name, figures in drawn.items():
        result[name] = {"auroc": vars(detection.interval(figures["auroc"]))}
        if name != UNCERTAINTY:
            gain = detection.interval(figures["auroc"] - drawn[UNCERTAINTY]["auroc"])
            reliability = Reliability()
            reliability.add(scores[name], wrong)
            result[name] |= {"gain": vars(gain), "ece": reliability.figures()["ece"]}
    return result


def rank_correlations(score: np.ndarray, size: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Spearman's correlation of all pixels, then of whole units drawn again and again, by their ranks among all."""
    x, y = (rankdata(values) - (len(values) + 1) / 2 for values in (score, size))
    sums = np.stack([np.bincount(unit, values) for values in (np.ones(len(x)), x, y, x * x, y * y, x * y)], axis=1)
    units = len(sums)
    drawn = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), detection.DRAWS)
    n, sx, sy, sxx, syy, sxy = (np.concatenate([np.ones((1, units)), drawn]) @ sums).T
    return (sxy - sx * sy / n) / np.sqrt((sxx - sx * sx / n) * (syy - sy * sy / n))


def ombria(keep: Path, seed: int, strategy: str = "multitask") -> dict[str, Any]:
    model = keep / f"ombria_{strategy}_{seed}.safetensors"
    train(model, seed, strategy, 12, 4.0, DATA / "ombria" / "train", OMBRIA)
    folders = sorted((DATA / "ombria" / "test").iterdir())
    return measured(model, [Scene(str(f / "s2.tif"), (str(f / "s1.tif"),), str(f / "flood.tif")) for f in folders])


def shuffled(keep: Path, seed: int) -> dict[str, Any]:
    return ombria(keep, seed, "shuffled")


def limit(keep: Path, seed: int) -> dict[str, Any]:
    """AUROC of error models that are fitted on four fifths of the test chips and judged on the others."""
    network, card = load(str(keep / f"ombria_multitask_{seed}.safetensors"))
    job = jobs.TrainFolderJob(
        "limit.safetensors", scenes=str(DATA / "ombria" / "train"), test_scenes=str(DATA / "ombria" / "test"), **OMBRIA
    )
    setup = Setup(job, scenes_of(job), Silent())
    task = evaluation.Task(setup.classes, setup.auxiliary, torch.device("cpu"), torch.bfloat16)
    reader = setup.reader(TEST)
    pixels = evaluation.evaluate(network.eval(), reader, setup.sizes, task, seed, Silent(), card.input_density).sample()

    def part(of: np.ndarray) -> calibration.Sample:
        features = {name: values[of] for name, values in pixels.features.items()}
        return calibration.Sample(features, pixels.error[of], pixels.mapped[of], pixels.tile[of])

    probability = {form: np.empty(len(pixels.error)) for form in (errors.EXPECTED, errors.OBSERVED)}
    for known, unseen in GroupKFold(5).split(pixels.error, groups=pixels.tile):
        judged = part(unseen)
        features = {name: torch.from_numpy(values) for name, values in judged.features.items()}
        fitted = calibration.fit(part(known), judged, 0.0, len(setup.classes))
        for form, values in probability.items():
            values[unseen] = errors.apply(fitted[form], features, torch.from_numpy(judged.mapped)).numpy()
    return {form: float(roc_auc_score(pixels.error, values)) for form, values in probability.items()}


def idtrees(keep: Path, seed: int) -> dict[str, Any]:
    """The plots of the first fold of ``heights.py``, and the share of them that intervals hold."""
    folder = keep / "idtrees"
    if not folder.exists():
        part = keep / "idtrees.part"
        shutil.rmtree(part, ignore_errors=True)
        heights.write_plots(part, 0)
        part.rename(folder)
    model = keep / f"idtrees_multitask_{seed}.safetensors"
    if not model.exists():
        heights.train(model, folder, "multitask", seed)
    card = read_card(str(model))
    plots = sorted((folder / "held_out").iterdir())
    scenes = [Scene(str(p / "rgb.tif"), (str(p / "hsi.tif"),), str(p / "chm.tif")) for p in plots]
    found = measured(model, scenes, tolerance=card.error_models["expected"].tolerance)
    held = card.intervals
    return found | {"held": dict(zip(map(str, held.levels), held.coverage, strict=True)) if held else {}}


def genus(keep: Path, seed: int) -> dict[str, Any]:
    """Crowns of all folds of ``crowns.py``, whose results in ``keep/crowns`` are taken."""
    folder = keep / "crowns"
    folder.mkdir(exist_ok=True)
    by_plot = crowns.crowns_by_plot()
    parts = [crowns.kept(folder, by_plot, "multitask", seed, fold) for fold in range(crowns.FOLDS)]
    joined = {
        name: np.array([value for part in parts for value in part[name]]) for name in parts[0] if name != PROBABILITIES
    }
    scores = {name: joined[name].astype(float) for name in (UNCERTAINTY, EXPECTED, OBSERVED)}
    return detected(scores, joined["map"] != joined["truth"], np.unique(joined["plot"], return_inverse=True)[1])


def sen1floods11(keep: Path, seed: int) -> dict[str, Any]:
    folder = keep / "sen1floods11"
    folder.mkdir(exist_ok=True)
    west, east = halves(folder)
    model = keep / f"sen1floods11_multitask_{seed}.safetensors"
    if not model.exists():
        job = jobs.TrainJob(
            str(model), inputs=(str(west / "s2.tif"),), auxiliary=(str(west / "s1.tif"),),
            reference=str(west / "label.tif"), seed=seed, time_limit=2.0, players="none",
        )  # fmt: skip
        run(job, Silent())
    scene = Scene(str(east / "s2.tif"), (str(east / "s1.tif"),), str(east / "label.tif"))
    return measured(model, [scene], blocks=8)


def demo(keep: Path, seed: int) -> dict[str, Any]:
    """Errors by cause: AUROC of wrong pixels in a cause against all right pixels of the scene."""
    root = keep / f"demo_{seed}"
    if not root.exists():
        run(jobs.DemoJob(str(root / "train"), scenes=4, size_px=1024, seed=seed), Silent())
        (root / "train" / "scene_04").rename(root / "scene_04")
    model = keep / f"demo_multitask_{seed}.safetensors"
    train(model, seed, "multitask", 40, 3.0, root / "train", DEMO)
    place = root / "scene_04"
    scene = Scene(str(place / "s2.tif"), (str(place / "s1.tif"), str(place / "dem.tif")), str(place / "label.tif"))
    with tempfile.TemporaryDirectory(prefix="auxlens-") as folder:
        layers = mapped(model, scene, Path(folder))
    error, cause = layers["main_error"][0], read(place / "causes.tif")[0]
    known = (error != 255) & np.isfinite(layers[OBSERVED][0])
    scores = {name: layers[name][0] for name in (UNCERTAINTY, EXPECTED, OBSERVED)}
    for kind in ("reconstruction error", "expected error"):
        scores |= {f"{kind}, {b}": v for b, v in zip(("s1:VV", "s1:VH", "dem:elevation"), layers[kind], strict=True)}
    result: dict[str, Any] = {"all": measured(model, [scene], blocks=8)}
    for value, name in CAUSES.items():
        here = known & (cause == value)
        compared = (here & (error == 1)) | (known & (error == 0))
        result[name] = {
            "error rate": float(error[here].mean()),
            **{f"predicted {form}": float(layers[form][0][here].mean()) for form in (EXPECTED, OBSERVED)},
            "auroc": {k: float(roc_auc_score(error[compared] == 1, v[compared])) for k, v in scores.items()},
        }
    return result


CASES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "ombria": ombria, "ombria-shuffled": shuffled, "ombria-limit": limit, "idtrees": idtrees,
    "crowns": genus, "sen1floods11": sen1floods11, "demo": demo,
}  # fmt: skip


def results(keep: Path) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """All kept results by case, with their seeds."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for path in sorted(keep.glob("result_*.json")):
        _, case, seed = path.stem.split("_")
        found.setdefault(case, []).append((int(seed), json.loads(path.read_text(encoding="utf-8"))))
    return found


def detection_table(found: dict[str, list[tuple[int, dict[str, Any]]]]) -> list[str]:
    lines = [
        "| case | seed | wrong | AUROC: uncertainty | without references, gain | with, gain | ECE without | with |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, runs in found.items():
        if case == "ombria-limit":
            continue
        rows = [(seed, r["all"] if case == "demo" else r) for seed, r in runs]
        for seed, r in rows:
            cells = [f"{r[f]['auroc']['value']:.3f}, {_between(r[f]['gain'])}" for f in (EXPECTED, OBSERVED)]
            eces = [f"{r[f]['ece']:.3f}" for f in (EXPECTED, OBSERVED)]
            alone = f"{r[UNCERTAINTY]['auroc']['value']:.3f}"
            lines.append(f"| {case} | {seed} | {r['error rate']:.3f} | {alone} | {' | '.join([*cells, *eces])} |")
        if len(rows) > 1:
            cells = [
                f"{_mean(r[f]['auroc']['value'] for _, r in rows)}, {_mean(r[f]['gain']['value'] for _, r in rows)}"
                for f in (EXPECTED, OBSERVED)
            ]
            cells += [_mean(r[f]["ece"] for _, r in rows) for f in (EXPECTED, OBSERVED)]
            alone = _mean(r[UNCERTAINTY]["auroc"]["value"] for _, r in rows)
            rate = _mean(r["error rate"] for _, r in rows)
            lines.append(f"| {case} | **mean ± sd** | {rate} | {alone} | {' | '.join(cells)} |")
    return lines


def size_table(runs: list[tuple[int, dict[str, Any]]]) -> list[str]:
    """Of a regression: how well the size of errors is ranked, and how many references the intervals held."""
    levels = sorted(set().union(*(r["held"] for _, r in runs)))
    held = " | ".join(f"{100 * float(level):g} %" for level in levels)
    lines = [
        "## Sizes of errors",
        "",
        "idtrees: Spearman's correlation of each layer with the absolute error of canopy height, intervals over plots;",
        "and the share of test references that intervals of four levels held (factors fitted on validation).",
        "",
        f"| seed | uncertainty | without references, gain | with, gain | {held} |",
        "|---|---|---|---|" + "---|" * len(levels),
    ]
    for seed, r in runs:
        cells = [f"{r[UNCERTAINTY]['rank']['value']:.3f}"]
        cells += [f"{r[f]['rank']['value']:.3f}, {_between(r[f]['rank gain'])}" for f in (EXPECTED, OBSERVED)]
        cells += [f"{100 * r['held'][level]:.0f} %" if level in r["held"] else "–" for level in levels]
        lines.append(f"| {seed} | {' | '.join(cells)} |")
    return lines


def _between(interval: dict[str, float]) -> str:
    return f"{interval['value']:+.3f} ({interval['low']:+.3f} to {interval['high']:+.3f})"


def _mean(values: Any) -> str:
    numbers = list(values)
    return f"{statistics.mean(numbers):.3f} ± {statistics.stdev(numbers):.3f}"


def write_tables(keep: Path) -> None:
    """Write both documents from all results."""
    found = results(keep)
    lines = [
        "# Finding errors",
        "",
        "`python benchmarks/errors.py --keep FOLDER --case CASE --seed SEED` for each line: preset `small`, strategy",
        "`multitask` (`shuffled` in the control), no players, on a CPU that other work shared; at most 12 epochs and 4",
        "minutes for ombria, 2 minutes for sen1floods11, 3 minutes for the demo; idtrees as in heights.md. Pixels that",
        "no training saw. In brackets 95 % intervals of 1000 draws of whole chips (ombria, 4000 pixels of each), of",
        "plots (idtrees, and crowns as in crowns.md), or of 64 blocks of the only scene. Gain: difference in AUROC to",
        "the uncertainty (entropy) alone.",
        "",
        *detection_table(found),
        "",
    ]
    if "ombria-limit" in found:
        forms = zip((errors.EXPECTED, errors.OBSERVED), ("without", "with"), strict=True)
        best = ", ".join(
            f"{text} references {_mean(r[form] for _, r in found['ombria-limit'])}" for form, text in forms
        )
        lines += [f"Fitted on the test chips of ombria themselves, in five folds, the AUROC would be: {best}.", ""]
    if "idtrees" in found:
        lines += [*size_table(found["idtrees"]), ""]
    (HERE / "errors.md").write_text("\n".join(lines), encoding="utf-8")
    if "demo" in found:
        (HERE.parent / "docs" / "causes.md").write_text(causes_table(found["demo"]), encoding="utf-8")


def causes_table(runs: list[tuple[int, dict[str, Any]]]) -> str:
    """Which cause shows in which layer: means over the seeds."""
    names = list(CAUSES.values())
    scores = list(runs[0][1]["haze"]["auroc"])

    def mean(cause: str, *keys: str) -> float:
        values = [r[cause] for _, r in runs]
        for key in keys:
            values = [v[key] for v in values]
        return statistics.mean(values)

    figures = (("map is wrong", "error rate"), ("predicted without references", f"predicted {EXPECTED}"),
               ("predicted with references", f"predicted {OBSERVED}"))  # fmt: skip
    lines = [
        "# Which cause of error shows where",
        "",
        "The demo's last scene carries haze, cloud shadow and a burnt area, a class that the training scenes lack;",
        "`causes.tif` says where. It is synthetic: causes are known there, but real haze is not this haze. Written by",
        f"`python benchmarks/errors.py --keep FOLDER --case demo`; seeds: {', '.join(str(seed) for seed, _ in runs)}.",
        "",
        "| share of pixels | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
        *(f"| {t} | " + " | ".join(f"{100 * mean(c, k):.0f} %" for c in names) + " |" for t, k in figures),
        "",
        "AUROC of the wrong pixels in each cause against all right pixels of the scene (0.5: the layer says nothing;",
        "below: it is smaller where the map is wrong):",
        "",
        "| layer | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for score in scores:
        label = f"error probability {score}" if score in (EXPECTED, OBSERVED) else score
        lines.append(f"| {label} | " + " | ".join(f"{mean(c, 'auroc', score):.2f}" for c in names) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--case", choices=list(CASES), help="one case only; none: write the tables alone")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    if options.case:
        result = CASES[options.case](options.keep, options.seed)
        path = options.keep / f"result_{options.case}_{options.seed}.json"
        path.write_text(json.dumps(result, indent=1), encoding="utf-8")
        print(json.dumps(result))
    write_tables(options.keep)


if __name__ == "__main__":
    main()
