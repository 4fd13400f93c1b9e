"""Input density: a Gaussian mixture of the input bands, of means over small blocks, learnt on the training scenes.

Apart from ``novelty.py``, which applies it, so that a process that maps need not load the library that fits.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ...models.card import InputDensity
from .novelty import novelty

_COMPONENTS = 8
_MOST_DIMENSIONS = 16  # more bands than that are reduced to their principal components
_FEWEST_BLOCKS = 20  # a component and dimension of it
_FLOOR = 0.25  # of the lowest values seen, from where on logarithms no longer fall


def fit(blocks: NDArray[np.float32], held_out: NDArray[np.float32], seed: int) -> InputDensity | None:
    """Fit the mixture.

    Args:
        blocks: ``(n, bands)`` means over blocks of the training scenes, physical values.
        held_out: The same of the validation scenes: they tell how far usual scenes lie from those of training.
        seed: Of the mixture's start.

    Returns:
        The mixture; ``None`` if there are too few blocks for even one component.
    """
    known = blocks[np.isfinite(blocks).all(axis=1)].astype(np.float64)
    dimensions = min(known.shape[1], _MOST_DIMENSIONS)
    components = min(_COMPONENTS, len(known) // (_FEWEST_BLOCKS * (dimensions + 1)))
    if components < 1:
        return None
    lowest = np.percentile(known, 0.1, axis=0)
    floor = np.where(lowest > 0, _FLOOR * lowest, 0.0)
    values = _transformed(known, floor)
    mean, std = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    standard = (values - mean) / std
    axes = np.eye(dimensions) if dimensions == known.shape[1] else PCA(dimensions).fit(standard).components_
    mixture = GaussianMixture(components, reg_covar=1e-4, random_state=seed, max_iter=50)
    with warnings.catch_warnings():  # the last steps of the fit change nothing that matters here
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(standard @ axes.T)
    projections = np.einsum("jde,db->jeb", mixture.precisions_cholesky_, axes)
    offsets = np.einsum("jd,jde->je", mixture.means_, mixture.precisions_cholesky_)
    log_det = np.log(np.diagonal(mixture.precisions_cholesky_, axis1=1, axis2=2)).sum(axis=1)
    constants = -np.log(mixture.weights_) - log_det + 0.5 * dimensions * np.log(2.0 * np.pi)
    unlikely = -mixture.score_samples(standard @ axes.T)
    low, typical, high = np.percentile(unlikely, [25, 50, 75])
    spread = max(float(high - low), 1e-6)
    density = InputDensity(
        floor=_rounded(floor),
        mean=_rounded(mean),
        std=_rounded(std),
        projections=tuple(tuple(_rounded(row) for row in component) for component in projections),
        offsets=tuple(_rounded(row) for row in offsets),
        constants=_rounded(constants),
        typical=float(typical),
        spread=spread,
        unusual=0.0,
    )
    return replace(density, unusual=float(np.nanmax([_limit(density, part) for part in (known, held_out)])))


def _limit(density: InputDensity, blocks: NDArray[np.floating]) -> float:
    """Novelty that one block in a hundred exceeds; NaN without any."""
    blocks = blocks[np.isfinite(blocks).all(axis=1)]
    if not len(blocks):
        return np.nan
    found = novelty(density, torch.from_numpy(blocks.T[:, None].astype(np.float32)))
    return float(np.percentile(found.numpy(), 99))


def _transformed(values: NDArray[np.float64], floor: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(floor > 0, np.log(np.maximum(values, np.where(floor > 0, floor, 1.0))), values)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Seven digits: all that float32 keeps."""
    return tuple(float(f"{value:.7g}") for value in values)
