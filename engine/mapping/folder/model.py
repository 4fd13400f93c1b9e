"""The model on a worker: the run's own, loaded once for all of its scenes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch

from ....models.card import Card
from ....models.ensemble import load
from ....models.errors import EngineError
from ....models.mapper import Mapper
from ...devices import choose_device
from ...jobs import MapJob
from ...scene.hashing import sha256_of_models
from ...version import plugin_version
from .tasks import Orders


class Model(NamedTuple):
    """A network on its device, and its card."""

    network: Mapper
    card: Card
    device: torch.device


def model_of(job: MapJob, orders: Orders) -> Model:
    """The model of a run's scenes.

    Args:
        job: That of any of its scenes: they have model and device in common.
        orders: The run's.

    Raises:
        EngineError: another version of AuxLens, or another model file, than the run's.
        DeviceError: the device is not there.
    """
    if plugin_version() != orders.version:
        raise EngineError(
            f"This worker has AuxLens {plugin_version()}, the run has {orders.version}; install one version on both."
        )
    if sha256_of_models(job.model) != orders.model_sha256:
        raise EngineError(f"“{job.model}” is another file on this worker, or has changed during the run; start again.")
    return _loaded(job.model, orders.model_sha256, choose_device(job.device))


@lru_cache(maxsize=2)
def _loaded(path: str, _content: str, device: torch.device) -> Model:
    network, card = load(path)
    return Model(network.to(device), card, device)
