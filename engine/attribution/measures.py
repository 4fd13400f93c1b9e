"""How good attributions are: against Shapley values, against the network, and against themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from scipy.stats import rankdata
from torch import Tensor

from .exact import all_coalitions

Worth = Callable[[Tensor], Tensor]  # scores (N,) of coalitions (N, players) bool


def r2(found: Tensor, truth: Tensor) -> float:
    """Share of the variance of all values that is met; 1 is exact, 0 is no better than their mean."""
    return float(1 - ((found - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def mean_absolute_error(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).abs().mean())


def rank_correlation(found: Tensor, truth: Tensor) -> float:
    """Mean over pixels of Spearman's correlation over the players; arguments ``(N, players)``.

    Players with the same value share the mean of their ranks. Where all have the same there is no correlation, and the
    pixel does not count; NaN if none does.
    """
    a, b = (torch.from_numpy(rankdata(values.numpy(force=True), axis=1)) for values in (found, truth))
    a, b = (ranks - ranks.mean(dim=1, keepdim=True) for ranks in (a, b))
    return float(((a * b).sum(dim=1) / ((a**2).sum(dim=1) * (b**2).sum(dim=1)).sqrt()).nanmean())


def same_dominant(found: Tensor, truth: Tensor) -> float:
    """Share of pixels with the same player of largest contribution."""
    return float((found.abs().argmax(dim=1) == truth.abs().argmax(dim=1)).double().mean())


def efficiency_gap(found: Tensor, everything: Tensor, nothing: Tensor) -> float:
    """Mean distance of the contributions' sum from what all players together change of the score."""
    return float((found.sum(dim=1) - (everything - nothing)).abs().mean())


def insertion(found: Tensor, worth: Worth) -> Tensor:
    """Mean score as players are added to nothing, the largest contribution first: ``(players + 1,)``."""
    return torch.stack([worth(first).mean() for first in _largest(found)])


def deletion(found: Tensor, worth: Worth) -> Tensor:
    """Mean score as players are removed, the largest contribution first: ``(players + 1,)``."""
    return torch.stack([worth(~first).mean() for first in _largest(found)])


def looked_up(worths: Tensor) -> Worth:
    """Scores of coalitions from the table ``(N, coalitions)`` of all of them."""

    def worth(present: Tensor) -> Tensor:
        numbers = (present * 2 ** torch.arange(present.shape[1])).sum(dim=1, keepdim=True)
        return worths.gather(1, numbers)[:, 0]

    return worth


def _largest(found: Tensor) -> Iterator[Tensor]:
    """The coalitions of the players with the largest contributions: none of them, one, two, …, all."""
    ranks = found.argsort(dim=1, descending=True).argsort(dim=1)
    return (ranks < count for count in range(found.shape[1] + 1))


def area(curve: Tensor) -> float:
    """Area under a curve over 0–1."""
    return float(torch.trapezoid(curve.double()) / (len(curve) - 1))


def infidelity(found: Tensor, worths: Tensor) -> float:
    """Mean squared distance of what players sum to from what the score loses without them (Yeh et al. 2019).

    Over all coalitions that remove some players and leave some.
    """
    players = found.shape[1]
    removed = ~all_coalitions(players)[1:-1]
    lost = worths[:, -1:] - worths[:, 1:-1]
    return float(((found @ removed.T.to(found.dtype) - lost) ** 2).mean())
