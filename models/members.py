"""Several models as one: their files, and the card that they have in common. Read by QGIS, so standard library only."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields, replace
from statistics import fmean
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from .card import Card, ErrorModel, MainTask, Modality, read_card
from .errors import JobError

SEPARATOR = ";"
DEVIATION = " (standard deviation)"  # ends the name of a band that tells how far the members' attributions differ
_TILE_PX = 512  # several networks' outputs are in memory at once
_OWN = (
    "name",
    "auxiliary",
    "main",
    "margin_px",
    "tile_px",
    "error_models",
    "input_density",
    "intervals",
    "training",
)  # what an ensemble's card does not have from the first
_SHARED = ("main tasks", "classes", "input bands", "auxiliary bands", "players")
_DEVIATIONS = 2.0  # standard deviations that styles reach from a mean
_LETTERS = 80  # of a list in a message


@dataclass(frozen=True)
class EnsembleCard(Card):
    """What several models have in common, and their cards. It is made when they map together, and never kept.

    Of the main task and the auxiliary modalities, ``mean`` and ``std`` are those of ranges that hold every member's.
    """

    members: Tuple[Card, ...] = ()


def paths_of(model: str) -> Tuple[str, ...]:
    """Paths of one model, or of several that are separated by semicolons."""
    if os.path.exists(model):  # a name may hold a semicolon
        return (model,)
    return tuple(path.strip() for path in model.split(SEPARATOR) if path.strip()) or (model,)


def absolute_paths(model: str) -> str:
    """The same models by absolute paths; empty for none."""
    return SEPARATOR.join(os.path.abspath(path) for path in paths_of(model) if path)


def joined_sha256(digests: Sequence[str]) -> str:
    """SHA-256 of a model by that of its file; of several models that of theirs, one a line."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


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


def members_of(card: Card) -> Tuple[Card, ...]:
    """The cards of an ensemble's members; of one model its own."""
    return card.members if isinstance(card, EnsembleCard) else (card,)


def combined(cards: Sequence[Card]) -> EnsembleCard:
    """The card of an ensemble: the first one's, with the cards of all, and the mean of their error models.

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
        members=tuple(cards),
        main=_widest_task([card.main for card in cards]),
        auxiliary=tuple(_widest_modality(modalities) for modalities in zip(*(card.auxiliary for card in cards))),
        margin_px=max(card.margin_px for card in cards),
        tile_px=_TILE_PX,
        error_models={kind: _mean(found) for kind, found in models.items() if len({_form(one) for one in found}) == 1},
        training=_training(cards),
    )


def _shared(card: Card) -> Tuple[Tuple[str, ...], ...]:
    classes = tuple(f"{c.value} {c.name}" for c in card.main.classes)
    players = tuple(f"{player.name} of {' '.join(player.bands)}" for player in card.players)
    return (card.main.kind,), classes, card.input_bands, card.auxiliary_bands, players


def _widest_task(tasks: Sequence[MainTask]) -> MainTask:
    mean, std = _range_of([(task.mean, task.std) for task in tasks])
    return replace(tasks[0], mean=mean, std=std)


def _widest_modality(modalities: Sequence[Modality]) -> Modality:
    bands = zip(*(zip(modality.mean, modality.std) for modality in modalities))
    means, stds = zip(*(_range_of(moments) for moments in bands))
    return replace(modalities[0], mean=means, std=stds)


def _range_of(moments: Sequence[Tuple[float, float]]) -> Tuple[float, float]:
    """Mean and standard deviation whose range in a style is that of all together."""
    if len(set(moments)) == 1:  # not rounded
        return moments[0]
    low = min(mean - _DEVIATIONS * std for mean, std in moments)
    high = max(mean + _DEVIATIONS * std for mean, std in moments)
    return (low + high) / 2, (high - low) / (2 * _DEVIATIONS)


def _training(cards: Sequence[Card]) -> Dict[str, Any]:
    """What can be said of several trainings: the worst end, and the largest reach and errors, for the styles."""
    trainings = [card.training for card in cards]
    ends = [training.get("ended", "") for training in trainings]
    reaches = [(training.get("attribution") or {}).get("reach", 0.0) for training in trainings]
    errors = [(training.get("auxiliary_rmse") or {}) for training in trainings]
    return {
        "ended": "canceled" if "canceled" in ends else ends[0],
        "attribution": {"reach": max(reaches)},
        "auxiliary_rmse": {band: max(error.get(band, 0.0) for error in errors) for band in cards[0].auxiliary_bands},
    }


def _form(model: ErrorModel) -> Tuple[Any, ...]:
    """What models must have in common to have a mean."""
    return model.features, len(model.class_intercepts), len(model.class_coefficients)


def _brief(names: Sequence[str]) -> str:
    words = ", ".join(names) or "none"
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"


def _mean(models: Sequence[ErrorModel]) -> ErrorModel:
    """The mean of several models' logits, which is one such model.

    But for ``unusual``, a mean over members that may weigh it differently: of three models of OMBRIA the logit is then
    0.15 off on average where an input is unusual (with the first one's alone it was 1.0 to 2.5).
    """
    same = [_standardised_as(models[0], model) for model in models]
    return replace(
        same[0],
        figures={},
        intercept=fmean(model.intercept for model in same),
        coefficients=_means(model.coefficients for model in same),
        class_intercepts=_means(model.class_intercepts for model in same),
        class_coefficients=tuple(_means(rows) for rows in zip(*(model.class_coefficients for model in same))),
    )


def _standardised_as(first: ErrorModel, model: ErrorModel) -> ErrorModel:
    """The same model of features that are standardised by another's mean and standard deviation."""
    scales = [own / std for own, std in zip(first.std, model.std)]
    shifts = [(own - mean) / std for own, mean, std in zip(first.mean, model.mean, model.std)]
    columns = list(zip(*model.class_coefficients))
    return replace(
        model,
        mean=first.mean,
        std=first.std,
        intercept=model.intercept + _sum_of_products(model.coefficients, shifts),
        coefficients=tuple(c * scale for c, scale in zip(model.coefficients, scales)),
        class_intercepts=tuple(a + _sum_of_products(c, shifts) for a, c in zip(model.class_intercepts, columns)),
        class_coefficients=tuple(tuple(c * s for c in row) for row, s in zip(model.class_coefficients, scales)),
    )


def _sum_of_products(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(first, second))


def _means(rows: Iterable[Sequence[float]]) -> Tuple[float, ...]:
    return tuple(fmean(values) for values in zip(*rows))
