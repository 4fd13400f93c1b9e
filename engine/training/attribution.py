"""Learning attributions: a trained network is told of absent players, and its explainer learns their shares.

Both leave everything else of the network as it is. Training the whole network with absent players, as Fan et al. do,
cost our small networks accuracy (docs/decisions.md).
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...models.config import ATTRIBUTION, MAIN
from ...models.network import Network
from ...models.patches import PatchExplainer
from ...models.pooled import PooledHead, inside_of
from ...models.shapley import Explainer, coalitions
from ..jobs import Progress
from . import options
from .chips import Batch

_SMALLEST_PX = 64  # of chips, lest they be nothing but border
PARTS = 4  # steps a batch: what is told of absent players is learned by the step
_RECENT = 200  # steps over which the fit is told
_BIAS_EVERY = 10  # steps, while the score of nothing shown still moves

log = logging.getLogger("auxlens")


@dataclass(frozen=True)
class Fit:
    """How the explainer came out, on training chips.

    ``unexplained`` is the share of the coalitions' squared worth above the bias that sums of attributions miss:
    what players do only together, and what the explainer has not learned;
    ``reach`` is twice the root mean square of the attributions (of patches, to the scores of objects that lie on them),
    in the unit of the target (of classes in logits).
    """

    unexplained: float
    reach: float


def fit_attributions(
    network: Network, fabric: Any, batches: Iterator[Batch], steps: int, limit_s: float, progress: Progress
) -> Fit:
    """Fit what a trained network is told of absent players, and its explainer; all else of it stays as it is.

    Each step shows the network a coalition of each chip's players, and their complements, and compares the scores with
    the explainer's sums. In the first steps the former also learn the main task with what is left.

    Args:
        network: On its device; changed in place.
        fabric: ``lightning_fabric.Fabric``.
        batches: Training chips, at least a quarter as many as ``steps``.
        steps: Steps to take, each of a part of a batch; fewer if the user stops, or
        limit_s: seconds are over.
        progress: Told after every step, and asked whether to stop.
    """
    network.eval().requires_grad_(False)
    absence, explainer = network.absence.requires_grad_(True), _explainer(network).requires_grad_(True)
    telling, explaining = (
        fabric.setup_optimizers(torch.optim.AdamW(part.parameters(), lr=rate, weight_decay=decay))
        for part, rate, decay in ((absence, options.ABSENCE_RATE, 0.0), (explainer, options.EXPLAINER_RATE, 0.01))
    )
    generator = torch.Generator().manual_seed(steps)
    recent: deque[Tensor] = deque(maxlen=_RECENT)  # left where they are: to look at them is to wait for a GPU
    started, settled = time.monotonic(), False
    for step, chips in zip(range(steps), _parts(batches, bool(network.config.patch_px)), strict=False):
        share = max(step / steps, (time.monotonic() - started) / limit_s)
        if progress.canceled() or share >= 1:
            break
        told = share_told(share, step)
        if not settled and (told >= 1 or step % _BIAS_EVERY == 0):
            set_bias(network)
        settled = told >= 1
        _set_rate(explaining, options.EXPLAINER_RATE * options.schedule(share))
        _set_rate(telling, options.ABSENCE_RATE * options.schedule(told))
        inputs, target = fabric.to_device(chips)
        loss, worth, size, without = _losses(network, fabric, inputs, target, generator, not settled)
        for optimizer, part, part_loss in ((explaining, explainer, loss), (telling, absence, without)):
            if part_loss.requires_grad:
                optimizer.zero_grad(set_to_none=True)
                fabric.backward(part_loss)
                fabric.clip_gradients(part, optimizer, max_norm=options.CLIP_NORM, error_if_nonfinite=False)
                optimizer.step()
        recent.append(torch.stack([loss.detach(), worth, size]))
        progress.report(max((step + 1) / steps, share), f"Learning attributions, step {step + 1} of {steps}")
    network.requires_grad_(True)
    set_bias(network)
    explainer.centre()
    missed, worth_of_all, squared = torch.stack(list(recent)).mean(dim=0).tolist() if recent else (0.0, 0.0, 0.0)
    reach = 2 * squared**0.5 * network.head(MAIN).score_unit
    return Fit(missed / worth_of_all if worth_of_all else 1.0, reach)


def share_told(share: float, step: int) -> float:
    """How much of what is told of absent players has been learned, by the share of the steps and their number; 1: all.

    It is learned by the step, so a short fit, whose steps a time limit may cut, gives it more of them.
    """
    least, most = options.ABSENCE_SHARES
    return max(share / most, min(share / least, step / options.ABSENCE_STEPS))


def _losses(
    network: Network, fabric: Any, inputs: Tensor, target: Tensor, generator: torch.Generator, telling: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Losses of one batch.

    Returns:
        The explainer's loss; the same of attributions that are all 0; the mean square of the attributions; and the main
        loss with the first of two coalitions, without a gradient unless ``telling``.
    """
    head, explainer = network.head(MAIN), _explainer(network)
    first, second = (present.to(inputs.device) for present in _pairs(_shown(network, inputs), len(inputs), generator))
    if torch.rand((), generator=generator) < options.NOTHING_SHOWN:
        first[0] = False
    with fabric.autocast():
        raw = network(inputs, [MAIN, ATTRIBUTION])
        attributions = explainer.attributions(raw[ATTRIBUTION], _score(network, raw[MAIN].detach()))
        with torch.set_grad_enabled(telling):
            without = network(inputs, [MAIN], first)[MAIN]
            main_loss = head.loss(without, target)
        with torch.no_grad():
            worths = _score(network, without), _score(network, network(inputs, [MAIN], second)[MAIN])
        losses = [
            explainer.loss(attributions, present, worth) for present, worth in zip((first, second), worths, strict=True)
        ]
    with torch.no_grad():
        of_nothing = explainer.loss(attributions, torch.zeros_like(second), worths[1])
        size = _mean_square(network, attributions, target)
    return torch.stack(losses).mean(), of_nothing, size, main_loss


