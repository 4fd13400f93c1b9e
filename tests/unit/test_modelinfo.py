"""The model page: what the card says stands in it, and the training scenes are drawn where they lie."""

from __future__ import annotations

import base64
import io
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from PIL import Image
from pyproj import Transformer
from rasterio.crs import CRS

from auxlens.engine.executors.modelinfo import run
from auxlens.engine.jobs import MAP_OUTPUTS, JobError, ModelFileError, ModelInfoJob
from auxlens.engine.reports.model import MEANING, render_model_page
from auxlens.engine.reports.places import Place, draw_places
from auxlens.engine.scene.grid import Grid
from auxlens.engine.scene.hashing import sha256
from auxlens.engine.training.manifest import geographic_bounds
from auxlens.models import file
from auxlens.models.card import Card, ErrorModel, Intervals, LandClass, MainTask, Modality, Player, read_card

PLAYERS = (Player("visible", ("s2:B4",)), Player("<nir>", ("s2:B3",)))
HERE = [-3.61, 52.1, -3.4, 52.25]
CARD = Card(
    name="Coast & <hills>",
    created="2026-05-01",
    plugin_version="0.1.0",
    inputs=(Modality("s2", ("B4", "B3"), (411.5, 649.0), (221.4, 267.1), dtype="uint16", nodata=0.0, gsd_m=10.0),),
    auxiliary=(Modality("s1", ("VV",), (-10.4,), (4.0,), unit="dB", pattern="s1=*_s1.tif"),),
    main=MainTask("segmentation", "cover", (LandClass(3, "sea", "#0072b2"), LandClass(9, "<b>hill</b>", "#999999"))),
    network={},
    tile_px=512,
    margin_px=44,
    error_models={"expected": ErrorModel(("entropy",), (0.0,), (1.0,), (1.0,), 0.0, figures={"auroc": 0.8125})},
    training={
        "seed": 7,
        "figures": {"validation": {"kappa": 0.71, "overall_accuracy": 0.9}, "test": {"overall_accuracy": 0.8375}},
        "auxiliary_rmse": {"s1:VV": 3.0},
        "scenes": [
            {"name": "north", "bounds": HERE, "blocks": {"test": 3, "train": 12}, "sha256": {"a.tif": "00"}},
            {"name": "south", "bounds": [-3.6, 51.0, -3.4, 51.2], "blocks": {"train": 5}, "sha256": {}},
            {"name": "nowhere", "bounds": None, "blocks": {"validation": 2}, "sha256": {}},
        ],
    },
)


