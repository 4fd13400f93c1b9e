"""Masked bands: what chips without a reference teach where inputs are all there is.

Random input bands of such a chip are hidden, and a further density task, which only the training knows, learns to
reconstruct them from the others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...models.config import MAIN, TaskConfig
from ...models.network import Network
from .chips import Batch
from .options import MASKED


def with_task(network: Network) -> Network:
    """A copy of a network with the further task, for training."""
    config = network.config
    bands = TaskConfig("density", len(config.mean), config.mean, config.std)
    learner = Network(replace(config, tasks={**config.tasks, MASKED: bands}))
    learner.load_state_dict({**learner.state_dict(), **network.state_dict()})
    return learner.to(network.standardise.mean.device)


def without_task(learner: Network, network: Network) -> None:
    """Bring what a network with the further task has learned back into the one without."""
    learned = learner.state_dict()
    network.load_state_dict({name: learned[name] for name in network.state_dict()})


def hidden(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Hide random bands of chips without a reference, and make them the targets of the further task.

    What is hidden is NaN, which the network takes for the mean. Such a chip teaches nothing else, because the other
    tasks always see all bands when they map.

    Args:
        batch: Of chips with two bands or more.
        share: Of the chips without a reference, 0–1.
        rng: Draws chips, how many bands each is left without (all numbers but none and all are as likely), and which.
    """
    chips, bands = batch.inputs.shape[:2]
    absent = torch.zeros(chips, bands, 1, 1, dtype=torch.bool)
    for chip in range(chips):
        if torch.isnan(batch.targets[MAIN][chip]).all() and rng.random() < share:
            absent[chip, rng.permutation(bands)[: rng.integers(1, bands)]] = True
    other = absent.any(dim=1, keepdim=True)
    targets = {name: _missing(values, other) for name, values in batch.targets.items()}
    return Batch(_missing(batch.inputs, absent), {**targets, MASKED: _missing(batch.inputs, ~absent)})


def _missing(values: Tensor, where: Tensor) -> Tensor:
    return values.masked_fill(where, torch.nan)
