"""Speed and memory of training; writes ``training.md`` beside this file.

``python benchmarks/training.py`` counts images a second of the training loop, with everything that it does beside the
network (reading, turning and stacking chips, moving averages, the state after each epoch), against the bare network on
prepared tensors: forward, loss, backward, optimiser; same batch, precision and threads. Every part runs in a process of
its own. Memory is the peak of a whole training job, on scenes of several sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from common import HERE

from auxlens.engine.tuning import tune_process

tune_process()

import lightning_fabric  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from scenes import make_scene  # noqa: E402

from auxlens.engine import jobs  # noqa: E402
from auxlens.engine.devices import choose_device, choose_precision  # noqa: E402
from auxlens.engine.executors import train as whole_job  # noqa: E402
from auxlens.engine.training import learn as learning, options  # noqa: E402
from auxlens.engine.training.chips import draw, load  # noqa: E402
from auxlens.engine.training.record import Record  # noqa: E402
from auxlens.engine.training.scenes import scenes_of  # noqa: E402
from auxlens.engine.training.setup import Setup  # noqa: E402
from auxlens.engine.training.split import TRAIN  # noqa: E402
from auxlens.engine.training.validation import Validation  # noqa: E402
from auxlens.engine.training.weighting import TotalLoss  # noqa: E402
from auxlens.models.network import Network  # noqa: E402

EPOCHS = 3
WARM_UP = 5  # steps that are not counted
PREPARED = 8  # batches
options.CHIPS_AN_EPOCH = (256, 256)  # as many for all sizes


class Steps:
    """A progress that notes when each step was done."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def report(self, fraction: float, message: str) -> None:
        if message.startswith("Epoch"):
            self.at.append(time.perf_counter())

    def canceled(self) -> bool:
        return False


def job_of(folder: Path) -> jobs.TrainJob:
    return jobs.TrainJob(
        str(folder / "model.safetensors"),
        inputs=(str(folder / "s2.tif"),),
        auxiliary=(str(folder / "s1.tif"), str(folder / "dem.tif")),
        reference=str(folder / "label.tif"),
        players=jobs.NO_PLAYERS,
        epochs=EPOCHS,
    )


def ours(folder: Path) -> dict[str, float]:
    """The training loop as jobs run it, without validation."""
    job, device, steps = job_of(folder), choose_device("auto"), Steps()
    setup = Setup(job, scenes_of(job), steps)
    torch.manual_seed(0)
    network, record = Network(setup.config), Record(Path(job.output_model), "")
    with patch.object(learning, "validate", lambda *given: Validation(0.0, 0.0)):
        learning.learn(job, network, setup, device, steps, record=record)
    counted = steps.at[WARM_UP:]
    images = (len(counted) - 1) * learning.batch_size_of(job, device)
    return {"images": images, "seconds": counted[-1] - counted[0]}


def ideal(folder: Path) -> dict[str, float]:
    """The bare network on a few batches that are kept in memory."""
    job, device = job_of(folder), choose_device("auto")
    batch_size = learning.batch_size_of(job, device)
    setup = Setup(job, scenes_of(job), Steps())
    torch.manual_seed(0)
    network = Network(setup.config).to(device)
    precision = learning._PRECISIONS[choose_precision(job.precision, device)]
    fabric = lightning_fabric.Fabric(accelerator=device.type, devices=1, precision=precision)
    total_loss = TotalLoss(network, job.auxiliary_weight)
    model, optimizer = fabric.setup(network, torch.optim.AdamW(network.parameters(), lr=options.LEARNING_RATE))
    rng = np.random.default_rng(0)
    samples = draw(setup.blocks, setup.splits, job.chip_size, PREPARED * batch_size, rng)
    batches = [fabric.to_device((b.inputs, b.targets)) for b in load(setup.reader(TRAIN), samples, batch_size)]
    model.train()
    at = []
    for step in range(EPOCHS * learning.steps_an_epoch(setup, job.chip_size, batch_size)):
        inputs, targets = batches[step % PREPARED]
        loss = total_loss(network, model(inputs), targets)
        optimizer.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimizer.step()
        loss.item()
        at.append(time.perf_counter())
    counted = at[WARM_UP:]
    return {"images": (len(counted) - 1) * batch_size, "seconds": counted[-1] - counted[0]}


