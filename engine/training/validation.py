"""How good a network is while it learns, and which epoch's weights are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...models.config import MAIN
from ...models.network import Network
from ...models.pooled import PooledHead
from ..assess.bootstrap import replicate
from ..assess.sums import headline_of, sums_of
from ..devices import autocast
from .chips import Batch
from .evaluation import Task

_DRAWS = 200


@dataclass(frozen=True)
class Validation:
    """Figures of the main task on the validation chips.

    Attributes:
        loss: Mean over the batches.
        score: Mean IoU, or R² of a regression.
        draws: The score on other draws of the same chips, ``(n,)``; the same draws at each epoch of a training.
    """

    loss: float
    score: float
    draws: tuple[float, ...] = ()

    def no_worse_than(self, best: Validation) -> bool:
        """Whether the score is within one standard error of a better one's, of the difference on the same chips.

        A few dozen chips tell many epochs apart by chance only. Of those that they cannot tell apart the last has
        learned longest, at the smallest learning rate (the one-standard-error rule of Breiman et al. 1984).
        """
        if not math.isfinite(best.score):  # no reason to keep nothing
            return True
        gaps = np.subtract(self.draws, best.draws)
        known = gaps[np.isfinite(gaps)]
        return self.score >= best.score - (float(known.std()) if len(known) else 0.0)


def validate(network: Network, batches: Iterable[Batch], task: Task) -> Validation:
    """Map the validation chips.

    Args:
        network: In evaluation mode, on the task's device.
        batches: The chips, the same at each call.
        task: Classes, device and precision.
    """
    losses: list[float] = []
    units: list[NDArray[np.float64]] = []
    head = network.head(MAIN)
    for batch in batches:
        with torch.inference_mode(), autocast(task.device, task.dtype):
            raw = network(batch.inputs.to(task.device), [MAIN])[MAIN].float()
        truth = batch.targets[MAIN]
        losses.append(float(head.loss(raw, truth.to(task.device))))
        if isinstance(head, PooledHead):
            pooled, truth = head.pooled(raw.cpu(), truth)
            raw = pooled.to(task.device)
        if task.classes:
            mapped = raw.argmax(dim=1).cpu().numpy()
        else:
            mapped = network.density(MAIN).physical(raw)[0][:, 0].cpu().numpy()
        pairs = zip(truth[:, 0].numpy(), mapped, strict=True)
        units += [sums_of(one, estimate, len(task.classes)) for one, estimate in pairs]
    if not units:
        return Validation(0.0, -math.inf)
    scores = replicate(np.stack(units)[None], lambda total: np.array([headline_of(total)]), replicates=_DRAWS)[0, :, 0]
    score = float(scores[0])
    return Validation(
        sum(losses) / len(losses), score if math.isfinite(score) else -math.inf, tuple(scores[1:].tolist())
    )
