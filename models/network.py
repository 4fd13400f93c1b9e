"""The network: one encoder, and a decoder and head for each task, in a dict keyed by the task's name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .compact import CompactHead, Components
from .decoders import DECODER_CONVS, AuxiliaryDecoder, Coarsest, Decoder
from .errors import ModelFileError
from .heads import DensityHead, Head, ScoreHead
from .layers import Standardise, convolutions
from .patches import HIDDEN, PatchAbsence, PatchExplainer
from .pooled import PooledDensityHead, PooledScoreHead
from .rows import (
    STRIP_PX,
    Enlarged,
    Given,
    Halved,
    Map,
    Pixelwise,
    Reader,
    Rolling,
    Strips,
    Whole,
    convolved,
    strip_rows,
)
from .shapley import Absence, Explainer

MAIN = "main"
ATTRIBUTION = "attribution"  # beside the tasks' names in what a network is asked for
PRESETS: Mapping[str, tuple[int, ...]] = {
    "small": (24, 48, 96, 192),
    "base": (32, 64, 128, 256, 384),
    "large": (64, 128, 256, 512, 512),
}
ENCODER_CONVS = 2  # a level
_FARTHEST = 1e4  # standard deviations: a nodata value that nobody declared must not become infinite
_STRIP_PX = 4 * STRIP_PX  # with all threads of a processor


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


class Network(nn.Module):
    """Multitask U-Net (Ronneberger et al. 2015; one decoder a task as in Najjar et al. 2025, arXiv 2508.06966).

    All operations are local: see ``NetworkConfig.margin_px``.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.standardise = Standardise(config.mean, config.std)
        inputs = (len(config.mean), *config.widths[:-1])
        self.encoder = nn.ModuleList(
            convolutions(c_in, c_out, ENCODER_CONVS, True) for c_in, c_out in zip(inputs, config.widths, strict=True)
        )
        self.decoders = nn.ModuleDict(
            {name: _decoder(config.widths, name, task) for name, task in config.tasks.items()}
        )
        self.heads = nn.ModuleDict({name: _head(config, task) for name, task in config.tasks.items()})
        self.absence: Absence | PatchAbsence
        if config.players:
            self.absence = Absence(config.players, len(config.mean), config.widths)
            self.explainer = Explainer(
                len(config.mean), config.widths, len(config.players), config.tasks[MAIN].channels
            )
        elif config.patch_px:
            self.absence = PatchAbsence(config.patch_px, config.widths)
            self.patch_explainer = PatchExplainer(
                config.widths, config.patch_px // config.stride, config.reach, config.tasks[MAIN].channels
            )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs

    def forward(
        self, x: Tensor, tasks: Collection[str] | None = None, present: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Run the encoder and the decoders that are asked for.

        Args:
            x: ``(B, C, H, W)`` float32 in physical values, any size; NaN where a band is not valid.
            tasks: Names of tasks to decode, and ``ATTRIBUTION`` for the explainer; all tasks if ``None``.
            present: ``(B, players)`` bool, the players that the network is shown, or ``(B, rows, columns)`` of patches;
                all if ``None``.

        Returns:
            For each task its head's raw output: ``(B, classes, H, W)`` logits, or ``(B, 2 · bands, H, W)``
            standardised means and log scales. For ``ATTRIBUTION`` the explainer's deviations, or what it says of cells
            and patches (``PatchExplainer.forward``).
        """
        height, width = x.shape[-2:]
        maps = self._maps(self._given(x, height), tasks, present)
        by_patches = self.config.patch_px > 0 and (ATTRIBUTION in maps or present is not None)
        if _saves_memory(x) and not by_patches:
            step = strip_rows(x.shape[0] * width, _STRIP_PX, self.config.stride)
            found = Strips(maps).rows(0, height, step)
        else:
            found = {name: Reader(map_).whole() for name, map_ in maps.items()}
        return {name: values[..., :height, :width] for name, values in found.items()}

    def rolling(self, x: Tensor, height: int, tasks: Collection[str]) -> Rolling:
        """The network, ready for an image that is given a few rows at a time.

        Args:
            x: ``(B, C, rows, W)``, the first of its rows.
            height: All of its rows.
            tasks: As of ``forward``, but no attributions to patches.
        """
        given = self._given(x, height)
        step = strip_rows(x.shape[0] * x.shape[3], STRIP_PX, self.config.stride)
        return Rolling(given, self._maps(given, tasks, None), x.shape[3], step)

    def _given(self, x: Tensor, height: int) -> Given:
        return Given(x, self._prepared, height + -height % self.config.stride)

    def _maps(self, x: Map, tasks: Collection[str] | None, present: Tensor | None) -> dict[str, Map]:
        """The raw outputs that are asked for, of the padded size."""
        wanted = self.config.tasks if tasks is None else tasks
        if present is not None:
            x = Pixelwise(partial(self.absence.hide, present=present), x)
        levels: list[Map] = []
        for i, stage in enumerate(self.encoder):
            assert isinstance(stage, nn.Sequential)
            level = convolved(stage, Halved(levels[-1]) if levels else x)
            if present is not None:
                level = Pixelwise(partial(self.absence.tell, i, present=present), level)
            levels.append(level)
        found: dict[str, Map] = {}
        for name in wanted:
            if name == ATTRIBUTION:
                continue
            features: Map = self.decoders[name](levels)
            raw = Pixelwise(self.heads[name], features)
            found[name] = Enlarged(raw, self.config.stride) if self.config.tasks[name].pooled else raw
            if name == MAIN and ATTRIBUTION in wanted:
                by_patches = self.config.patch_px > 0
                found[ATTRIBUTION] = (
                    Whole(self.patch_explainer, *levels) if by_patches else self.explainer(levels, x, features)
                )
        return found

    def _prepared(self, x: Tensor, rows: int) -> Tensor:
        """Standardised, in the type and layout of the convolutions; NaN becomes the mean.

        Padded on the right to the stride, and below to ``rows``. A few rows at a time: the input is the largest array
        of a run, and temporary copies of it would be too.
        """
        batch, bands, height, width = x.shape
        beyond = -width % self.config.stride
        if torch.onnx.is_in_onnx_export():  # a loop over rows would be that of the example's size
            return F.pad(self._filled(x), (0, beyond, 0, rows - height))
        size, layout = (batch, bands, rows, width + beyond), torch.channels_last
        ready = torch.empty(size, dtype=_compute_type(x), device=x.device, memory_format=layout)
        if beyond or rows > height:
            ready.zero_()
        step = max(1, STRIP_PX // (batch * width))
        for row in range(0, height, step):
            some = slice(row, min(row + step, height))
            ready[:, :, some, :width] = self._filled(x[:, :, some])
        return ready

    def _filled(self, x: Tensor) -> Tensor:
        """Standardised; NaN becomes the mean, and no value overflows further on."""
        standard: Tensor = self.standardise(x)
        return standard.nan_to_num(nan=0.0).clamp(-_FARTHEST, _FARTHEST)

    def channels(self, name: str) -> int:
        """Channels of the raw output of a task, or of the explainer."""
        if name == ATTRIBUTION:
            patches = self.config.patch_px
            return 2 * HIDDEN if patches else self.explainer.players * self.explainer.channels
        task = self.config.tasks[name]
        if task.kind == "score":
            return task.channels
        return 2 * (len(task.components.std) if task.components else task.channels)

    def shape(self, name: str, height: int, width: int) -> tuple[int, int, int]:
        """Shape of the raw output of a task, or of the explainer, for a chip of some size."""
        cell = self.config.stride if name == ATTRIBUTION and self.config.patch_px else 1
        return self.channels(name), -(-height // cell), -(-width // cell)

    def scores_of_cells(self, raw: Tensor) -> Tensor:
        """``(B, channels, h, w)`` scores of a pooled main task, a pixel a cell of the coarsest level."""
        return self.head(MAIN).score(raw[..., :: self.config.stride, :: self.config.stride])

    def head(self, name: str) -> Head:
        """The head of a task, which turns its raw output into losses and physical values."""
        head = self.heads[name]
        assert isinstance(head, Head)
        return head

    def density(self, name: str) -> DensityHead:
        """The head of a task of numbers: an auxiliary one, or a regression."""
        head = self.head(name)
        assert isinstance(head, DensityHead)
        return head


def usable_name(name: str) -> bool:
    """Whether a task can have a name: weights are kept under it, so it has no dot and is none of torch's own."""
    return bool(name) and "." not in name and not hasattr(nn.ModuleDict, name) and name != "training"


def _saves_memory(x: Tensor) -> bool:
    """Whether to compute in strips: on a CPU, and where nobody wants a gradient or an export."""
    return x.device.type == "cpu" and not torch.is_grad_enabled() and not torch.onnx.is_in_onnx_export()


def _compute_type(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


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


def _decoder(widths: tuple[int, ...], name: str, task: TaskConfig) -> nn.Module:
    if task.pooled:
        return Coarsest()
    return Decoder(widths) if name == MAIN else AuxiliaryDecoder(widths)


def _head(config: NetworkConfig, task: TaskConfig) -> Head:
    fine, coarse = config.widths[0], config.widths[-1]
    if task.kind == "score":
        return PooledScoreHead(coarse, task.channels) if task.pooled else ScoreHead(fine, task.channels)
    if task.kind == "density":
        if task.pooled:
            return PooledDensityHead(coarse, task.mean, task.std)
        if task.components:
            return CompactHead(fine, task.mean, task.std, task.components, task.coarseness)
        return DensityHead(fine, task.mean, task.std, task.coarseness)
    raise ModelFileError(f"The model has a task of the unknown kind “{task.kind}”; update the AuxLens plugin.")
