"""Output layers of a map job: names, types, bands, tags and styles."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...models.card import Card
from ...models.members import DEVIATION, EnsembleCard
from .. import jobs
from ..scene.hashing import sha256_of_models
from ..scene.tags import BIAS, ERROR_FACTOR, ERROR_FORM, INTERVAL_FACTORS, OUTPUT, TOLERANCE, made_by
from ..scene.writing import Layer
from ..version import plugin_version
from .products import Products
from .styles import qml

DOMINANT = "dominant player"  # last band of the attributions: the number, from 1, of the band with the largest one

CONTRIBUTION = "contribution"  # of each patch, in the one band of a scene-level model's attributions


def layers_of(job: jobs.MapJob, card: Card, products: Products) -> dict[str, Layer]:
    """The layer of every raster that a job asks for."""
    tags = tags_of(job, card, products)
    return {name: _layer(name, path, card, products, tags) for name, path in job.outputs.items()}


def tags_of(job: jobs.MapJob, card: Card, products: Products) -> dict[str, str]:
    """What every output says of how it was made."""
    return {
        **made_by(card.name, sha256_of_models(job.model), plugin_version(), jobs.to_json(job)),
        ERROR_FORM: products.error_form,
        **_interval_tags(card),
        **_tolerance_tag(card, products.error_form),
    }


def _interval_tags(card: Card) -> dict[str, str]:
    """For a regression: what the uncertainty is multiplied with to give an absolute error, and half an interval."""
    if card.intervals is None:
        return {}
    factors = {level: round(f, 4) for level, f in zip(card.intervals.levels, card.intervals.factors, strict=True)}
    return {
        ERROR_FACTOR: f"{card.intervals.error_factor:.4g}",
        INTERVAL_FACTORS: json.dumps(factors),
    }


def _tolerance_tag(card: Card, form: str) -> dict[str, str]:
    """For a regression: from which absolute error on its error probability calls the map wrong."""
    if card.main.classes or form not in card.error_models:
        return {}
    return {TOLERANCE: f"{card.error_models[form].tolerance:.7g}"}


def band_names(name: str, card: Card) -> tuple[str, ...]:
    """Band names of an output layer."""
    if name == "probability":
        return tuple(c.name for c in card.main.classes)
    if name in jobs.OF_AUXILIARY:
        return card.auxiliary_bands
    if name == "attribution" and card.patch_px:
        return (CONTRIBUTION,)
    if name == "attribution":
        players = [player.name for player in card.players]
        return (*players, *(f"{name}{DEVIATION}" for name in players if isinstance(card, EnsembleCard)), DOMINANT)
    return (card.main.name,) if name == "map" else (name.replace("_", " "),)


def _layer(name: str, path: str, card: Card, products: Products, tags: Mapping[str, str]) -> Layer:
    bands = band_names(name, card)
    own = {OUTPUT: name}
    if name == "attribution" and not card.patch_px:  # patches have another one for each object
        own[BIAS] = json.dumps(products.score_bias)
    return Layer(
        path=path,
        dtype=products.dtype(name),
        nodata=products.nodata(name),
        bands=bands,
        units=_units(name, card),
        classes=card.main.classes if name == "map" else (),
        tags={**tags, **own},
        sidecars={".qml": qml(name, card, bands)},
    )


def _units(name: str, card: Card) -> tuple[str, ...]:
    if name in jobs.OF_AUXILIARY:
        return tuple(modality.unit for modality in card.auxiliary for _ in modality.bands)
    of_target = not card.main.classes and name in ("map", "uncertainty", "main_error")
    return (card.main.unit,) if of_target else ()
