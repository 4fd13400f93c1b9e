"""The reliability diagram: what was found at each predicted probability, above how often it was predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..assess.reliability import BINS, Reliability
from . import figures as fig


@dataclass(frozen=True)
class Words:
    """What a diagram is about.

    Attributes:
        line: What the line shows.
        diagonal: What the diagonal shows.
        found: Name of the upper axis: the share that was found.
        share: Name of the lower axis: the share of all that is in a bin.
        predicted: Name of the probability.
    """

    line: str
    diagonal: str
    found: str
    share: str
    predicted: str


def reliability_chart(reliability: Reliability, words: Words, color: str) -> str:
    """Draw the diagram, in a colour, as a data URI."""
    made = fig.figure(5.4, 5.2)
    diagram, histogram = made.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    middle, width = (np.arange(BINS) + 0.5) / BINS, 0.92 / BINS
    filled = reliability.pixels > 0
    predicted, found = reliability.mean_confidence[filled], reliability.accuracy[filled]
    diagram.plot([0, 1], [0, 1], label=words.diagonal, color=fig.QUIET, **fig.DASHED)
    diagram.bar(middle[filled], found, width, color=color, alpha=0.28, linewidth=0)
    diagram.plot(predicted, found, color=color, marker="o", markersize=5, linewidth=1.6, label=words.line)
    diagram.set_ylim(0, 1.02)
    diagram.set_ylabel(words.found, fontsize=9, color=fig.INK)
    diagram.legend(frameon=False, fontsize=9, labelcolor=fig.INK, loc="upper left")
    histogram.bar(middle, reliability.pixels / reliability.pixels.sum(), width, color=fig.QUIET, linewidth=0)
    histogram.set_ylabel(words.share, fontsize=9, color=fig.INK)
    histogram.set_xlabel(words.predicted, fontsize=9, color=fig.INK)
    histogram.set_xlim(0, 1)
    for axes in (diagram, histogram):
        fig.plain(axes)
    return fig.as_svg(made)
