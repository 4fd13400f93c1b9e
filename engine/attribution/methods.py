"""Attributions of the same pixels by several methods: the network's own explainer, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients
from torch import Tensor

from .pixels import Game, Samples

EXPLAINER = "explainer"
_STEPS = 10  # of the path of integrated gradients: about ten passes, forward and back

Method = Callable[[Game, Samples, Tensor], Tensor]


@torch.no_grad()
def explainer(game: Game, samples: Samples, classes: Tensor) -> Tensor:
    """The Shapley head's attributions."""
    found = game.attributions(samples)
    return found.gather(2, classes[:, None, None].expand(-1, game.players, 1))[..., 0]


def chance(game: Game, samples: Samples, classes: Tensor) -> Tensor:
    """Numbers that mean nothing, which sum to the score."""
    drawn = torch.randn(len(samples), game.players, generator=torch.Generator().manual_seed(len(samples))) * game.unit
    with torch.no_grad():
        score = game.scores(samples).gather(1, classes[:, None])
    return drawn + (score - drawn.sum(dim=1, keepdim=True)) / game.players


def gradient_x_input(game: Game, samples: Samples, classes: Tensor) -> Tensor:
    """Gradient times the difference from what stands in for an absent band."""
    differences = samples.chips - game.stand_in(samples.chips)

    def score(x: Tensor, base: Tensor, *places: Tensor) -> Tensor:
        return game.scores(samples.of(base + x, *places))

    base = game.stand_in(samples.chips).contiguous()
    found = InputXGradient(score).attribute(
        differences.nan_to_num(nan=0.0).requires_grad_(True),
        target=classes,
        additional_forward_args=(base, *samples.places),
    )
    return game.by_player(found.detach())


def integrated_gradients(game: Game, samples: Samples, classes: Tensor) -> Tensor:
    """Gradients along the straight path from all players absent to all present (Sundararajan et al. 2017)."""

    def score(x: Tensor, *places: Tensor) -> Tensor:
        return game.scores(samples.of(x, *places))

    base = game.stand_in(samples.chips).contiguous()
    found = IntegratedGradients(score).attribute(
        torch.where(samples.chips.isnan(), base, samples.chips),
        baselines=base,
        target=classes,
        n_steps=_STEPS,
        internal_batch_size=len(samples),
        additional_forward_args=samples.places,
    )
    return game.by_player(found.detach())


@torch.no_grad()
def occlusion(game: Game, samples: Samples, classes: Tensor) -> Tensor:
    """What the score loses when one player is removed (Zeiler & Fergus 2014)."""

    def worth(present: Tensor) -> Tensor:
        return game.scores(samples, present > 0.5).gather(1, classes[:, None])[:, 0]

    found: Tensor = FeatureAblation(worth).attribute(torch.ones(len(samples), game.players))
    return found


METHODS: dict[str, Method] = {
    EXPLAINER: explainer,
    "gradient × input": gradient_x_input,
    "integrated gradients": integrated_gradients,
    "occlusion": occlusion,
    "random": chance,
}
