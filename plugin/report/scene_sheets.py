"""The sheets of one mapped scene, each made from its layers and figures, or left out with a reason."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from qgis.core import QgsRasterLayer
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP
from qgis.PyQt.QtGui import QColor

from ...models.card import Card, LandClass
from ..cards import card_of, classes_of, units_of
from ..charts import (
    AGAINST,
    FOR,
    QUIET,
    Bar,
    Chart,
    Line,
    bars,
    player_color,
    share_bars,
    side_by_side,
    spectrum,
    stacked,
    words,
)
from ..pictures import band_layer, legend, natural_colour, paletted
from ..pixels import centre_of
from ..places import Place, look, players
from ..scenes import MappedScene, band_names, reference_layer
from ..words import figure, output_words, percent, tr
from .sheets import MapPicture, Sheet
from .statistics import SceneFigures
from .tables import Table

_ROWS_A_PAGE = 24
_LEVELS = ("#fde0c5", "#facba6", "#f59e72", "#e4572e", "#8c1c13")
_DEVIATIONS = 2.0  # a single band is shown this many standard deviations about its mean


@dataclass(frozen=True)
class Subject:
    """A mapped scene with everything that the report says about it."""

    scene: MappedScene
    figures: SceneFigures
    card: Optional[Card]
    classes: Sequence[LandClass]
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    notes: List[str] = field(default_factory=list)

    @property
    def date(self) -> str:
        """When the map was made, by its file."""
        try:
            changed = os.path.getmtime(self.scene.any_layer.source())
        except OSError:
            return ""
        return datetime.fromtimestamp(changed).strftime("%Y-%m-%d")

    def leave_out(self, what: str, why: str) -> None:
        """Remember a page that is left out, for the first page and the log."""
        self.notes.append(tr("Left out: {} ({}).").format(what, why))


def subject_of(scene: MappedScene, figures: SceneFigures, model: str, accuracy: Mapping[str, Any]) -> Subject:
    """Put together what the sheets of a scene need."""
    card, why = card_of(scene, model)
    subject = Subject(scene, figures, card, classes_of(scene, card), accuracy)
    if card is None:
        subject.leave_out(tr("the model's card"), why.rstrip("."))
    return subject


def key_figures(subject: Subject) -> List[Tuple[str, str]]:
    """Up to four figures that sum a scene up: value and what it is."""
    figures, scene = subject.figures, subject.scene
    found = [(figure(figures.area, figures.unit), tr("mapped area"))]
    if figures.levels:
        found.append((percent(figures.mean("error_probability")), tr("expected to be wrong")))
        doubtful = sum(level.area for level in figures.levels if level.low >= 0.5)
        found.append(
            (percent(doubtful / figures.area if figures.area else float("nan")), tr("more likely wrong than right"))
        )
    elif "uncertainty" in scene.layers:
        found.append((figure(figures.mean("uncertainty")), tr("mean uncertainty")))
    if "main_error" in scene.layers:
        error = figures.moments["main_error"]
        first = next(iter(error.values()))
        if subject.classes:
            found.append((percent(first.mean), tr("wrong by the reference")))
        else:
            found.append((figure(first.rms), tr("RMSE by the reference")))
    elif "overall_accuracy" in subject.accuracy.get("overall", {}):
        found.append((percent(subject.accuracy["overall"]["overall_accuracy"]), tr("overall accuracy")))
    return found[:4]


def key_texts(subject: Subject) -> Dict[str, str]:
    """The key figures as texts of ``figure_1`` … ``figure_4`` and ``figure_1_name`` …; empty beyond the last."""
    found = [*key_figures(subject), *[("", "")] * 4][:4]
    texts = {f"figure_{at}": value for at, (value, _) in enumerate(found, 1)}
    return {**texts, **{f"figure_{at}_name": name for at, (_, name) in enumerate(found, 1)}}


def plain_map(scene: MappedScene, output: str, caption: str = "") -> MapPicture:
    """An output in its layer's own style."""
    layer = scene.layers[output]
    return MapPicture([layer], caption or output_words(output), legend(layer))


def title_sheet(subject: Subject, title: str) -> Sheet:
    """Scene, date, model, key figures, and the scene beside its map."""
    scene = subject.scene
    maps = {}
    seen = _input_layer(scene)
    if seen is not None:
        maps["input"] = MapPicture([seen], tr("The scene (first input)"))
    if "map" in scene.layers:
        maps["map"] = plain_map(scene, "map", tr("The map"))
    subtitle = tr("Mapped on {} with the model “{}” (AuxLens {})").format(
        subject.date or "–", scene.tags.model or "–", scene.tags.version or "–"
    )
    texts = {"title": title, "subtitle": subtitle, "notes": "\n".join(subject.notes), **key_texts(subject)}
    charts = {"levels": _level_chart(subject)} if subject.figures.levels else {}
    return Sheet("title", title, texts, maps, charts)


