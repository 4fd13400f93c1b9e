"""One choice of learning changed at a time, on OMBRIA, over seeds; writes ``ablations.md`` beside this file.

``python benchmarks/ablations.py --cache FOLDER --variant NAME`` learns what the cache does not hold of a variant;
without ``--variant`` it writes the table of all that the cache holds. Scenes, split, budget and measure are those of
``strategies.py``, whose cache of the defaults can be copied in (as ``as it is, multitask, …``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from common import HERE, Silent
from strategies import ombria  # tunes the process
from torch import nn

from auxlens.engine.assess.bootstrap import differences, replicate
from auxlens.engine.assess.sums import figures_of
from auxlens.engine.compare.measure import Method, network_method
from auxlens.engine.devices import choose_device
from auxlens.engine.executors import comparestrategies as compare
from auxlens.engine.jobs import TrainFolderJob
from auxlens.engine.training import chips, learn, loop, options
from auxlens.engine.training.chips import Batch
from auxlens.models import layers

BASE = "as it is"
JITTER = 0.1  # of a logarithm, or of a band's standard deviation
FEW = 0.1  # of the references, where variants need unlabelled chips
FIGURES = {"mean_iou": "mean IoU", "iou flood": "flood IoU", "overall_accuracy": "accuracy"}


@dataclass(frozen=True)
class Variant:
    """What is changed: fields of the job, and what is put in the place of something."""

    text: str
    job: Callable[[TrainFolderJob], TrainFolderJob] = lambda job: job
    patches: tuple[Any, ...] = ()


class GroupNorm(nn.GroupNorm):
    """Eight groups (Wu & He 2018), as it stands in for ``ChannelNorm``."""

    def __init__(self, channels: int) -> None:
        super().__init__(8, channels)


def average_with_statistics(average: Any, network: Any, decay: float) -> None:
    """As ``loop._average``; statistics of batches are copied."""
    KEPT_AVERAGE(average, network, decay)
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(new)


def turned_method(network: Any, task: Any) -> Method:
    """The mean probability over the eight flips and quarter turns."""
    plain = network_method(network, task)

    @torch.no_grad()
    def predict(inputs: np.ndarray) -> np.ndarray:
        total = 0.0
        for turn in range(8):
            x = torch.from_numpy(chips._turn(inputs, turn))[None]
            raw = network(x, ["main"])["main"].float().softmax(dim=1)[0]
            raw = raw.flip(2) if turn >= 4 else raw
            total = total + torch.rot90(raw, -(turn % 4), (1, 2))
        return np.asarray(total.argmax(dim=0))

    return Method(predict, plain.margin_px, plain.stride)


def weights_of_all(counts: np.ndarray) -> np.ndarray:
    """Weight of each class by the root of its rarity (mean 1), for all classes."""
    weights = np.sqrt(counts.sum() / np.maximum(counts, 1.0))
    return weights / weights.mean()


def option(name: str, value: float) -> Any:
    return patch.object(options, name, value)


def train_with_jitter(learner: Any, fabric: Any, batches: Callable[[int], Iterator[Batch]], *others: Any) -> Any:
    """As ``loop.train``; each chip's bands are brightened or darkened, together and alone, by 0.1 on average."""
    standardise = learner.standardise
    mean, std = standardise.mean.cpu(), standardise.std.cpu()

    def changed_batches(epoch: int) -> Iterator[Batch]:
        rng = torch.Generator().manual_seed(epoch)
        for batch in batches(epoch):
            chips, bands = batch.inputs.shape[:2]
            gains, shifts = (
                JITTER * (torch.randn(chips, 1, 1, 1, generator=rng) + torch.randn(chips, bands, 1, 1, generator=rng))
                for _ in range(2)
            )
            standard = (batch.inputs - mean) / std
            yield replace(batch, inputs=(standard * gains.exp() + shifts) * std + mean)

    return KEPT_TRAIN(learner, fabric, changed_batches, *others)


KEPT_AVERAGE, KEPT_TRAIN = loop._average, loop.train
VARIANTS = {
    BASE: Variant("defaults"),
    "rate 1e-3": Variant("half the learning rate", patches=(option("LEARNING_RATE", 1e-3),)),
    "rate 4e-3": Variant("twice the learning rate", patches=(option("LEARNING_RATE", 4e-3),)),
    "last weights": Variant("no moving average of weights", patches=(option("AVERAGING", 0.0),)),
    "group norm": Variant(
        "group instead of channel normalisation", patches=(patch.object(layers, "ChannelNorm", GroupNorm),)
    ),
    "batch norm": Variant(
        "batch instead of channel normalisation",
        patches=(
            patch.object(layers, "ChannelNorm", nn.BatchNorm2d),
            patch.object(loop, "_average", average_with_statistics),
        ),
    ),
    "no turns": Variant(
        "training chips neither flipped nor turned", patches=(patch.object(chips, "_turn", lambda v, turn: v),)
    ),
    "jitter": Variant(
        "training chips brightened and darkened at random", patches=(patch.object(learn, "train", train_with_jitter),)
    ),
    "all weighted": Variant(
        "all classes weighted by rarity", patches=(patch.object(learn, "class_weights", weights_of_all),)
    ),
    "chips of 64": Variant("chips of 64 px, 16 a step", lambda job: replace(job, chip_size=64)),
    "batches of 8": Variant("eight chips a step, half as many steps", lambda job: replace(job, batch_size=8)),
    "base": Variant("preset base", lambda job: replace(job, size="base")),
    "auxiliary 1.0": Variant("auxiliary weight 1.0", lambda job: replace(job, auxiliary_weight=1.0)),
    "auxiliary 0.1": Variant("auxiliary weight 0.1", lambda job: replace(job, auxiliary_weight=0.1)),
    "learned weights": Variant(
        "losses weighted by learned uncertainty", lambda job: replace(job, auxiliary_weight=options.LEARNED)
    ),
    "masked bands": Variant("bands masked in half of the unlabelled chips", lambda job: replace(job, masked_share=0.5)),
    "masked bands alone": Variant("bands masked in all unlabelled chips", lambda job: replace(job, masked_share=1.0)),
    "turned maps": Variant(
        "mean over eight flips and turns at mapping time",
        patches=(patch.object(compare, "network_method", turned_method),),
    ),
}


