"""The error probability of a chip's core: pixels and their surroundings through the card's error models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import Card, ErrorModel
from ...models.config import MAIN
from ...models.mapper import Mapper
from ...models.members import members_of
from ..explain import error_probability as errors
from ..explain.error_features import ErrorFeatures

Around = Sequence[Sequence[errors.Around]]  # for each model, what surroundings add to its logit


class Wrongness:
    """Computes the error probability: with the reconstruction errors where they are known, without them elsewhere."""

    def __init__(self, network: Mapper, card: Card, observed: bool) -> None:
        """Prepare.

        Args:
            network: On the device where raw outputs will be.
            card: The model's card, with error models.
            observed: Whether references of all auxiliary modalities will be given.
        """
        self._card = card
        observed = observed and errors.OBSERVED in card.error_models
        self.form = errors.OBSERVED if observed else errors.EXPECTED
        self._models: list[ErrorModel] = [card.error_models[errors.EXPECTED]]
        if observed:
            self._models.append(card.error_models[errors.OBSERVED])
        self._features = ErrorFeatures(
            network,
            {modality.name: modality.band_names for modality in card.auxiliary},
            [member.input_density for member in members_of(card) if member.input_density],
            [name for model in self._models for name in model.features],
        )
        self.uses_auxiliary, self.context_px = self._features.uses_auxiliary, self._features.context_px

    def around(self, raw: Mapping[str, Tensor], inputs: NDArray[np.float32], seen: Tensor | None) -> Around:
        """What the surroundings of a chip's pixels add.

        Args:
            raw: For each task ``(channels, H, W)``, of the whole chip.
            inputs: ``(bands, H, W)`` of the whole chip.
            seen: Auxiliary references ``(bands, H, W)`` of the whole chip.
        """
        given = torch.from_numpy(inputs).to(raw[MAIN].device)
        parts = self._features.around(raw, given, self._by_modality(seen))
        added = [[errors.around_logit(model, part) for part in parts] for model in self._models]
        return [[part for part in row if part is not None] for row in added]

    def probability(
        self,
        features: Mapping[str, Tensor],
        raw: Mapping[str, Tensor],
        seen: Tensor | None,
        around: Around,
        place: tuple[slice, slice],
        mapped: Tensor | None,
    ) -> Tensor:
        """Probability that the map is wrong, for some rows of a chip.

        Args:
            features: Of the main task.
            raw: For each task ``(channels, rows, W)``.
            seen: Auxiliary references ``(bands, rows, W)``.
            around: From ``around``.
            place: The rows and columns inside the chip.
            mapped: Index of the mapped class; ``None`` for a regression.

        Returns:
            ``(rows, W)``, 0–1.
        """
        features = {**features, **self._features.at_pixels(raw, self._by_modality(seen))}
        found = [
            self._logit(model, features, parts, place, mapped)
            for model, parts in zip(self._models, around, strict=True)
        ]
        logit = found[0] if len(found) == 1 else torch.where(found[1].isnan(), found[0], found[1])
        return logit.sigmoid_()

    def _logit(
        self,
        model: ErrorModel,
        features: Mapping[str, Tensor],
        around: Sequence[errors.Around],
        place: tuple[slice, slice],
        mapped: Tensor | None,
    ) -> Tensor:
        total = errors.pixel_logit(model, features, mapped)
        for part in around:
            total += part.at(*place, mapped)["logit"]
        return total

    def _by_modality(self, seen: Tensor | None) -> dict[str, Tensor]:
        """References of each modality; none where the form needs none."""
        if seen is None or self.form != errors.OBSERVED:
            return {}
        parts = torch.split(seen, [len(modality.bands) for modality in self._card.auxiliary])
        return {modality.name: part for modality, part in zip(self._card.auxiliary, parts, strict=True)}
