"""What the error probability is computed from: one way for its fit on held-out pixels and for maps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from ...models.card import InputDensity
from ...models.config import MAIN
from ...models.mapper import Mapper
from .error_probability import (
    ERRORS,
    Around,
    around_inputs,
    around_references,
    expected_features,
    is_around,
    needs_auxiliary,
    observed_features,
)
from .surroundings import CONTEXT_PX


class ErrorFeatures:
    """Computes the features of pixels and of their surroundings, but for those of the main task's own scores."""

    def __init__(
        self,
        network: Mapper,
        bands: Mapping[str, Sequence[str]],
        densities: Sequence[InputDensity],
        names: Collection[str] | None = None,
    ) -> None:
        """Prepare.

        Args:
            network: On the device where raw outputs will be.
            bands: For each auxiliary modality the ``modality:band`` names.
            densities: Of the training scenes' inputs, a model's own or those of all members of an ensemble; or none.
            names: The features that are wanted; ``None`` for all.
        """
        self._network, self._bands, self._densities = network, bands, densities
        self.uses_auxiliary = bool(bands) if names is None else any(needs_auxiliary(name) for name in names)
        self.context_px = CONTEXT_PX if names is None or any(is_around(name) for name in names) else 0
        self._kinds = [kind for kind in ERRORS if names is None or any(name.startswith(f"{kind} ") for name in names)]

    def around(self, raw: Mapping[str, Tensor], inputs: Tensor, observed: Mapping[str, Tensor]) -> list[Around]:
        """Features of the surroundings of a chip's pixels; none if none is wanted.

        Args:
            raw: For each task ``(channels, H, W)``, of the whole chip.
            inputs: ``(bands, H, W)`` of the whole chip, physical values; NaN where unknown.
            observed: Auxiliary references ``(bands, H, W)`` of the whole chip, of the modalities that have them.
        """
        if not self.context_px:
            return []
        known = torch.isfinite(inputs.sum(dim=0))
        scores = raw[MAIN] if self._network.config.tasks[MAIN].kind == "score" else None
        found = [around_inputs(inputs, known, scores, self._densities)]
        for modality, values in observed.items():
            errors = self._errors(modality, raw[modality], values, ("error", "size"))
            found.append(around_references(self._bands[modality], errors, known))
        return found

    def at_pixels(self, raw: Mapping[str, Tensor], observed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features of the auxiliary tasks at pixels, each ``(rows, W)``.

        Args:
            raw: For each task ``(channels, rows, W)``.
            observed: Auxiliary references ``(bands, rows, W)``, of the modalities that have them.
        """
        found: dict[str, Tensor] = {}
        if self.uses_auxiliary:
            for modality, bands in self._bands.items():
                log_scale = self._network.density(modality).log_scale(raw[modality][None])[0]
                found.update(expected_features(bands, log_scale))
        for modality, values in observed.items():
            found.update(self._errors(modality, raw[modality], values, self._kinds))
        return found

    def _errors(self, modality: str, raw: Tensor, observed: Tensor, kinds: Collection[str]) -> dict[str, Tensor]:
        head = self._network.density(modality)
        reconstruction, expected = (values[0] for values in head.physical(raw[None]))
        return observed_features(
            self._bands[modality], reconstruction, expected, observed, head.standardise.std[0], kinds
        )
