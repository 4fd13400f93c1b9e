"""How the losses of all tasks become one: by a weight set by hand, or by learned uncertainty."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ...models.config import MAIN
from ...models.heads import DensityHead
from ...models.network import Network
from .options import LEARNED, MASKED


class TotalLoss(nn.Module):
    """The main loss and the auxiliary ones in one number, in one of two ways.

    *By hand*: the main loss, and the mean of the auxiliary ones by their weight (Najjar et al. 2025); masked bands
    (see ``masking.py``) count by themselves, as much as all modalities together.

    *Learned* (Kendall, Gal and Cipolla 2018): ``Σ_t exp(−s_t) L_t + s_t`` with a learned log uncertainty ``s_t``. A
    density is its own: ``|t − μ| / b + log b`` has that form at every band and pixel, with ``s = log b``. It counts
    once, so only tasks without a predicted scale (classes) have an ``s_t``; docs/method.md says why.

    The module holds what is learned, which belongs to the training and not to the model.
    """

    def __init__(self, network: Network, auxiliary_weight: float) -> None:
        """``auxiliary_weight``: of the mean of the auxiliary losses, beside 1 for the main one, or ``LEARNED``."""
        super().__init__()
        self.auxiliary_weight = auxiliary_weight
        names = network.config.tasks if auxiliary_weight == LEARNED else ()
        self.log_uncertainty = nn.ParameterDict(
            {name: torch.zeros(()) for name in names if not isinstance(network.head(name), DensityHead)}
        )

    def forward(self, network: Network, raw: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        """The loss of a batch.

        Args:
            network: Whose heads know the losses.
            raw: Raw output of each task.
            targets: Of each task, NaN where there is none.
        """
        losses = {name: network.head(name).loss(values, targets[name]) for name, values in raw.items()}
        if self.auxiliary_weight == LEARNED:
            return torch.stack([self._weighed(name, loss) for name, loss in losses.items()]).sum()
        total = losses.pop(MAIN)
        masked = losses.pop(MASKED, None)
        if losses:
            total = total + self.auxiliary_weight * torch.stack(list(losses.values())).mean()
        return total if masked is None else total + self.auxiliary_weight * masked

    def _weighed(self, name: str, loss: Tensor) -> Tensor:
        if name not in self.log_uncertainty:
            return loss
        s = self.log_uncertainty[name]
        return torch.where(loss > 0, torch.exp(-s) * loss + s, loss)  # 0: no target in this batch, so nothing of s

    def relative_weight(self, network: Network) -> float:
        """What the mean of the auxiliary losses counts at present, beside 1 for the main one."""
        others = len(network.config.tasks.keys() - {MAIN, MASKED})
        if self.auxiliary_weight != LEARNED or not others:
            return self.auxiliary_weight if others else 0.0
        s = self.log_uncertainty[MAIN].item() if MAIN in self.log_uncertainty else 0.0
        return others * math.exp(s)
