"""The sheet about why the map says what it says: players, and the attributions of three places."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from qgis.core import QgsPointXY
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP
from qgis.PyQt.QtGui import QColor

from ..charts import AGAINST, FOR, Bar, Chart, bars, player_color, share_bars, side_by_side, stacked, words
from ..pictures import legend, paletted
from ..pixels import centre_of
from ..places import Place, look, players
from ..scenes import MappedScene
from ..words import coordinates, figure, percent, tr
from .drawn import numbered_places
from .sheets import MapPicture, Sheet
from .subject import Subject

PLACES = (
    ("certain", QT_TRANSLATE_NOOP("AuxLens", "Most certain")),
    ("median", QT_TRANSLATE_NOOP("AuxLens", "Median")),
    ("doubtful", QT_TRANSLATE_NOOP("AuxLens", "Most doubtful")),
)

LookedAt = Tuple[str, QgsPointXY, Place]  # heading, where it is, what the layers say there


def why_sheet(subject: Subject) -> Optional[Sheet]:
    """Why the map says what it says: dominant players, and the attributions of three places."""
    scene, figures = subject.scene, subject.figures
    if "attribution" not in scene.layers:
        subject.leave_out(tr("why: attributions"), tr("there is no layer “attribution”"))
        return None
    named = players(scene)
    if not named:
        subject.leave_out(tr("why: attributions"), tr("they are contributions of patches, not of bands"))
        return None
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
    places = three_places(subject)
    charts = {
        "players": stacked(
            [
                (share_bars(shares, tr("Share of the area that each player dominates")), 26 + 20 * len(named)),
                (bars(sizes, title=tr("Mean size of its attribution") + _unit(subject)), 0),
            ]
        ),
        "places": places_chart(places, tr("Attribution") + _unit(subject), subject.unit),
    }
    maps = {"map": dominant_players(scene, [point for _, point, _ in places])}
    return Sheet("why", tr("Why: what the map rests on"), {"caption": _caption(subject)}, maps, charts)


def _caption(subject: Subject) -> str:
    if not subject.classes:
        return tr(
            "A player is a group of input bands. Its attribution is its part in the estimate: positive raises it, "
            "negative lowers it; together with the bias they add up to it."
        )
    one = subject.scene.attributed_class
    return tr(
        "A player is a group of input bands. Its attribution is its part in the score of {}: positive speaks for the "
        "class, negative against it; together with the bias they add up to the score."
    ).format(tr("the class “{}”").format(one) if one else tr("the mapped class"))


def _unit(subject: Subject) -> str:
    """Unit of attributions, in brackets: log-odds of classes, and of a quantity its own."""
    unit = tr("log-odds") if subject.classes else subject.unit
    return f" ({unit})" if unit else ""


def dominant_players(scene: MappedScene, marked: Sequence[QgsPointXY]) -> MapPicture:
    """The attribution's last band, a colour a player, with numbered places on it."""
    layer, named = scene.layers["attribution"], players(scene)
    shown = paletted(layer, layer.bandCount(), [(at + 1, player_color(at), name) for at, name in enumerate(named)])
    above = [numbered_places(marked, layer.crs())] if marked else []
    return MapPicture([*above, shown], tr("Dominant player"), legend(shown))


def three_places(subject: Subject) -> List[LookedAt]:
    """The most certain, the median and the most doubtful place, as far as they are known."""
    found = []
    for key, name in PLACES:
        if key in subject.figures.places:
            row, column = subject.figures.places[key]
            place = look(subject.scene, subject.classes, slice(row, row + 1), slice(column, column + 1))
            found.append((f"{len(found) + 1}  {tr(name)}", centre_of(subject.scene.any_layer, row, column), place))
    return found


def places_chart(found: Sequence[LookedAt], title: str, unit: str) -> Chart:
    """Places side by side: what is mapped, how probable, and what speaks for it, below a title."""
    reach = max((abs(v) for _, _, place in found for _, v in place.attributions if v == v), default=1.0)
    return side_by_side([_place_chart(name, point, place, reach, title, unit) for name, point, place in found])


def _place_chart(name: str, point: QgsPointXY, place: Place, reach: float, title: str, unit: str) -> Chart:
    lines = [(name, True), (coordinates(point.x(), point.y()), False)]
    mapped = place.mapped.name if place.mapped else figure(place.estimate, unit)
    lines.append((tr("mapped as {}").format(mapped), False))
    if "error_probability" in place.values:
        lines.append((tr("error probability {}").format(percent(place.values["error_probability"])), False))
    elif "uncertainty" in place.values:
        lines.append((tr("uncertainty {}").format(figure(place.values["uncertainty"], unit)), False))
    charts = [(words(lines), 17.0 * len(lines) + 6)]
    if place.probabilities:
        top = sorted(place.probabilities, key=lambda pair: -pair[1])[:3]
        shares = [(c.name, QColor(c.color), p) for c, p in top]
        charts.append(
            (bars([Bar(n, p, c, percent(p)) for n, c, p in shares], 1.0, tr("Probability")), 24 + 20.0 * len(top) + 8)
        )
    charts.append((attribution_bars(place, reach, title), 0))
    return stacked(charts)


def attribution_bars(place: Place, reach: float, title: str) -> Chart:
    """The players' attributions at a place, for (blue) and against (orange) what is mapped."""
    items = [Bar(player, v, FOR if v >= 0 else AGAINST, figure(v)) for player, v in place.attributions]
    return bars(items, reach, title)
