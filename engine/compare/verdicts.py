"""What a comparison says about each claim, in one sentence, and no more than the figures carry."""

from __future__ import annotations

from dataclasses import dataclass

from ..assess.bootstrap import Difference
from .baselines import BASELINES
from .results import Comparison

FIGURES = {"mean_iou": "mean IoU", "r2": "R²", "overall_accuracy": "overall accuracy", "rmse": "RMSE"}


@dataclass(frozen=True)
class Verdict:
    """A claim, what was found, and whether that supports it: ``None`` where the figures do not tell."""

    claim: str
    found: str
    holds: bool | None


def verdicts(comparison: Comparison) -> list[Verdict]:
    """A verdict for each claim of Najjar et al. 2025 that a comparison can judge, and for the methods in use today."""
    return [
        _not_needed(comparison),
        _judge(
            comparison,
            "single",
            "Learning to reconstruct the auxiliary modalities makes the map better",
            "multitask − single",
        ),
        _as_good_as_multimodal(comparison),
        _judge(
            comparison,
            "shuffled",
            "What is gained comes from what the auxiliary modalities say, not from having more tasks",
            "multitask − shuffled",
        ),
        *(
            _judge(
                comparison,
                name,
                f"The network maps better than {'a' if name == 'random forest' else ''} {name}".replace("  ", " ")
                + " from the same inputs",
                f"multitask − {name}",
            )
            for name in BASELINES
        ),
    ]


def _not_needed(comparison: Comparison) -> Verdict:
    needs, all_of_them = comparison.trial("multitask").inputs, comparison.trial("multimodal").inputs
    return Verdict(
        "Auxiliary modalities are not needed to map",
        f"multitask maps from {' and '.join(needs)} alone; multimodal needs {' and '.join(all_of_them)}.",
        True,
    )


def _judge(comparison: Comparison, other: str, claim: str, name: str) -> Verdict:
    found = comparison.difference("multitask", other)
    if found.is_resolved:
        says = f"multitask is {'better' if found.value > 0 else 'worse'}"
    else:
        says = "too little to be told from chance"
    return Verdict(claim, f"{_sized(comparison, name, found)}: {says}.", found.value > 0 if found.is_resolved else None)


def _as_good_as_multimodal(comparison: Comparison) -> Verdict:
    claim = "The map is about as good as that of a network that takes every modality as input"
    found, gap = comparison.difference("multitask", "multimodal"), comparison.difference("multimodal", "single")
    text = _sized(comparison, "multitask − multimodal", found)
    if not found.is_resolved:
        says, holds = "the two cannot be told apart", None if found.value < 0 else True
    else:
        says, holds = f"multitask is {'better' if found.value > 0 else 'worse'}", found.value > 0
    if gap.is_resolved and gap.value > 0:
        closed = comparison.difference("multitask", "single").value / gap.value
        says += f"; of the {gap.value:.3f} that multimodal gains over single, multitask closes {100 * closed:.0f} %"
    elif found.value <= 0 or not found.is_resolved:
        says += "; nor does multimodal gain over single beyond chance" if not gap.is_resolved else ""
    return Verdict(claim, f"{text}: {says}.".replace("-", "−"), holds)


def _sized(comparison: Comparison, name: str, found: Difference) -> str:
    figure = FIGURES[comparison.headline]
    text = f"{name} = {found.value:+.3f} {figure} (95 % interval {found.low:+.3f} to {found.high:+.3f})"
    return text.replace("-", "−")
