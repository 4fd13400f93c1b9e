"""A sentence in plain words about a polygon."""

from __future__ import annotations

from collections.abc import Mapping

from .figures import Sums, largest
from .layers import Layers

_ALL = 0.9  # share of a class, from which on the next one is not named
_WHOLE = 0.995  # share that is mapped, from which on nothing is said about the rest
_NOTHING = 0.0005


def sentence(layers: Layers, sums: Sums | None, size: float, off: Mapping[str, float]) -> str:
    """What the figures say, the main point first.

    Args:
        layers: What was read.
        sums: The polygon's; ``None`` where it lies elsewhere.
        size: Its area in pixels.
        off: By modality, how many standard deviations its reconstruction is off; see ``figures.deviations``.
    """
    share = sums.share_of(size) if sums else 0.0
    if sums is None or share < _NOTHING:
        return "Nothing of it is mapped."
    means = {(band.output, band.name): mean for band, mean in zip(layers.bands, sums.means, strict=True)}
    parts = [_mapped(layers, sums, means), _wrong(layers, means), _off(off)]
    if share < _WHOLE:
        parts.append(f"{'only ' if share >= 0.01 else ''}{_percent(share)} of it is mapped")
    text = "; ".join(part for part in parts if part) or "it is mapped"
    return f"{text[:1].upper()}{text[1:]}."


def _mapped(layers: Layers, sums: Sums, means: dict[tuple[str, str], float]) -> str:
    """“mapped as urban, mostly because of SWIR”; “mapped as urban (62 %) and cropland (30 %); SWIR matters most …”."""
    player = _dominant(layers, sums, means)
    speaks_for = bool(player) and means["attribution", player] > 0
    if sums.classes:
        total = sum(sums.classes.values())
        ranked = sorted(sums.classes, key=lambda value: (-sums.classes[value], value))
        shares = [sums.classes[value] / total for value in ranked]
        text = f"mapped as {layers.class_name(ranked[0])}"
        if shares[0] < _ALL:  # attributions are each pixel's to its own class: no reason for one of them
            text += f" ({_percent(shares[0])}) and {layers.class_name(ranked[1])} ({_percent(shares[1])})"
            return f"{text}; {player} matters most over most of it" if player else text
        against = f"although {player}, which matters most, speaks against it"
        return f"{text}, {f'mostly because of {player}' if speaks_for else against}" if player else text
    number = next((band for band in layers.bands if band.output == "map"), None)
    if number is not None:
        text = f"{_figure(means['map', number.name])}{f' {number.unit}' if number.unit else ''} on average"
        return f"{text}; {player}, which matters most, {'raises' if speaks_for else 'lowers'} it" if player else text
    return f"{player} matters most" if player else ""


def _dominant(layers: Layers, sums: Sums, means: dict[tuple[str, str], float]) -> str:
    """The player that contributes most to what is mapped, over most of the area; empty if that is not known."""
    if not sums.dominant or not layers.attributes_map:
        return ""
    player = dict(enumerate(layers.players, 1)).get(largest(sums.dominant), "")
    return player if ("attribution", player) in means else ""


def _wrong(layers: Layers, means: dict[tuple[str, str], float]) -> str:
    wrong = next((means[b.output, b.name] for b in layers.bands if b.output == "error_probability"), None)
    return "" if wrong is None or wrong != wrong else f"{_percent(wrong)} likely to be wrong"


def _off(off: Mapping[str, float]) -> str:
    """The modality whose reconstruction is off by most."""
    known = {modality: value for modality, value in off.items() if value == value}
    if not known:
        return ""
    worst = max(known, key=lambda modality: known[modality])
    return f"{worst} reconstruction is {known[worst]:.1f} standard deviations off"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share <= 0 else "less than 1 %"


def _figure(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