def _explainer(network: Network) -> Explainer | PatchExplainer:
    return network.patch_explainer if network.config.patch_px else network.explainer


def _score(network: Network, raw: Tensor) -> Tensor:
    """What attributions sum to, by pixel or by cell."""
    return network.scores_of_cells(raw) if network.config.patch_px else network.head(MAIN).score(raw)


def _shown(network: Network, inputs: Tensor) -> tuple[int, ...]:
    """The shape of a coalition: players, or rows and columns of patches."""
    patch_px = network.config.patch_px
    if not patch_px:
        return (len(network.config.players),)
    return -(-inputs.shape[2] // patch_px), -(-inputs.shape[3] // patch_px)


def _mean_square(network: Network, attributions: Tensor, target: Tensor) -> Tensor:
    """Of attributions to pixels, or of those of patches to the objects that lie on them."""
    head = network.head(MAIN)
    if not isinstance(head, PooledHead):
        return (attributions**2).mean()
    stride, reach = network.config.stride, network.patch_explainer.reach
    pixels = F.avg_pool2d(inside_of(target, head.absent).float(), stride, ceil_mode=True)[:, 0]
    weights = pixels / pixels.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    found = network.patch_explainer.of_objects(attributions, weights)
    on = F.max_pool2d(weights[:, None], network.patch_explainer.patch_cells, ceil_mode=True) > 0
    own = found[:, :, reach : reach + on.shape[2], reach : reach + on.shape[3]]
    return (own**2 * on).sum() / (on.sum() * own.shape[1]).clamp(min=1)


def _set_rate(optimizer: Any, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _parts(batches: Iterator[Batch], whole: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs and targets of the main task, a part of a batch at a time; chips are cut up unless ``whole``."""
    for batch in batches:
        small = batch.inputs, batch.targets[MAIN]
        small = small if whole else (_quarters(small[0]), _quarters(small[1]))
        yield from zip(*(chips.chunk(PARTS) for chips in small), strict=True)


def _quarters(chips: Tensor) -> Tensor:
    """``(B, C, H, W)`` → ``(4 B, C, H / 2, W / 2)``, where chips are large.

    All pixels of a chip share its coalition, so four small chips tell more than a large one, at the same cost.
    """
    half = chips.shape[-1] // 2
    if half < _SMALLEST_PX:
        return chips
    rows = torch.cat([chips[:, :, :half], chips[:, :, -half:]])
    return torch.cat([rows[..., :half], rows[..., -half:]])


def _pairs(shape: tuple[int, ...], chips: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A coalition for every chip, and every chip's complement."""
    drawn = coalitions(math.prod(shape), chips, generator).view(-1, *shape)
    return drawn[0::2], drawn[1::2]


@torch.no_grad()
def set_bias(network: Network) -> None:
    """Set the explainer's bias to the score of nothing shown; away from borders, where it is the same everywhere."""
    config = network.config
    width = 2 * config.margin_px + 2 * config.stride
    bias = _explainer(network).bias
    nothing = torch.full((1, len(config.mean), width, width), torch.nan, device=bias.device)
    absent = torch.zeros(1, *_shown(network, nothing), dtype=torch.bool, device=bias.device)
    middle = width // 2
    bias.copy_(network.head(MAIN).score(network(nothing, [MAIN], absent)[MAIN])[0, :, middle, middle])
