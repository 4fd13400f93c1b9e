"""Learning attributions: the network learns to do without some players, then its explainer learns their shares."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...models.network import ATTRIBUTION, MAIN, Network
from ...models.shapley import coalitions
from ..jobs import Progress
from . import options
from .chips import Batch

_SMALLEST_PX = 64  # of chips, lest they be nothing but border
_RECENT = 50  # steps over which the fit is told

log = logging.getLogger("auxlens")


class Absences:
    """The further loss of a network with players: the main task on chips of which some players are absent."""

    def __init__(self, players: int, seed: int) -> None:
        self._players = players
        self._generator = torch.Generator().manual_seed(seed)

    @property
    def state(self) -> Tensor:
        """Of the random numbers, so that a training can go on."""
        return self._generator.get_state()

    @state.setter
    def state(self, value: Tensor) -> None:
        self._generator.set_state(value)

    def loss(self, model: Any, network: Network, inputs: Tensor, target: Tensor) -> Tensor:
        """Main loss of a quarter of a batch, each chip under a coalition of the Shapley kernel.

        Now and then a chip is shown nothing at all: its score is the bias, from which attributions count.

        Args:
            model: The network as set up for the device.
            network: The network itself.
            inputs: ``(B, C, H, W)``.
            target: ``(B, 1, H, W)`` of the main task.
        """
        count = max(1, len(inputs) // 4)
        present = coalitions(self._players, count, self._generator)[::2]
        if torch.rand((), generator=self._generator) < options.NOTHING_SHOWN:
            present[0] = False
        raw = model(inputs[:count], [MAIN], present.to(inputs.device))
        return network.head(MAIN).loss(raw[MAIN], target[:count])


@dataclass(frozen=True)
class Fit:
    """How the explainer came out, on training chips.

    ``unexplained`` is the share of the coalitions' squared worth above the bias that sums of attributions miss:
    what players do only together, and what the explainer has not learned;
    ``reach`` is twice the root mean square of the attributions, in units of the score.
    """

    unexplained: float
    reach: float


def fit_explainer(
    network: Network, fabric: Any, batches: Iterator[Batch], steps: int, limit_s: float, progress: Progress
) -> Fit:
    """Fit the explainer of a trained network; everything else of it stays as it is.

    Each step compares a batch's attributions with the scores of two coalitions of its players.

    Args:
        network: On its device; changed in place.
        fabric: ``lightning_fabric.Fabric``.
        batches: Training chips, at least ``steps`` of them.
        steps: Steps to take; fewer if the user stops, or
        limit_s: seconds are over.
        progress: Asked whether to stop.
    """
    network.eval().requires_grad_(False)
    _set_bias(network)
    explainer = network.explainer.requires_grad_(True)
    optimizer = fabric.setup_optimizers(torch.optim.AdamW(explainer.parameters(), lr=options.EXPLAINER_RATE))
    generator = torch.Generator().manual_seed(steps)
    recent: deque[tuple[float, float, float]] = deque(maxlen=_RECENT)
    started = time.monotonic()
    for step, batch in zip(range(steps), batches, strict=False):
        share = max(step / steps, (time.monotonic() - started) / limit_s)
        if progress.canceled() or share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = options.EXPLAINER_RATE * options.schedule(share)
        loss, worth, size = _explainer_loss(network, fabric, fabric.to_device(_quarters(batch.inputs)), generator)
        optimizer.zero_grad(set_to_none=True)
        fabric.backward(loss)
        torch.nn.utils.clip_grad_norm_(explainer.parameters(), options.CLIP_NORM)
        optimizer.step()
        recent.append((float(loss.detach()), float(worth), float(size)))
        progress.report(0.97, f"Learning attributions, step {step + 1} of {steps}")
    network.requires_grad_(True)
    explainer.centre()
    missed, worth_of_all, squared = (sum(values) for values in zip(*recent, strict=True)) if recent else (0.0, 0.0, 0.0)
    return Fit(missed / worth_of_all if worth_of_all else 1.0, 2 * (squared / max(1, len(recent))) ** 0.5)


def _explainer_loss(
    network: Network, fabric: Any, inputs: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Loss of one batch; the same of attributions that are all 0; and the mean square of the attributions."""
    head, explainer = network.head(MAIN), network.explainer
    with fabric.autocast():
        raw = network(inputs, [MAIN, ATTRIBUTION])
        attributions = explainer.attributions(raw[ATTRIBUTION], head.score(raw[MAIN].detach()))
        losses = []
        for pairs in _pairs(explainer.players, len(inputs), generator):
            present = pairs.to(inputs.device)
            with torch.no_grad():
                worth = head.score(network(inputs, [MAIN], present)[MAIN])
            losses.append(explainer.loss(attributions, present, worth))
    nobody = torch.zeros_like(present)
    with torch.no_grad():
        of_nothing, size = explainer.loss(attributions, nobody, worth), (attributions**2).mean()
    return torch.stack(losses).mean(), of_nothing, size


def _quarters(chips: Tensor) -> Tensor:
    """``(B, C, H, W)`` → ``(4 B, C, H / 2, W / 2)``, where chips are large.

    All pixels of a chip share its coalition, so four small chips tell more than a large one, at the same cost.
    """
    half = chips.shape[-1] // 2
    if half < _SMALLEST_PX:
        return chips
    rows = torch.cat([chips[:, :, :half], chips[:, :, -half:]])
    return torch.cat([rows[..., :half], rows[..., -half:]])


def _pairs(players: int, chips: int, generator: torch.Generator) -> Iterator[Tensor]:
    """A coalition for every chip, then every chip's complement."""
    drawn = coalitions(players, chips, generator)
    yield drawn[0::2]
    yield drawn[1::2]


@torch.no_grad()
def _set_bias(network: Network) -> None:
    """The bias is the score of nothing shown; measured away from borders, where it is the same everywhere."""
    config = network.config
    width = 2 * config.margin_px + 2 * config.stride
    bias = network.explainer.bias
    nothing = torch.full((1, len(config.mean), width, width), torch.nan, device=bias.device)
    absent = torch.zeros(1, len(config.players), dtype=torch.bool, device=bias.device)
    middle = width // 2
    bias.copy_(network.head(MAIN).score(network(nothing, [MAIN], absent)[MAIN])[0, :, middle, middle])