@contextmanager
def changed(variant: Variant) -> Iterator[None]:
    for one in variant.patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(variant.patches):
            one.stop()


def file_of(cache: Path, name: str, strategy: str, share: float, epochs: int, seed: int) -> Path:
    of = "" if share == 1 else f", {100 * share:g} %"
    return cache / f"{name}, {strategy}{of}, {epochs} epochs, seed {seed}.npz"


def learned(name: str, strategy: str, share: float, epochs: int, seeds: list[int], cache: Path) -> None:
    """Learn what the cache does not hold of a variant; training chips beyond the share stay without a reference."""
    job, device = ombria(epochs, len(seeds)), choose_device("auto")
    variant = VARIANTS[name]
    training = variant.job(compare.training_job(job))
    setups = compare.setups_of(training, Silent())
    for seed in seeds:
        file = file_of(cache, name, strategy, share, epochs, seed)
        if file.exists():
            continue
        step = compare.Step(strategy if share == 1 else compare.UNLABELLED_REST, strategy, share, seed)
        setup = compare.with_share(setups[strategy], step, job.seed)
        with changed(variant):
            own = replace(training, seed=seed)
            sums, seconds, history = compare.one(step, own, setup, setups["single"], device, Silent())
        np.savez(file, sums=sums, seconds=seconds, history=json.dumps(history))
        print(f"{file.stem}: {seconds:.0f} s", flush=True)


def page(cache: Path, epochs: int, seeds: list[int]) -> str:
    """The table of all variants whose seeds are all there."""
    classes = compare.setups_of(compare.training_job(ombria(epochs, 3)), Silent())["single"].classes
    names = [name if not name.startswith("iou ") else f"iou {classes[1].name}" for name in FIGURES]

    def figures(sums: np.ndarray) -> np.ndarray:
        found = figures_of(sums, classes)
        return np.array([found[name] for name in names])

    def drawn(name: str, strategy: str, share: float) -> np.ndarray | None:
        files = [file_of(cache, name, strategy, share, epochs, seed) for seed in seeds]
        return (
            replicate(np.stack([np.load(f)["sums"] for f in files]), figures) if all(map(Path.exists, files)) else None
        )

    lines = [
        "# What learning needs",
        "",
        f"`python benchmarks/ablations.py --cache FOLDER --epochs {epochs}`: OMBRIA, scenes, split and budget as in",
        f"[strategies.md](strategies.md); mean ± sd over {len(seeds)} seeds on the 70 test chips; differences to",
        "the defaults with 95 % intervals (paired bootstrap over chips and seeds).",
    ]
    for strategy, share in (("single", 1.0), ("multitask", 1.0), ("single", FEW), ("multitask", FEW)):
        base = drawn(BASE, strategy, share)
        if base is None:
            continue
        fewer = "" if share == 1 else f", {100 * share:g} % of the references, the other chips unlabelled"
        lines += [
            "",
            f"## {strategy}{fewer}",
            "",
            "| changed | " + " | ".join(FIGURES.values()) + " | difference in mean IoU |",
        ]
        lines.append("|---" * (len(names) + 2) + "|")
        for name, variant in VARIANTS.items():
            own = drawn(name, strategy, share)
            if own is None:
                continue
            cells = " | ".join(f"{v.mean():.3f} ± {v.std(ddof=1):.3f}" for v in own[:, 0].T)
            gap = differences(own, base)[0]
            against = "–" if name == BASE else f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})"
            lines.append(f"| {variant.text} | {cells} | {against} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps what was counted")
    parser.add_argument("--variant", choices=list(VARIANTS), nargs="*", default=[], help="to learn now")
    parser.add_argument("--strategy", default="single")
    parser.add_argument("--share", type=float, default=1.0, help=f"of the references; shown are 1 and {FEW:g}")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    for name in given.variant:
        learned(name, given.strategy, given.share, given.epochs, given.seeds, given.cache)
    if not given.variant:
        text = page(given.cache, given.epochs, given.seeds)
        (HERE / "ablations.md").write_text(text, encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
