"""What the figures mean, in plain words; also where the answer is no."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .findings import SHIFTED_ANY, Findings, Line
from .scores import COMBINED_ERROR, COMBINED_EXPECTED, ERROR_PROBABILITY

_NAMES = {
    COMBINED_ERROR: "the reconstruction error alone",
    COMBINED_EXPECTED: "the expected error alone",
    ERROR_PROBABILITY: "the error probability",
}
_LEVEL = 0.05  # of p-values, below which a correlation is beyond chance


def verdict(found: Findings) -> list[str]:
    """Sentences, the most important first."""
    words = [_whether(found)]
    for name, subject in _NAMES.items():
        gain = found.line("auroc gain over uncertainty", name)
        auroc = found.line("auroc", name)
        if gain is not None and auroc is not None:
            words.append(f"{subject.capitalize()} {_compared(auroc, gain)}.")
    ece = found.line("ece", ERROR_PROBABILITY)
    if ece is not None:
        told = "can be read as it stands" if ece.value <= 0.05 else "ranks pixels, but is off as a number"
        words.append(f"On average the error probability is {100 * ece.value:.1f} percentage points from the rate of "
                     f"errors found; it {told}.")  # fmt: skip
    words.append("None of this says that one error causes the other: both may come from a third thing, such as haze.")
    return words


def _whether(found: Findings) -> str:
    """Whether reconstruction errors and main errors go together at all."""
    lines = [x for x in found.lines if x.figure == SHIFTED_ANY]
    if not lines:
        return "Whether reconstruction errors go together with main errors cannot be told here."
    beyond = sorted((x for x in lines if x.p < _LEVEL), key=lambda line: -abs(line.value))
    along, against = [x for x in beyond if x.value > 0], [x for x in beyond if x.value < 0]
    fewer = (
        f"where those of {_named(against)} are large, the map is wrong less often than chance allows "
        f"(strongest r = {against[0].value:.2f} for {_band(against[0])})"
        if against
        else ""
    )
    if along:
        r = along[0].value
        weak = "a little" if r < 0.2 else "in part" if r < 0.5 else "to a large part"
        return (
            f"Yes, {weak}: where the reconstruction errors are large, the map is wrong more often than chance allows "
            f"({_named(along)}; strongest r = {r:.2f} for {_band(along[0])})." + (f" But {fewer}." if fewer else "")
        )
    no = "No: the main errors are not explained by the reconstruction errors."
    if fewer:
        return f"{no} The other way round: {fewer}."
    strongest = max(lines, key=lambda line: abs(line.value))
    return (
        f"{no} Even the strongest correlation ({_band(strongest)}, r = {strongest.value:.2f}) is what shifting one "
        "raster against the other makes by chance."
    )


def _band(line: Line) -> str:
    return line.of.removesuffix(" (absolute)")


def _named(lines: Sequence[Line]) -> str:
    return ", ".join(_band(x) for x in lines)


def _compared(auroc: Line, gain: Line) -> str:
    tells = f"tells wrong pixels from right ones with an AUROC of {auroc.value:.3f}"
    if not math.isfinite(gain.low):
        return f"{tells}, {gain.value:+.3f} against the uncertainty alone (no interval)"
    span = f"{gain.value:+.3f}, 95 % interval {gain.low:+.3f} to {gain.high:+.3f}"
    if gain.low > 0:
        return f"{tells}, better than the uncertainty alone ({span})"
    if gain.high < 0:
        return f"{tells}, worse than the uncertainty alone ({span})"
    return f"{tells}, which is not clearly different from the uncertainty alone ({span})"
