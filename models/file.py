"""Model files: weights and card in one ``.safetensors`` file. Nothing is ever unpickled."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from .card import CARD_KEY, Card, read_card
from .config import MAIN, NetworkConfig
from .errors import ModelFileError
from .network import Network
from .parts import part_path


def save(path: str, network: Network, card: Card) -> None:
    """Write a model file; it appears under its name when it is complete."""
    target = Path(path)
    part = part_path(target)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    try:
        safetensors.torch.save_file(weights, part, metadata={CARD_KEY: card.to_json()})
        _as_any_new_file(part)
        os.replace(part, target)
    except (OSError, SafetensorError) as error:
        raise ModelFileError(
            f"The model file “{path}” cannot be written ({error}); choose a folder with room that you may write to."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _as_any_new_file(path: Path) -> None:
    """Give a file the permissions of a new one: safetensors writes files that nobody but their owner may read."""
    mask = os.umask(0o077)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def load(path: str) -> tuple[Network, Card]:
    """Read a model file onto the CPU, ready to predict.

    Raises:
        ModelFileError: see ``card.read_card``; or weights that do not fit the network of the card.
    """
    card = read_card(path)
    config = NetworkConfig.from_dict(card.network)
    if not _describes(card, config):
        raise ModelFileError(f"The card in “{path}” contradicts itself about bands and classes; get a fresh copy.")
    try:
        network = Network(config)
        network.load_state_dict(safetensors.torch.load_file(path))
    except (SafetensorError, RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ModelFileError(
            f"The weights in “{path}” do not fit the network that its card describes; get a fresh copy."
        ) from error
    return network.eval(), card


def _describes(card: Card, config: NetworkConfig) -> bool:
    """Whether a network has the inputs, the tasks and the players that the card describes."""
    wanted = {MAIN: max(1, len(card.main.classes)), **{m.name: len(m.bands) for m in card.auxiliary}}
    found = {name: task.channels for name, task in config.tasks.items()}
    groups = tuple(player.indices(card.input_bands) for player in card.players)
    patches = config.patch_px == card.patch_px and config.patch_px % max(1, config.stride) == 0
    bands = len(config.mean) == len(config.std) == len(card.input_bands)
    return found == wanted and groups == config.players and patches and bands
