"""The sheets of the auxiliary modalities: reconstruction, reference, their difference, expected error."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from qgis.core import QgsRasterLayer

from ...engine.palettes import colour_bands
from ..cards import units_of
from ..charts import AGAINST, FOR, Chart, Line, spectrum
from ..pictures import band_layer, coloured, legend
from ..pixels import box_in, sample, stretch
from ..scenes import reference_layer
from ..words import figure, tr
from .sheets import MapPicture, Sheet
from .subject import Subject
from .tables import Table

_FEW_BANDS = 3  # whose figures the table says alone
_DEVIATIONS = 2.0  # a single band is shown this many standard deviations about its mean


def modality_sheets(subject: Subject) -> List[Sheet]:
    """Each auxiliary modality: reconstruction beside the reference and their difference, or the expected error."""
    scene = subject.scene
    found, first = [], 0
    for name, bands in scene.modalities().items():
        found.append(_modality_sheet(subject, name, bands, first))
        first += len(bands)
    if not found:
        subject.leave_out(tr("auxiliary modalities"), tr("there is no layer “reconstruction” or of its errors"))
    return found


def _modality_sheet(subject: Subject, name: str, bands: Sequence[str], first: int) -> Sheet:
    scene, figures, unit = subject.scene, subject.figures, units_of(subject.card).get(name, "")
    full, number = f"{name}:{bands[0]}", first + 1
    maps = _reconstruction_maps(subject, name, bands, first, unit)
    for output, caption, signed in (
        ("reconstruction_error", tr("Reconstruction error of {} (reconstruction − reference)"), True),
        ("expected_error", tr("Expected error of {} (needs no reference)"), False),
    ):
        if output in scene.layers and figures.moments[output][full].count:
            reach = _DEVIATIONS * figures.moments[output][full].rms or 1.0
            layer = band_layer(scene.layers[output], number, -reach if signed else 0.0, reach, unit)
            maps[output] = MapPicture([layer], caption.format(bands[0]), legend(layer))
    charts = {"bands_chart": _band_chart(subject, name, bands)} if len(bands) > _FEW_BANDS else {}
    caption = tr("What the network says this modality looks like, judging by the inputs alone.")
    if "reference" not in maps and "reconstruction_error" not in maps:
        caption += " " + tr("It was not given when the scene was mapped, so its error is the expected one.")
    heading = tr("Auxiliary modality: {}").format(name)
    slots = {f"map_{at}": picture for at, picture in enumerate(maps.values(), 1)}
    return Sheet(
        "modality", heading, {"caption": caption}, slots, charts, {"bands": _band_table(subject, name, bands, unit)}
    )


def _reconstruction_maps(
    subject: Subject, name: str, bands: Sequence[str], first: int, unit: str
) -> Dict[str, MapPicture]:
    """Reconstruction and, where it was given, reference: alike in three bands as colours, of fewer in the first."""
    layer = subject.scene.layers.get("reconstruction")
    if layer is None:
        return {}
    chosen = colour_bands(bands) or [1]
    rasters, numbers = [layer], [[first + at for at in chosen]]
    measured = _measured(subject, name)
    if measured is not None:
        rasters.append(measured[0])
        numbers.append([measured[1][bands[at - 1]] for at in chosen])
    if len(chosen) == 1:
        low, high = _range(subject, f"{name}:{bands[0]}")
        shown = [band_layer(raster, own[0], low, high, unit, layer) for raster, own in zip(rasters, numbers)]
    else:
        boxes = [box_in(layer, raster) for raster in rasters]
        taken = [[sample(r, number, box) for number in own] for r, own, box in zip(rasters, numbers, boxes)]
        ends = [stretch(np.concatenate(of_band)) for of_band in zip(*taken)]
        shown = [coloured(raster, own, ends) for raster, own in zip(rasters, numbers)]
    words = ", ".join(bands[at - 1] for at in chosen) + (f" ({unit})" if unit and len(chosen) == 1 else "")
    captions = (tr("Reconstruction of {}").format(words), tr("Reference: {} as measured").format(words))
    pictures = [MapPicture([one], caption, legend(one), layer) for one, caption in zip(shown, captions)]
    return dict(zip(("reconstruction", "reference"), pictures))


def _measured(subject: Subject, name: str) -> Optional[Tuple[QgsRasterLayer, Dict[str, int]]]:
    """The measured raster of a modality and the numbers of its bands, where it has a value on the scene."""
    measured = reference_layer(subject.scene, name)
    if measured is None:
        return None
    layer, numbers = measured
    if len(sample(layer, next(iter(numbers.values())), box_in(subject.scene.any_layer, layer), 128)):
        return measured
    subject.leave_out(tr("the reference of {}").format(name), tr("it has no value on the scene"))
    return None


def _range(subject: Subject, band: str) -> Tuple[float, float]:
    """Between which values a reconstructed band is shown: by the card, as in the styles; without one by the scene."""
    moments = subject.figures.moments["reconstruction"][band]
    mean, std = moments.mean, moments.std
    for modality in subject.card.auxiliary if subject.card else ():
        if band in modality.band_names:
            at = modality.band_names.index(band)
            mean, std = modality.mean[at], modality.std[at]
    return mean - _DEVIATIONS * (std or 0.5), mean + _DEVIATIONS * (std or 0.5)


def _band_table(subject: Subject, name: str, bands: Sequence[str], unit: str) -> Table:
    moments = subject.figures.moments
    columns = [
        ("reconstruction", tr("mean"), lambda m: m.mean),
        ("reconstruction_error", tr("bias"), lambda m: m.mean),
        ("reconstruction_error", tr("RMSE"), lambda m: m.rms),
        ("expected_error", tr("expected error"), lambda m: m.mean),
    ]
    used = [column for column in columns if column[0] in moments]
    shown = bands if len(bands) <= 8 else [*bands[:7], "…"]
    rows = [
        (
            band,
            *(figure(take(moments[output][f"{name}:{band}"]), unit) if band != "…" else "" for output, _, take in used),
        )
        for band in shown
    ]
    return Table((tr("band"), *(label for _, label, _ in used)), tuple(rows))


def _band_chart(subject: Subject, name: str, bands: Sequence[str]) -> Chart:
    moments = subject.figures.moments

    def over(output: str, take: Any) -> Any:
        return np.array([take(moments[output][f"{name}:{band}"]) for band in bands])

    lines = []
    if "reconstruction_error" in moments:
        lines.append(Line(tr("RMSE"), over("reconstruction_error", lambda m: m.rms), AGAINST))
    if "expected_error" in moments:
        lines.append(Line(tr("mean expected error"), over("expected_error", lambda m: m.mean), FOR))
    if not lines:
        lines.append(Line(tr("mean"), over("reconstruction", lambda m: m.mean), FOR))
    return spectrum(lines, bands, units_of(subject.card).get(name, ""), tr("By band"))
