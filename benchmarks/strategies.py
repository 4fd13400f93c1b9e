"""Strategies and baselines on real scenes, over seeds; writes ``strategies.md`` beside this file.

``python benchmarks/strategies.py`` needs the sample data in ``../shared/data`` beside the checkout. It runs what
``auxlens comparestrategies`` runs on OMBRIA (Sentinel-2 before and after a flood in, Sentinel-1 auxiliary; 160 chips to
train and validate, the 70 of the test set to test), but keeps each training's counts in ``--cache``, so that it can be
stopped, go on later, and be shared out to several processes (``--seeds``).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import conftest  # noqa: F401, E402 - makes this checkout importable as auxlens
from auxlens.engine.tuning import tune_process  # noqa: E402

tune_process()

import json  # noqa: E402

import numpy as np  # noqa: E402

from auxlens.engine.compare.results import Comparison  # noqa: E402
from auxlens.engine.compare.verdicts import FIGURES, verdicts  # noqa: E402
from auxlens.engine.devices import choose_device  # noqa: E402
from auxlens.engine.jobs import CompareJob  # noqa: E402
from auxlens.engine.publish import comparison as compare  # noqa: E402
from auxlens.engine.reports.comparison import render_comparison  # noqa: E402

DATA = HERE.parents[1] / "shared" / "data" / "ombria"


class Silent:
    """A progress that nobody looks at."""

    def report(self, fraction: float, message: str) -> None: ...

    def canceled(self) -> bool:
        return False


def ombria(epochs: int, repetitions: int) -> CompareJob:
    return CompareJob(
        scenes=str(DATA / "train"),
        test_scenes=str(DATA / "test"),
        input_patterns="s2=s2.tif",
        auxiliary_patterns="s1=s1.tif",
        reference_pattern="flood.tif",
        epochs=epochs,
        repetitions=repetitions,
    )


def learned(job: CompareJob, cache: Path, seeds: list[int]) -> Comparison | None:
    """Learn what the cache does not hold of some seeds; the comparison, once nothing is missing of any."""
    training, device = compare.training_job(job), choose_device(job.device)
    setups = compare.setups_of(training, Silent())
    steps = sorted(compare.plan((1.0,), job.repetitions), key=lambda step: step.repetition)
    found: dict[tuple[float, str], list[object]] = {}
    for step in steps:
        file = cache / f"{step.method}, {job.epochs} epochs, seed {step.repetition}.npz"
        if not file.exists() and step.repetition in seeds:
            own = replace(training, seed=step.repetition)
            sums, seconds, history = compare.one(step, own, setups[step.strategy], setups["single"], device, Silent())
            np.savez(file, sums=sums, seconds=seconds, history=json.dumps(history))
            print(f"{file.stem}: {seconds:.0f} s", flush=True)
        if file.exists():
            kept = np.load(file)
            value = (kept["sums"], float(kept["seconds"]), json.loads(str(kept["history"])))
            found.setdefault((step.share, step.method), []).append(value)
    complete = sum(map(len, found.values())) == len(steps)
    return compare.gathered(job, found, setups, device) if complete else None


def page(comparison: Comparison, command: str) -> str:
    names = comparison.compared
    labels = [FIGURES.get(name, name.replace("iou ", "IoU of ")) for name in names]
    lines = [
        "# Strategies on OMBRIA",
        "",
        f"`{command}`: preset `small`,",
        f"{comparison.chips} chips of 128 px an epoch, one CPU core a training. Mean ± sd over",
        f"{len(comparison.seeds)} seeds on the {comparison.units} chips of the test set; one split of the other 160",
        "into training and validation. Baselines see each pixel and its means over 9 × 9 pixels, sampled from chips",
        "that are drawn as the networks' are.",
        "",
        "| method | needs to map | " + " | ".join(labels) + " | learning, s |",
        "|---" * (len(labels) + 3) + "|",
    ]
    for trial in comparison.trials:
        values = [comparison.values(trial, name) for name in names]
        cells = " | ".join(f"{v.mean():.3f} ± {v.std(ddof=1):.3f}" for v in values)
        lines.append(f"| {trial.method} | {', '.join(trial.inputs)} | {cells} | {np.mean(trial.seconds):.0f} |")
    lines += ["", "| difference (95 % interval) | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    for first, second, share in comparison.pairs():
        found = [comparison.difference(first, second, share, name) for name in names]
        cells = " | ".join(f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})" for d in found)
        lines.append(f"| {first} − {second} | {cells} |")
    lines += ["", *(f"- {v.claim}? {v.found}" for v in verdicts(comparison)), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="*", help="those to learn now; all by default")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps what was counted")
    parser.add_argument("--report", help="HTML report to write, too")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    job = ombria(options.epochs, options.repetitions)
    seeds = list(range(options.repetitions)) if options.seeds is None else options.seeds
    comparison = learned(job, options.cache, seeds)
    if comparison is None:
        print("Some trainings are missing yet; no page is written.")
        return
    command = f"python benchmarks/strategies.py --epochs {options.epochs} --repetitions {options.repetitions}"
    text = page(comparison, command)
    (HERE / "strategies.md").write_text(text, encoding="utf-8")
    if options.report:
        Path(options.report).write_text(render_comparison(comparison, job), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
