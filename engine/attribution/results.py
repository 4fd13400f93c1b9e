"""What an assessment of attributions found: its figures, what they mean, and its table."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

from .methods import EXPLAINER

MEASURES = {  # name in the table: what it says, and whether more or less of it is better
    "rank_correlation": ("rank correlation with the Shapley values, mean over samples", "higher"),
    "r2": ("R² against the Shapley values", "higher"),
    "mean_absolute_error": ("mean absolute error against the Shapley values", "lower"),
    "same_dominant": ("share of samples with the right dominant player", "higher"),
    "efficiency_gap": ("distance of the contributions’ sum from what all players change", "lower"),
    "insertion": ("area under the score as players are added, largest first", "higher"),
    "deletion": ("area under the score as players are removed, largest first", "lower"),
    "infidelity": ("mean squared error of what removing players costs", "lower"),
    "max_sensitivity": ("largest relative change by a little noise", "lower"),
    "mirror_correlation": ("rank correlation with the mirrored scene’s", "higher"),
    "milliseconds": ("time a sample, in milliseconds", "lower"),
}


_GOOD, _UNRELATED = 0.9, 0.3  # rank correlations; of the latter the size


@dataclass(frozen=True)
class Quality:
    """What was found.

    Attributes:
        model: Name of the model.
        scene: The first raster of the scene.
        players: Names; of patches, row and column in a chip.
        patches: Whether players are patches, of which objects are explained, and not bands.
        unit: Of the attributions.
        removal: What stood in for absent players.
        pixels: How many, or objects, were looked at.
        truth_error: Mean absolute error of the Shapley values themselves, if they were sampled.
        figures: By method, then by measure.
        attainable: ``insertion`` and ``deletion`` of the Shapley values themselves, which need not be the best of all.
        curves: By method, ``insertion`` and ``deletion``: mean score after each player.
        controls: Rank correlation with the same network with random weights, and with each other model.
        shapley, explained: A few samples’ Shapley values, and the explainer’s: a row a sample, a column a player.
    """

    model: str
    scene: str
    players: tuple[str, ...]
    unit: str
    removal: str
    pixels: int
    truth_error: float
    figures: dict[str, dict[str, float]]
    attainable: dict[str, float]
    curves: dict[str, dict[str, list[float]]]
    controls: dict[str, float]
    shapley: list[list[float]]
    explained: list[list[float]]
    patches: bool = False


def verdicts(quality: Quality) -> list[str]:
    """What the figures say, in plain sentences; also when that is not good."""
    own = quality.figures[EXPLAINER]
    rank, share = own["rank_correlation"], own["r2"]
    if math.isnan(rank):
        return [
            "There is no order of players to judge: at every sample the explainer or the Shapley values give all of "
            "them the same. Either no player changes the model’s score here, or it has not learned attributions."
        ]
    ranks = {name: f["rank_correlation"] for name, f in quality.figures.items() if name != EXPLAINER}
    others = {name: value for name, value in ranks.items() if not math.isnan(value)}
    best = max(others, key=lambda name: others[name])
    said = [
        f"The explainer orders the players as the Shapley values do with a rank correlation of {rank:.2f}, and meets "
        f"{max(0.0, share):.0%} of their variance; "
        + ("its attributions can be read as Shapley values." if rank >= _GOOD and share >= 0.85 else
           "read small attributions with care, and trust the dominant player more than the order of the rest.")
    ]  # fmt: skip
    if rank >= others[best]:
        said.append(f"No method that it was compared with orders them better (the best, {best}: {others[best]:.2f}).")
    else:
        distances = quality.figures[best]["mean_absolute_error"], own["mean_absolute_error"]
        farther = f", but is farther from their values ({distances[0]:.3g} against {distances[1]:.3g} on average)"
        said.append(
            f"The method “{best}” orders them better ({others[best]:.2f})"
            f"{farther if distances[0] > distances[1] else ''}."
        )
    control = quality.controls["random weights"]
    shown = f"{control:.2f}".replace("-", "−")
    if math.isnan(control):
        said.append("With random weights no player changes the score, which tells nothing about these explanations.")
    elif abs(control) < _UNRELATED:
        said.append(
            f"With random weights the same samples are explained otherwise (rank correlation {shown}), as it must be."
        )
    else:
        said.append(
            f"With random weights the explanations {'stay similar' if control > 0 else 'are turned round'} (rank "
            f"correlation {shown}): they say more about the inputs than about what the network has learned."
        )
    seeds = [value for name, value in quality.controls.items() if name != "random weights"]
    if seeds:
        said.append(
            f"Between this model and {len(seeds)} other(s) the rank correlation is {sum(seeds) / len(seeds):.2f}: "
            + ("explanations belong to the data rather than to one training." if min(seeds) >= 0.7 else
               "another training explains some samples otherwise.")
        )  # fmt: skip
    return said


def to_csv(quality: Quality) -> str:
    """A row a method and a column a measure, the Shapley values after the methods; then the controls."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["method", *MEASURES])
    for method, figures in {**quality.figures, "Shapley values": quality.attainable}.items():
        writer.writerow([method, *(f"{figures[m]:.6g}" if m in figures else "" for m in MEASURES)])
    for name, value in quality.controls.items():
        writer.writerow([f"control: {name}", f"{value:.6g}", *([""] * (len(MEASURES) - 1))])
    return text.getvalue()
