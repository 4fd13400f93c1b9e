"""Errors of several bands put together: into a score over all of them, and into one band where there are very many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from .many_bands import told
from .mapped import Plane, Thinned

Planes = list[dict[str, Plane]]
ALONE = "uncertainty"  # what every other score is compared with
COMBINED_ERROR, COMBINED_EXPECTED, ERROR_PROBABILITY = "reconstruction error", "expected error", "error probability"


def condensed(scenes: Sequence[Thinned], on_share: Callable[[float], None] = lambda share: None) -> list[Thinned]:
    """Scenes in which a modality of very many bands has one, ``modality:all bands``.

    That is the mean over the bands that all scenes have, each scaled by its median. The mean of their sizes is kept
    as its size: errors of both signs would cancel.

    Args:
        scenes: All scenes; scales are of all of them together.
        on_share: Told, band by band, which share is done.
    """
    errors, sizes = _together([s.auxiliary for s in scenes], lambda share: on_share(share / 2))
    expected, _ = _together([s.expected for s in scenes], lambda share: on_share((1 + share) / 2))
    return [
        replace(scene, auxiliary=own, sizes=size, expected=awaited)
        for scene, own, size, awaited in zip(scenes, errors, sizes, expected, strict=True)
    ]


def combined(scenes: Sequence[Thinned]) -> list[dict[str, Plane]]:
    """Scores of each scene; those of all auxiliary bands are means of bands that are scaled by their median."""
    found = [dict(s.scores) for s in scenes]
    for name, planes in (
        (COMBINED_ERROR, [{band: s.size(band) for band in s.auxiliary} for s in scenes]),
        (COMBINED_EXPECTED, [s.expected for s in scenes]),
    ):
        scales = {band: _median([p[band] for p in planes]) for band in _common(planes)}
        useful = [band for band, scale in scales.items() if scale > 0]
        for one, own in zip(found, planes, strict=True):
            if useful:
                one[name] = np.mean([own[band] / scales[band] for band in useful], axis=0).astype(np.float32)
    return found


def _together(scenes: Sequence[Mapping[str, Plane]], on_share: Callable[[float], None]) -> tuple[Planes, Planes]:
    """Bands of each scene, and the sizes of those that stand for many."""
    means: Planes = [{} for _ in scenes]
    sizes: Planes = [{} for _ in scenes]
    bands = _common(scenes)
    for name, numbers in told(bands).items():
        if len(numbers) == 1:
            for mean, own in zip(means, scenes, strict=True):
                mean[name] = own[name]
            continue
        useful = 0
        for number in numbers:
            on_share(number / len(bands))
            scale = _median([own[bands[number]] for own in scenes])
            if not scale > 0:
                continue
            useful += 1
            for mean, size, own in zip(means, sizes, scenes, strict=True):
                scaled = own[bands[number]] / np.float32(scale)
                mean[name] = mean.get(name, 0) + scaled
                size[name] = size.get(name, 0) + np.abs(scaled)
        for total in (*means, *sizes) if useful else ():
            total[name] /= np.float32(useful)
        for mean, own in zip(means, scenes, strict=True) if not useful else ():
            mean[name] = own[bands[numbers[0]]]  # nothing varies in any of them
    return means, sizes


def _common(scenes: Sequence[Mapping[str, Plane]]) -> list[str]:
    return [band for band in scenes[0] if all(band in own for own in scenes)]


def _median(planes: Sequence[Plane]) -> float:
    """Median of the absolute values that are known; NaN if none is."""
    values = np.concatenate([np.abs(p[np.isfinite(p)]) for p in planes])
    return float(np.median(values)) if len(values) else np.nan
