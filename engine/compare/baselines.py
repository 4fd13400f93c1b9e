"""What users have today: forests and boosted trees on pixels and their neighbourhood's means, from the same chips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from torch.nn import functional as F

from ...models.config import MAIN
from ..training.chips import Batch
from .measure import Method

NEIGHBOURHOOD_PX = 9  # width of the means
_PIXELS = 120_000  # that a baseline learns from, at most
_PIXELS_A_CHIP = 400


def _forest(classes: bool, seed: int) -> Any:
    make = RandomForestClassifier if classes else RandomForestRegressor
    return make(n_estimators=100, min_samples_leaf=5, n_jobs=torch.get_num_threads(), random_state=seed)


def _boosting(classes: bool, seed: int) -> Any:
    make = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return make(max_iter=200, random_state=seed)


BASELINES: Mapping[str, Callable[[bool, int], Any]] = {"random forest": _forest, "gradient boosting": _boosting}


def features(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each band's value and its mean over the neighbourhood.

    Args:
        inputs: ``(C, H, W)`` float32; NaN where a band is not valid.

    Returns:
        ``(2 · C, H, W)`` float32. Means are those of the valid pixels inside the chip; NaN without any.
    """
    x = torch.from_numpy(inputs)[None]
    known = torch.isfinite(x).float()
    pad = NEIGHBOURHOOD_PX // 2
    total, count = (F.avg_pool2d(v, NEIGHBOURHOOD_PX, 1, pad) for v in (x.nan_to_num(nan=0.0), known))
    means = torch.where(count > 0, total / count.clamp(min=1e-9), torch.nan)
    return torch.cat([x, means], dim=1)[0].numpy()


def sample(batches: Iterable[Batch], classes: bool, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features and targets of pixels with a reference, from the chips that a network learns from.

    Returns:
        ``(n, 2 · C)`` and ``(n,)``: class indices or numbers.
    """
    rng = np.random.default_rng(seed)
    found: list[NDArray[np.float32]] = []
    targets: list[NDArray[np.float32]] = []
    for batch in batches:
        for inputs, truth in zip(batch.inputs.numpy(), batch.targets[MAIN].numpy(), strict=True):
            known = np.isfinite(truth[0]) & (truth[0] >= 0 if classes else True)
            rows, cols = np.nonzero(known)
            picked = rng.permutation(len(rows))[:_PIXELS_A_CHIP]
            at = (rows[picked], cols[picked])
            found.append(features(inputs)[(slice(None), *at)].T)
            targets.append(truth[0][at])
    x, y = np.concatenate(found), np.concatenate(targets)
    chosen = rng.permutation(len(y))[:_PIXELS]
    return x[chosen], y[chosen]


def fit(name: str, x: NDArray[np.float32], y: NDArray[np.float32], classes: bool, seed: int) -> Method:
    """Fit a baseline.

    Args:
        name: One of ``BASELINES``.
        x: ``(n, features)``.
        y: ``(n,)`` class indices or numbers.
        classes: Whether ``y`` holds classes.
        seed: Of the trees.
    """
    model = BASELINES[name](classes, seed).fit(x, y.astype(np.int64) if classes else y)

    def predict(inputs: NDArray[np.float32]) -> NDArray[np.floating] | NDArray[np.integer]:
        values = features(inputs)
        flat = values.reshape(len(values), -1).T
        mapped: NDArray[Any] = model.predict(flat).reshape(values.shape[1:])
        return mapped

    return Method(predict, NEIGHBOURHOOD_PX // 2, 1)
