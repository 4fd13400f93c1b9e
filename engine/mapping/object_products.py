"""Products of a scene-level model: what its raw output says of each object, gathered while tiles stream past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import Card
from ...models.config import MAIN
from ...models.mapper import Mapper
from ..explain import error_probability as errors
from ..explain.object_means import EXPECTED, LOG_SCALE, OBSERVED, RECONSTRUCTION, ObjectMeans, object_features
from ..jobs import OF_AUXILIARY
from ..scene.polygons import Polygons
from ..scene.reading import complete
from ..scene.window import Window
from .products import ROWS_PX, Arrays, ObjectPart, Observations, Products


class ObjectProducts(Products):
    """As ``Products``, but only rasters of auxiliary tasks come pixel by pixel; the main task's are of objects."""

    def __init__(
        self,
        network: Mapper,
        card: Card,
        wanted: Sequence[str],
        observed: bool,
        polygons: Polygons,
        *,
        described: bool,
    ) -> None:
        """Prepare.

        Args:
            network: On the device where raw outputs will be.
            card: The model's card.
            wanted: Names of output rasters.
            observed: Whether references of all auxiliary modalities will be given.
            polygons: The objects.
            described: Whether everything that can be said of objects is wanted, for a table of them.
        """
        super().__init__(network, card, [name for name in wanted if name in OF_AUXILIARY], observed)
        self.dense, self.filled = self.wanted, frozenset(wanted).difference(OF_AUXILIARY)
        self.polygons = polygons
        self.means = ObjectMeans(len(polygons.geometries))
        self.explained: dict[str, NDArray[np.float64]] = {}  # columns of the table, when that is known
        self._described = described
        known = card.error_models if described or "error_probability" in wanted else {}
        forms = [errors.EXPECTED, *([errors.OBSERVED] if observed else [])]
        self._models = [known[form] for form in forms if form in known]
        self.error_form = [form for form in forms if form in known][-1] if self._models else ""

    @property
    def tasks(self) -> tuple[str, ...]:
        """See the base class."""
        used = any(errors.needs_auxiliary(name) for model in self._models for name in model.features)
        return (MAIN, *(m.name for m in self.card.auxiliary)) if self._described or used or self.dense else (MAIN,)

    def compute(
        self,
        raw: Mapping[str, Tensor],
        inputs: NDArray[np.float32],
        valid: NDArray[np.bool_],
        seen: Observations,
        core: Window,
    ) -> Iterator[tuple[slice, Arrays]]:
        """As the base class; the main task's raw output is added to the objects that ``seen`` has in the core."""
        step = max(1, ROWS_PX // core.width)
        for start in range(0, core.height, step):
            rows = slice(start, min(start + step, core.height))
            place = slice(core.row + rows.start, core.row + rows.stop), core.slices[1]
            part = {name: values[:, place[0], place[1]].float() for name, values in raw.items()}
            observed = seen.cut(*place)
            self._add(part, observed, [item for item in (o.rows(rows) for o in seen.objects) if item.window.height])
            arrays: Arrays = {}
            if self.dense:
                self._auxiliary(part, observed, arrays)
            for name, values in arrays.items():
                values[:, ~valid[rows]] = self.nodata(name)
            yield rows, arrays

    def _add(self, raw: Mapping[str, Tensor], seen: Observations, parts: Sequence[ObjectPart]) -> None:
        """Add some rows to the means of the objects there."""
        if not parts:
            return
        self._gather(MAIN, raw[MAIN].cpu().numpy(), parts)
        first = 0
        for modality in self.card.auxiliary if len(raw) > 1 else ():
            head, values = self._network.density(modality.name), raw[modality.name][None]
            reconstruction, expected = (v[0].cpu().numpy() for v in head.physical(values))
            self._gather(f"{LOG_SCALE} {modality.name}", head.log_scale(values)[0].cpu().numpy(), parts)
            last = first + len(modality.bands)
            observed = None if seen.auxiliary is None else seen.auxiliary[first:last]
            known = None if observed is None else complete(observed)
            self._gather(f"{RECONSTRUCTION} {modality.name}", reconstruction, parts, known)
            self._gather(f"{EXPECTED} {modality.name}", expected, parts, known)
            if observed is not None:
                self._gather(f"{OBSERVED} {modality.name}", observed, parts, known)
            first = last

    def _gather(
        self,
        name: str,
        values: NDArray[np.float32],
        parts: Sequence[ObjectPart],
        known: NDArray[np.bool_] | None = None,
    ) -> None:
        for part in parts:
            rows, cols = part.window.slices
            inside = part.mask if known is None else part.mask & known[rows, cols]
            self.means.add(part.number, name, values[:, rows, cols], inside)

    @property
    def pixels(self) -> NDArray[np.int64]:
        """``(objects,)`` valid pixels of each object."""
        return self.means.pixels(MAIN)

    def of_objects(self) -> dict[str, NDArray[np.float64]]:
        """What is known of the objects when all tiles have passed, ``(bands, objects)`` each, NaN where nothing is.

        Returns:
            ``map`` (class values, or the estimate), ``uncertainty``, for classes ``probability``, and
            ``error_probability`` where the model has one and it is wanted.
        """
        main = torch.from_numpy(self.means.of(MAIN, len(self.card.main.classes) or 2)).float()
        found, features = self._of_scores(main) if self.is_score else self._of_numbers(main)
        if self._models:
            mapped = main.nan_to_num().max(dim=0).indices if self.is_score else None
            for modality in self.card.auxiliary:
                std = torch.tensor(modality.std)[:, None]
                features.update(object_features(self.means, modality.name, modality.band_names, std))
            found["error_probability"] = errors.apply(self._models[0], features, mapped)[None]
            for model in self._models[1:]:  # with references, where there are any
                probability = errors.apply(model, features, mapped)[None]
                found["error_probability"] = torch.where(probability.isnan(), found["error_probability"], probability)
        return {name: values.double().numpy() for name, values in found.items()}

    def _of_scores(self, scores: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        log_probability = torch.log_softmax(scores, dim=0)
        unknown = scores.isnan().any(dim=0)
        classes = torch.from_numpy(self._values).double()
        found = {
            "map": torch.where(unknown, torch.nan, classes[log_probability.argmax(dim=0)])[None],
            "probability": log_probability.exp(),
            "uncertainty": errors.normalised_entropy(log_probability)[None],
        }
        return found, errors.score_features(log_probability)

    def _of_numbers(self, raw: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        head = self._network.density(MAIN)
        values = raw[None, :, None]
        estimate, scale = (v[0, :, 0].cpu() for v in head.physical(values.to(head.standardise.mean.device)))
        return {"map": estimate, "uncertainty": scale}, {"scale": head.log_scale(values)[0, 0, 0]}

    def of_modalities(self) -> dict[str, NDArray[np.float64]]:
        """Auxiliary tasks of the objects, ``(objects,)`` each, in standard deviations of the bands (mean over these).

        Returns:
            ``expected_error_<modality>``; and ``reconstruction_error_<modality>``, the RMS of the bands' mean errors,
            where the modality is given.
        """
        found = {}
        for modality in self.card.auxiliary:
            count, std = len(modality.bands), np.array(modality.std)[:, None]
            scale = np.exp(self.means.of(f"{LOG_SCALE} {modality.name}", count))
            found[f"expected_error_{modality.name}"] = scale.mean(axis=0)
            observed = self.means.of(f"{OBSERVED} {modality.name}", count)
            if np.isfinite(observed).any():
                error = (self.means.of(f"{RECONSTRUCTION} {modality.name}", count) - observed) / std
                found[f"reconstruction_error_{modality.name}"] = np.sqrt((error**2).mean(axis=0))
        return found
