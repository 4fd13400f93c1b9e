"""What the figures mean, in plain words; also where the answer is no."""

from __future__ import annotations

import math

from .findings import COMBINED_ERROR, COMBINED_EXPECTED, ERROR_PROBABILITY, SHIFTED_ANY, Findings, Line

_NAMES = {
    COMBINED_ERROR: "the reconstruction error alone",
    COMBINED_EXPECTED: "the expected error alone",
    ERROR_PROBABILITY: "the error probability",
}


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
    strongest = max(lines, key=lambda line: abs(line.value))
    beyond = [x for x in lines if x.p < 0.05 and x.value > 0]
    band = strongest.of.removesuffix(" (absolute)")
    if not beyond:
        return (
            "No: the main errors are not explained by the reconstruction errors. Even the strongest correlation "
            f"({band}, r = {strongest.value:.2f}) is what shifting one raster against the other makes by chance."
        )
    weak = "a little" if abs(strongest.value) < 0.2 else "in part" if abs(strongest.value) < 0.5 else "to a large part"
    names = ", ".join(x.of.removesuffix(" (absolute)") for x in beyond)
    return (
        f"Yes, {weak}: where the reconstruction errors are large, the map is wrong more often than chance allows "
        f"({names}; strongest r = {strongest.value:.2f} for {band})."
    )


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