def _input_layer(scene: MappedScene) -> Optional[QgsRasterLayer]:
    """The scene as the network saw it: the first input's raster, or three of a scene of single-band files."""
    for text in scene.tags.job.get("inputs") or ():
        path = text.partition("=")[2] or text
        layer = QgsRasterLayer(path, scene.name) if os.path.exists(path) else None
        if layer is not None and layer.isValid():
            return natural_colour(layer, band_names(layer))
    return None


def map_sheet(subject: Subject) -> Optional[Sheet]:
    """The map on a page of its own."""
    if "map" not in subject.scene.layers:
        subject.leave_out(tr("the map"), tr("there is no layer “map”"))
        return None
    return Sheet("map", tr("Map"), {"caption": subject.scene.name}, {"map": plain_map(subject.scene, "map")})


def areas_sheets(subject: Subject) -> List[Sheet]:
    """Areas by class, with confidence intervals where an assessment gives them."""
    areas, unit = subject.figures.classes, subject.figures.unit
    if not subject.classes or not areas:
        if "map" in subject.scene.layers and not subject.classes:
            subject.leave_out(tr("areas by class"), tr("the map shows a quantity"))
        return []
    estimated = {
        int(row["value"]): (float(row["area"]), float(row["area_ci95"]))
        for row in subject.accuracy.get("classes", [])
        if row.get("area") is not None and row.get("area_ci95") is not None and row.get("area_unit") == unit
    }
    named = {c.value: c for c in subject.classes}
    order = [c.value for c in subject.classes if c.value in areas or c.value in estimated]
    order += sorted((set(areas) | set(estimated)) - set(order))
    rows = [_area_row(v, named, areas, estimated, subject) for v in order]
    headings = [tr("class"), tr("mapped area ({})").format(unit), tr("share")]
    headings += [tr("estimated area ({}), ± 95 %").format(unit)] if estimated else []
    shares = (0.34, 0.2, 0.14, 0.32) if estimated else (0.5, 0.3, 0.2)
    table = Table(tuple(headings), tuple(rows), shares)
    caption = (
        tr("Estimated areas are adjusted for the map's errors (Olofsson et al. 2014); lines are 95 % intervals.")
        if estimated
        else tr("Areas are counted on the map; intervals need an assessment of its accuracy.")
    )
    chart = bars([_area_bar(v, named, areas, estimated, subject) for v in order[:_ROWS_A_PAGE]], most_px=24)
    parts = table.parts(_ROWS_A_PAGE)
    return [
        Sheet(
            "areas",
            tr("Areas by class") + (f" ({at} / {len(parts)})" if len(parts) > 1 else ""),
            {"caption": caption},
            {},
            {"chart": chart} if at == 1 else {},
            {"table": part},
        )
        for at, part in enumerate(parts, 1)
    ]


def _area_row(
    value: int,
    named: Mapping[int, LandClass],
    areas: Mapping[int, float],
    estimated: Mapping[int, Tuple[float, float]],
    subject: Subject,
) -> Tuple[str, ...]:
    row = [named[value].name if value in named else _other_name(value, subject), figure(areas.get(value, 0.0))]
    row.append(percent(areas.get(value, 0.0) / subject.figures.area))
    if estimated:
        area, half = estimated.get(value, (float("nan"),) * 2)
        row.append(f"{figure(area)} ± {figure(half)}" if value in estimated else "–")
    return tuple(row)


def _other_name(value: int, subject: Subject) -> str:
    """A class that only the reference has."""
    row = next((r for r in subject.accuracy.get("classes", []) if r.get("value") == value), {})
    return str(row.get("class", value))


def _area_bar(
    value: int,
    named: Mapping[int, LandClass],
    areas: Mapping[int, float],
    estimated: Mapping[int, Tuple[float, float]],
    subject: Subject,
) -> Bar:
    known = named.get(value)
    area, half = estimated.get(value, (areas.get(value, 0.0), 0.0))
    name, color = (known.name, QColor(known.color)) if known else (_other_name(value, subject), QUIET)
    return Bar(name, area, color, figure(area), half)


