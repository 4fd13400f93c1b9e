"""Products: the values of every output layer, from the network's raw output on one chip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.card import Card, LandClass
from ...models.config import ATTRIBUTION, MAIN
from ...models.mapper import Mapper
from ..explain import error_probability as errors
from ..jobs import OF_AUXILIARY
from ..scene.classes import to_indices
from ..scene.window import Window
from .wrongness import Around, Wrongness

Arrays = dict[str, NDArray[np.generic]]
ROWS_PX = 2**16  # pixels computed at once: small enough for the processor's cache


@dataclass(frozen=True)
class ObjectPart:
    """The pixels of a scene-level task's object in a core: its number, a window of the core, and a mask of that."""

    number: int
    window: Window
    mask: NDArray[np.bool_]

    def rows(self, rows: slice) -> ObjectPart:
        """The part in some rows, counted from the first of them; without height where there is none."""
        inside = self.window.intersection(
            Window(rows.start, self.window.col, rows.stop - rows.start, self.window.width)
        )
        first = inside.row - self.window.row
        place = Window(inside.row - rows.start, inside.col, inside.height, inside.width)
        return ObjectPart(self.number, place, self.mask[first : first + inside.height])


@dataclass(frozen=True)
class Observations:
    """What exists beside a chip's input: auxiliary references ``(bands, H, W)`` and the main one ``(H, W)``.

    Of a scene-level task there are also ``objects``, the parts of them in the core.
    """

    auxiliary: NDArray[np.float32] | None = None
    reference: NDArray[np.float32] | None = None
    objects: tuple[ObjectPart, ...] = ()

    def cut(self, rows: slice, cols: slice = slice(None)) -> Observations:
        return Observations(
            None if self.auxiliary is None else self.auxiliary[:, rows, cols],
            None if self.reference is None else self.reference[rows, cols],
        )


