"""Several networks that map together as one (deep ensembles: Lakshminarayanan et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor, nn

from . import file
from .card import Card
from .compact import CompactHead
from .config import ATTRIBUTION, MAIN
from .heads import DensityHead, Head
from .mapper import Mapper
from .members import combined, paths_of
from .network import Network
from .rows import Rolling


class Together(nn.Module):
    """What the products need to know of all members' explainers."""

    bias: Tensor

    def __init__(self, players: int, channels: int, bias: Tensor) -> None:
        super().__init__()
        self.players, self.channels = players, channels
        self.register_buffer("bias", bias)


class RollingTogether:
    """Several networks that go down an image together; as ``Rolling``."""

    def __init__(
        self, members: Sequence[Rolling], together: Callable[[str, Sequence[dict[str, Tensor]]], Tensor]
    ) -> None:
        self._members, self._together = members, together

    def rows(self, x: Tensor, *, offset: int, first: int, end: int, again: int = 0) -> dict[str, Tensor]:
        """As of ``Rolling``, and as of ``Ensemble.forward``."""
        outputs = [member.rows(x, offset=offset, first=first, end=end, again=again) for member in self._members]
        return {name: self._together(name, outputs) for name in outputs[0]}


class Ensemble(Mapper):
    """Networks with the same tasks, bands and players, that answer as one.

    The probability of a class is the mean of the members'. A number is the mean of theirs, and its expected error that
    of a mixture of the members' distributions, so that both uncertainties hold their disagreement.
    """

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.config = max((member.config for member in members), key=lambda config: config.stride)
        self.members = nn.ModuleList(members)
        self.own = nn.ModuleDict({name: _head(members[0].head(name)) for name in self.config.tasks})
        if self.config.players:
            first = members[0].explainer
            bias = torch.stack([self._bias(member) for member in members]).mean(dim=0)
            own = self.head(MAIN).score_unit
            self._units = [member.head(MAIN).score_unit / own for member in members]  # asked once: a GPU would wait
            self.explainer = Together(first.players, first.channels, bias)

    def forward(self, x: Tensor, tasks: Collection[str] | None = None) -> dict[str, Tensor]:
        """Run all members, one after the other.

        Args:
            x: As of ``Network``.
            tasks: As of ``Network``.

        Returns:
            For each task what ``Network`` gives, but float32; the logits are logarithms of probabilities. For
            ``ATTRIBUTION`` the members' mean attributions and, in as many channels more, their standard deviations.
        """
        wanted = list(self.config.tasks if tasks is None else tasks)
        outputs = [member(x, wanted) for member in self._members()]
        return {name: self._together(name, outputs) for name in wanted}

    def rolling(self, x: Tensor, height: int, tasks: Collection[str]) -> RollingTogether:
        """As of ``Mapper``."""
        return RollingTogether([member.rolling(x, height, tasks) for member in self._members()], self._together)

    def channels(self, name: str) -> int:
        """As of ``Mapper``, but of bands, not of components; attributions have twice as many."""
        if name == ATTRIBUTION:
            return 2 * self.explainer.players * self.explainer.channels
        task = self.config.tasks[name]
        return task.channels * (1 if task.kind == "score" else 2)

    def head(self, name: str) -> Head:
        """As of ``Mapper``."""
        head = self.own[name]
        assert isinstance(head, Head)
        return head

    def _members(self) -> list[Network]:
        return [member for member in self.members if isinstance(member, Network)]

    def _together(self, name: str, outputs: Sequence[dict[str, Tensor]]) -> Tensor:
        if name == ATTRIBUTION:
            return self._attributions(outputs)
        head = self.head(name)
        if isinstance(head, DensityHead):
            return self._mixture(name, head, [raw[name] for raw in outputs])
        return torch.stack([raw[name].float().softmax(dim=1) for raw in outputs]).mean(dim=0).clamp(min=1e-30).log()

    def _mixture(self, name: str, head: DensityHead, outputs: Sequence[Tensor]) -> Tensor:
        """Mean, and the mean distance from it, of Laplace distributions in equal parts.

        A value of a Laplace distribution of scale ``b`` is ``d + b exp(-d / b)`` from a point at distance ``d`` of its
        mean, on average.
        """
        parts = [_density(member.head(name), raw) for member, raw in zip(self._members(), outputs, strict=True)]
        mean = torch.stack([location for location, _ in parts]).mean(dim=0)
        apart = [((location - mean).abs(), scale) for location, scale in parts]
        scale = torch.stack([d + b * torch.exp(-d / b) for d, b in apart]).mean(dim=0)
        return torch.cat([head.standardise(mean), (scale / head.standardise.std).log()], dim=1)

    def _bias(self, member: Network) -> Tensor:
        """A member's bias as a score of the ensemble's head: members standardise each in their own way."""
        own, head, bias = self.head(MAIN), member.head(MAIN), member.explainer.bias
        if not (isinstance(own, DensityHead) and isinstance(head, DensityHead)):
            return bias
        found: Tensor = own.standardise(head.standardise.physical(bias.view(1, -1, 1, 1)))
        return found.flatten()

    def _attributions(self, outputs: Sequence[dict[str, Tensor]]) -> Tensor:
        # After Welford 1962, whose variance of close numbers is not lost in rounding.
        mean = apart = torch.zeros((), device=outputs[0][MAIN].device)
        for count, (member, unit, raw) in enumerate(zip(self._members(), self._units, outputs, strict=True), 1):
            score = member.head(MAIN).score(raw[MAIN])
            found = member.explainer.attributions(raw[ATTRIBUTION], score).flatten(1, 2)
            if unit != 1.0:
                found = found * unit
            before = found - mean
            mean = mean + before / count
            apart = apart + before * (found - mean)
        return torch.cat([mean, (apart / len(outputs)).sqrt()], dim=1)


def load(model: str) -> tuple[Mapper, Card]:
    """Read one model file, or several as an ensemble (``members.paths_of``), onto the CPU, ready to predict.

    Raises:
        ModelFileError: see ``file.load``.
        JobError: the models cannot map together.
    """
    found = [file.load(path) for path in paths_of(model)]
    if len(found) == 1:
        return found[0]
    card = combined([card for _, card in found])
    return Ensemble([network for network, _ in found]).eval(), card


def _density(head: Head, raw: Tensor) -> tuple[Tensor, Tensor]:
    assert isinstance(head, DensityHead)
    return head.physical(raw)


def _head(first: Head) -> Head:
    """A head for what the members say together: in bands, where theirs is in components."""
    if not isinstance(first, CompactHead):
        return first
    mean, std = (tuple(values.flatten().tolist()) for values in (first.standardise.mean, first.standardise.std))
    return DensityHead(1, mean, std)