def loader(folder: Path) -> dict[str, float]:
    """Reading, turning and stacking an epoch's chips, and nothing else."""
    job, device = job_of(folder), choose_device("auto")
    batch_size = learning.batch_size_of(job, device)
    setup = Setup(job, scenes_of(job), Steps())
    rng = np.random.default_rng(0)
    count = learning.steps_an_epoch(setup, job.chip_size, batch_size) * batch_size
    samples = draw(setup.blocks, setup.splits, job.chip_size, count, rng)
    start = time.perf_counter()
    images = sum(len(batch.inputs) for batch in load(setup.reader(TRAIN), samples, batch_size))
    return {"images": images, "seconds": time.perf_counter() - start}


def whole(folder: Path) -> dict[str, float]:
    """A job of one epoch, with survey, evaluation and all; its peak memory is what counts."""
    start = time.perf_counter()
    whole_job.run(replace(job_of(folder), epochs=1), Steps())
    return {"seconds": time.perf_counter() - start}


PARTS: dict[str, Callable[[Path], dict[str, float]]] = {"ours": ours, "ideal": ideal, "loader": loader, "whole": whole}


def apart(name: str, folder: Path) -> dict[str, float]:
    """Run one part in a process of its own; adds its peak memory."""
    command = [sys.executable, str(HERE / "training.py"), "--part", name, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name} {folder.name}: {result}", flush=True)
    return result


Rates = dict[tuple[str, int], float]  # images a second by part and width of the scene


def measured(sides: list[int], runs: int) -> tuple[list[Rates], list[float]]:
    """Images a second, a dict a run; and the peak memory of a job in MiB by width of the scene."""
    with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
        folders = {side: Path(temporary) / f"{side}" for side in sides}
        for side, folder in folders.items():
            make_scene(folder, side, side)
        asked = [("ideal", sides[0]), *((name, side) for side in sides for name in ("ours", "loader"))]
        rounds = []
        for _ in range(runs):
            found = {(name, side): apart(name, folders[side]) for name, side in asked}
            rounds.append({key: part["images"] / part["seconds"] for key, part in found.items()})
        return rounds, [apart("whole", folder)["peak_mib"] for folder in folders.values()]


def page(sides: list[int], rounds: list[Rates], peaks: list[float], command: str) -> str:
    ideal_of = ("ideal", sides[0])

    def row(what: str, values: list[float], form: str, goal: str = "") -> str:
        low, middle, high = (format(value, form) for value in (min(values), statistics.median(values), max(values)))
        return f"| {what} | {middle} ({low}–{high}) | {goal} |"

    device = choose_device("auto")
    precision = str(choose_precision("auto", device))[6:]
    batch = learning.batch_size_of(jobs.TrainJob(""), device)
    lines = [
        "# Speed and memory of training",
        "",
        f"`{command}`: generated scenes, 10 bands uint16 in tiles of 512², 6 classes, auxiliary VV, VH and",
        f"elevation; preset `small`, batches of {batch} chips of 128 px, {precision}. Medians (and extremes) of",
        f"{len(rounds)} rounds; ratios are formed within a round. Machine: {platform.machine()},",
        f"{os.cpu_count()} cores, {'no GPU' if device.type == 'cpu' else torch.cuda.get_device_name(device)}.",
        "",
        "| what | measured | |",
        "|---|---|---|",
        row("ideal: forward, loss, backward, optimiser, images a second", [r[ideal_of] for r in rounds], ".1f"),
    ]
    for side in sides:
        own = [r["ours", side] for r in rounds]
        shares = [r["ours", side] / r[ideal_of] for r in rounds]
        lines += [
            row(f"training on a scene of {side}², images a second", own, ".1f"),
            row("against the ideal", shares, ".2f", "goal ≥ 0.80"),
            row("its chips alone, images a second", [r["loader", side] for r in rounds], ".0f"),
        ]
    for i, (side, peak) in enumerate(zip(sides, peaks, strict=True)):
        lines.append(f"| peak memory of a job, scene of {side}² | {peak:.0f} MiB | {'goal: not more' if i else ''} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="*", default=[1024, 4096], help="width and height of scenes, px")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--part", nargs=2, metavar=("NAME", "FOLDER"), help="one part, in this process")
    given = parser.parse_args()
    if given.part:
        result = PARTS[given.part[0]](Path(given.part[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**result, "peak_mib": peak}))
        return
    command = f"python benchmarks/training.py --sides {' '.join(map(str, given.sides))} --runs {given.runs}"
    text = page(given.sides, *measured(given.sides, given.runs), command)
    (HERE / "training.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
