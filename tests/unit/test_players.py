"""Players: sensible groups by default, the user's own where given, and every mistake in one sentence."""

from __future__ import annotations

import pytest

from auxlens.engine.training.players import players_of
from auxlens.models.card import Player
from auxlens.models.errors import JobError

S2 = {"s2": ("B2", "B3", "B8")}


def groups(text, inputs):
    return {player.name: player.bands for player in players_of(text, inputs)}


def test_spectral_regions_of_sentinel_2():
    bands = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
    assert groups("", {"s2": bands}) == {
        "aerosol": ("s2:B1", "s2:B9", "s2:B10"),
        "visible": ("s2:B2", "s2:B3", "s2:B4"),
        "red edge": ("s2:B5", "s2:B6", "s2:B7", "s2:B8A"),
        "near infrared": ("s2:B8",),
        "shortwave infrared": ("s2:B11", "s2:B12"),
    }
    assert list(groups("", {"s2": ("B02", "B08")})) == ["visible", "near infrared"]


def test_regions_by_date():
    found = groups("", {"s2": ("before_B11", "before_B8", "after_B11", "after_B8")})
    assert list(found) == [
        "before shortwave infrared", "before near infrared", "after shortwave infrared", "after near infrared",
    ]  # fmt: skip


def test_several_modalities():
    found = groups("", {"s2": ("B3", "B8"), "dem": ("elevation",)})
    assert list(found) == ["s2 visible", "s2 near infrared", "dem"]
    assert found["dem"] == ("dem:elevation",)


def test_bands_without_a_region():
    assert list(groups("", {"rgb": ("red", "green", "blue")})) == ["red", "green", "blue"]
    assert list(groups("", {"s2": ("B2", "B3", "B4")})) == ["B2", "B3", "B4"]  # one region: its bands
    many = players_of("", {"h": tuple(f"n{i}" for i in range(369))})
    assert len(many) == 8 and sum(len(p.bands) for p in many) == 369 and many[0].name == "n0 to n45"


def test_no_players():
    assert players_of("", {"pan": ("grey",)}) == ()
    assert players_of(" None ", S2) == ()


def test_own_players():
    players = players_of("visible = B3, s2:B2\ninfrared = B8", S2)
    assert players == (Player("visible", ("s2:B3", "s2:B2")), Player("infrared", ("s2:B8",)))
    assert players == players_of("visible=b3,B02;infrared=S2:B08", S2)
    assert [player.indices(("s2:B2", "s2:B3", "s2:B8")) for player in players] == [(0, 1), (2,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=B2;b=B2,B3,B8", "The band “B2” is in more than one player"),
        ("a=B2;b=s2:B2,B3,B8", "The band “s2:B2” is in more than one player"),
        ("a=B2;b=B9", "“B9”, which is no input band; those are s2:B2, s2:B3, s2:B8"),
        ("a=B2;b=B3", "No player has the bands s2:B8; give each"),
        ("a=B2,B3,B8", "1 player.s. are given; attributions need 2 to 16"),
        (";".join(f"p{i}=B{i}" for i in range(17)), "17 player.s. are given"),
        ("a=B2;a=B3", "The player “a” is given twice"),
        ("B2,B3;b=B8", "not of the form player=band,band"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(JobError, match=message):
        players_of(text, S2)


def test_an_ambiguous_band():
    with pytest.raises(JobError, match="in several modalities; write one of a:x, b:x"):
        players_of("p=x;q=y", {"a": ("x", "y"), "b": ("x",)})
