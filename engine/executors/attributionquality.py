"""The attributionquality job: are a model's attributions the Shapley values, and what are they worth?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from captum.metrics import sensitivity_max
from torch import Tensor

from ...models.card import Card
from ...models.errors import Canceled, JobError, ModelFileError
from ...models.file import load
from ...models.network import Network
from ..attribution import measures
from ..attribution.blank import blank
from ..attribution.exact import MOST_ENUMERATED, Truth, joined, scores_of, truth
from ..attribution.methods import EXPLAINER, METHODS, Method, explainer
from ..attribution.patches import ObjectGame, Objects, sample_objects
from ..attribution.pixels import Game, Pixels, Samples, sample
from ..attribution.results import Quality, to_csv
from ..checks import check_attribution_quality, lack_of_attributions
from ..cluster.spread import Call, spread
from ..jobs import AttributionQualityJob, Progress, outputs_of
from ..progress import Part
from ..reports.attribution import render_attribution_report
from ..scene.bands import ModalitySource, match
from ..scene.polygons import polygons_of, tiles_of
from ..scene.reading import scene_grid
from ..scene.writing import check_writable
from ..textfile import write_text

log = logging.getLogger("auxlens")

_ENUMERATION_SHARE = 0.6  # of the progress
_STABILITY_PIXELS = 16  # methods that take many passes are repeated on these alone
_NOISE = 0.02  # largest change of a standardised value that should not change an explanation
_DRAWS = 3
_GROUP = 32  # pixels whose coalitions are computed in one call
_SHOWN = 6  # pixels in the report's example
_MOST_SCORES = 2**17  # chips that may be computed for the enumeration
_MOST_PX = 2**30  # of objects' chips, which are of many sizes


def run(job: AttributionQualityJob, progress: Progress) -> dict[str, Any]:
    """Judge a model's attributions on pixels of one scene.

    Returns:
        ``outputs``: report and table; ``figures``: those of the explainer.

    Raises:
        AuxLensError: models or rasters do not fit, or files cannot be written.
        Canceled: stopped by the user.
    """
    network, card = load(job.model)
    check_attribution_quality(job, card)
    outputs = dict(outputs_of(job))
    check_writable(list(outputs.values()))
    others = {path: _other(path, card) for path in job.other_models}
    quality = assess(job, network, card, others, progress)
    for name, render in (("report", render_attribution_report), ("table", to_csv)):
        if name in outputs:
            write_text(outputs[name], render(quality))
    return {"outputs": outputs, "figures": {"pixels": quality.pixels, **quality.figures[EXPLAINER]}}


def assess(
    job: AttributionQualityJob, network: Network, card: Card, others: dict[str, Network], progress: Progress
) -> Quality:
    """See ``run``."""
    sources = match([(m.name, m.bands) for m in card.inputs], job.inputs)
    make = ObjectGame if card.patch_px else Game
    game = make(network, job.removal, job.seed)
    pixels = _sampled_objects(job, card, game, sources) if card.patch_px else _sampled_pixels(job, game, sources)
    return judge(
        job, card, game, pixels, {name: make(other, job.removal, job.seed) for name, other in others.items()}, progress
    )


def _sampled_pixels(job: AttributionQualityJob, game: Game, sources: Sequence[ModalitySource]) -> Pixels:
    return sample(sources, game.network, max(8, min(job.pixels, _MOST_SCORES // scores_of(game))), job.seed)


def _sampled_objects(job: AttributionQualityJob, card: Card, game: Game, sources: Sequence[ModalitySource]) -> Objects:
    grid, config = scene_grid(sources), game.network.config
    polygons = polygons_of(job.polygons, grid, grid.whole) if job.polygons else tiles_of(grid, grid.whole, card.tile_px)
    most = _MOST_PX // (config.patches * config.patch_px) ** 2 // scores_of(game)
    return sample_objects(sources, polygons, game.network, max(8, min(job.pixels, most)), job.seed)


def judge(
    job: AttributionQualityJob,
    card: Card,
    game: Game,
    pixels: Samples,
    others: dict[str, Game],
    progress: Progress,
) -> Quality:
    """Judge a network's attributions of samples.

    Args:
        job: How.
        card: The model's.
        game: The network.
        pixels: What is explained, pixels or objects.
        others: Other networks that explain the same, by name.
        progress: Told, and asked whether to stop.
    """
    with torch.no_grad():
        classes = game.scores(pixels).argmax(dim=1)
    exact = _truth(game, pixels, classes, job, Part(progress, 0.0, _ENUMERATION_SHARE))
    calls = [Call(f"Judging: {name}", _judged, (name, game, pixels, classes, exact)) for name in METHODS]
    part = Part(progress, _ENUMERATION_SHARE, 1 - _ENUMERATION_SHARE)
    judged = dict(zip(METHODS, spread(calls, job.scheduler, "cpu", (), part), strict=True))
    figures = {name: result.figures for name, result in judged.items()}
    curves = {name: result.curves for name, result in judged.items() if result.curves}
    own = judged[EXPLAINER].found
    return Quality(
        model=card.name,
        scene=job.inputs[0],
        unit="logits" if card.main.classes else card.main.unit,
        players=tuple(player.name for player in card.players) or _names(card),
        patches=bool(card.patch_px),
        removal=job.removal,
        pixels=len(pixels),
        truth_error=exact.error,
        figures=figures,
        attainable=_attainable(game, pixels, classes, exact),
        curves=curves,
        controls=_controls(game, pixels, classes, own, others, job.seed),
        shapley=exact.values[:_SHOWN].tolist(),
        explained=own[:_SHOWN].tolist(),
    )


def _names(card: Card) -> tuple[str, ...]:
    """Of patches: row and column in the chip, from 1."""
    along = range(1, int(card.network["patches"]) + 1)
    return tuple(f"{row}, {col}" for row in along for col in along)


def _truth(game: Game, pixels: Samples, classes: Tensor, job: AttributionQualityJob, progress: Progress) -> Truth:
    """The Shapley values of some pixels after the others: each group is a call of its own."""
    size = _GROUP if game.players <= MOST_ENUMERATED else len(pixels)  # a sampling's error is that of all pixels
    calls = [
        Call("Computing the scores of coalitions", _enumerated, (game, pixels.part(*ends), classes[slice(*ends)]))
        for ends in ((first, first + size) for first in range(0, len(pixels), size))
    ]
    return joined(spread(calls, job.scheduler, "cpu", (), progress))


def _enumerated(game: Game, pixels: Samples, classes: Tensor, progress: Progress) -> Truth:
    def watch(share: float) -> None:
        if progress.canceled():
            raise Canceled("The assessment was canceled.")
        progress.report(share, f"{len(pixels)} pixels")

    return truth(game, pixels, classes, watch)


@dataclass(frozen=True)
class _Judged:
    """One method: its attributions ``(N, players)``, measures, and curves where all coalitions are known."""

    found: Tensor
    figures: dict[str, float]
    curves: dict[str, list[float]]


def _judged(name: str, game: Game, pixels: Samples, classes: Tensor, exact: Truth, progress: Progress) -> _Judged:
    method = METHODS[name]
    started = time.perf_counter()
    found = method(game, pixels, classes)
    seconds = time.perf_counter() - started
    figures = {
        **_against_truth(found, exact),
        **_against_itself(method, game, pixels.part(0, _STABILITY_PIXELS), classes[:_STABILITY_PIXELS]),
        "milliseconds": 1000 * seconds / len(pixels),
    }
    worth = _worth(game, pixels, classes, exact)
    curves = _curves(found, worth)
    everybody = torch.ones_like(found, dtype=torch.bool)
    figures["efficiency_gap"] = measures.efficiency_gap(found, worth(everybody), worth(~everybody))
    figures.update({way: measures.area(curve) for way, curve in curves.items()})
    return _Judged(found, figures, {way: curve.tolist() for way, curve in curves.items()})


def _attainable(game: Game, pixels: Samples, classes: Tensor, exact: Truth) -> dict[str, float]:
    """What the Shapley values themselves reach where faithfulness to them is not what is measured."""
    curves = _curves(exact.values, _worth(game, pixels, classes, exact))
    return {way: measures.area(curve) for way, curve in curves.items()}


def _curves(found: Tensor, worth: measures.Worth) -> dict[str, Tensor]:
    return {"insertion": measures.insertion(found, worth), "deletion": measures.deletion(found, worth)}


def _worth(game: Game, pixels: Samples, classes: Tensor, exact: Truth) -> measures.Worth:
    """Scores of coalitions, looked up or computed as they are asked for."""
    if exact.worths is not None:
        return measures.looked_up(exact.worths)

    @torch.no_grad()
    def worth(present: Tensor) -> Tensor:
        return game.scores(pixels, present).gather(1, classes[:, None])[:, 0]

    return worth


def _against_truth(found: Tensor, exact: Truth) -> dict[str, float]:
    figures = {
        "rank_correlation": measures.rank_correlation(found, exact.values),
        "r2": measures.r2(found, exact.values),
        "mean_absolute_error": measures.mean_absolute_error(found, exact.values),
        "same_dominant": measures.same_dominant(found, exact.values),
    }
    return figures if exact.worths is None else {**figures, "infidelity": measures.infidelity(found, exact.worths)}


def _against_itself(method: Method, game: Game, pixels: Samples, classes: Tensor) -> dict[str, float]:
    """Does an explanation change when nothing that matters does: in a mirror, or by a little noise?"""
    std = game.network.standardise.std
    torch.manual_seed(0)

    def explain(chips: Tensor | tuple[Tensor]) -> tuple[Tensor]:  # captum hands over the one or the other
        chips = chips[0] if isinstance(chips, tuple) else chips
        return (method(game, pixels.seen_as(chips), classes),)

    def disturbed(chips: Tensor) -> Tensor:
        return chips + _NOISE * std * (2 * torch.rand_like(chips) - 1)

    whole = torch.where(pixels.chips.isnan(), game.network.standardise.mean, pixels.chips)
    worst = sensitivity_max(
        explain,
        (whole,),
        perturb_func=disturbed,
        n_perturb_samples=_DRAWS,
        max_examples_per_batch=len(whole),
    )
    here, mirrored = method(game, pixels, classes), game.turned_back(method(game, pixels.flipped(), classes))
    return {
        "max_sensitivity": float(worst.nanmean()),
        "mirror_correlation": measures.rank_correlation(here, mirrored),
    }


def _controls(
    game: Game, pixels: Samples, classes: Tensor, own: Tensor, others: dict[str, Game], seed: int
) -> dict[str, float]:
    """Rank correlation of the explainer's attributions with those of other networks."""
    games = {"random weights": type(game)(blank(game.network, seed), game.removal, seed), **others}
    return {name: measures.rank_correlation(own, explainer(other, pixels, classes)) for name, other in games.items()}


def _other(path: str, card: Card) -> Network:
    network, other = load(path)
    for what, of in _ALIKE.items():
        if of(other) != of(card):
            raise ModelFileError(
                f"The model “{path}” has other {what} than “{card.name}” ({of(other)} against {of(card)}); compare "
                "models that were trained alike, for example with other seeds."
            )
    if lack := lack_of_attributions(other):
        raise JobError(f"{lack}, or leave it out.")
    return network


_ALIKE: dict[str, Callable[[Card], object]] = {
    "input bands": lambda card: card.input_bands,
    "players": lambda card: (
        [(player.name, player.bands) for player in card.players],
        card.network.get("patches", 0),
        card.patch_px,
    ),
    "classes": lambda card: (card.main.kind, [c.value for c in card.main.classes]),
}