def error_sheet(subject: Subject) -> Optional[Sheet]:
    """Where the map is doubtful: error probability, the share of each level, and how it compares with the reference."""
    scene, figures = subject.scene, subject.figures
    if not scene.doubt:
        subject.leave_out(tr("where the map is doubtful"), tr("there is no layer “error probability” or “uncertainty”"))
        return None
    maps = {"map": plain_map(scene, scene.doubt)}
    beside = next((name for name in ("main_error", "uncertainty") if name in scene.layers and name != scene.doubt), "")
    if beside:
        words_ = tr("Main error: where map and reference differ") if beside == "main_error" else ""
        maps["beside"] = plain_map(scene, beside, words_)
    caption = tr("The uncertainty is how evenly the probability is spread over the classes; it is no rate of errors.")
    charts: Dict[str, Chart] = {}
    tables = {}
    if figures.levels:
        charts["levels"] = _level_chart(subject)
        tables["levels_table"] = _level_table(subject)
        caption = tr(
            "The error probability was fitted on held-out references: {} of this map is expected to be wrong."
        ).format(percent(figures.mean("error_probability")))
        if figures.auroc == figures.auroc:
            caption += " " + tr("It ranks wrong above right pixels with an AUROC of {}.").format(figure(figures.auroc))
    return Sheet("error", tr("Where the map is doubtful"), {"caption": caption}, maps, charts, tables)


def _level_name(low: float, high: float) -> str:
    return f"{100 * low:.0f} – {100 * high:.0f} %"


def _level_chart(subject: Subject) -> Chart:
    levels, area = subject.figures.levels, subject.figures.area or 1.0
    shares = [(_level_name(v.low, v.high), QColor(c), v.area / area) for v, c in zip(levels, _LEVELS)]
    return share_bars(shares, tr("Share of the area by error probability"))


def _level_table(subject: Subject) -> Table:
    figures, compared = subject.figures, any(level.compared for level in subject.figures.levels)
    rows = []
    for level in figures.levels:
        row = [_level_name(level.low, level.high), figure(level.area), percent(level.area / (figures.area or 1.0))]
        row.append(percent(level.expected / level.pixels) if level.pixels else "–")
        if compared:
            row.append(percent(level.wrong / level.compared) if level.compared else "–")
        rows.append(tuple(row))
    headings = [tr("error probability"), tr("area ({})").format(figures.unit), tr("share"), tr("expected wrong")]
    return Table(tuple(headings + ([tr("observed wrong")] if compared else [])), tuple(rows))


def why_sheet(subject: Subject) -> Optional[Sheet]:
    """Why the map says what it says: dominant players, and the attributions of three places."""
    scene, figures = subject.scene, subject.figures
    if "attribution" not in scene.layers:
        subject.leave_out(tr("why: attributions"), tr("there is no layer “attribution”"))
        return None
    named = players(scene)
    shares = [
        (name, player_color(at), figures.dominant.get(name, 0.0) / (sum(figures.dominant.values()) or 1.0))
        for at, name in enumerate(named)
    ]
    sizes = [
        Bar(
            name,
            figures.attributed.get(name, float("nan")),
            player_color(at),
            figure(figures.attributed.get(name, float("nan"))),
        )
        for at, name in enumerate(named)
    ]
    charts = {
        "players": stacked(
            [
                (share_bars(shares, tr("Share of the area that each player dominates")), 26 + 20 * len(named)),
                (bars(sizes, title=tr("Mean size of its attribution (log-odds)")), 0),
            ]
        ),
        "places": places_chart(subject),
    }
    caption = tr(
        "A player is a group of input bands. Its attribution is its part in the score of the mapped class: positive "
        "speaks for the class, negative against it; together with the bias they add up to the score."
    )
    return Sheet("why", tr("Why: what the map rests on"), {"caption": caption}, {"map": plain_dominant(scene)}, charts)


def plain_dominant(scene: MappedScene) -> MapPicture:
    """The attribution's last band, a colour a player."""
    layer, named = scene.layers["attribution"], players(scene)
    shown = paletted(layer, layer.bandCount(), [(at + 1, player_color(at), name) for at, name in enumerate(named)])
    return MapPicture([shown], tr("Dominant player"), legend(shown))


PLACES = (
    ("certain", QT_TRANSLATE_NOOP("AuxLens", "Most certain")),
    ("median", QT_TRANSLATE_NOOP("AuxLens", "Median")),
    ("doubtful", QT_TRANSLATE_NOOP("AuxLens", "Most doubtful")),
)


