"""The known causes of error in a demo scene: haze, cloud shadow and a class that no other scene has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .cover import Cover, smooth_blobs
from .noise import Field, smoothstep
from .recipe import class_value, recipe

HAZE, SHADOW, UNSEEN = 1, 2, 3


@dataclass(frozen=True)
class Causes:
    """``kind`` (uint8: 0 none, or one of the three), and the strength of haze and shadow, ``(H, W)`` 0–1."""

    kind: NDArray[np.uint8]
    haze: Field
    shadow: Field


def no_causes(size: int) -> Causes:
    """A scene without known causes."""
    nothing = np.zeros((size, size), np.float32)
    return Causes(np.zeros((size, size), np.uint8), nothing, nothing)


def make_causes(cover: Cover, rng: np.random.Generator) -> Causes:
    """Lay the three causes over a scene, each over the recipe's share of it and none over another."""
    size, share = cover.label.shape[0], recipe()["cause_share"]
    forest = (cover.label == class_value("coniferous forest")) | (cover.label == class_value("broadleaved forest"))
    dry = forest | (cover.label == class_value("grassland"))
    wooded = ndimage.gaussian_filter((dry & (cover.moisture < 0.5)).astype(np.float32), 6.0)
    ragged = smooth_blobs(size, rng, 40, 0.7)
    fire = smooth_blobs(size, rng, size / 2) + 0.9 * wooded + 0.10 * ragged
    burnt = _top(np.where(dry, fire, -1.0).astype(np.float32), share)

    far_from_fire = ndimage.gaussian_filter(burnt.astype(np.float32), size / 60)
    shade = smooth_blobs(size, rng, size / 3.5, 2.5) - 4.0 * far_from_fire
    shaded = _top(shade, share) & ~burnt

    taken = ndimage.gaussian_filter((burnt | shaded).astype(np.float32), size / 40)
    veil = smooth_blobs(size, rng, size / 1.5, size / 200) - 2.0 * taken
    edge = float(np.quantile(veil, 1.0 - share))
    hazy = (veil >= edge) & ~burnt & ~shaded
    start, full = float(np.quantile(veil, 1.0 - 1.35 * share)), float(np.quantile(veil, 1.0 - 0.35 * share))

    kind = np.zeros((size, size), np.uint8)
    kind[hazy], kind[shaded], kind[burnt] = HAZE, SHADOW, UNSEEN
    wisps = 0.45 + 0.55 * smooth_blobs(size, rng, size / 8, 1.0)
    haze = smoothstep(veil, start, full) * wisps * ~(burnt | shaded)
    return Causes(kind, haze.astype(np.float32), ndimage.gaussian_filter(shaded.astype(np.float32), 1.6))


def _top(score: Field, share: float) -> NDArray[np.bool_]:
    return np.asarray(score >= np.quantile(score, 1.0 - share))
