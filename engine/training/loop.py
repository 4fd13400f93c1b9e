"""The training loop: a network learns from batches until validation says enough, or time is up."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...models.errors import Canceled, DeviceError
from ...models.network import Network
from ..jobs import Progress
from . import options
from .chips import Batch
from .record import Record, State, restore, tensors_of
from .validation import Validation
from .weighting import TotalLoss

log = logging.getLogger("auxlens")


@dataclass(frozen=True)
class Budget:
    """How long training may go on: epochs of so many steps, and minutes (0 = no limit)."""

    epochs: int
    steps: int
    minutes: float


@dataclass
class Outcome:
    """What came of a training: the kept weights and their epoch, the history, and why it ended."""

    weights: dict[str, Tensor]
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    ended: str = ""


def train(
    network: Network,
    fabric: Any,
    batches: Callable[[int], Iterable[Batch]],
    validate: Callable[[Network], Validation],
    budget: Budget,
    progress: Progress,
    record: Record | None = None,
    auxiliary_weight: float = 1.0,
) -> Outcome:
    """Train a network.

    The kept weights are a moving average over the steps (Polyak & Juditsky 1992), of the last epoch whose validation
    is no worse than the best one's.

    Args:
        network: Changed in place.
        fabric: ``lightning_fabric.Fabric``, which knows device and precision.
        batches: Batches of an epoch, by its number from 1.
        validate: Looks at a network on the validation split; may raise ``Canceled``.
        budget: Limits.
        progress: Told after every step, and asked whether to stop; a stop keeps the best weights.
        record: Keeps a log and the state after every epoch; a state of the same training is gone on from.
        auxiliary_weight: Of the mean loss of the auxiliary tasks, beside 1 for the main task; or ``options.LEARNED``.

    Raises:
        Canceled: stopped before the first validation, so that there is nothing to keep.
        DeviceError: the loss is not a number.
    """
    total_loss = TotalLoss(network, auxiliary_weight).to(fabric.device)
    learned: list[dict[str, Any]] = [
        {"params": network.parameters(), "weight_decay": options.WEIGHT_DECAY},
        {"params": total_loss.parameters(), "weight_decay": 0.0},
    ]
    groups = torch.optim.AdamW(learned, lr=options.LEARNING_RATE)
    model, optimizer = fabric.setup(network, groups)
    average = copy.deepcopy(network).eval()
    outcome = Outcome(_weights(average))
    started, total, step = time.monotonic(), budget.epochs * budget.steps, 0
    best, best_of = Validation(math.nan, -math.inf), 0  # the highest score, and its epoch
    limit_s = budget.minutes * 60 or math.inf
    modules = {"network": network, "average": average, "weighting": total_loss}
    last = record.last() if record else None
    if last:
        outcome.weights = restore(last.tensors, modules, groups)
        outcome.history, outcome.best_epoch = last.values["history"], last.values["best_epoch"]
        best, best_of, step = Validation(**last.values["best"]), last.values["best_of"], last.values["step"]
        started -= outcome.history[-1]["seconds"]
        if last.values.get("precision"):
            fabric.strategy.precision.load_state_dict(last.values["precision"])
        log.info("Going on after epoch %d of the training that was interrupted.", len(outcome.history))
    for epoch in range(len(outcome.history) + 1, budget.epochs + 1):
        if outcome.history and epoch - 1 - best_of >= options.PATIENCE:
            outcome.ended = "no better validation score"
            break
        losses = []
        for batch in batches(epoch):
            elapsed = time.monotonic() - started
            if progress.canceled() or elapsed > limit_s:
                outcome.ended = "canceled" if progress.canceled() else "time limit"
                break
            share = max(step / total, elapsed / limit_s)
            losses.append(_step(model, network, optimizer, fabric, batch, share, total_loss))
            step += 1
            _average(average, network, min(options.AVERAGING, (1 + step) / (10 + step)))
            progress.report(max(step / total, share), f"Epoch {epoch}, step {step} of at most {total}")
        if outcome.ended == "canceled" or (outcome.history and not losses):
            break
        try:
            found = validate(average)
        except Canceled:
            outcome.ended = "canceled"
            break
        seconds = time.monotonic() - started
        train_loss = sum(losses) / len(losses) if losses else math.nan
        outcome.history.append(
            {
                "epoch": epoch,
                "train_loss": train_loss,
                "val_loss": found.loss,
                "score": found.score,
                "auxiliary_weight": total_loss.relative_weight(network),
                "seconds": round(seconds, 1),
            }
        )
        if found.no_worse_than(best):
            outcome.best_epoch, outcome.weights = epoch, _weights(average)
        if found.score > best.score:
            best, best_of = found, epoch
        log.info(
            "Epoch %3d  %s  loss %.3f  validation %.3f  score %.4f",
            epoch, _bar(found.score), train_loss, found.loss, found.score,
        )  # fmt: skip
        if record:
            values = {
                "best_epoch": outcome.best_epoch,
                "best": asdict(best),
                "best_of": best_of,
                "step": step,
                "precision": fabric.strategy.precision.state_dict(),  # the loss scale of float16 on a GPU
            }
            record.keep(State(tensors_of(modules, outcome.weights, groups), values), outcome.history)
        if outcome.ended:
            break
    if not outcome.history:
        raise Canceled("The training was canceled before its first epoch was done; no model is kept.")
    outcome.ended = outcome.ended or "all epochs done"
    log.info("Training ended: %s; weights of epoch %d are kept.", outcome.ended, outcome.best_epoch)
    network.load_state_dict(outcome.weights)
    return outcome


def _step(
    model: Any,
    network: Network,
    optimizer: Any,
    fabric: Any,
    batch: Batch,
    share: float,
    total_loss: TotalLoss,
) -> float:
    for group in optimizer.param_groups:
        group["lr"] = options.LEARNING_RATE * options.schedule(share)
    model.train()
    inputs, targets = fabric.to_device((batch.inputs, batch.targets))
    raw = model(inputs)
    loss: Tensor = total_loss(network, raw, targets)
    if not torch.isfinite(loss):
        raise DeviceError(
            "The training loss is not a number any more; choose the precision float32, or, if it is that, look for "
            "wild values in the rasters, such as nodata that a file does not declare."
        )
    optimizer.zero_grad(set_to_none=True)
    fabric.backward(loss)
    fabric.clip_gradients(model, optimizer, max_norm=options.CLIP_NORM, error_if_nonfinite=False)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def _average(average: Network, network: Network, decay: float) -> None:
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)


def _weights(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _bar(score: float) -> str:
    filled = round(20 * min(1.0, max(0.0, score)))
    return "█" * filled + "·" * (20 - filled)
