"""Relief and drainage of a demo scene: rivers carve the valleys that they run in.

A rough surface is lifted and eroded by the stream power law (Braun & Willett 2013, implicit scheme) on a coarse
grid, then sampled to the scene's grid along bent coordinates, so that channels meander.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .noise import Field, fractal, smoothstep

_COARSE = 4  # coarse cells are this many pixels wide
_STEPS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
_ROUNDS = ((0.5, 6), (1.0, 2))  # grid relative to the coarse one, rounds of routing and erosion


@dataclass(frozen=True)
class Relief:
    """Relief on the scene's grid; every field is ``(size, size)`` float32.

    ``elevation`` in m; ``slope`` as a gradient (1 is 45°); ``normal_east`` and ``normal_north`` are the horizontal
    parts of the unit normal; ``above_channel`` is the height above the nearest channel in m; ``channel_m`` the distance
    to it in m; ``discharge`` its drained area in km²; ``lake`` is above 0 where water is dammed up.
    """

    elevation: Field
    slope: Field
    normal_east: Field
    normal_north: Field
    above_channel: Field
    channel_m: Field
    discharge: Field
    lake: Field


def make_relief(size: int, gsd_m: float, rng: np.random.Generator) -> Relief:
    """Make the relief of one scene of ``size`` × ``size`` pixels of ``gsd_m`` metres."""
    coarse = max(size // _COARSE, 24)
    cell_m = gsd_m * size / coarse
    z, area = _eroded(coarse, cell_m, rng)
    channel = area > max(0.35, 0.0035 * float(area.max()))
    distance, nearest = ndimage.distance_transform_edt(~channel, return_indices=True)
    rows, columns = nearest
    above = np.maximum(z - z[rows, columns], 0.0)
    flattened = above**2 / (above + 28.0)  # sediment makes flat valley floors
    z = z[rows, columns] + flattened
    lake = _lakes(z, area, channel, rng)

    bend = [3.2 * fractal(size, rng, 90, 3.0) + 1.0 * fractal(size, rng, 28, 3.0) for _ in range(2)]
    grid = np.indices((size, size), dtype=np.float32)
    where = [(g + b) * (coarse - 1) / (size - 1) for g, b in zip(grid, bend, strict=True)]

    def sampled(field: NDArray[np.floating], sigma: float) -> Field:
        smooth = ndimage.gaussian_filter(field.astype(np.float32), sigma)
        return np.asarray(ndimage.map_coordinates(smooth, where, order=3, mode="nearest"), np.float32)

    height = sampled(flattened, 0.7)
    rough = smoothstep(height, 5.0, 90.0)
    elevation = sampled(z, 0.8) + rough * 3.0 * fractal(size, rng, 80, 3.0)
    elevation += 0.4 * fractal(size, rng, 40, 2.0)
    down, right = np.gradient(elevation, gsd_m)
    length = np.sqrt(1.0 + down**2 + right**2)
    return Relief(
        elevation=elevation.astype(np.float32),
        slope=np.hypot(down, right).astype(np.float32),
        normal_east=(-right / length).astype(np.float32),
        normal_north=(down / length).astype(np.float32),
        above_channel=np.maximum(height, 0.0),
        channel_m=np.maximum(sampled(distance, 0.6), 0.0) * np.float32(cell_m),
        discharge=np.maximum(sampled(area[rows, columns], 1.0), 0.0),
        lake=sampled(lake, 0.9),
    )


def _eroded(size: int, cell_m: float, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Elevation in m and drained area in km² on a coarse grid that drains over its last row."""
    z = np.zeros((12, 12))
    area = np.ones(z.size)
    inflow = 0.3 + 0.4 * rng.random()  # where along the upper edge a river enters
    far = np.linspace(1.0, 0.0, size)[:, None]
    mountains = smoothstep((far + 0.28 * fractal(size, rng, size * 0.6, 3.2)).astype(np.float32), 0.2, 1.0)
    for relative, rounds in _ROUNDS:
        n = max(int(size * relative), 12)
        step_m = cell_m * size / n
        north = np.linspace(1.0, 0.0, n)[:, None]
        z = np.asarray(ndimage.zoom(z, n / z.shape[0], order=1, mode="nearest", grid_mode=True))[:n, :n]
        z = z + (60.0 * north + 25.0 * fractal(n, rng, n / 3, 2.0) if z.max() == 0 else 4.0 * fractal(n, rng, 12, 1.5))
        steepness = (
            0.004
            + 0.125 * np.asarray(ndimage.zoom(mountains, n / size, order=1, mode="nearest", grid_mode=True))[:n, :n]
        )
        for _ in range(rounds):
            order, receiver = _route(z)
            area = _accumulate(order, receiver, (step_m / 1000.0) ** 2, int(inflow * n), 150.0)
            z = _equilibrium(order, receiver, steepness * (0.8 + 0.4 * rng.random((n, n))), area, step_m)
            z = 0.6 * z + 0.4 * ndimage.gaussian_filter(z, 0.8)
    order, receiver = _route(z)
    area = _accumulate(order, receiver, (cell_m / 1000.0) ** 2, int(inflow * size), 150.0)
    return z + 280.0, area.reshape(z.shape)


