"""The error probability of a chip's core: pixels and their surroundings through the card's error models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import Card, ErrorModel, Modality
from ...models.members import members_of
from ...models.network import MAIN, Network
from ..explain import error_probability as errors
from ..explain.surroundings import CONTEXT_PX

Around = Sequence[Sequence[errors.Around]]  # for each model, what surroundings add to its logit


class Wrongness:
    """Computes the error probability: with the reconstruction errors where they are known, without them elsewhere."""

    def __init__(self, network: Network, card: Card, observed: bool) -> None:
        """Prepare.

        Args:
            network: On the device where raw outputs will be.
            card: The model's card, with error models.
            observed: Whether references of all auxiliary modalities will be given.
        """
        self._network, self._card = network, card
        observed = observed and errors.OBSERVED in card.error_models
        self.form = errors.OBSERVED if observed else errors.EXPECTED
        self._models: list[ErrorModel] = [card.error_models[errors.EXPECTED]]
        if observed:
            self._models.append(card.error_models[errors.OBSERVED])
        names = [name for model in self._models for name in model.features]
        self.uses_auxiliary = any(errors.needs_auxiliary(name) for name in names)
        self._kinds = [kind for kind in errors.ERRORS if any(name.startswith(f"{kind} ") for name in names)]
        self.context_px = CONTEXT_PX if any(errors.is_around(name) for name in names) else 0

    def around(self, raw: Mapping[str, Tensor], inputs: NDArray[np.float32], seen: Tensor | None) -> Around:
        """What the surroundings of a chip's pixels add.

        Args:
            raw: For each task ``(channels, H, W)``, of the whole chip.
            inputs: ``(bands, H, W)`` of the whole chip.
            seen: Auxiliary references ``(bands, H, W)`` of the whole chip.
        """
        if not self.context_px:
            return [[] for _ in self._models]
        given = torch.from_numpy(inputs).to(raw[MAIN].device)
        known = torch.isfinite(given.sum(dim=0))
        scores = raw[MAIN] if self._card.main.kind == "segmentation" else None
        densities = [card.input_density for card in members_of(self._card) if card.input_density]
        parts = [errors.around_inputs(given, known, scores, densities)]
        if seen is not None and self.form == errors.OBSERVED:
            for modality, observed in self._by_modality(seen):
                found = self._errors(modality, raw[modality.name], observed, ("error", "size"))
                parts.append(errors.around_references(modality.band_names, found, known))
        added = [[errors.around_logit(model, part) for part in parts] for model in self._models]
        return [[part for part in row if part is not None] for row in added]

    def probability(
        self,
        features: dict[str, Tensor],
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
        features = dict(features)
        if self.uses_auxiliary:
            for modality in self._card.auxiliary:
                log_scale = self._network.density(modality.name).log_scale(raw[modality.name][None])[0]
                features.update(errors.expected_features(modality.band_names, log_scale))
        if self.form == errors.OBSERVED and seen is not None:
            for modality, observed in self._by_modality(seen):
                features.update(self._errors(modality, raw[modality.name], observed, self._kinds))
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

    def _by_modality(self, seen: Tensor) -> list[tuple[Modality, Tensor]]:
        first, found = 0, []
        for modality in self._card.auxiliary:
            last = first + len(modality.bands)
            found.append((modality, seen[first:last]))
            first = last
        return found

    def _errors(self, modality: Modality, raw: Tensor, observed: Tensor, kinds: Collection[str]) -> dict[str, Tensor]:
        head = self._network.density(modality.name)
        reconstruction, expected = (values[0] for values in head.physical(raw[None]))
        return errors.observed_features(
            modality.band_names, reconstruction, expected, observed, head.standardise.std[0], kinds
        )
