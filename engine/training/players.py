"""Players: the groups of input bands whose contributions make up a score."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...models.card import Player
from ...models.errors import JobError
from ..checks import MAX_PLAYERS, check_players
from ..jobs import NO_PLAYERS, TASKS, patterns
from ..scene.bands import band_key

_BAND = re.compile(r"(?:(?P<place>.+)[ _.:-])?B0?(?P<number>\d{1,2}A?)", re.IGNORECASE)  # before_B8A: place and band
_REGIONS = {  # of Sentinel-2's bands
    "aerosol": ("1", "9", "10"),
    "visible": ("2", "3", "4"),
    "red edge": ("5", "6", "7", "8A"),
    "near infrared": ("8",),
    "shortwave infrared": ("11", "12"),
}
_REGION_OF = {number: region for region, numbers in _REGIONS.items() for number in numbers}
_SINGLE_BANDS = 8  # of a modality, up to which each is a player


def players_of(text: str, inputs: Mapping[str, Sequence[str]]) -> tuple[Player, ...]:
    """The players of a training.

    Args:
        text: ``player=band,band`` entries, separated by ``;`` or lines; empty for groups by modality and spectral
            region, ``none`` for no attributions.
        inputs: Bands of each input modality.

    Returns:
        Players whose bands (``modality:band``) are all input bands, each once; none for fewer than two bands.

    Raises:
        JobError: players that overlap, miss a band, name an unknown one, fewer than 2 or more than 16.
    """
    bands = [f"{modality}:{band}" for modality, names in inputs.items() for band in names]
    if text.strip().lower() == NO_PLAYERS:
        return ()
    if not text.strip():
        return _default(inputs) if len(bands) > 1 else ()
    check_players(text, TASKS[0])
    found = [Player(name, tuple(_full(band, bands) for band in members)) for name, members in patterns(text).items()]
    taken = [band for player in found for band in player.bands]
    for band in taken:
        if taken.count(band) > 1:
            raise JobError(f"The band “{band}” is in more than one player; give each band to one player.")
    missing = [band for band in bands if band not in taken]
    if missing:
        raise JobError(f"No player has the bands {', '.join(missing)}; give each input band to a player.")
    return tuple(found)


def _full(band: str, bands: Sequence[str]) -> str:
    """``modality:band`` of a band named with or without its modality."""
    fitting = [name for name in bands if band_key(band) in (band_key(name), band_key(name.partition(":")[2]))]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise JobError(f"The players' band “{band}” is in several modalities; write one of {', '.join(fitting)}.")
    raise JobError(f"The players name the band “{band}”, which is no input band; those are {', '.join(bands)}.")


def _default(inputs: Mapping[str, Sequence[str]]) -> tuple[Player, ...]:
    groups = {name: _groups(name, bands, alone=len(inputs) == 1) for name, bands in inputs.items()}
    if sum(map(len, groups.values())) > MAX_PLAYERS:
        groups = {name: {name: list(bands)} for name, bands in inputs.items()}
    found = [
        Player(
            player if len(inputs) == 1 or player == modality else f"{modality} {player}",
            tuple(f"{modality}:{band}" for band in bands),
        )
        for modality, players in groups.items()
        for player, bands in players.items()
    ]
    return tuple(found) if 2 <= len(found) <= MAX_PLAYERS else ()


def _groups(modality: str, bands: Sequence[str], alone: bool) -> dict[str, list[str]]:
    """A modality's bands by player: spectral regions where the names tell them, else single bands or even shares."""
    matches = [_BAND.fullmatch(band) for band in bands]
    regions = [m and _REGION_OF.get(m["number"].upper()) for m in matches]
    if all(regions) and len(bands) > 1:
        groups: dict[str, list[str]] = {}
        for band, match, region in zip(bands, matches, regions, strict=True):
            place = match["place"] if match else None
            groups.setdefault(f"{place} {region}" if place else str(region), []).append(band)
        if len(groups) > 1 or not alone:
            return groups
    if not alone:
        return {modality: list(bands)}
    if len(bands) <= _SINGLE_BANDS:
        return {band: [band] for band in bands}
    edges = [round(i * len(bands) / _SINGLE_BANDS) for i in range(_SINGLE_BANDS + 1)]
    shares = [list(bands[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    return {f"{share[0]} to {share[-1]}" if len(share) > 1 else share[0]: share for share in shares}
