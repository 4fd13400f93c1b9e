"""Styles of the output rasters, from the card alone, so that a batch of scenes shares one scale."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from ...models.card import Card, LandClass, Modality, Player
from ..jobs import MAP_OUTPUTS
from ..palettes import PLAYER_COLORS, RAMPS, RIGHT_OR_WRONG, SHARES, Scale, colour_bands
from ..qml import RasterRenderer, multiband, paletted, pseudocolor, raster_style

_DEVIATIONS = 2.0  # a stretch reaches this many standard deviations (or RMSE) from its middle
_LOGITS = 4.0  # of a score, where the model was not measured


def qml(kind: str, card: Card, bands: tuple[str, ...]) -> str:
    """The style of an output raster.

    Args:
        kind: One of ``MAP_OUTPUTS``.
        card: The model's card; every range comes from it.
        bands: The raster's band names.

    Returns:
        The text of a ``.qml`` file.
    """
    if kind not in MAP_OUTPUTS:
        raise ValueError(f"no style for the output {kind!r}; known are {', '.join(MAP_OUTPUTS)}")
    return raster_style(_renderer(kind, card, bands))


def _renderer(kind: str, card: Card, bands: tuple[str, ...]) -> RasterRenderer:
    if kind == "map" and card.main.classes:
        return paletted(card.main.classes)
    if kind == "main_error" and card.main.classes:
        return paletted(RIGHT_OR_WRONG)
    if kind == "attribution" and not card.patch_px:  # the dominant player, which is the last band
        return paletted(player_classes(card.players), band=len(bands))
    if kind == "reconstruction":
        modality = _modality_of(card, bands[0])
        if modality is not None and len(modality.bands) >= 3:
            return _colours(modality, bands)
    return pseudocolor(scale(kind, card, bands[0]))


def player_classes(players: Sequence[Player]) -> tuple[LandClass, ...]:
    """Colours of the players of a band that holds their numbers, from 1; they come again where there are more."""
    return tuple(
        LandClass(number, player.name, color)
        for number, (player, color) in enumerate(zip(players, cycle(PLAYER_COLORS)), 1)
    )


def scale(kind: str, card: Card, band: str) -> Scale:
    """Range, ramp and unit in which one band of an output is shown.

    Probabilities are shown from 0 to 1, signed values evenly about 0, amounts from 0. Without a measured RMSE in
    ``card.training["auxiliary_rmse"]`` the band's standard deviation takes its place.
    """
    main, reach = card.main, _DEVIATIONS * card.main.std
    ramp = RAMPS[kind]
    if kind in SHARES:
        return Scale(0.0, 1.0, ramp)
    if kind == "uncertainty":
        return Scale(0.0, 1.0, ramp) if main.classes else Scale(0.0, main.std, ramp, main.unit)
    if kind == "map":
        return Scale(main.mean - reach, main.mean + reach, ramp, main.unit)
    if kind == "main_error":
        return Scale(-main.std, main.std, ramp, main.unit)
    if kind == "attribution":
        reach = float(card.training.get("attribution", {}).get("reach") or reach or _LOGITS)
        return Scale(-reach, reach, ramp, main.unit)
    modality = _modality_of(card, band)
    unit = modality.unit if modality else ""
    mean, std = _moments(modality, band)
    if kind == "reconstruction":
        return Scale(mean - _DEVIATIONS * std, mean + _DEVIATIONS * std, ramp, unit)
    reach = _DEVIATIONS * float(card.training.get("auxiliary_rmse", {}).get(band) or std)
    if kind == "expected_error":
        return Scale(0.0, reach, ramp, unit)
    return Scale(-reach, reach, ramp, unit)


def _modality_of(card: Card, band: str) -> Modality | None:
    return next((m for m in card.auxiliary if band in m.band_names), None)


def _moments(modality: Modality | None, band: str) -> tuple[float, float]:
    if modality is None:
        return 0.0, 1.0
    at = modality.band_names.index(band)
    return modality.mean[at], modality.std[at] or 1.0


def _colours(modality: Modality, bands: tuple[str, ...]) -> RasterRenderer:
    """Natural colour where the modality has it, otherwise its first three bands; mean ± 2 standard deviations."""
    names = [f"{modality.name}:{modality.bands[number - 1]}" for number in colour_bands(modality.bands)]
    if not set(names) <= set(bands):
        names = list(bands[:3])
    channels = []
    for name in names:
        mean, std = _moments(modality, name)
        channels.append((bands.index(name) + 1, mean - _DEVIATIONS * std, mean + _DEVIATIONS * std))
    return multiband(channels)