def _route(z: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """Cells from the outlet upstream, and the cell each drains to (priority flood, Barnes et al. 2014)."""
    rows, columns = z.shape
    height = z.ravel().tolist()
    receiver = [-1] * (rows * columns)
    heap = [(height[i], i) for i in range((rows - 1) * columns, rows * columns)]
    heapq.heapify(heap)
    for _, i in heap:
        receiver[i] = i
    order = []
    while heap:
        level, i = heapq.heappop(heap)
        order.append(i)
        row, column = divmod(i, columns)
        for dr, dc in _STEPS:
            r, c = row + dr, column + dc
            if 0 <= r < rows and 0 <= c < columns:
                j = r * columns + c
                if receiver[j] < 0:
                    receiver[j] = i
                    heapq.heappush(heap, (max(height[j], level), j))
    return order, receiver


def _accumulate(
    order: list[int], receiver: list[int], cell_km2: float, inflow: int, inflow_km2: float
) -> NDArray[np.float64]:
    area = [cell_km2] * len(order)
    area[inflow] += inflow_km2  # a river enters from outside the scene
    for i in reversed(order):
        if receiver[i] != i:
            area[receiver[i]] += area[i]
    return np.asarray(area)


def _equilibrium(
    order: list[int], receiver: list[int], steepness: NDArray[np.float64], area: NDArray[np.float64], cell_m: float
) -> NDArray[np.float64]:
    """Elevation at which uplift and erosion balance: slope = steepness / sqrt(area in km²), at most 0.55."""
    rise = (cell_m * np.minimum(steepness.ravel() / np.sqrt(area), 0.55)).tolist()
    columns = steepness.shape[1]
    height = [0.0] * len(order)
    for i in order:
        j = receiver[i]
        if j != i:
            height[i] = height[j] + rise[i] * (1.0 if abs(i - j) in (1, columns) else 1.4142)
    return np.asarray(height).reshape(steepness.shape)


def _lakes(
    z: NDArray[np.float64], area: NDArray[np.float64], channel: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """1 where a dam on a middling stream floods its valley."""
    lake = np.zeros(z.shape)
    inside = np.zeros(z.shape, bool)
    inside[4:-4, 4:-4] = True
    places = np.argwhere(channel & inside & (area < 60.0) & (area > 1.0))
    for row, column in rng.permutation(places)[:60]:
        parts, _ = ndimage.label((z < z[row, column] + 9.0) & (z > z[row, column] - 1.5))
        part = parts == parts[row, column]
        if 0.0015 < part.mean() < 0.018 and lake.mean() < 0.02:
            lake[part] = 1.0
    return lake
