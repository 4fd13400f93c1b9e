"""The network as other tools run it: physical values in, physical values out, one output for each product."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...models.config import MAIN
from ...models.network import Network

PROBABILITY, ESTIMATE, SCALE = "probability", "estimate", "uncertainty"
RECONSTRUCTION, EXPECTED_ERROR = "reconstruction", "expected_error"


class PhysicalNetwork(nn.Module):
    """A network with its heads' physical values; NaN in the input stands for what is not valid.

    Attributes:
        outputs: Names of what ``forward`` gives, in this order.
    """

    def __init__(self, network: Network, map_only: bool) -> None:
        """Wrap a network.

        Args:
            network: In evaluation mode, on the CPU.
            map_only: Give the map alone: the classes' probabilities, or the estimate.
        """
        super().__init__()
        self.network = network
        main = network.config.tasks[MAIN]
        self.scored, self.pooled = main.kind == "score", main.pooled
        self.auxiliary = () if map_only else tuple(name for name in network.config.tasks if name != MAIN)
        of_main = [PROBABILITY] if self.scored else [ESTIMATE] if map_only else [ESTIMATE, SCALE]
        self.outputs = (*of_main, *((RECONSTRUCTION, EXPECTED_ERROR) if self.auxiliary else ()))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """``(B, bands, H, W)`` physical values → for each of ``outputs`` ``(B, channels, H, W)``.

        A scene-level task gives ``(B, channels, 1, 1)``: one label or number for all pixels that are valid in every
        band, as in a map; NaN if there is none.
        """
        raw = self.network(x, (MAIN, *self.auxiliary))
        main = _mean(raw[MAIN], torch.isfinite(x.sum(dim=1, keepdim=True))) if self.pooled else raw[MAIN]
        found = [torch.softmax(main, dim=1)] if self.scored else list(self._density(MAIN, main))
        parts = [self._density(name, raw[name]) for name in self.auxiliary]
        found += [torch.cat(values, dim=1) for values in zip(*parts, strict=True)]
        return tuple(found[: len(self.outputs)])

    def _density(self, task: str, raw: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.density(task).physical(raw)


def _mean(raw: Tensor, valid: Tensor) -> Tensor:
    """``(B, C, 1, 1)`` means of ``(B, C, H, W)`` over the pixels where ``(B, 1, H, W)`` is true."""
    total = torch.where(valid, raw, torch.zeros_like(raw)).sum(dim=(2, 3), keepdim=True)
    return total / valid.to(raw.dtype).sum(dim=(2, 3), keepdim=True)
