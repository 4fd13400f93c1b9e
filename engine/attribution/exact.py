"""Shapley values to judge attributions by: enumerated where that can be done, else sampled with a known error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import torch
from captum.attr import ShapleyValueSampling
from torch import Tensor

from .pixels import Game, Samples

MOST_ENUMERATED = 12  # players
PERMUTATIONS = 256  # of a sampling, in each of two halves


@dataclass(frozen=True)
class Truth:
    """What attributions are compared with.

    Attributes:
        values: ``(N, players)`` Shapley values of each pixel's class.
        worths: ``(N, coalitions)`` scores of all coalitions, by number; ``None`` if there are too many.
        error: Mean absolute difference of two samplings, halved; 0 for an enumeration.
    """

    values: Tensor
    worths: Tensor | None
    error: float = 0.0


def scores_of(game: Game) -> int:
    """How many scores a sample's Shapley values take."""
    return 2**game.players if game.players <= MOST_ENUMERATED else 2 * PERMUTATIONS * game.players


def all_coalitions(players: int) -> Tensor:
    """``(2^players, players)`` bool; bit ``p`` of a coalition's number says whether player ``p`` is present."""
    return (torch.arange(2**players)[:, None] >> torch.arange(players)) & 1 == 1


def shapley_matrix(players: int) -> Tensor:
    """``(players, 2^players)``: what Shapley values are of the worths of all coalitions (Shapley 1953)."""
    present = all_coalitions(players)
    sizes = present.sum(dim=1)
    gain = torch.tensor([factorial(s - 1) * factorial(players - s) for s in range(1, players + 1)] + [0])
    loss = torch.tensor([factorial(s) * factorial(players - s - 1) for s in range(players)] + [0])
    weights = torch.where(present.T, gain[(sizes - 1).clamp(min=0)], -loss[sizes.clamp(max=players)])
    return weights.double() / factorial(players)


@torch.no_grad()
def truth(game: Game, pixels: Samples, classes: Tensor, watch: Callable[[float], None]) -> Truth:
    """Shapley values of sampled pixels.

    Args:
        game: The network and how players are removed.
        pixels: ``N`` of them.
        classes: ``(N,)`` the class whose score is explained.
        watch: Told the share that is done; may raise.
    """
    if game.players > MOST_ENUMERATED:
        return _sampled(game, pixels, classes, watch)
    worths = []
    coalitions = all_coalitions(game.players)
    for number, present in enumerate(coalitions):
        scores = game.scores(pixels, present.expand(len(pixels), -1))
        worths.append(scores.gather(1, classes[:, None])[:, 0])
        watch((number + 1) / len(coalitions))
    table = torch.stack(worths, dim=1)
    return Truth((table.double() @ shapley_matrix(game.players).T).float(), table)


def joined(parts: Sequence[Truth]) -> Truth:
    """What is known of several groups of pixels, as of one; a sampling is one group."""
    if len(parts) == 1:
        return parts[0]
    worths = [part.worths for part in parts if part.worths is not None]
    return Truth(torch.cat([part.values for part in parts]), torch.cat(worths))


def _sampled(game: Game, pixels: Samples, classes: Tensor, watch: Callable[[float], None]) -> Truth:
    def worth(present: Tensor, numbers: Tensor) -> Tensor:
        return game.scores(pixels.pick(numbers), present > 0.5).gather(1, classes[numbers][:, None])[:, 0]

    method, halves = ShapleyValueSampling(worth), []
    for half in range(2):
        torch.manual_seed(half)
        everybody = torch.ones(len(pixels), game.players)
        found: Tensor = method.attribute(
            everybody, n_samples=PERMUTATIONS, additional_forward_args=(torch.arange(len(pixels)),)
        )
        halves.append(found)
        watch((half + 1) / 2)
    return Truth((halves[0] + halves[1]) / 2, None, float((halves[0] - halves[1]).abs().mean()) / 2)
