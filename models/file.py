"""Model files: weights and card in one ``.safetensors`` file. Nothing is ever unpickled."""

from __future__ import annotations

import os
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from .card import CARD_KEY, Card, read_card
from .errors import ModelFileError
from .network import Network, NetworkConfig


def save(path: str, network: Network, card: Card) -> None:
    """Write a model file; it appears under its name when it is complete."""
    target = Path(path)
    part = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    try:
        safetensors.torch.save_file(weights, part, metadata={CARD_KEY: card.to_json()})
        os.replace(part, target)
    except (OSError, SafetensorError) as error:
        raise ModelFileError(
            f"The model file “{path}” cannot be written ({error}); choose a folder with room that you may write to."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def load(path: str) -> tuple[Network, Card]:
    """Read a model file onto the CPU, ready to predict.

    Raises:
        ModelFileError: see ``card.read_card``; or weights that do not fit the network of the card.
    """
    card = read_card(path)
    network = Network(NetworkConfig.from_dict(card.network))
    try:
        network.load_state_dict(safetensors.torch.load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise ModelFileError(
            f"The weights in “{path}” do not fit the network that its card describes; get a fresh copy."
        ) from error
    return network.eval(), card
