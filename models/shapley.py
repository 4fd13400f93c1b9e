"""Shapley values as a further task: each score is the sum of its players' contributions (Fan et al. 2025).

A player is a group of input bands. ``v(S)``, the worth of a coalition ``S``, is the network's own score when only the
bands of ``S`` are present and the network is told which are not; it learns to be told (``Absence``), and no surrogate
stands between (Fan, Yang & Ma 2025, arXiv 2512.14354). A pixel's attributions are
``Φ_p = d_p + (score − bias − Σ_q d_q) / n``: the explainer predicts the deviations ``d`` and the score is the sum, so
``bias + Σ Φ_p`` is the score exactly, whatever was learned.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .decoders import Narrow
from .rows import Joined, Map, Pixelwise

HIDDEN = 32  # channels of the explainer
TOLD = 32  # hidden units of what is told of absent players


def coalitions(players: int, pairs: int, generator: torch.Generator) -> Tensor:
    """Draw coalitions from the Shapley kernel, each followed by its complement.

    Sizes ``s`` come with ``p(s) ∝ 1 / (s (n − s))`` for ``0 < s < n`` (Lundberg & Lee 2017; pairs: Covert & Lee 2021).

    Returns:
        ``(2 · pairs, players)`` bool, true where a player is present.
    """
    sizes = torch.arange(1, players, dtype=torch.float64)
    drawn = 1 + torch.multinomial(1 / (sizes * (players - sizes)), pairs, True, generator=generator)
    ranks = torch.rand(pairs, players, generator=generator).argsort(dim=1).argsort(dim=1)
    present = ranks < drawn[:, None]
    return torch.stack([present, ~present], dim=1).flatten(0, 1)


class Absence(nn.Module):
    """What the encoder is told of absent players: a gain and a shift of each channel of each level.

    With all players present they are 1 and 0: nothing changes, and nothing costs time. They are learned when all else
    of the network stays as it is, so that the map is the same with and without attributions (Perez et al. 2018
    modulate features so). A hidden layer makes them of the *coalition*: sums of a vector a player cannot say that two
    players could have told the same, and a player that tells nothing would be worth what such sums lack.
    """

    def __init__(self, players: tuple[tuple[int, ...], ...], bands: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        membership = torch.zeros(len(players), bands)
        for player, members in enumerate(players):
            membership[player, list(members)] = 1.0
        self.register_buffer("membership", membership, persistent=False)
        self.hidden = nn.Linear(len(players), TOLD)
        changes = [nn.Linear(TOLD, 2 * width, bias=False) for width in widths]
        for change in changes:
            nn.init.zeros_(change.weight)
        self.changes = nn.ModuleList(changes)

    membership: Tensor

    def hide(self, x: Tensor, present: Tensor) -> Tensor:
        """Standardised ``(B, C, H, W)`` with the bands of absent players at their mean, which is 0."""
        kept: Tensor = present.to(self.membership.dtype) @ self.membership
        return x * kept[:, :, None, None].to(x.dtype)

    def tell(self, level: int, features: Tensor, present: Tensor) -> Tensor:
        """``(B, width, H, W)`` features of a level, with the gains and shifts of a coalition."""
        absent = (~present).to(torch.float32)
        told = F.relu(self.hidden(absent)) - F.relu(self.hidden(torch.zeros_like(absent)))
        gains, shifts = self.changes[level](told)[:, :, None, None].to(features.dtype).chunk(2, dim=1)
        return torch.addcmul(features + shifts, features, gains)


class Explainer(nn.Module):
    """Predicts the deviations ``d`` a player, class and pixel from what the main task has computed anyway.

    A narrow decoder that also sees the main decoder's features and the input.
    """

    bias: Tensor

    def __init__(self, bands: int, widths: tuple[int, ...], players: int, channels: int) -> None:
        super().__init__()
        self.players, self.channels = players, channels
        self.coarse = Narrow(widths, HIDDEN)
        self.finest = nn.Conv2d(widths[0], HIDDEN, 1)
        self.inputs = nn.Conv2d(bands, HIDDEN, 1)
        self.out = nn.Conv2d(HIDDEN, players * channels, 1)
        self.register_buffer("bias", torch.zeros(channels))

    def forward(self, levels: Sequence[Map], x: Map, features: Map) -> Map:
        """Deviations; no gradient reaches what is explained.

        Args:
            levels: The encoder's features, finest first.
            x: ``(B, C, H, W)`` standardised input.
            features: ``(B, widths[0], H, W)`` of the main task's decoder.

        Returns:
            ``(B, players · channels, H, W)``.
        """
        coarse = self.coarse([levels[0], *(Pixelwise(Tensor.detach, level) for level in levels[1:])])
        fine = Pixelwise(lambda of_main, given: self.finest(of_main.detach()).add_(self.inputs(given)), features, x)
        return Pixelwise(self.out, Joined(coarse, fine, relu=True))

    @torch.no_grad()
    def centre(self) -> None:
        """Take what is common to all classes out of the deviations, as it is out of the scores."""
        if self.channels > 1:
            assert self.out.bias is not None
            for values in (self.out.weight, self.out.bias):
                by_class = values.view(self.players, self.channels, -1)
                by_class -= by_class.mean(dim=1, keepdim=True)

    def attributions(self, deviations: Tensor, score: Tensor) -> Tensor:
        """Contributions of all players to all scores.

        Args:
            deviations: ``(B, players · channels, H, W)`` as predicted.
            score: ``(B, channels, H, W)``.

        Returns:
            ``(B, players, channels, H, W)`` float32; with ``bias`` they sum to ``score`` over the players.
        """
        batch, _, height, width = deviations.shape
        parts = deviations.float().reshape(batch, self.players, self.channels, height, width)
        rest = score.float() - self.bias.view(1, -1, 1, 1) - parts.sum(dim=1)
        return parts + rest[:, None] / self.players

    def loss(self, attributions: Tensor, present: Tensor, worth: Tensor) -> Tensor:
        """Mean squared distance between a coalition's worth and the sum of its players' attributions.

        Its minimum over coalitions of the Shapley kernel are the Shapley values (Charnes et al. 1988). The distance is
        taken relative to the pixel's own score, which moves no pixel's minimum and lets confident pixels not dominate.

        Args:
            attributions: ``(B, players, channels, H, W)`` of the whole input.
            present: ``(B, players)`` bool.
            worth: ``(B, channels, H, W)`` scores of the coalitions.
        """
        bias = self.bias.view(1, -1, 1, 1)
        found = bias + (attributions * present[:, :, None, None, None]).sum(dim=1)
        return relative_distance(found, worth, attributions.sum(dim=1))


def relative_distance(found: Tensor, worth: Tensor, whole: Tensor) -> Tensor:
    """Mean squared distance of two ``(B, channels, H, W)``, relative to the size of a pixel's score above the bias.

    Args:
        found: Sums of a coalition's attributions, with the bias.
        worth: Scores of the coalition.
        whole: Sums of all attributions; no gradient reaches them.
    """
    size = (whole.detach() ** 2).mean(dim=1, keepdim=True)
    weight = 1.0 / (1.0 + size / size.mean().clamp(min=1e-6))
    return (weight * (found - worth.float()) ** 2).mean()
