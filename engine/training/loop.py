"""The training loop: a network learns from batches until validation says enough, or time is up."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
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

_LOOK_EVERY = 10  # steps: to look at a loss is to wait for the GPU


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
    return _Training(network, fabric, budget, progress, record, auxiliary_weight).run(batches, validate)


class _Training:
    """A training under way: what changes from step to step, and from epoch to epoch."""

    def __init__(
        self,
        network: Network,
        fabric: Any,
        budget: Budget,
        progress: Progress,
        record: Record | None,
        auxiliary_weight: float,
    ) -> None:
        self._network, self._fabric, self._budget = network, fabric, budget
        self._progress, self._record = progress, record
        self._total_loss = TotalLoss(network, auxiliary_weight).to(fabric.device)
        learned: list[dict[str, Any]] = [
            {"params": network.parameters(), "weight_decay": options.WEIGHT_DECAY},
            {"params": self._total_loss.parameters(), "weight_decay": 0.0},
        ]
        self._groups = torch.optim.AdamW(learned, lr=options.LEARNING_RATE)
        self._model, self._optimizer = fabric.setup(network, self._groups)
        self._average = copy.deepcopy(network).eval()
        self._modules = {"network": network, "average": self._average, "weighting": self._total_loss}
        self._outcome = Outcome(_weights(self._average))
        self._best, self._best_of = Validation(math.nan, -math.inf), 0  # the highest score, and its epoch
        self._step, self._started = 0, time.monotonic()
        if record and (last := record.last()):
            self._go_on_from(last)

    def run(self, batches: Callable[[int], Iterable[Batch]], validate: Callable[[Network], Validation]) -> Outcome:
        """Train until something says enough; arguments, outcome and errors as of ``train``."""
        outcome = self._outcome
        for epoch in range(len(outcome.history) + 1, self._budget.epochs + 1):
            if outcome.history and epoch - 1 - self._best_of >= options.PATIENCE:
                outcome.ended = "no better validation score"
                break
            losses = self._learn(epoch, batches(epoch))
            if outcome.ended == "canceled" or (outcome.history and not losses):
                break
            try:
                found = validate(self._average)
            except Canceled:
                outcome.ended = "canceled"
                break
            self._judge(epoch, _mean(losses), found)
            if self._record:
                self._record.keep(self._state(), outcome.history)
            if outcome.ended:
                break
        if not outcome.history:
            raise Canceled("The training was canceled before its first epoch was done; no model is kept.")
        outcome.ended = outcome.ended or "all epochs done"
        log.info("Training ended: %s; weights of epoch %d are kept.", outcome.ended, outcome.best_epoch)
        self._network.load_state_dict(outcome.weights)
        return outcome

    def _learn(self, epoch: int, batches: Iterable[Batch]) -> list[Tensor]:
        """One epoch, or what time and user leave of it; gives the loss of each step."""
        total, limit_s = self._budget.epochs * self._budget.steps, self._budget.minutes * 60 or math.inf
        losses: list[Tensor] = []
        for batch in batches:
            elapsed = time.monotonic() - self._started
            if self._progress.canceled() or elapsed > limit_s:
                self._outcome.ended = "canceled" if self._progress.canceled() else "time limit"
                break
            share = max(self._step / total, elapsed / limit_s)
            losses.append(self._take_step(batch, share))
            self._step += 1
            _average(self._average, self._network, min(options.AVERAGING, (1 + self._step) / (10 + self._step)))
            if self._step % _LOOK_EVERY == 0:
                _mean(losses)
            self._progress.report(
                max(self._step / total, share), f"Epoch {epoch}, step {self._step} of at most {total}"
            )
        return losses

    def _take_step(self, batch: Batch, share: float) -> Tensor:
        for group in self._optimizer.param_groups:
            group["lr"] = options.LEARNING_RATE * options.schedule(share)
        self._model.train()
        inputs, targets = self._fabric.to_device((batch.inputs, batch.targets))
        loss: Tensor = self._total_loss(self._network, self._model(inputs), targets)
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        self._fabric.clip_gradients(self._model, self._optimizer, max_norm=options.CLIP_NORM, error_if_nonfinite=False)
        self._optimizer.step()
        return loss.detach()

    def _judge(self, epoch: int, train_loss: float, found: Validation) -> None:
        """Add an epoch to the history, and keep its weights if it is no worse than the best."""
        outcome = self._outcome
        outcome.history.append(
            {
                "epoch": epoch,
                "train_loss": train_loss,
                "val_loss": found.loss,
                "score": found.score,
                "auxiliary_weight": self._total_loss.relative_weight(self._network),
                "seconds": round(time.monotonic() - self._started, 1),
            }
        )
        if found.no_worse_than(self._best):
            outcome.best_epoch, outcome.weights = epoch, _weights(self._average)
        if found.score > self._best.score:
            self._best, self._best_of = found, epoch
        log.info(
            "Epoch %3d  %s  loss %.3f  validation %.3f  score %.4f",
            epoch, _bar(found.score), train_loss, found.loss, found.score,
        )  # fmt: skip

    def _state(self) -> State:
        """What the next epoch needs, but for the history."""
        values = {
            "best_epoch": self._outcome.best_epoch,
            "best": asdict(self._best),
            "best_of": self._best_of,
            "step": self._step,
            "precision": self._fabric.strategy.precision.state_dict(),  # the loss scale of float16 on a GPU
        }
        return State(tensors_of(self._modules, self._outcome.weights, self._groups), values)

    def _go_on_from(self, last: State) -> None:
        values = last.values
        self._outcome.weights = restore(last.tensors, self._modules, self._groups)
        self._outcome.history, self._outcome.best_epoch = values["history"], values["best_epoch"]
        self._best, self._best_of, self._step = Validation(**values["best"]), values["best_of"], values["step"]
        self._started -= self._outcome.history[-1]["seconds"]
        if values.get("precision"):
            self._fabric.strategy.precision.load_state_dict(values["precision"])
        log.info("Going on after epoch %d of the training that was interrupted.", len(self._outcome.history))


def _mean(losses: Sequence[Tensor]) -> float:
    """Mean of the steps' losses; NaN of none.

    Raises:
        DeviceError: it is not a number.
    """
    if not losses:
        return math.nan
    mean = float(torch.stack(list(losses)).mean())
    if not math.isfinite(mean):
        raise DeviceError(
            "The training loss is not a number any more; choose the precision float32, or, if it is that, look for "
            "wild values in the rasters, such as nodata that a file does not declare."
        )
    return mean


@torch.no_grad()
def _average(average: Network, network: Network, decay: float) -> None:
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)


def _weights(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _bar(score: float) -> str:
    filled = round(20 * min(1.0, max(0.0, score)))
    return "█" * filled + "·" * (20 - filled)
