"""Modalities of very many bands, which say much the same thing: they are told as one."""

from __future__ import annotations

from collections.abc import Sequence

from ...models.compact import MANY_BANDS


def told(bands: Sequence[str]) -> dict[str, list[int]]:
    """Names that are told, and which bands each stands for: a ``modality:band``, or ``modality:all bands`` of many.

    Args:
        bands: ``modality:band`` names, of any number of modalities.
    """
    modalities: dict[str, list[int]] = {}
    for number, band in enumerate(bands):
        modalities.setdefault(band.partition(":")[0], []).append(number)
    found: dict[str, list[int]] = {}
    for modality, numbers in modalities.items():
        many = len(numbers) > MANY_BANDS
        found |= {f"{modality}:all bands": numbers} if many else {bands[number]: [number] for number in numbers}
    return found
