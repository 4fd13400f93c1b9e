"""Attributions of the same pixels by several methods: the network's own explainer, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients
from torch import Tensor

from .pixels import Game, Pixels

EXPLAINER = "explainer"
_STEPS = 10  # of the path of integrated gradients: about ten passes, forward and back

Method = Callable[[Game, Pixels, Tensor], Tensor]


@torch.no_grad()
def explainer(game: Game, pixels: Pixels, classes: Tensor) -> Tensor:
    """The Shapley head's attributions."""
    found = game.attributions(pixels)
    return found.gather(2, classes[:, None, None].expand(-1, game.players, 1))[..., 0]


def chance(game: Game, pixels: Pixels, classes: Tensor) -> Tensor:
    """Numbers that mean nothing, which sum to the score as attributions should."""
    drawn = torch.randn(len(pixels), game.players, generator=torch.Generator().manual_seed(len(pixels)))
    with torch.no_grad():
        score = game.scores(pixels).gather(1, classes[:, None])
    return drawn + (score - drawn.sum(dim=1, keepdim=True)) / game.players


def gradient_x_input(game: Game, pixels: Pixels, classes: Tensor) -> Tensor:
    """Gradient times the difference from what stands in for an absent band."""
    differences = pixels.chips - game.stand_in(pixels.chips)

    def score(x: Tensor, base: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
        return game.scores(Pixels(base + x, rows, cols))

    base = game.stand_in(pixels.chips).contiguous()
    found = InputXGradient(score).attribute(
        differences.nan_to_num(nan=0.0).requires_grad_(True),
        target=classes,
        additional_forward_args=(base, pixels.rows, pixels.cols),
    )
    return _by_player(game, found)


def integrated_gradients(game: Game, pixels: Pixels, classes: Tensor) -> Tensor:
    """Gradients along the straight path from all players absent to all present (Sundararajan et al. 2017)."""

    def score(x: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
        return game.scores(Pixels(x, rows, cols))

    base = game.stand_in(pixels.chips).contiguous()
    found = IntegratedGradients(score).attribute(
        torch.where(pixels.chips.isnan(), base, pixels.chips),
        baselines=base,
        target=classes,
        n_steps=_STEPS,
        internal_batch_size=len(pixels),
        additional_forward_args=(pixels.rows, pixels.cols),
    )
    return _by_player(game, found)


@torch.no_grad()
def occlusion(game: Game, pixels: Pixels, classes: Tensor) -> Tensor:
    """What the score loses when one player is removed (Zeiler & Fergus 2014)."""

    def worth(present: Tensor) -> Tensor:
        return game.scores(pixels, present > 0.5).gather(1, classes[:, None])[:, 0]

    found: Tensor = FeatureAblation(worth).attribute(torch.ones(len(pixels), game.players))
    return found


METHODS: dict[str, Method] = {
    EXPLAINER: explainer,
    "gradient × input": gradient_x_input,
    "integrated gradients": integrated_gradients,
    "occlusion": occlusion,
    "random": chance,
}


def _by_player(game: Game, values: Tensor) -> Tensor:
    """``(N, C, S, S)`` contributions of bands and places → ``(N, players)``."""
    summed: Tensor = values.detach().sum(dim=(2, 3)) @ game.network.absence.membership.T
    return summed
