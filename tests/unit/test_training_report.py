"""The training report: the figures that went in stand in the page, and nothing in it is run."""

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
from PIL import Image

from auxlens.engine.executors import train_examples as training_examples
from auxlens.engine.jobs import JobError
from auxlens.engine.reports.figures import class_colours
from auxlens.engine.reports.training import Example, TrainingReport, render_training_report, write_training_report
from auxlens.engine.scene.window import Window
from auxlens.engine.training.objects import SceneObject
from auxlens.models.card import Card, ErrorModel, LandClass, MainTask, Modality

CLASSES = (LandClass(1, "water", "#2b6ca3"), LandClass(4, "<script>alert(1)</script>", "#1f5c3a"))
S1 = Modality("s1", ("VV", "VH"), (-11.0, -17.0), (4.0, 5.0), unit="dB")
S2 = Modality("s2", ("B4", "B3"), (0.1, 0.1), (0.1, 0.1))
CARD = Card(
    name="Lakes & <forests>",
    created="2025-06-01",
    plugin_version="0.1.0",
    inputs=(S2,),
    auxiliary=(S1,),
    main=MainTask("segmentation", "land cover", CLASSES),
    network={},
    tile_px=256,
    margin_px=32,
    training={"seed": 7, "scenes": [{"name": "scene_01", "sha256": "ab12"}, {"name": "scene_02", "sha256": "cd34"}]},
)


def example(seed: int = 0, bands: int = 2) -> Example:
    rng = np.random.default_rng(seed)
    reference = rng.choice([1.0, 4.0], (32, 48))
    reference[:4] = np.nan
    vv = rng.normal(-11.0, 4.0, (32, 48))
    auxiliary = [(f"s1:{band}", "dB", vv, vv + 1.0, np.ones_like(vv)) for band in ("VV", "VH")[:bands]]
    return Example(
        f"scene_01 & {seed}", rng.random((32, 48, 3)), reference, rng.choice([1.0, 4.0], (32, 48)), auxiliary
    )


def report(card: Card = CARD) -> TrainingReport:
    history = [
        {"epoch": float(e), "train_loss": 1.0 / e, "val_loss": 1.2 / e, "score": 1.0 - 1.0 / e, "seconds": 2.0 * e}
        for e in range(1, 6)
    ]
    figures = {"validation": {"accuracy": 0.93, "kappa": math.nan}, "test": {"accuracy": 0.9127, "rmse_dB": -1.5}}
    return TrainingReport(card, history, np.array([[80, 20], [5, 12_345]]), figures, [example(0), example(1)])


@pytest.fixture(scope="module")
def page() -> str:
    return render_training_report(report())


