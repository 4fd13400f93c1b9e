"""Several models as one: their files, and the card that they have in common. Read by QGIS, so standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import Any, Dict, List, Sequence, Tuple

from .card import Card, ErrorModel, read_card
from .errors import JobError

SEPARATOR = ";"
DEVIATION = " (standard deviation)"  # ends the name of a band that tells how far the members' attributions differ
_TILE_PX = 512  # several networks' outputs are in memory at once


@dataclass(frozen=True)
class EnsembleCard(Card):
    """What several models have in common, and their names. It is made when they map together, and never kept."""

    members: Tuple[str, ...] = ()


def paths_of(model: str) -> Tuple[str, ...]:
    """Paths of one model, or of several that are separated by semicolons."""
    if os.path.exists(model):  # a name may hold a semicolon
        return (model,)
    return tuple(path.strip() for path in model.split(SEPARATOR) if path.strip()) or (model,)


def player_names(bands: Sequence[str]) -> List[str]:
    """Players among the bands of an attribution, of which the last is the dominant player."""
    return [name for name in bands[:-1] if not name.endswith(DEVIATION)]


def read_cards(model: str) -> Card:
    """The card of one model file, or what the cards of several have in common.

    Raises:
        ModelFileError: see ``card.read_card``.
        JobError: the models cannot map together.
    """
    paths = paths_of(model)
    cards = [read_card(path) for path in paths]
    return cards[0] if len(cards) == 1 else combined(cards)


def combined(cards: Sequence[Card]) -> EnsembleCard:
    """The card of an ensemble: the first one's, with the names of all, and the mean of their error models.

    Raises:
        JobError: the models differ in task, classes, bands or players, or are scene-level.
    """
    first = cards[0]
    if first.main.is_scene_level:
        raise JobError(f"“{first.name}” is a scene-level model; only models that map every pixel can map together.")
    for other in cards[1:]:
        for what, own, its in zip(_SHARED, _shared(first), _shared(other)):
            if own != its:
                raise JobError(
                    f"“{first.name}” and “{other.name}” cannot map together: their {what} differ ({_brief(own)}; "
                    f"{_brief(its)}). Choose models that were trained on the same layers."
                )
    kinds = [kind for kind in first.error_models if all(kind in card.error_models for card in cards)]
    models = {kind: [card.error_models[kind] for card in cards] for kind in kinds}
    return EnsembleCard(
        **{f.name: getattr(first, f.name) for f in fields(Card) if f.name not in _OWN},
        name=" + ".join(card.name for card in cards),
        members=tuple(card.name for card in cards),
        margin_px=max(card.margin_px for card in cards),
        tile_px=_TILE_PX,
        error_models={kind: _mean(found) for kind, found in models.items() if _same_features(found)},
    )


_OWN = ("name", "margin_px", "tile_px", "error_models")
_SHARED = ("main tasks", "classes", "input bands", "auxiliary bands", "players")


def _shared(card: Card) -> Tuple[Any, ...]:
    classes = tuple((c.value, c.name) for c in card.main.classes)
    players = tuple((player.name, player.bands) for player in card.players)
    return card.main.kind, classes, card.input_bands, card.auxiliary_bands, players


def _brief(value: Any) -> str:
    """A value in words, not too long."""
    words = value if isinstance(value, str) else ", ".join(str(v[-1] if v and _is_pair(v) else v) for v in value)
    return (words if len(words) <= 80 else words[:79] + "…") or "none"


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and isinstance(value[0], int)


def _same_features(models: Sequence[ErrorModel]) -> bool:
    shapes = {(m.features, len(m.class_intercepts)) for m in models}
    return len(shapes) == 1


def _mean(models: Sequence[ErrorModel]) -> ErrorModel:
    """The mean of several models' logits, which is one such model; standardised as the first."""
    first, count = models[0], len(models)

    def slopes(model: ErrorModel, added: Sequence[float]) -> Tuple[float, ...]:
        return tuple((c + more) / s for c, more, s in zip(model.coefficients, added, model.std))

    def straight(number: int) -> Dict[str, Any]:
        """Mean intercept and slopes of one class; of all classes where ``number`` is negative."""
        intercept, total = 0.0, [0.0] * len(first.features)
        for model in models:
            rows = model.class_coefficients
            added = [row[number] for row in rows] if number >= 0 and rows else [0.0] * len(total)
            own = slopes(model, added)
            shift = model.class_intercepts[number] if number >= 0 else 0.0
            intercept += (model.intercept + shift - sum(k * m for k, m in zip(own, model.mean))) / count
            total = [t + k / count for t, k in zip(total, own)]
        return {
            "intercept": intercept + sum(t * m for t, m in zip(total, first.mean)),
            "coefficients": tuple(t * s for t, s in zip(total, first.std)),
        }

    common = straight(-1)
    by_class = [straight(k) for k in range(len(first.class_intercepts))]
    rows = tuple(
        tuple(one["coefficients"][i] - common["coefficients"][i] for one in by_class)
        for i in range(len(first.features))
    )
    return replace(
        first,
        **common,
        figures={},
        class_intercepts=tuple(one["intercept"] - common["intercept"] for one in by_class),
        class_coefficients=rows if first.class_coefficients else (),
    )
