"""The network: one encoder, and a decoder and head for each task, in a dict keyed by the task's name."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .compact import CompactHead
from .config import ATTRIBUTION, ENCODER_CONVS, MAIN, NetworkConfig, TaskConfig
from .decoders import AuxiliaryDecoder, Coarsest, Decoder
from .errors import ModelFileError
from .heads import DensityHead, Head, ScoreHead
from .layers import Standardise, convolutions
from .mapper import Mapper
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

_FARTHEST = 1e4  # standard deviations: a nodata value that nobody declared must not become infinite
_STRIP_PX = 4 * STRIP_PX  # with all threads of a processor


class Network(Mapper):
    """Multitask U-Net (Ronneberger et al. 2015; one decoder a task as in Najjar et al. 2025, arXiv 2508.06966).

    All operations are local: see ``NetworkConfig.margin_px``.
    """

    explainer: Explainer
    patch_explainer: PatchExplainer

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
        """As of ``Mapper``."""
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
        """As of ``Mapper``."""
        if name == ATTRIBUTION:
            patches = self.config.patch_px
            return 2 * HIDDEN if patches else self.explainer.players * self.explainer.channels
        task = self.config.tasks[name]
        if task.kind == "score":
            return task.channels
        return 2 * (len(task.components.std) if task.components else task.channels)

    def scores_of_cells(self, raw: Tensor) -> Tensor:
        """``(B, channels, h, w)`` scores of a pooled main task, a pixel a cell of the coarsest level."""
        return self.head(MAIN).score(raw[..., :: self.config.stride, :: self.config.stride])

    def head(self, name: str) -> Head:
        """As of ``Mapper``."""
        head = self.heads[name]
        assert isinstance(head, Head)
        return head


def _saves_memory(x: Tensor) -> bool:
    """Whether to compute in strips: on a CPU, and where nobody wants a gradient or an export."""
    return x.device.type == "cpu" and not torch.is_grad_enabled() and not torch.onnx.is_in_onnx_export()


def _compute_type(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


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
