"""Maps of a network that can be computed whole, or a few rows at a time.

A few rows at a time, from top to bottom, nothing is computed twice: each map keeps the rows that its readers will ask
for again. Convolutions want the rows around theirs, and skip connections wait for coarser levels. So a scene of any
height goes through the network with the memory of a strip, and comes out as if it had gone through in one piece.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIP_PX = 2**16  # computed at once by one thread: as many as stay in a processor's cache
_NOTHING = sys.maxsize  # wanted any more
_ROOM = 4  # strips that fit into a buffer beside what is kept


class Map(ABC):
    """A map ``(B, C, height, W)``, made of other maps."""

    def __init__(self, *sources: Map, relu: bool = False) -> None:
        """Read ``sources``, and rectify in the end with ``relu``."""
        self._sources = [Reader(source) for source in sources]
        self._relu = relu
        self.wants: list[int] = []  # of each reader, the first row that it will read
        self._memory: Tensor | None = None  # rows from _start on, computed up to _end
        self._start = self._end = 0

    @property
    def height(self) -> int:
        """Rows, once all are computed: as many as of the last source, if nothing else is said."""
        return self._sources[-1].source.height

    @abstractmethod
    def _apply(self, *inputs: Tensor) -> Tensor:
        """A new tensor of all rows, not rectified, given those of all sources."""

    @abstractmethod
    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        """A new tensor of some rows, not rectified, and what is still to be added to it."""

    def whole(self) -> Tensor:
        """All rows."""
        if self._memory is None:
            found = self._apply(*(source.whole() for source in self._sources))
            self._memory = F.relu_(found) if self._relu else found
        return self._memory

    def forget(self) -> None:
        """Let go of the whole."""
        self._memory = None

    def rows(self, first: int, end: int) -> Tensor:
        """Rows ``first`` to ``end``, none of which all readers are done with."""
        if end > self._end:
            self._extend(end)
        assert self._memory is not None and first >= self._start
        return self._memory[:, :, first - self._start : end - self._start]

    def _extend(self, end: int) -> None:
        low = min(self.wants)
        strip, other = self._strip(self._end, end)
        if low >= self._end:  # nothing of what there was is read again
            strip = strip if other is None else strip.add_(other)
            self._memory, self._start = F.relu_(strip) if self._relu else strip, self._end
        else:
            room = self._room(low, end, strip)
            if other is not None:
                torch.add(strip, other, out=room)
                room = F.relu_(room) if self._relu else room
            elif self._relu:
                torch.clamp_min(strip, 0, out=room)
            else:
                room.copy_(strip)
        self._end = end

    def _room(self, low: int, end: int, strip: Tensor) -> Tensor:
        """Where new rows are written, behind those that are still read."""
        memory = self._memory
        assert memory is not None
        if end - self._start > memory.shape[2]:
            kept = memory[:, :, low - self._start : self._end - self._start]
            batch, channels, rows, width = strip.shape
            size = (batch, channels, kept.shape[2] + _ROOM * rows, width)
            memory = torch.empty(size, dtype=strip.dtype, device=strip.device, memory_format=torch.channels_last)
            memory[:, :, : kept.shape[2]] = kept
            self._memory, self._start = memory, low
        return memory[:, :, self._end - self._start : end - self._start]


class Reader:
    """Who reads a map, and says what it will read again."""

    def __init__(self, source: Map) -> None:
        self.source = source
        self._wants = source.wants
        self._number = len(self._wants)
        self._wants.append(0)

    def whole(self) -> Tensor:
        """All rows, once."""
        found = self.source.whole()
        self._wants[self._number] = _NOTHING
        if min(self._wants) == _NOTHING:
            self.source.forget()
        return found

    def rows(self, first: int, end: int, again: int = 0) -> Tensor:
        """Rows ``first`` to ``end``, of which the last ``again`` will be read once more."""
        found = self.source.rows(first, end)
        self._wants[self._number] = end - again
        return found


class Given(Map):
    """What a network is given, made ready. Its rows may come in parts."""

    def __init__(self, x: Tensor, ready: Callable[[Tensor, int], Tensor], height: int) -> None:
        """Begin with the first rows.

        Args:
            x: ``(B, C, rows, W)``.
            ready: Makes rows ready, and adds empty ones below until they are as many as it is told.
            height: Of all that will be read, with empty ones at the end.
        """
        super().__init__()
        self._x, self._first, self._ready, self._height = x, 0, ready, height

    @property
    def height(self) -> int:
        return self._height

    def feed(self, x: Tensor, first: int) -> None:
        """Go on with other rows, counted from row ``first``: all that will be read next and was not yet."""
        self._x, self._first = x, first

    def _apply(self, *_: Tensor) -> Tensor:
        return self._ready(self._x, self._height)

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        return self._ready(self._x[:, :, first - self._first : end - self._first], end - first), None


class Pixelwise(Map):
    """A function of the same pixel of all sources, which are of one size."""

    def __init__(self, function: Callable[..., Tensor], *sources: Map, relu: bool = False) -> None:
        super().__init__(*sources, relu=relu)
        self._function = function

    def _apply(self, *inputs: Tensor) -> Tensor:
        return self._function(*inputs)

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        return self._function(*(source.rows(first, end) for source in self._sources)), None


class Convolved(Map):
    """A 3×3 convolution with zeros around the map, and perhaps a function of each pixel."""

    def __init__(
        self, layer: nn.Conv2d, source: Map, then: Callable[[Tensor], Tensor] | None = None, relu: bool = False
    ) -> None:
        super().__init__(source, relu=relu)
        self._layer, self._then = layer, then

    def _apply(self, *inputs: Tensor) -> Tensor:
        found: Tensor = self._layer(*inputs)
        return self._then(found) if self._then else found

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        above, below = int(first > 0), int(end < self.height)
        x = self._sources[0].rows(first - above, end + below, again=2)
        inside = above and below  # where it is not, zeros above and below make a row that is not wanted, but no copy
        found = F.conv2d(x, self._layer.weight, self._layer.bias, padding=(0 if inside else 1, 1))
        if not inside:
            found = found[:, :, above : above + end - first]
        return self._then(found) if self._then else found, None


class Halved(Map):
    """The largest of each 2×2 pixels."""

    @property
    def height(self) -> int:
        return self._sources[0].source.height // 2

    def _apply(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return F.max_pool2d(x, 2)

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        return self._apply(self._sources[0].rows(2 * first, 2 * end)), None


class Joined(Map):
    """A coarser map, doubled, and a finer one: their sum."""

    def __init__(self, coarse: Map, fine: Map, relu: bool = False) -> None:
        super().__init__(coarse, fine, relu=relu)

    def _apply(self, *inputs: Tensor) -> Tensor:
        coarse, fine = inputs
        return enlarged(coarse, 2).add_(fine)

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        coarse, fine = self._sources
        return _enlarged_rows(coarse, 2, first, end), fine.rows(first, end)


class Enlarged(Map):
    """A map of cells on the pixels that they stand for."""

    def __init__(self, cells: Map, stride: int) -> None:
        """Read ``cells``, each of which stands for ``stride`` × ``stride`` pixels."""
        super().__init__(cells)
        self._stride = stride

    @property
    def height(self) -> int:
        return self._sources[0].source.height * self._stride

    def _apply(self, *inputs: Tensor) -> Tensor:
        (cells,) = inputs
        return enlarged(cells, self._stride)

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        return _enlarged_rows(self._sources[0], self._stride, first, end), None


class Whole(Map):
    """A function of whole maps of any size; it has no strips."""

    def __init__(self, function: Callable[..., Tensor], *sources: Map) -> None:
        super().__init__(*sources)
        self._function = function

    def _apply(self, *inputs: Tensor) -> Tensor:
        return self._function(*inputs)

    def _strip(self, first: int, end: int) -> tuple[Tensor, Tensor | None]:
        raise TypeError("computed whole only")


def strip_rows(width: int, pixels: int, stride: int) -> int:
    """Rows of a strip of at most ``pixels``, whole rows of the coarsest level."""
    return max(1, pixels // (width * stride)) * stride


def enlarged(x: Tensor, factor: int) -> Tensor:
    """``(B, C, H, W)`` → ``(B, C, factor · H, factor · W)``: each pixel ``factor`` times in height and width."""
    return F.interpolate(x, scale_factor=factor, mode="nearest")


def _enlarged_rows(source: Reader, factor: int, first: int, end: int) -> Tensor:
    """Rows ``first`` to ``end`` of a map, enlarged."""
    top = first // factor
    found = enlarged(source.rows(top, -(-end // factor), again=int(end % factor > 0)), factor)
    return found[:, :, first - top * factor : end - top * factor]


def convolved(stage: nn.Sequential, source: Map) -> Map:
    """What ``layers.convolutions`` makes of a map."""
    steps = list(stage)
    starts = [i for i, step in enumerate(steps) if isinstance(step, nn.Conv2d)]
    for start, end in zip(starts, [*starts[1:], len(steps)], strict=True):
        layer, *then, _ = steps[start:end]  # the last is the ReLU
        assert isinstance(layer, nn.Conv2d)
        source = Convolved(layer, source, then[0] if then else None, relu=True)
    return source


class Strips:
    """Maps that are read together, from top to bottom."""

    def __init__(self, maps: Mapping[str, Map]) -> None:
        self._readers = {name: Reader(map_) for name, map_ in maps.items()}

    def rows(self, first: int, end: int, step: int, again: int = 0) -> dict[str, Tensor]:
        """Some rows of all maps.

        Args:
            first: The first row, which was not read for the last time yet.
            end: After the last row.
            step: Rows that are computed at once.
            again: The last rows that will be read once more.

        Returns:
            ``(B, C, end - first, W)`` each, channels last.
        """
        if step >= end - first:
            return {name: reader.rows(first, end, again) for name, reader in self._readers.items()}
        found: dict[str, Tensor] = {}
        for start in range(first, end, step):
            stop = min(start + step, end)
            for name, reader in self._readers.items():
                part = reader.rows(start, stop, max(0, stop - (end - again)))
                if name not in found:
                    batch, channels, _, width = part.shape
                    size = (batch, channels, end - first, width)
                    layout = torch.channels_last
                    found[name] = torch.empty(size, dtype=part.dtype, device=part.device, memory_format=layout)
                found[name][:, :, start - first : stop - first] = part
        return found


class Rolling:
    """A network that goes down an image with the memory of a strip, and computes nothing twice."""

    def __init__(self, given: Given, maps: Mapping[str, Map], width: int, step: int) -> None:
        self._given, self._strips, self._width, self._step = given, Strips(maps), width, step

    def rows(self, x: Tensor, *, offset: int, first: int, end: int, again: int = 0) -> dict[str, Tensor]:
        """Raw outputs of some rows of the image, the first of which nobody is done with.

        Args:
            x: ``(B, C, rows, W)``, part of the image: all rows that were not given before, as far down as
                ``NetworkConfig.margin_px`` below the last one asked for.
            offset: Its first row in the image.
            first: The first row.
            end: After the last row.
            again: The last rows that will be asked for once more.

        Returns:
            As of ``Network.forward``, of rows ``first`` to ``end``.
        """
        self._given.feed(x, offset)
        found = self._strips.rows(first, end, self._step, again)
        return {name: values[..., : self._width] for name, values in found.items()}
