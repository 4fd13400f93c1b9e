"""Charts of the accuracy report, as data URIs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure

from ..assess.areas import Z95
from ..assess.classes import by_class
from ..assess.results import ClassResult, NumberResult
from ..palettes import VIRIDIS
from . import figures as fig

_MARKS = (
    ("users_accuracy", "user’s accuracy", fig.BLUE, "o"),
    ("producers_accuracy", "producer’s accuracy", fig.ORANGE, "s"),
    ("iou", "IoU", fig.GREEN, "D"),
)


def class_chart(result: ClassResult) -> str:
    """User's and producer's accuracy and IoU of each class, on one line a class."""
    made, axes = _lines(result)
    single = by_class(result.matrix)
    at = np.arange(len(result.classes))
    spread = np.stack([single[name] for name, *_ in _MARKS])
    seen = np.isfinite(spread).any(axis=0)
    filled = np.where(np.isfinite(spread), spread, np.nan)[:, seen]
    axes.hlines(at[seen], np.nanmin(filled, axis=0), np.nanmax(filled, axis=0), color="#c9d0d6", linewidth=2, zorder=1)
    for name, label, color, marker in _MARKS:
        axes.scatter(single[name], at, s=34, color=color, marker=marker, label=label, zorder=2, linewidths=0)
    axes.set_xlim(-0.02, 1.02)
    axes.legend(frameon=False, fontsize=9, labelcolor=fig.INK, ncols=3, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    return fig.as_svg(made)


def area_chart(result: ClassResult) -> str:
    """Mapped area (bar) and estimated area with its 95 % interval of each class."""
    made, axes = _lines(result)
    e = result.estimates
    assert e is not None
    at = np.arange(len(result.classes))
    colors = [c.color for c in result.classes]
    axes.barh(at, result.mapped_areas, 0.62, color=colors, alpha=0.6, linewidth=0, label="mapped")
    half = Z95 * e.areas_se
    axes.errorbar(
        e.areas,
        at,
        xerr=np.stack([np.minimum(half, e.areas), half]),
        fmt="o",
        color=fig.INK,
        markersize=5,
        capsize=4,
        elinewidth=1.6,
        label="estimated ± 95 %",
    )
    axes.set_xlim(left=0)
    axes.set_xlabel(
        f"area ({result.area_unit})" if result.compared.counted == "pixels" else result.area_unit,
        fontsize=9,
        color=fig.INK,
    )
    axes.legend(frameon=False, fontsize=9, labelcolor=fig.INK, ncols=2, loc="lower left", bbox_to_anchor=(-0.01, 1.0))
    return fig.as_svg(made)


def scatter_chart(result: NumberResult) -> str:
    """Density of (reference, map) with the 1:1 line and the least-squares line."""
    made = fig.figure(6.2, 5.4)
    axes = made.subplots()
    low, high = result.density.span
    counts = np.ma.masked_equal(result.density.counts, 0)
    ramp = LinearSegmentedColormap.from_list("ramp", VIRIDIS)
    most = max(2, int(counts.max()) if counts.count() else 2)
    edges = np.linspace(low, high, result.density.bins + 1)
    drawn = axes.pcolormesh(edges, edges, counts, cmap=ramp, norm=LogNorm(1, most), zorder=2, rasterized=True)
    axes.plot([low, high], [low, high], label="1:1", color=fig.INK, **fig.DASHED)
    slope, intercept = result.overall["slope"], result.overall["intercept"]
    if np.isfinite(slope):
        line = [intercept + slope * low, intercept + slope * high]
        axes.plot([low, high], line, color=fig.ORANGE, linewidth=1.6, label="least squares", zorder=3)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    unit = f" ({result.unit})" if result.unit else ""
    axes.set_xlabel(f"reference{unit}", fontsize=9, color=fig.INK)
    axes.set_ylabel(f"map{unit}", fontsize=9, color=fig.INK)
    axes.legend(frameon=False, fontsize=9, labelcolor=fig.INK, loc="upper left")
    fig.plain(axes)
    bar = made.colorbar(drawn, ax=axes, fraction=0.045, pad=0.03)
    bar.set_label(result.compared.counted, fontsize=9, color=fig.INK)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=fig.INK)
    return fig.as_png(made, 160)


def _lines(result: ClassResult) -> tuple[Figure, Axes]:
    """Axes with a line a class, the first on top."""
    made = fig.figure(9.6, 0.9 + 0.36 * len(result.classes))
    axes = made.subplots()
    axes.set_yticks(np.arange(len(result.classes)), [c.name for c in result.classes], parse_math=False)
    axes.set_ylim(len(result.classes) - 0.45, -0.55)
    fig.plain(axes)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0, labelsize=9)
    return made, axes