def places_chart(subject: Subject) -> Chart:
    """Three places side by side: what is mapped, how probable, and what speaks for it."""
    found = []
    for key, name in PLACES:
        if key in subject.figures.places:
            row, column = subject.figures.places[key]
            place = look(subject.scene, subject.classes, slice(row, row + 1), slice(column, column + 1))
            found.append((tr(name), centre_of(subject.scene.any_layer, row, column), place))
    reach = max((abs(v) for _, _, place in found for _, v in place.attributions if v == v), default=1.0)
    return side_by_side([_place_chart(name, point, place, reach) for name, point, place in found])


def _place_chart(name: str, point: Any, place: Place, reach: float) -> Chart:
    lines = [(name, True), (f"{point.x():.6g}, {point.y():.7g}", False)]
    mapped = place.mapped.name if place.mapped else figure(place.estimate)
    lines.append((tr("mapped as {}").format(mapped), False))
    if "error_probability" in place.values:
        lines.append((tr("error probability {}").format(percent(place.values["error_probability"])), False))
    elif "uncertainty" in place.values:
        lines.append((tr("uncertainty {}").format(figure(place.values["uncertainty"])), False))
    charts = [(words(lines), 17.0 * len(lines) + 6)]
    if place.probabilities:
        top = sorted(place.probabilities, key=lambda pair: -pair[1])[:3]
        shares = [(c.name, QColor(c.color), p) for c, p in top]
        charts.append(
            (bars([Bar(n, p, c, percent(p)) for n, c, p in shares], 1.0, tr("Probability")), 24 + 20.0 * len(top) + 8)
        )
    charts.append((attribution_bars(place, reach), 0))
    return stacked(charts)


def attribution_bars(place: Place, reach: Optional[float] = None) -> Chart:
    """The players' attributions at a place, for (blue) and against (orange) what is mapped."""
    items = [Bar(player, v, FOR if v >= 0 else AGAINST, figure(v)) for player, v in place.attributions]
    return bars(items, reach, tr("Attribution (log-odds)"))


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
    shown = tr("{} ({})").format(bands[0], unit) if unit else bands[0]
    maps: Dict[str, MapPicture] = {}
    if "reconstruction" in scene.layers:
        low, high = _range(subject, full)
        layer = band_layer(scene.layers["reconstruction"], number, low, high, unit)
        maps["reconstruction"] = MapPicture([layer], tr("Reconstruction of {}").format(shown), legend(layer))
        measured = reference_layer(scene, name)
        if measured is not None:
            reference = band_layer(measured[0], measured[1][bands[0]], low, high, unit)
            reference.setRenderer(_same_colours(layer, reference, measured[1][bands[0]]))
            maps["reference"] = MapPicture(
                [reference], tr("Reference: {} as measured").format(shown), legend(reference)
            )
    for output, caption, signed in (
        ("reconstruction_error", tr("Reconstruction error (reconstruction − reference)"), True),
        ("expected_error", tr("Expected error (needs no reference)"), False),
    ):
        if output in scene.layers:
            reach = _DEVIATIONS * figures.moments[output][full].rms or 1.0
            layer = band_layer(scene.layers[output], number, -reach if signed else 0.0, reach, unit)
            maps[output] = MapPicture([layer], caption, legend(layer))
    charts = {"bands_chart": _band_chart(subject, name, bands)} if len(bands) > 1 else {}
    caption = tr("What the network says this modality looks like, judging by the inputs alone.")
    if "reference" not in maps and "reconstruction_error" not in maps:
        caption += " " + tr("It was not given when the scene was mapped, so its error is the expected one.")
    heading = tr("Auxiliary modality: {}").format(name)
    slots = {f"map_{at}": picture for at, picture in enumerate(maps.values(), 1)}
    return Sheet(
        "modality", heading, {"caption": caption}, slots, charts, {"bands": _band_table(subject, name, bands, unit)}
    )


def _range(subject: Subject, band: str) -> Tuple[float, float]:
    """Between which values a reconstructed band is shown: by the card, as in the styles; without one by the scene."""
    moments = subject.figures.moments["reconstruction"][band]
    mean, std = moments.mean, moments.std
    for modality in subject.card.auxiliary if subject.card else ():
        if band in modality.band_names:
            at = modality.band_names.index(band)
            mean, std = modality.mean[at], modality.std[at]
    return mean - _DEVIATIONS * (std or 0.5), mean + _DEVIATIONS * (std or 0.5)


def _same_colours(source: QgsRasterLayer, layer: QgsRasterLayer, band: int) -> Any:
    renderer = source.renderer().clone()
    renderer.setInput(layer.dataProvider())
    renderer.setBand(band)
    return renderer


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
