"""Strategies and baselines on real scenes, over seeds; writes ``strategies.md`` beside this file.

``python benchmarks/strategies.py --cache FOLDER`` needs the sample data in ``../shared/data`` beside the checkout. It
runs what ``auxlens comparestrategies`` runs on OMBRIA (Sentinel-2 before and after a flood in, Sentinel-1 auxiliary;
160 chips to train and validate, the 70 of the test set to test), but keeps each training's counts in ``FOLDER``, so
that it can be stopped, go on later, and be shared out to several processes (``--seeds``).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from common import DATA, HERE, Silent

from auxlens.engine.tuning import tune_process

tune_process()

import json  # noqa: E402

import numpy as np  # noqa: E402

from auxlens.engine.compare.results import Comparison, Trial  # noqa: E402
from auxlens.engine.compare.verdicts import FIGURES, verdicts  # noqa: E402
from auxlens.engine.devices import choose_device  # noqa: E402
from auxlens.engine.executors import comparestrategies as compare  # noqa: E402
from auxlens.engine.jobs import CompareJob  # noqa: E402
from auxlens.engine.reports.comparison import render_comparison  # noqa: E402
from auxlens.engine.training.learn import batch_size_of  # noqa: E402

OMBRIA = DATA / "ombria"


def ombria(epochs: int, repetitions: int) -> CompareJob:
    return CompareJob(
        scenes=str(OMBRIA / "train"),
        test_scenes=str(OMBRIA / "test"),
        input_patterns="s2=s2.tif",
        auxiliary_patterns="s1=s1.tif",
        reference_pattern="flood.tif",
        epochs=epochs,
        repetitions=repetitions,
    )


def learned(
    job: CompareJob, cache: Path, shares: list[float], seeds: list[int], methods: list[str] | None = None
) -> Comparison | None:
    """Learn what the cache does not hold of some seeds and methods; the comparison, once all references were tried."""
    training, device = compare.training_job(job), choose_device(job.device)
    setups = compare.setups_of(training, Silent())
    steps = sorted(compare.plan(shares, job.repetitions), key=lambda step: (-step.share, step.repetition))
    found: dict[tuple[float, str], list[object]] = {}
    for step in steps:
        file = cache / f"{named(step)}, {job.epochs} epochs, seed {step.repetition}.npz"
        asked = step.repetition in seeds and (methods is None or step.method in methods)
        if not file.exists() and asked:
            own, setup = replace(training, seed=step.repetition), setups[step.strategy]
            thinner = compare.with_share(setup, step, job.seed)
            sums, seconds, history = compare.one(step, own, thinner, setups["single"], device, Silent())
            np.savez(file, sums=sums, seconds=seconds, history=json.dumps(history))
            print(f"{file.stem}: {seconds:.0f} s", flush=True)
        if file.exists():
            kept = np.load(file)
            value = (kept["sums"], float(kept["seconds"]), json.loads(str(kept["history"])))
            found.setdefault((step.share, step.method), []).append(value)
    complete = {key: values for key, values in found.items() if len(values) == job.repetitions}
    if any(step.share == 1 and (step.share, step.method) not in complete for step in steps):
        return None
    return compare.gathered(job, complete, setups, batch_size_of(training, device))


def named(step: compare.Step) -> str:
    return step.method if step.share == 1 else f"{step.method}, {100 * step.share:g} %"


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
    for trial in (trial for trial in comparison.trials if trial.share == 1):
        cells = " | ".join(spread(comparison, trial))
        lines.append(f"| {trial.method} | {', '.join(trial.inputs)} | {cells} | {np.mean(trial.seconds):.0f} |")
    lines += ["", *differences(comparison, labels, (1.0,)), ""]
    lines += [*(f"- {v.claim}? {v.found}" for v in verdicts(comparison)), ""]
    if len(comparison.shares) > 1:
        lines += fewer_references(comparison, labels)
    return "\n".join(lines)


def spread(comparison: Comparison, trial: Trial) -> list[str]:
    values = [comparison.values(trial, name) for name in comparison.compared]
    return [f"{v.mean():.3f} ± {v.std(ddof=1):.3f}" for v in values]


def differences(comparison: Comparison, labels: list[str], shares: Sequence[float]) -> list[str]:
    """A table of the pairs that are compared at some shares of the references."""
    lines = ["| difference (95 % interval) | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    for first, second, share in comparison.pairs():
        if share in shares:
            found = [comparison.difference(first, second, share, name) for name in comparison.compared]
            cells = " | ".join(f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})" for d in found)
            lines.append(f"| {f'{100 * share:g} %: ' if share < 1 else ''}{first} − {second} | {cells} |")
    return lines


def fewer_references(comparison: Comparison, labels: list[str]) -> list[str]:
    """The label-efficiency curve: every method at each share of the references at which it was tried."""
    lines = [
        "## Fewer references",
        "",
        "References of a share of the training chips; as many steps as with all. *Unlabelled rest*: the other chips",
        "stay as scenes without a reference, which teach the auxiliary task alone.",
        "",
        "| references | method | " + " | ".join(labels) + " |",
        "|---" * (len(labels) + 2) + "|",
    ]
    tried = {trial.method for trial in comparison.trials if trial.share < 1}
    for share in comparison.shares:
        for trial in (trial for trial in comparison.trials if trial.share == share and trial.method in tried):
            lines.append(f"| {100 * share:g} % | {trial.method} | {' | '.join(spread(comparison, trial))} |")
    return [*lines, "", *differences(comparison, labels, [share for share in comparison.shares if share < 1]), ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="*", help="those to learn now; all by default")
    parser.add_argument("--shares", type=float, nargs="*", default=[], help="of the references, below 1, also tried")
    parser.add_argument("--methods", nargs="*", help="those to learn now; all by default")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps what was counted")
    parser.add_argument("--report", help="HTML report to write, too")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    job = ombria(options.epochs, options.repetitions)
    seeds = list(range(options.repetitions)) if options.seeds is None else options.seeds
    comparison = learned(job, options.cache, [1.0, *options.shares], seeds, options.methods)
    if comparison is None:
        print("Some trainings are missing yet; no page is written.")
        return
    command = "python benchmarks/strategies.py --cache FOLDER"
    command += f" --epochs {options.epochs} --repetitions {options.repetitions}"
    command += f" --shares {' '.join(f'{share:g}' for share in options.shares)}" if options.shares else ""
    text = page(comparison, command)
    (HERE / "strategies.md").write_text(text, encoding="utf-8")
    if options.report:
        Path(options.report).write_text(render_comparison(comparison, job), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
