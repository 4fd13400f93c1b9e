"""What a training leaves beside its model while it runs: a log of its epochs, and the state to go on from.

The state is a safetensors file, ``.<model>.training.safetensors``: weights, their average, the best average, the
optimiser's moments, and as JSON what else the next epoch needs. Epochs draw their chips from the job's seed and their
own number, so a training that goes on learns what an uninterrupted one would have learned.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ...models.errors import ModelFileError
from ...models.parts import part_path
from ..textfile import write_text

log = logging.getLogger("auxlens")

_KEY = "auxlens_training"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of AdamW, for each parameter

LOG_COLUMNS = ("epoch", "seconds", "train_loss", "val_loss", "score", "auxiliary_weight")


@dataclass(frozen=True)
class State:
    """Everything that changes from epoch to epoch: tensors by name, and JSON-able values."""

    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """The files beside one model.

    Attributes:
        model: Path of the model file.
        of: What is trained on what; a state of anything else is not gone on from.
    """

    model: Path
    of: str

    @property
    def state_path(self) -> Path:
        return self.model.with_name(f".{self.model.stem}.training.safetensors")

    @property
    def log_path(self) -> Path:
        return self.model.with_name(f"{self.model.stem}.training.csv")

    def keep(self, state: State, history: Sequence[Mapping[str, float]]) -> None:
        """Write the state and the log; each appears when it is complete.

        Raises:
            ModelFileError: no room, or the folder is gone.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, LOG_COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        write_text(self.log_path, text.getvalue())
        part = part_path(self.state_path)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
        content = json.dumps({"of": self.of, "history": list(history), **state.values})
        try:
            safetensors.torch.save_file(tensors, part, metadata={_KEY: content})
            os.replace(part, self.state_path)
        except (OSError, SafetensorError) as error:
            raise ModelFileError(
                f"The state of the training cannot be written beside “{self.model}” ({error}); make room."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink()

    def last(self) -> State | None:
        """The state to go on from: of the same job on the same files; ``None`` if there is none."""
        try:
            with safetensors.safe_open(self.state_path, framework="pt") as opened:
                values = json.loads(opened.metadata()[_KEY])
                if values.pop("of") != self.of:
                    log.warning(
                        "The interrupted training of “%s” had other settings or files, so this one begins anew.",
                        self.model,
                    )
                    return None
                return State({name: opened.get_tensor(name) for name in opened.keys()}, values)  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):  # none, or cut short
            return None

    def forget(self) -> None:
        """Delete the state; the log stays."""
        with contextlib.suppress(OSError):
            self.state_path.unlink()


def tensors_of(
    modules: Mapping[str, nn.Module], best: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """The tensors of a state: of modules by name, of the best weights, and the optimiser's moments."""
    found = {f"{name}/{key}": t for name, module in modules.items() for key, t in module.state_dict().items()}
    found |= {f"best/{key}": tensor for key, tensor in best.items()}
    for number, moments in optimizer.state_dict()["state"].items():
        found |= {f"optimizer/{number}/{key}": torch.as_tensor(moments[key]) for key in _MOMENTS}
    return {name: tensor.clone() for name, tensor in found.items()}  # safetensors refuses memory that is shared


def restore(
    tensors: Mapping[str, Tensor], modules: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Put a state's tensors where they came from.

    Returns:
        The best weights.
    """
    for name, module in modules.items():
        module.load_state_dict(_under(tensors, name))
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in _under(tensors, "optimizer").items():
        number, _, moment = key.partition("/")
        moments.setdefault(int(number), {})[moment] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    device = next(iter(modules.values())).state_dict()
    return {name: tensor.to(device[name].device) for name, tensor in _under(tensors, "best").items()}


def _under(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key[len(name) + 1 :]: tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
