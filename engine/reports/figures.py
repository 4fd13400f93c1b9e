"""Figures for reports, in the colours of the layers, as text that stands in an HTML file."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...models.card import LandClass
from ..palettes import Scale

INK, QUIET, BLUE, ORANGE, GREEN = "#22303c", "#7b8794", "#0072b2", "#d55e00", "#009e73"
DASHED: dict[str, Any] = {"linewidth": 1.1, "linestyle": (0, (4, 3)), "zorder": 3}
_NOTHING = (0.93, 0.93, 0.91)  # where there is no value


def figure(width_in: float, height_in: float) -> Figure:
    """An empty figure that draws without a screen."""
    made = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(made)
    return made


def as_png(made: Figure, dpi: int = 110) -> str:
    """A figure as a PNG data URI."""
    return _data_uri(made, "png", "image/png", dpi)


def as_svg(made: Figure) -> str:
    """A figure as an SVG data URI, with text as text."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "auxlens"}):
        return _data_uri(made, "svg", "image/svg+xml", 100)


def class_colours(values: NDArray[np.floating], classes: Sequence[LandClass]) -> NDArray[np.float32]:
    """Colour a map of class values.

    Args:
        values: ``(H, W)`` class values, NaN where there is none.
        classes: Values, names and colours; other values are drawn as nothing.

    Returns:
        ``(H, W, 3)``, 0–1.
    """
    coloured = np.full((*values.shape, 3), _NOTHING, np.float32)
    for c in classes:
        coloured[values == c.value] = np.array(list(bytes.fromhex(c.color.lstrip("#"))), np.float32) / 255.0
    return coloured


def draw_image(axes: Axes, rgb: NDArray[np.floating], title: str) -> None:
    """Draw ``(H, W, 3)`` colours, 0–1."""
    _frame(axes, title)
    axes.imshow(np.clip(np.nan_to_num(rgb, nan=_NOTHING[0]), 0.0, 1.0), interpolation="nearest")


def draw_values(axes: Axes, values: NDArray[np.floating], shown: Scale, title: str) -> None:
    """Draw ``(H, W)`` values with a colour bar and its unit; NaN is drawn as nothing."""
    _frame(axes, title)
    ramp = LinearSegmentedColormap.from_list("ramp", shown.ramp).with_extremes(bad=_NOTHING)
    drawn = axes.imshow(values, cmap=ramp, vmin=shown.low, vmax=shown.high, interpolation="nearest")
    made = axes.get_figure()
    assert made is not None
    bar = made.colorbar(drawn, ax=axes, orientation="horizontal", fraction=0.05, pad=0.03, aspect=30)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, colors=INK, length=2)
    bar.ax.locator_params(nbins=5)
    if shown.unit:
        bar.set_label(shown.unit, fontsize=8, color=INK)


def draw_curves(axes: Axes, history: Sequence[Mapping[str, float]], curves: Mapping[str, tuple[str, str]]) -> None:
    """Draw columns of a training history over its epochs.

    Args:
        axes: Where to draw.
        history: One mapping an epoch.
        curves: Label and colour of each column; columns without a finite value are left out.
    """
    for column, (label, color) in curves.items():
        points = [(e["epoch"], e[column]) for e in history if np.isfinite(e.get(column, np.nan))]
        if points:
            axes.plot(*zip(*points, strict=True), color=color, label=label, linewidth=1.8, marker="o", markersize=2.5)
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    axes.tick_params(labelsize=8, colors=INK)
    axes.grid(color="#e3e7ea", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.locator_params(axis="x", integer=True)
    if axes.lines:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def plain(axes: Axes, size: float = 8) -> None:
    """A grid behind the data, ticks in ink of a font size, and no frame but two quiet axes."""
    axes.tick_params(labelsize=size, colors=INK)
    axes.grid(color="#e3e7ea", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b6bfc7")


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=9, color=INK, loc="left", parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _data_uri(made: Figure, kind: str, mime: str, dpi: int) -> str:
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    made.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return f"data:{mime};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