class Checker(HTMLParser):
    """Counts tags, and remembers those that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("</style>")[2]))


def picture(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.partition("base64,")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def near(image: np.ndarray, color: str) -> np.ndarray:
    wanted = np.array(list(bytes.fromhex(color.lstrip("#"))))
    return np.abs(image - wanted).sum(axis=2) < 30


def test_the_page_says_what_the_card_says():
    page = render_model_page(CARD, {"File": "x.safetensors"})
    checker = Checker()
    checker.feed(page)
    assert checker.open == [] and checker.count["img"] == 1 and "script" not in checker.count
    text = text_of(page)
    for word in ("Coast &amp; &lt;hills&gt;", "x.safetensors", "s2:B4", "s2:B3", "s1:VV", "dB", "uint16", "10 m",
                 "411.500", "sea (3)", "&lt;b&gt;hill&lt;/b&gt; (9)", "0.838", "0.710", "0.812"):  # fmt: skip
        assert word in text, word
    assert "3.000 4.000 75 %" in text  # RMSE beside the band's spread
    assert "1 · north 12 training, 3 test −3.6100° 52.1000° −3.4000° 52.2500° 1" in text
    assert "1 of 3 scenes have no CRS" in text
    assert text.index("overall accuracy on test") < text.index("What it needs")


def test_every_layer_of_map_is_explained():
    assert set(MAP_OUTPUTS) <= set(MEANING)
    text = text_of(render_model_page(replace(CARD, players=PLAYERS), {}))
    assert "not with this model" not in text
    alone = replace(CARD, auxiliary=(), error_models={}, strategy="single")
    text = text_of(render_model_page(alone, {}))
    assert text.count("not with this model") == 5  # three of auxiliary tasks, error probability and attribution
    assert "no calibrated error probability" in text and "Reconstructions" not in text


def test_older_and_unfinished_cards_still_make_a_page():
    scenes = [{"name": "old", "blocks": {"train": 1}, "sha256": {"a.tif": "00"}}]
    text = text_of(render_model_page(replace(CARD, training={"scenes": scenes}), {}))
    assert "before cards said so" in text and "1 · old" in text and "holds no figures" in text
    text = text_of(render_model_page(replace(CARD, training={}), {}))
    assert "names no scenes" in text


def test_players_are_named():
    text = text_of(render_model_page(replace(CARD, players=PLAYERS), {}))
    assert "2 players, groups of input bands: visible (s2:B4); &lt;nir&gt; (s2:B3)." in text
    text = text_of(render_model_page(replace(CARD, players=(), patch_px=8), {}))
    assert "image patches of 8 × 8 pixels" in text and "groups of input bands:" not in text
    assert "groups of input bands:" not in text_of(render_model_page(CARD, {}))


def test_regressions_say_their_unit():
    card = replace(CARD, main=MainTask("regression", "height", unit="m", mean=12.5, std=4.0), error_models={})
    text = text_of(render_model_page(card, {}))
    assert "height in m; in the training references 12.500 on average" in text
    assert "exists for classes only" in text and "Intervals" not in text


def test_intervals_say_their_factor_and_what_they_held():
    held = Intervals((0.5, 0.9), (0.75, 2.5), 1.25, (0.484, 0.9126), {"mae": 3.5, "expected_mae": 3.25, "pixels": 9.0})
    card = replace(CARD, main=MainTask("regression", "height", unit="m"), error_models={}, intervals=held)
    text = text_of(render_model_page(card, {}))
    assert "50 % 0.750 48.4 % 90 % 2.500 91.3 %" in text
    assert "1.250 × uncertainty; on test 3.250 m were expected on average and 3.500 m found." in text
    text = text_of(render_model_page(replace(card, intervals=replace(held, coverage=(), figures={})), {}))
    assert "50 % 0.750 – 90 % 2.500 –" in text and "found." not in text


def test_places_are_drawn_where_they_lie():
    red, green = "#ff0000", "#00ff00"
    places = [Place("1", (9.0, 40.0, 10.0, 41.0), "a", red), Place("2", (12.0, 40.0, 13.0, 41.0), "b", green)]
    image = picture(draw_places(places))
    middle = int(image.shape[1] * 0.6)
    for half in (image[:, :middle], image[:, middle:]):  # the world, and the places at their own scale
        cols = [np.nonzero(near(half, color))[1] for color in (red, green)]
        assert len(cols[0]) and len(cols[1]) and cols[0].mean() < cols[1].mean()
    sizes = [near(image[:, middle:], color).sum() for color in (red, green)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.15)  # frames of one size


def test_places_across_the_date_line_are_one_piece():
    image = picture(draw_places([Place("1", (179.5, -17.0, -179.5, -16.0), "a", "#ff0000")]))
    half = near(image[:, int(image.shape[1] * 0.6) :], "#ff0000")
    rows, cols = np.nonzero(half)
    assert np.ptp(cols) == pytest.approx(np.ptp(rows), rel=0.15)  # a square on the ground, and not a belt around it


def test_bounds_are_geographic():
    grid = Grid(CRS.from_epsg(32632), Affine(10, 0, 600_000, 0, -10, 5_300_000), 100, 200)
    west, south, east, north = geographic_bounds(grid)
    transformer = Transformer.from_crs(32632, 4326, always_xy=True)
    corners = [transformer.transform(x, y) for x in (600_000, 602_000) for y in (5_299_000, 5_300_000)]
    assert west == pytest.approx(min(x for x, _ in corners), abs=1e-5)
    assert north == pytest.approx(max(y for _, y in corners), abs=1e-5)
    assert west < east and south < north
    plain = Grid(CRS.from_epsg(4326), Affine(0.5, 0, 7, 0, -0.5, 50), 2, 2)
    assert geographic_bounds(plain) == [7, 49, 8, 50]
    assert geographic_bounds(replace(plain, crs=None)) is None
    local = CRS.from_string('LOCAL_CS["plane",UNIT["metre",1]]')
    assert geographic_bounds(replace(grid, crs=local)) is None


def test_the_job_writes_the_page(untrained, quiet, tmp_path: Path):
    model = untrained()
    report = tmp_path / "page.html"
    result = run(ModelInfoJob(model, str(report)), quiet())
    assert result["outputs"] == {"report": str(report)} and result["figures"]["scenes"] == 0
    text = text_of(report.read_text(encoding="utf-8"))
    assert sha256(model) in text and Path(model).name in text
    assert all(band in text for band in read_card(model).input_bands)


def test_the_job_says_figures_of_test(untrained, quiet, tmp_path: Path):
    network, card = file.load(untrained())
    model = str(tmp_path / "measured.safetensors")
    file.save(model, network, replace(card, training={"figures": {"test": {"kappa": 0.5}}, "scenes": [{}, {}]}))
    figures = run(ModelInfoJob(model, str(tmp_path / "page.html")), quiet())["figures"]
    assert figures == {"kappa": 0.5, "scenes": 2} and math.isfinite(figures["kappa"])


def test_bad_input(untrained, quiet, tmp_path: Path):
    model = untrained()
    with pytest.raises(JobError, match="No output is asked for; give a page"):
        run(ModelInfoJob(model, ""), quiet())
    with pytest.raises(JobError, match="path of an input"):
        run(ModelInfoJob(model, model), quiet())
    with pytest.raises(ModelFileError, match="does not exist"):
        run(ModelInfoJob(str(tmp_path / "none.safetensors"), str(tmp_path / "page.html")), quiet())
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match="cannot be written"):
        run(ModelInfoJob(model, str(tmp_path / "file" / "page.html")), quiet())
    assert not list(tmp_path.glob("*.html"))
