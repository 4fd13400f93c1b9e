"""The model page: a model's card as one static HTML file that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.card import Card, Modality
from ...models.errors import JobError
from ..checks import check_map
from ..jobs import MAP_OUTPUTS, MapJob
from . import figures as fig
from .page import flattened, render
from .places import Place, draw_places

# What each layer of `map` says, for readers who see the word for the first time.
MEANING = {
    "map": "the most probable class, or the estimated quantity",
    "probability": "the network’s probability of each class, 0 to 1",
    "uncertainty": "how evenly the probability is spread over the classes; for a regression the predicted scale of its "
    "error",
    "reconstruction": "the auxiliary modality as it should look, judging by the inputs",
    "expected_error": "how large the network expects the reconstruction’s error to be; needs no reference",
    "reconstruction_error": "reconstruction minus measured modality",
    "main_error": "where map and reference differ",
    "error_probability": "calibrated probability that the map is wrong at the pixel, 0 to 1",
    "attribution": "how much each group of input bands (of a scene-level model each image patch) speaks for the mapped "
    "class, in log-odds",
}
# Cards are stored with their keys sorted; readers look for these first.
_FIRST = ("overall_accuracy", "mean_iou", "mean_f1", "kappa", "rmse", "r2", "mae", "bias")
_NEEDS = {"reconstruction_error": "auxiliary rasters", "main_error": "a reference"}
_SPLITS = {"train": ("training", fig.BLUE), "validation": ("validation", fig.ORANGE), "test": ("test", fig.GREEN)}
_SEVERAL = ("training and held-out blocks", fig.INK)


def render_model_page(card: Card, file: Mapping[str, str]) -> str:
    """The card as HTML text.

    Args:
        card: The model's card.
        file: What is known of the file itself (name, size, SHA-256), by label.
    """
    training = card.training
    measured = training.get("figures") or {}
    splits = [name for name in ("validation", "test") if measured.get(name)]
    names = sorted(dict.fromkeys(name for split in splits for name in measured[split]), key=_rank)
    scenes = [_scene(number, scene) for number, scene in enumerate(training.get("scenes") or (), 1)]
    places = [scene["place"] for scene in scenes if scene["place"]]
    return render(
        "model.html",
        card=card,
        file=file,
        modalities=[*((m, "input") for m in card.inputs), *((m, "auxiliary") for m in card.auxiliary)],
        outputs=_outputs(card),
        auxiliary=[line for modality in card.auxiliary for line in _auxiliary(modality, training)],
        splits=splits,
        names=names,
        figures=measured,
        headline=[(name, measured[splits[-1]].get(name)) for name in names[:4]] if splits else [],
        error_names=list(dict.fromkeys(name for model in card.error_models.values() for name in model.figures)),
        scenes=scenes,
        places=draw_places(places) if places else "",
        placed=len(places),
        manifest=flattened(training),
    )


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _outputs(card: Card) -> list[dict[str, str]]:
    """Every layer of ``map``: what it says, what it needs besides the inputs, and why it cannot be had, if so."""
    found = []
    for name in MAP_OUTPUTS:
        job = MapJob("model", ("input",), ("auxiliary",), "reference", **{f"output_{name}": "output.tif"})  # type: ignore[arg-type]
        try:
            check_map(job, card)
            obstacle = ""
        except JobError as error:
            obstacle = str(error)
        found.append(
            {
                "name": name,
                "meaning": MEANING.get(name, ""),
                "needs": _NEEDS.get(name, "nothing more"),
                "obstacle": obstacle,
            }
        )
    return found


def _auxiliary(modality: Modality, training: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How well each band is reconstructed: its error beside its spread, which guessing the mean would give."""
    rmse = training.get("auxiliary_rmse") or {}
    return [
        {"band": band, "unit": modality.unit, "mean": mean, "std": std, "rmse": rmse.get(band)}
        for band, mean, std in zip(modality.band_names, modality.mean, modality.std, strict=True)
    ]


def _scene(number: int, scene: Mapping[str, Any]) -> dict[str, Any]:
    blocks = scene.get("blocks") or {}
    bounds = scene.get("bounds")
    kind, color = _SPLITS.get(next(iter(blocks), ""), _SEVERAL) if len(blocks) == 1 else _SEVERAL
    if not blocks:
        kind, color = "without references", fig.QUIET
    return {
        "number": number,
        "name": scene.get("name", ""),
        "blocks": {label: blocks[split] for split, (label, _) in _SPLITS.items() if split in blocks},
        "bounds": bounds,
        "files": len(scene.get("sha256") or ()),
        "place": Place(str(number), tuple(bounds), kind, color) if bounds else None,
    }