class Products:
    """Turns raw outputs into the arrays that are asked for, and knows which tasks that takes."""

    def __init__(
        self, network: Mapper, card: Card, wanted: Sequence[str], observed: bool, attribution_class: str = ""
    ) -> None:
        """Prepare.

        Args:
            network: On the device where raw outputs will be.
            card: The model's card.
            wanted: Names of output layers.
            observed: Whether references of all auxiliary modalities will be given.
            attribution_class: Name or value of the class whose score is attributed; empty for the mapped one.
        """
        self.card = card
        self.wanted = frozenset(wanted)
        self._network = network
        self._wrongness = Wrongness(network, card, observed) if "error_probability" in self.wanted else None
        self.error_form = self._wrongness.form if self._wrongness else ""
        self.is_score = bool(card.main.classes)
        self.unknown_classes: set[float] = set()
        self._values = np.array([c.value for c in card.main.classes])
        self.map_nodata = free_value(self._values) if self.is_score else float("nan")
        palette = self._values.astype(self.dtype("map") if self.is_score else "uint8")
        self._attributed = index_of(attribution_class, card.main.classes)
        self.largest_residual = 0.0
        self._adding = Lock()  # several threads compute
        self._palette = torch.from_numpy(palette).to(next(network.parameters()).device)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that the network must decode."""
        used = self._wrongness is not None and self._wrongness.uses_auxiliary
        auxiliary = tuple(m.name for m in self.card.auxiliary) if self.wanted.intersection(OF_AUXILIARY) or used else ()
        return (MAIN, *auxiliary, *([ATTRIBUTION] if ATTRIBUTION in self.wanted else []))

    @property
    def context_px(self) -> int:
        """Context that the products need around a core, beyond that of the network."""
        return self._wrongness.context_px if self._wrongness else 0

    def compute(
        self,
        raw: Mapping[str, Tensor],
        inputs: NDArray[np.float32],
        valid: NDArray[np.bool_],
        seen: Observations,
        core: Window,
    ) -> Iterator[tuple[slice, Arrays]]:
        """Compute the products of one chip's core, a few rows at a time.

        Args:
            raw: For each task ``(channels, H, W)`` of the whole chip.
            inputs: ``(bands, H, W)`` of the whole chip.
            valid: Shape of the core; false becomes nodata in every product.
            seen: References of the whole chip.
            core: The core, counted from the chip's corner.

        Yields:
            Rows of the core, and for each product ``(bands, rows, core.width)`` in the type that is written.
        """
        around = self._wrongness.around(raw, inputs, _tensor(seen.auxiliary, raw)) if self._wrongness else ()
        step = max(1, ROWS_PX // core.width)
        for start in range(0, core.height, step):
            rows = slice(start, min(start + step, core.height))
            place = slice(core.row + rows.start, core.row + rows.stop), core.slices[1]
            part = {name: values[:, place[0], place[1]] for name, values in raw.items()}
            arrays = self._arrays(part, seen.cut(*place), around, place)
            hole = ~valid[rows]
            if hole.any():
                for name, values in arrays.items():
                    values[:, hole] = self.nodata(name)
            yield rows, arrays

    def nodata(self, name: str) -> float:
        """Nodata value of a product."""
        if name == "map":
            return self.map_nodata
        return 255.0 if name == "main_error" and self.is_score else float("nan")

    def dtype(self, name: str) -> str:
        """Type in which a product is written."""
        if name == "map" and self.is_score:
            return "uint8" if self.map_nodata <= 255 else "uint16"
        return "uint8" if name == "main_error" and self.is_score else "float32"

    def _arrays(
        self, raw: Mapping[str, Tensor], seen: Observations, around: Around, place: tuple[slice, slice]
    ) -> Arrays:
        raw = {name: values if name == ATTRIBUTION else _planar(values) for name, values in raw.items()}
        mapped = None
        if self.is_score and (self._wrongness or {"map", "main_error", "attribution"} & self.wanted):
            mapped = largest(raw[MAIN])
        arrays, features = self._score(raw[MAIN], seen, mapped) if self.is_score else self._density(raw[MAIN], seen)
        if ATTRIBUTION in self.wanted:
            arrays["attribution"] = self._attribution(raw[MAIN], raw[ATTRIBUTION], mapped)
        if self.wanted.intersection(OF_AUXILIARY):
            self._auxiliary(raw, seen, arrays)
        if self._wrongness:
            observed = _tensor(seen.auxiliary, raw)
            arrays["error_probability"] = _array(
                self._wrongness.probability(features, raw, observed, around, place, mapped)
            )
        return {name: values for name, values in arrays.items() if name in self.wanted}

    def _score(self, raw: Tensor, seen: Observations, mapped: Tensor | None) -> tuple[Arrays, dict[str, Tensor]]:
        arrays: Arrays = {}
        log_probability = torch.log_softmax(raw, dim=0)
        if mapped is not None and "map" in self.wanted:
            arrays["map"] = _array(self._palette[mapped])
        if mapped is not None and "main_error" in self.wanted and seen.reference is not None:
            arrays["main_error"] = self._wrong(mapped.cpu().numpy(), seen.reference)
        if "probability" in self.wanted:
            arrays["probability"] = _array(log_probability.exp())
        features = errors.score_features(log_probability) if self._wrongness else {}
        if "uncertainty" in self.wanted:
            entropy = features.get("entropy")
            arrays["uncertainty"] = _array(errors.normalised_entropy(log_probability) if entropy is None else entropy)
        return arrays, features

    def _attribution(self, main: Tensor, deviations: Tensor, mapped: Tensor | None) -> NDArray[np.generic]:
        """A band a player, and the dominant player (from 1): that with the largest contribution of either sign.

        Of an ensemble, standard deviations stand between the two.
        """
        explainer = self._network.explainer
        if self._attributed is None and mapped is not None:
            index = mapped[None]
        else:
            index = torch.full_like(main[:1], self._attributed or 0, dtype=torch.long)
        score = self._network.head(MAIN).score(main[None])[0].gather(0, index)[0] - explainer.bias[index[0]]
        by_class = deviations.view(-1, explainer.channels, *deviations.shape[1:])
        of_class = by_class.gather(1, index.expand(len(by_class), 1, *index.shape[1:]))[:, 0].float()
        own, spread = of_class[: explainer.players], of_class[explainer.players :]  # the latter of an ensemble
        own += (score - own.sum(dim=0)) / len(own)
        residual = float((own.sum(dim=0) - score).abs().max())
        with self._adding:
            self.largest_residual = max(self.largest_residual, residual)
        dominant = 1.0 + largest(own.abs())
        return _array(torch.cat([own * self.score_unit, spread * self.score_unit, dominant[None]]))

    @property
    def score_unit(self) -> float:
        """Of attributions: see ``Head.score_unit``."""
        return self._network.head(MAIN).score_unit

    @property
    def score_bias(self) -> dict[int, float] | float:
        """What attributions and it sum to is the score: of each class by value; of a regression in its unit."""
        bias = self._network.explainer.bias
        if self.is_score:
            return {c.value: round(float(v), 6) for c, v in zip(self.card.main.classes, bias, strict=True)}
        return float(f"{self._network.density(MAIN).standardise.physical(bias.view(1, 1, 1, 1)).item():.7g}")

    def _wrong(self, best: NDArray[np.int64], reference: NDArray[np.float32]) -> NDArray[np.uint8]:
        truth = to_indices(reference, self.card.main.classes)
        known = reference >= 0  # not NaN either; a class that the model does not know counts as wrong
        unknown = np.unique(reference[known & (truth < 0)]).tolist()
        with self._adding:
            self.unknown_classes.update(unknown)
        return np.where(known, truth != best, 255).astype(np.uint8)[None]

    def _density(self, raw: Tensor, seen: Observations) -> tuple[Arrays, dict[str, Tensor]]:
        head = self._network.density(MAIN)
        estimate, scale = (values[0] for values in head.physical(raw[None]))
        arrays: Arrays = {"map": _array(estimate), "uncertainty": _array(scale)}
        if seen.reference is not None:
            arrays["main_error"] = estimate.cpu().numpy() - seen.reference
        return arrays, {"scale": head.log_scale(raw[None])[0, 0]}

    def _auxiliary(self, raw: Mapping[str, Tensor], seen: Observations, arrays: Arrays) -> None:
        """Add the auxiliary products to ``arrays``."""
        parts: dict[str, list[NDArray[np.generic]]] = {}
        first = 0
        for modality in self.card.auxiliary:
            last = first + len(modality.bands)
            head = self._network.density(modality.name)
            reconstruction, expected = (values[0] for values in head.physical(raw[modality.name][None]))
            parts.setdefault("reconstruction", []).append(_array(reconstruction))
            parts.setdefault("expected_error", []).append(_array(expected))
            if seen.auxiliary is not None:
                observed = torch.from_numpy(seen.auxiliary[first:last]).to(reconstruction.device)
                parts.setdefault("reconstruction_error", []).append(_array(reconstruction - observed))
            first = last
        arrays.update({name: np.concatenate(values) for name, values in parts.items() if name in self.wanted})


def index_of(wanted: str, classes: Sequence[LandClass]) -> int | None:
    """Index of a class, by its name or value; ``None`` where none is so called."""
    return next((i for i, c in enumerate(classes) if wanted in (c.name, str(c.value))), None)


def largest(values: Tensor) -> Tensor:
    """Index of the largest value over the first dimension, the first of equals: ``(n, …)`` → ``(…)`` int64.

    ``max`` gives no index without leaving vector instructions; this takes a quarter of its time.
    """
    count = len(values)
    if count > 255:
        return values.max(dim=0).indices
    rank = torch.arange(count, 0, -1, dtype=torch.uint8, device=values.device).view(-1, *[1] * (values.ndim - 1))
    first = torch.eq(values, values.amax(dim=0)).to(torch.uint8).mul_(rank).amax(dim=0)
    return (count - first.long()).clamp_(max=count - 1)  # where no value is a number, no value is the largest


def free_value(values: NDArray[np.generic]) -> float:
    """Nodata value for a map of classes: the highest of uint8 (or uint16) that is no class."""
    used = {int(v) for v in values}
    top = 255 if max(used, default=0) <= 255 and len(used) <= 255 else 65535
    return float(next(v for v in range(top, -1, -1) if v not in used))


def _planar(values: Tensor) -> Tensor:
    """``(C, rows, W)`` of any layout → contiguous float32, one plane after the other."""
    return torch.empty(values.shape, dtype=torch.float32, device=values.device).copy_(values)


def _tensor(values: NDArray[np.float32] | None, like: Mapping[str, Tensor]) -> Tensor | None:
    return None if values is None else torch.from_numpy(values).to(like[MAIN].device)


def _array(values: Tensor) -> NDArray[np.generic]:
    array: NDArray[np.generic] = values.cpu().numpy()
    return array if array.ndim == 3 else array[None]
