"""Land cover of a demo scene, as relief and water allow it, and the state of every pixel within its class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from .noise import Field, fractal, rank, smoothstep
from .recipe import class_value, land_classes
from .relief import Relief

Labels = NDArray[np.uint8]

_SHARES = {"bare ground": 0.07, "built-up": 0.05, "wetland": 0.07, "forest": 0.36, "cropland": 0.26}


@dataclass(frozen=True)
class Cover:
    """Land cover on the scene's grid.

    ``label`` is a class value a pixel, never 0; ``state`` (0–1) says where between its class's states a pixel is;
    ``moisture`` (0–1) of the ground; ``track`` (0–1) is the share of a pixel that is a farm track or a street.
    """

    label: Labels
    state: Field
    moisture: Field
    track: Field


@dataclass(frozen=True)
class Parcels:
    """Fields: ``number`` of each pixel's field and ``edge_px``, the distance to the field's border."""

    number: NDArray[np.int64]
    edge_px: Field


def make_cover(relief: Relief, rng: np.random.Generator) -> Cover:
    """Place water, rock, towns, wetland, forest, fields and grassland, in this order of precedence."""
    size = relief.elevation.shape[0]
    slope = ndimage.gaussian_filter(relief.slope, 4.0)  # cover answers to a hillside, not to a boulder
    steep, height = rank(slope), rank(relief.elevation)
    moisture = np.exp(-relief.above_channel / 9.0) * np.exp(-relief.channel_m / 900.0)
    moisture = smoothstep((moisture + 0.10 * fractal(size, rng, 160, 2.4)).astype(np.float32), 0.0, 1.0)
    fields = make_parcels(size, rng, (7.0, 16.0), (16.0, 40.0), spacing_px=110)
    blocks = make_parcels(size, rng, (5.0, 8.0), (7.0, 13.0), spacing_px=70)

    label = np.zeros((size, size), np.uint8)
    state = np.zeros((size, size), np.float32)

    def place(name: str, where: NDArray[np.bool_], states: NDArray[np.floating]) -> None:
        free = where & (label == 0)
        label[free] = class_value(name)
        state[free] = np.clip(states, 0.0, 1.0)[free]

    river = relief.channel_m < 7.0 + 2.6 * np.sqrt(relief.discharge)
    depth = smoothstep(relief.lake, 0.5, 1.0)
    place("water", river | (relief.lake > 0.5), np.where(river, 0.75, 0.5 - 0.5 * depth) + _wavy(size, rng, 0.08))

    rocky = 1.2 * height + 0.8 * steep + 0.12 * fractal(size, rng, 120, 2.8)
    place("bare ground", _largest(rocky, label == 0, _SHARES["bare ground"]), 0.5 + _wavy(size, rng, 0.3, 60))

    town = _towns(relief, label == 0, rng)
    centre = np.clip(0.5 - 0.5 * town, 0.0, 1.0)
    built = _largest(_by_parcel(town, blocks, 0.8), (label == 0) & (relief.slope < 0.35), _SHARES["built-up"])
    place("built-up", built, 1.15 - 1.1 * centre + 0.25 * (_of_parcel(blocks, rng) - 0.5))

    wet = moisture + 0.28 * fractal(size, rng, 110, 2.2) - 3.0 * relief.slope
    place("wetland", _largest(wet, label == 0, _SHARES["wetland"]), 0.5 + _wavy(size, rng, 0.28, 40))

    woody = 0.9 * steep + 0.35 * height - 0.25 * moisture + 0.20 * fractal(size, rng, 260, 2.6)
    woody = np.where(steep < 0.45, _by_parcel(woody, fields, 0.85), woody + 0.02 * fractal(size, rng, 30, 2.2))
    forest = _largest(woody.astype(np.float32), label == 0, _SHARES["forest"])
    northern = 1.3 * ndimage.gaussian_filter(relief.normal_north, 4.0)  # conifers like the cool side
    cool = 1.4 * height + northern + 0.24 * fractal(size, rng, 130, 2.8) + 0.02 * fractal(size, rng, 12, 1.6)
    conifer = _largest(cool, forest & (label == 0), 0.5 * float((forest & (label == 0)).mean()))
    place("coniferous forest", conifer, 0.5 + _wavy(size, rng, 0.25, 50))
    place("broadleaved forest", forest, 0.5 + _wavy(size, rng, 0.25, 70))

    arable = -1.4 * relief.slope - 0.5 * height + 0.06 * fractal(size, rng, 200, 2.4) - 0.3 * moisture
    crops = _largest(_by_parcel(arable.astype(np.float32), fields, 1.0), label == 0, _SHARES["cropland"])
    place("cropland", crops, _of_parcel(fields, rng) + _wavy(size, rng, 0.035, 30))
    meadow = 0.25 * (_of_parcel(fields, rng) - 0.5) * (steep < 0.5)
    place("grassland", label == 0, 0.35 + 0.5 * moisture + meadow + _wavy(size, rng, 0.16, 60))

    track = np.where(label == class_value("cropland"), 0.35 * smoothstep(1.5 - fields.edge_px, 0.0, 1.2), 0.0)
    track = np.where(label == class_value("built-up"), 0.55 * smoothstep(1.3 - blocks.edge_px, 0.0, 1.0), track)
    return Cover(label, state, moisture, track.astype(np.float32))


def make_parcels(
    size: int,
    rng: np.random.Generator,
    width_px: tuple[float, float],
    length_px: tuple[float, float],
    spacing_px: float,
) -> Parcels:
    """Rows of rectangular parcels; every district (a Voronoi cell) has its own direction and parcel size."""
    per_side = max(int(size / spacing_px), 2)
    lattice = (np.indices((per_side, per_side)).reshape(2, -1).T + rng.uniform(0.05, 0.95, (per_side**2, 2))) / per_side
    rows, columns = np.indices((size, size), dtype=np.float32)
    bent = [axis + 6.0 * fractal(size, rng, 120, 3.0) for axis in (rows, columns)]
    where = np.stack([axis.ravel() for axis in bent], 1)
    _, nearest = cKDTree(lattice * size).query(where, k=1)
    district = nearest.reshape(size, size)
    angle = rng.uniform(0.0, np.pi, per_side**2).astype(np.float32)[district]
    width = rng.uniform(*width_px, per_side**2).astype(np.float32)[district]
    length = rng.uniform(*length_px, per_side**2).astype(np.float32)[district]
    u = (rows * np.cos(angle) + columns * np.sin(angle)) / width
    row_number = np.floor(u)
    shift = np.modf(np.abs(np.sin(row_number * 12.9898 + district)) * 43758.547)[0]  # rows do not line up
    v = (columns * np.cos(angle) - rows * np.sin(angle)) / length + shift
    edge = np.minimum((0.5 - np.abs(u - row_number - 0.5)) * width, (0.5 - np.abs(v - np.floor(v) - 0.5)) * length)
    key = (district.astype(np.int64) * 4001 + row_number.astype(np.int64) + 2000) * 4001 + np.floor(v).astype(np.int64)
    _, number = np.unique(key, return_inverse=True)
    return Parcels(number.reshape(size, size), edge.astype(np.float32))


def _towns(relief: Relief, free: NDArray[np.bool_], rng: np.random.Generator) -> Field:
    """Above 0 inside towns: on flat ground, near a river but out of its floods."""
    size = relief.slope.shape[0]
    good = free & (relief.slope < 0.12) & (relief.above_channel > 1.5) & (relief.above_channel < 40.0)
    places = np.argwhere(good if good.any() else free)
    count = max(2, round(14 * (size / 1024) ** 2))
    towns = np.full((size, size), -9.0, np.float32)
    rows, columns = np.indices((size, size), dtype=np.float32)
    rough = 0.42 * fractal(size, rng, 70, 2.6)
    for place in rng.permutation(len(places))[:count]:
        row, column = places[place]
        radius = rng.triangular(15.0, 22.0, 80.0) * min(1.0, size / 512)
        towns = np.maximum(towns, 1.0 - np.hypot(rows - row, columns - column) / radius)
    return np.asarray(towns + rough - 2.0 * relief.slope, np.float32)


def _wavy(size: int, rng: np.random.Generator, amount: float, longest_px: float = 90.0) -> Field:
    return np.float32(amount) * fractal(size, rng, longest_px, 2.0)


def _of_parcel(parcels: Parcels, rng: np.random.Generator) -> Field:
    """A random number (0–1) a parcel."""
    return rng.random(int(parcels.number.max()) + 1, dtype=np.float32)[parcels.number]


def _by_parcel(score: Field, parcels: Parcels, share: float) -> Field:
    """Mix a score with its mean over each parcel, so that parcels keep or change their cover as a whole."""
    flat = parcels.number.ravel()
    mean = np.bincount(flat, score.ravel()) / np.bincount(flat)
    return (share * mean[parcels.number] + (1.0 - share) * score).astype(np.float32)


def _largest(score: NDArray[np.floating], among: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """The pixels with the largest scores among those allowed, as a share of the whole scene."""
    values = score[among]
    if values.size == 0:
        return among.copy()
    wanted = min(share * score.size / values.size, 1.0)
    return np.asarray(among & (score >= np.quantile(values, 1.0 - wanted)))


def burn(cover: Cover, where: NDArray[np.bool_], rng: np.random.Generator) -> Cover:
    """Turn a part of the scene into the class that no other scene has."""
    label, state = cover.label.copy(), cover.state.copy()
    label[where] = land_classes()[-1]["value"]
    state[where] = np.clip(0.5 + _wavy(label.shape[0], rng, 0.3, 50), 0.0, 1.0)[where]
    return Cover(label, state, cover.moisture, cover.track)


def smooth_blobs(size: int, rng: np.random.Generator, longest_px: float, sigma_px: float = 2.0) -> Field:
    """A random field with rounded outlines, ranked 0–1."""
    return rank(ndimage.gaussian_filter(fractal(size, rng, min(longest_px, size * 0.9), 3.2), sigma_px))
