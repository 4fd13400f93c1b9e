"""What rebuilds a network: its widths, its tasks, its players. The model's card carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from .compact import Components
from .decoders import DECODER_CONVS
from .errors import ModelFileError

MAIN = "main"
ATTRIBUTION = "attribution"  # beside the tasks' names in what a network is asked for
PRESETS: Mapping[str, tuple[int, ...]] = {
    "small": (24, 48, 96, 192),
    "base": (32, 64, 128, 256, 384),
    "large": (64, 128, 256, 512, 512),
}
ENCODER_CONVS = 2  # a level


@dataclass(frozen=True)
class TaskConfig:
    """One task's decoder and head.

    ``kind`` is ``score`` (classes) or ``density`` (numbers with a predicted scale); ``channels`` counts
    classes or bands; ``mean`` and ``std`` are those of a density's targets. ``pooled`` tasks have one label or number
    an object instead of one a pixel (see ``pooled.py``). A density of many bands may be predicted by its ``components``
    (see ``compact.py``). ``coarseness`` is a target's GSD in pixels of the input, 1 if it is as fine or finer.
    """

    kind: str
    channels: int
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    pooled: bool = False
    components: Components | None = None
    coarseness: int = 1


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that rebuilds a network; the model's card carries it."""

    widths: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    tasks: Mapping[str, TaskConfig] = field(default_factory=dict)
    players: tuple[tuple[int, ...], ...] = ()  # indices of the bands of each player; none: no attributions to bands
    patch_px: int = 0  # width of the patches that are a pooled task's players; 0: no attributions to patches
    patches: int = 0  # along a side of a training chip

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NetworkConfig:
        """Rebuild a configuration read from JSON.

        Raises:
            ModelFileError: fields are missing or unknown.
        """
        try:
            tasks = {
                name: TaskConfig(
                    **{
                        **task,
                        "mean": tuple(task["mean"]),
                        "std": tuple(task["std"]),
                        "components": Components.from_dict(task["components"]) if task.get("components") else None,
                    }
                )
                for name, task in data["tasks"].items()
            }
            players = tuple(tuple(bands) for bands in data.get("players", ()))
            patches = int(data.get("patch_px", 0)), int(data.get("patches", 0))
            return cls(tuple(data["widths"]), tuple(data["mean"]), tuple(data["std"]), tasks, players, *patches)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(
                f"The model's network is not described completely ({error}); get a fresh copy of the model file."
            ) from error

    @property
    def reach(self) -> int:
        """Patches that a cell is explained by, on each side of its own: those that a training chip shows it."""
        return min(self.patches - 1, -(-self.margin_px // self.patch_px)) if self.patch_px else 0

    @property
    def stride(self) -> int:
        """Input pixels a pixel of the coarsest level; chips begin at multiples of it."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def margin_px(self) -> int:
        """Radius of the receptive field in pixels: the context that makes a tile's core exact."""
        return receptive_radius(len(self.widths), ENCODER_CONVS, DECODER_CONVS)


def usable_name(name: str) -> bool:
    """Whether a task can have a name: weights are kept under it, so it has no dot and is none of torch's own."""
    return bool(name) and "." not in name and not hasattr(nn.ModuleDict, name) and name != "training"


def receptive_radius(levels: int, encoder_convs: int, decoder_convs: int) -> int:
    """Largest distance, in pixels, from an output pixel to an input pixel that can change it."""
    radius = 0
    for pixel in range(2 ** (levels - 1)):
        low = high = pixel
        for _ in range(levels - 1):  # from the output down through the decoder's levels
            low, high = (low - decoder_convs) // 2, (high + decoder_convs) // 2
        for level in range(levels):  # and up again through the encoder's
            low, high = low - encoder_convs, high + encoder_convs
            if level < levels - 1:
                low, high = 2 * low, 2 * high + 1
        radius = max(radius, pixel - low, high - pixel)
    return radius