class Tables(HTMLParser):
    """Rows of text of every table, and the names of every tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[-1][-1][-1] += data.strip() + (" " if data.strip() else "")


def pictures(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def rows(page: str, table: int) -> list[list[str]]:
    return [[cell.strip() for cell in row] for row in Tables(page).tables[table]]


def test_figures_of_validation_and_test_stand_side_by_side(page: str) -> None:
    assert rows(page, 0) == [
        ["", "validation", "test"],
        ["accuracy", "0.930", "0.913"],
        ["kappa", "–", "–"],
        ["RMSE dB", "–", "−1.500"],
    ]


def test_confusion_has_labelled_axes_counts_and_shares(page: str) -> None:
    table = rows(page, 1)
    assert table[0] == ["", "map"]
    assert table[1] == ["reference", "water", "<script>alert(1)</script>"]
    assert table[2] == ["water", "80 80.0 %", "20 20.0 %"]
    assert table[3][2] == "12 345 100.0 %"


def test_accuracies_by_class_are_those_of_the_confusion(page: str) -> None:
    table = rows(page, 2)
    user, producer = 80 / 85, 80 / 100
    f1, iou = 2 * user * producer / (user + producer), 80 / 105
    assert table[1] == ["water", "100", *(f"{v:.3f}" for v in (user, producer, f1, iou))]


def test_a_class_that_never_occurs_has_no_accuracy() -> None:
    page = render_training_report(replace(report(), confusion=np.array([[5, 0], [0, 0]]), examples=[]))
    assert rows(page, 2)[2][2:] == ["–"] * 4


def test_nothing_runs_and_names_are_text(page: str) -> None:
    found = Tables(page)
    assert "script" not in found.tags
    assert not {name for name in found.attributes if name.startswith("on")}
    assert "Lakes &amp; &lt;forests&gt;" in page
    assert "http" not in re.sub(r"data:[^\"]+", "", page), "the page asks nothing of the network"


def test_examples_show_every_panel(page: str) -> None:
    made = pictures(page)
    assert len(made) == 2
    few = pictures(render_training_report(replace(report(), examples=[example(0, bands=0)])))
    assert made[0].height > 2 * few[0].height, "a line an auxiliary band"
    assert np.asarray(made[0].convert("L")).std() > 10


def test_examples_are_the_largest_objects_of_different_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each number is one of its own: thousands of them are not compared with each other."""
    objects = [SceneObject(0, n, Window(0, 0, 1 + n % 997, 10), float(n // 2)) for n in range(3000)]
    compared = []
    monkeypatch.setattr(SceneObject, "__eq__", lambda one, other: compared.append(one) or one is other)
    assert [o.number for o in training_examples._different(objects)] == [996, 1993, 2990, 995]
    same_class = [replace(o, value=float(o.number % 2)) for o in objects]
    assert [o.number for o in training_examples._different(same_class)] == [996, 1993]
    assert not compared


def test_manifest_lists_scenes_and_seed(page: str) -> None:
    lines = dict(rows(page, 3))
    assert lines["seed"] == "7"
    assert lines["scenes › 2 › sha256"] == "cd34"


def test_a_regression_has_no_confusion_but_maps_with_units() -> None:
    card = replace(CARD, main=MainTask("regression", "canopy height", unit="m", mean=2.0, std=1.0), auxiliary=())
    page = render_training_report(replace(report(card), confusion=None, examples=[example(0, bands=0)]))
    assert "Confusion" not in page
    assert "regression, m" in page
    assert len(pictures(page)) == 1


def test_learning_says_how_long_it_took(page: str) -> None:
    assert "5 epochs, 10 s." in page


def test_an_empty_report_still_renders() -> None:
    page = render_training_report(TrainingReport(replace(CARD, training={}), [], None, {}, []))
    assert "Lakes" in page
    assert "empty" in page


def test_error_probability_is_judged_by_form() -> None:
    forms = {
        form: ErrorModel(("entropy",), (0.0,), (1.0,), (1.0,), 0.0, figures={"auroc": auroc})
        for form, auroc in (("expected", 0.81), ("observed", 0.87))
    }
    page = render_training_report(replace(report(replace(CARD, error_models=forms)), examples=[]))
    assert rows(page, 1) == [["", "expected", "observed"], ["AUROC", "0.810", "0.870"]]


def test_the_file_appears_whole_and_twice_the_same(tmp_path: Path) -> None:
    small = replace(report(), examples=[example(0, bands=1)])
    for name in ("a.html", "b.html"):
        write_training_report(tmp_path / "new" / name, small)
    assert (tmp_path / "new" / "a.html").read_bytes() == (tmp_path / "new" / "b.html").read_bytes()
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["a.html", "b.html"]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(JobError, match="cannot be written"):
        write_training_report(tmp_path / "file" / "report.html", replace(report(), examples=[]))


def test_class_colours_leave_out_what_is_no_class() -> None:
    coloured = class_colours(np.array([[1.0, 9.0, np.nan]]), CLASSES)
    np.testing.assert_allclose(coloured[0, 0] * 255, [0x2B, 0x6C, 0xA3])
    np.testing.assert_array_equal(coloured[0, 1], coloured[0, 2])
