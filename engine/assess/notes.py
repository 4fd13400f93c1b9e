"""What a reader of an assessment must know besides its figures, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...models.card import LandClass
from ..scene.grid import Grid
from .agreement import Agreement, Density
from .areas import Estimates
from .counts import ClassCounts
from .reliability import Reliability

_CENSUS = 0.999  # share of the mapped pixels with a reference, from which on nothing is left to estimate
_PATCHES = 0.25  # share of the reference pixels with a neighbour, from which on they are no sample of single pixels


def class_notes(
    counts: ClassCounts,
    classes: Sequence[LandClass],
    matrix: NDArray[np.int64],
    grid: Grid | None,
    reliability: Reliability | None,
    counted: str = "pixels",
    strange_bands: Sequence[str] = (),
) -> tuple[str, ...]:
    """Of a segmentation: classes that one side lacks, pixels left out, and what the figures cannot say."""
    truth, mapped, notes = matrix.sum(axis=1), matrix.sum(axis=0), []
    unmapped = [f"{c.name} ({_number(truth[i], counted)})" for i, c in enumerate(classes) if not counts.mapped[c.value]]
    if unmapped:
        notes.append(
            f"The reference has classes that the map shows nowhere: {', '.join(unmapped)}; they count as wrong."
        )
    missing = [f"{c.name} ({_number(mapped[i], counted)})" for i, c in enumerate(classes) if not truth[i]]
    if missing and (truth > 0).sum() > 1:
        notes.append(
            f"The map shows classes that the reference does not have: {', '.join(missing)} where both have a value; "
            f"those {counted} count as wrong, and the means leave these classes out."
        )
    if (truth > 0).sum() == 1:
        notes.append(
            f"The reference has one class only ({classes[int(truth.argmax())].name}): its producer's accuracy is "
            "meaningful, but user's accuracy, IoU, kappa and the areas need references of the other classes too."
        )
    if counts.unmapped:
        notes.append(
            f"Left out, because the map has no value there: {_number(counts.unmapped, counted)} of the reference."
        )
    notes += dispute_note(counts.disputed, "classes", counted)
    if grid is not None and grid.crs is not None and grid.crs.to_dict().get("proj") in ("merc", "webmerc"):
        notes.append("The map's CRS is a Mercator projection, which enlarges areas towards the poles; reproject it.")
    if reliability and reliability.otherwise:
        notes.append(
            f"At {_number(reliability.otherwise, counted)} the most probable class is not the mapped one; check that "
            "map and probabilities belong together."
        )
    if strange_bands:
        some = ", ".join(strange_bands[:5]) + (", …" if len(strange_bands) > 5 else "")
        notes.append(
            f"The probabilities have bands that are no classes of the map: {some}; check that map and probabilities "
            "belong together."
        )
    return tuple(notes)


def dispute_note(disputed: int, values: str, counted: str = "pixels") -> list[str]:
    """Of references that say different things of one pixel; ``values`` is what they say, classes or values."""
    if not disputed:
        return []
    return [
        f"References of different {values} lie on {_number(disputed, counted)}; there the last one in the layer's "
        "order counts. Remove those that are wrong."
    ]


def number_notes(agreement: Agreement, density: Density, counted: str = "pixels", disputed: int = 0) -> tuple[str, ...]:
    """Of a regression: what does not vary, and what the chart does not show."""
    notes = dispute_note(disputed, "values", counted)
    if agreement.squares_t == 0:
        notes.append(
            f"The reference is {agreement.mean_t:g} at every {counted[:-1]} compared; R², r², slope and CCC say "
            "nothing then."
        )
    elif agreement.squares_e == 0:
        notes.append(f"The map is {agreement.mean_e:g} at every {counted[:-1]} compared; r² is not defined then.")
    if density.outside:
        notes.append(
            f"{_number(density.outside, counted)} lie far from the others, outside of the chart; the figures include "
            "them."
        )
    return tuple(notes)


def sampling(counts: ClassCounts, classes: Sequence[LandClass], estimates: Estimates | None) -> str:
    """Whether the area-adjusted estimates hold for references that lie as these do."""
    total, pixels = counts.mapped.total(), counts.pixels
    share = f"{pixels:,} of {total:,} mapped pixels ({100 * pixels / total:.3g} %)".replace(",", " ")
    if estimates is None:
        return (
            f"There are no area-adjusted estimates: {share} have a reference, fewer than two in each class of the map."
        )
    text = [f"The reference covers {share}."]
    if pixels >= _CENSUS * total:
        text.append(
            "This is a census and no sample: the figures above are the accuracy itself, and the standard errors below "
            "mean nothing unless the reference is itself a sample."
        )
    elif counts.neighbours >= _PATCHES * pixels:
        text.append(
            "Its pixels lie side by side (polygons or a wall-to-wall reference of a part). The estimates hold if these "
            "patches were drawn at random within each class of the map; the intervals are too narrow in any case, as "
            "neighbouring pixels are wrong together. For areas to be reported, draw single pixels at random."
        )
    else:
        text.append(
            "The estimates and intervals hold if its pixels were drawn at random, each class of the map by itself "
            "(stratified random) or over the whole map; not if places were chosen because they are easy to label."
        )
    if estimates.left_out:
        names = ", ".join(classes[i].name for i in estimates.left_out)
        text.append(f"They are about the map without {names}, which has fewer than two reference pixels.")
    return " ".join(text)


def polygon_sampling(counts: ClassCounts, classes: Sequence[LandClass], estimates: Estimates | None) -> str:
    """As ``sampling``, for a map whose polygons count, whatever their size."""
    total, compared = counts.mapped.total(), counts.pixels
    share = f"{_number(compared, 'polygons')} of {total} ({100 * compared / total:.3g} %)"
    if estimates is None:
        return f"There are no adjusted estimates: {share} have a reference, fewer than two in each class of the map."
    text = [f"{share} have a reference; the strata are the map's classes, weighted by their numbers of polygons."]
    if compared >= _CENSUS * total:
        text.append("This is a census and no sample: the figures above are the accuracy itself.")
    else:
        text.append(
            "The estimates and intervals hold if these were drawn at random, within each class or over the map."
        )
    if estimates.left_out:
        names = ", ".join(classes[i].name for i in estimates.left_out)
        text.append(f"They are about the map without {names}, which has fewer than two polygons with a reference.")
    return " ".join(text)


def _number(count: int | np.integer, counted: str) -> str:
    return f"{int(count):,} {counted if count != 1 else counted[:-1]}".replace(",", " ")
