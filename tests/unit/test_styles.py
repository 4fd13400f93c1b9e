"""Styles of the outputs: ranges from the card, the same over a batch; QGIS itself reads them in tests/qgis."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from auxlens.engine.jobs import MAP_OUTPUTS
from auxlens.engine.mapping.styles import player_classes, qml, scale
from auxlens.engine.palettes import BLUE_WHITE_RED, PLAYER_COLORS, Scale
from auxlens.engine.qml import pseudocolor
from auxlens.models.card import Card, LandClass, MainTask, Modality, Player

S1 = Modality("s1", ("VV", "VH"), (-11.0, -17.0), (4.0, 5.0), unit="dB")
NDVI = Modality("ndvi", ("NDVI",), (0.5,), (0.0,))
RGB = Modality("plane", ("B2", "B3", "B4", "B8"), (10.0, 20.0, 30.0, 40.0), (1.0, 2.0, 3.0, 4.0))
CLASSES = (LandClass(1, "water & ice", "#2b6ca3"), LandClass(200, "forest <old>", "#1f5c3a"))


@pytest.fixture
def card() -> Card:
    return Card(
        name="m",
        created="",
        plugin_version="0",
        inputs=(),
        auxiliary=(S1, NDVI),
        main=MainTask("segmentation", "cover", CLASSES),
        network={},
        tile_px=256,
        margin_px=32,
        training={"auxiliary_rmse": {"s1:VV": 1.5}},
    )


@pytest.fixture
def regression(card: Card) -> Card:
    return replace(card, main=MainTask("regression", "height", unit="m", mean=12.0, std=4.0))


def renderer(text: str) -> ElementTree.Element:
    found = ElementTree.fromstring(text).find("pipe/rasterrenderer")
    assert found is not None
    return found


def ramp(text: str) -> list[tuple[float, str, str]]:
    return [(float(i.get("value")), i.get("color"), i.get("label")) for i in renderer(text).iter("item")]


def test_map_is_paletted_with_values_names_and_colours_of_the_card(card: Card) -> None:
    found = renderer(qml("map", card, ("cover",)))
    assert found.get("type") == "paletted"
    entries = [(int(e.get("value")), e.get("label"), e.get("color")) for e in found.iter("paletteEntry")]
    assert entries == [(c.value, c.name, c.color) for c in CLASSES]


def test_main_error_is_right_or_wrong(card: Card) -> None:
    entries = list(renderer(qml("main_error", card, ("main error",))).iter("paletteEntry"))
    assert [e.get("value") for e in entries] == ["0", "1"]
    assert entries[0].get("color") != entries[1].get("color")


@pytest.mark.parametrize("kind", ["probability", "uncertainty", "error_probability"])
def test_probabilities_run_from_0_to_1(card: Card, kind: str) -> None:
    items = ramp(qml(kind, card, ("water", "forest")))
    assert (items[0][0], items[-1][0]) == (0.0, 1.0)
    assert len({color for _, color, _ in items}) == len(items)


def test_errors_use_the_measured_rmse_of_their_band_and_its_unit(card: Card) -> None:
    signed = ramp(qml("reconstruction_error", card, ("s1:VV", "s1:VH", "ndvi:NDVI")))
    assert (signed[0][0], signed[-1][0], signed[len(signed) // 2][0]) == (-3.0, 3.0, 0.0)
    assert signed[0][2] == "−3 dB"
    expected = ramp(qml("expected_error", card, ("s1:VV", "s1:VH", "ndvi:NDVI")))
    assert (expected[0][0], expected[-1][0]) == (0.0, 3.0)


def test_errors_without_a_measured_rmse_fall_back_on_the_spread(card: Card) -> None:
    assert scale("expected_error", card, "s1:VH").high == 10.0
    assert scale("reconstruction_error", card, "ndvi:NDVI").high == 2.0, "a constant band still has a range"


def test_reconstruction_of_few_bands_is_one_band_in_physical_units(card: Card) -> None:
    found = qml("reconstruction", card, ("s1:VV", "s1:VH", "ndvi:NDVI"))
    assert renderer(found).get("type") == "singlebandpseudocolor"
    assert (ramp(found)[0][0], ramp(found)[-1][0]) == (-19.0, -3.0)
    assert "dB" in ramp(found)[0][2]


def test_reconstruction_of_many_bands_is_in_natural_colour(card: Card) -> None:
    many = replace(card, auxiliary=(RGB, S1))
    found = renderer(qml("reconstruction", many, RGB.band_names + S1.band_names))
    assert found.get("type") == "multibandcolor"
    assert [found.get(f"{c}Band") for c in ("red", "green", "blue")] == ["3", "2", "1"]
    assert (found.findtext("redContrastEnhancement/minValue"), found.findtext("redContrastEnhancement/maxValue")) == (
        "24",
        "36",
    )


def test_regression_has_units_and_a_symmetric_error(regression: Card) -> None:
    items = ramp(qml("map", regression, ("height",)))
    assert (items[0][0], items[-1][0], items[-1][2]) == (4.0, 20.0, "20 m")
    error = ramp(qml("main_error", regression, ("main error",)))
    assert error[0][0] == -error[-1][0]
    assert ramp(qml("uncertainty", regression, ("scale",)))[0][0] == 0.0


@pytest.mark.parametrize("kind", MAP_OUTPUTS)
def test_every_output_has_a_fixed_range_and_transparent_nodata(card: Card, kind: str) -> None:
    found = renderer(qml(kind, card, ("s1:VV",)))
    assert found.findtext("minMaxOrigin/limits") == "None"
    assert found.get("nodataColor") == ""


def test_attributions_show_the_dominant_player_and_are_even_about_zero(card: Card) -> None:
    players = (Player("visible", ("s2:B2", "s2:B3")), Player("infrared", ("s2:B8",)))
    card = replace(card, players=players, training={"attribution": {"reach": 2.5}})
    found = renderer(qml("attribution", card, ("visible", "infrared", "dominant player")))
    assert (found.get("type"), found.get("band")) == ("paletted", "3")
    entries = [(e.get("value"), e.get("label")) for e in found.iter("paletteEntry")]
    assert entries == [("1", "visible"), ("2", "infrared")]
    shown = scale("attribution", card, "visible")
    assert (shown.low, shown.high, shown.ramp) == (-2.5, 2.5, BLUE_WHITE_RED)
    assert len(set(PLAYER_COLORS)) == 16


def test_every_player_has_a_colour() -> None:
    found = player_classes([Player(f"B{number}", (f"s2:B{number}",)) for number in range(1, 19)])
    assert [c.value for c in found] == list(range(1, 19))
    assert [c.color for c in found[16:]] == list(PLAYER_COLORS[:2])


def test_an_unknown_output_is_a_bug(card: Card) -> None:
    with pytest.raises(ValueError, match="altitude"):
        qml("altitude", card, ("a",))


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [(0.0, 1000.0, ["0", "1\u202f000"]), (-264.4, 264.4, ["−264", "264"]), (0.0, 0.07, ["0", "0.07"])],
)
def test_legends_show_plain_numbers(low: float, high: float, labels: list[str]) -> None:
    legend = pseudocolor(Scale(low, high, BLUE_WHITE_RED, "m")).find("rastershader/colorrampshader/rampLegendSettings")
    assert legend is not None
    assert [legend.get("minimumLabel"), legend.get("maximumLabel")] == labels
    assert legend.get("suffix") == " m"
