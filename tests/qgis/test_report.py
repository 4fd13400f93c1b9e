"""Reports of mapped scenes: pages, notes about what is missing, templates, bad input."""

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayoutItemLabel,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPointXY,
    QgsPrintLayout,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsReadWriteContext,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QRectF, QSize
from qgis.PyQt.QtGui import QColor, QImage, QPainter

from auxlens.engine.jobs import JobError
from auxlens.engine.scene import hashing
from auxlens.models.card import Intervals, MainTask
from auxlens.plugin.charts import Bar, Line, bars, ramp, spectrum, svg, swatches
from auxlens.plugin.report.assessment_sheets import accuracy_sheet, errors_sheets
from auxlens.plugin.report.build import TEMPLATE, Request, compose, write_report
from auxlens.plugin.report.closing_sheets import _pages_of, model_sheets
from auxlens.plugin.report.drawn import numbered_places
from auxlens.plugin.report.fitting import breakable, fit_label, nice_interval, plain
from auxlens.plugin.report.layout import fill, page_kinds, read_template, resize
from auxlens.plugin.report.statistics import measure
from auxlens.plugin.report.tables import as_table, read_accuracy, read_rows
from auxlens.plugin.scenes import mapped_scenes, scenes_in_folder
from auxlens.plugin.words import plus_minus

PAGES = ["title", "map", "areas", "error", "why", "modality", "model", "reproduce"]


@pytest.fixture
def report(run, tmp_path, feedback_type):
    """Runs ``report``; gives what it said, the HTML's text and the PDF's number of pages."""

    def go(**parameters):
        feedback = feedback_type()
        pdf, html = tmp_path / "out" / "r.pdf", tmp_path / "out" / "r.html"
        run("report", feedback, **{"OUTPUT_PDF": str(pdf), "OUTPUT_REPORT": str(html), **parameters})
        pages = len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))
        return feedback.lines, html.read_text(encoding="utf-8"), pages

    return go


def composed(folder, **options):
    scenes, notes = scenes_in_folder(str(folder))
    return compose(Request(scenes, notes, **options), {}, lambda fraction, message: True)


def test_a_whole_scene(report, mapped, tmp_path):
    lines, html, pages = report(SCENES=str(mapped()), TITLE="Fields <of> Öland")
    assert pages == len(PAGES)
    assert "Fields &lt;of&gt; Öland" in html
    assert "forest &lt;&amp;&gt;" in html
    assert not [line for line in lines if "Left out" in line]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["r.html", "r.pdf"]


def test_the_html_is_static_and_whole(report, mapped):
    _, html, _ = report(SCENES=str(mapped()))
    assert "<script" not in html
    assert not re.search(r"src=\"(?!data:image/)", html)
    assert html.count("data:image/") >= 15

    class Balance(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open_tags = []

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img", "br"):
                self.open_tags.append(tag)

        def handle_endtag(self, tag):
            assert self.open_tags.pop() == tag

    parser = Balance()
    parser.feed(html)
    assert parser.open_tags == []


def test_from_layers_of_a_project_in_another_crs(report, mapped):
    folder = mapped()
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    layers = [QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in ("uncertainty", "map")]
    project.addMapLayers(layers)
    try:
        lines, html, pages = report(LAYERS=[layer.id() for layer in layers])
    finally:
        project.clear()
    assert pages == 6  # without why and modality
    left_out = [line for line in lines if line.startswith("Left out")]
    assert len(left_out) == 2
    assert "attribution" in left_out[0]
    assert all(line in html for line in left_out)


def test_contributions_of_patches_have_no_sheet(report, mapped):
    folder = mapped()
    path = folder / "attribution.tif"
    whole = path.rename(folder / "whole.tif")
    patches = gdal.Translate(str(path), str(whole), bandList=[1])
    patches.GetRasterBand(1).SetDescription("contribution")
    patches = None
    whole.unlink()
    lines, _, _ = report(SCENES=str(folder))
    assert [line for line in lines if "Left out" in line and "contributions of patches, not of bands" in line]


def test_layers_whose_files_are_gone_are_left_out(report, mapped, provider):
    folder = mapped()
    gone, there = str(folder / "gone.tif"), [str(folder / f"{name}.tif") for name in ("map", "error_probability")]
    lines, html, pages = report(LAYERS=[*there, gone])
    assert any("gone.tif” does not exist" in line for line in lines)
    assert "gone.tif” does not exist" in html
    assert pages == 6


def test_missing_parts_are_left_out_and_named(mapped):
    made = composed(mapped(leave_out=("error_probability", "uncertainty", "reconstruction", "map")))
    report, notes = made
    assert [sheet.page for sheet in report.sheets] == ["title", "why", "modality", "model", "reproduce"]
    assert "the map (there is no layer “map”)" in notes[0]
    assert "where the map is doubtful" in notes[1]
    assert report.sheets[0].texts["notes"].splitlines() == notes


def test_the_job_to_run_again_is_taken_from_a_raster_and_not_from_wrapped_lines(mapped):
    folder = mapped()
    caption = composed(folder)[0].sheets[-1].texts["caption"]
    (tag,) = re.findall(r"tag (\w+) of each raster", caption)
    found = [text for path in folder.glob("*.tif") if (text := gdal.Open(str(path)).GetMetadataItem(tag))]
    assert found and all(json.loads(text)["job"] == "map" for text in found)


def test_a_model_that_is_gone_or_another(mapped, write_model, card):
    folder = mapped()
    other = write_model(card, "other.safetensors")
    report, notes = composed(folder, model=other)
    assert "model" not in [sheet.page for sheet in report.sheets]
    assert "SHA-256 differs" in notes[0]
    (folder / "a folder.safetensors").mkdir()
    report, notes = composed(folder, model=str(folder / "a folder.safetensors"))
    assert "cannot be read" in notes[0]
    report, notes = composed(folder, model=str(folder / "gone.safetensors"))
    assert "does not exist any more" in notes[0]


def test_the_card_of_an_ensemble(mapped, report, write_model, card):
    training = {"figures": {"test": {"overall_accuracy": 0.987}}}
    members = [write_model(replace(card, name=n, training=training), f"{n}.safetensors") for n in "AB"]
    together = ";".join(members)
    folder = mapped(model=together)
    for path in folder.glob("*.tif"):
        gdal.Open(str(path), gdal.GA_Update).SetMetadataItem("AUXLENS_MODEL_SHA256", hashing.sha256_of_models(together))
    found, notes = composed(folder)
    assert not notes
    (sheet,) = (sheet for sheet in found.sheets if sheet.page == "model")
    names = [name for name, _ in sheet.tables["card"].rows]
    assert sheet.tables["card"].rows[0] == ("Name", "A + B")
    assert "Main task" in names and "Figures on test" not in names  # which would be those of one alone
    _, html, _ = report(SCENES=str(folder), MODEL=together)
    assert "A + B" in html
    Path(members[1]).unlink()
    _, notes = composed(folder)
    assert f"“{members[1]}” does not exist any more" in notes[0]


def test_a_file_is_hashed_once(mapped):
    folder = mapped("a").parent
    mapped("b", seed=1)
    hashing._digest.cache_clear()
    composed(folder)
    assert hashing._digest.cache_info().misses == 3  # the model that made both, and a map of each


def test_several_scenes_get_an_overview_and_a_page_each(report, mapped):
    folder = mapped("a").parent
    mapped("b", seed=1, leave_out=("main_error",))
    mapped("c", epsg=32633, seed=2)
    lines, html, pages = report(SCENES=str(folder))
    assert pages == 1 + 3 + 2  # overview, scenes, model and reproduction
    assert "the most doubtful first" in html
    assert "3 scenes mapped with the model “toy”" in html
    for name in "abc":
        assert f"<td>{name}</td>" in html
    assert not lines[0].startswith("Left out")


def test_the_most_doubtful_scenes_come_first_then_names_in_natural_order(mapped):
    risk = {name: np.full((40, 56), value, "float32") for name, value in (("s9", 0.1), ("s10", 0.1), ("s1", 0.4))}
    for name, values in risk.items():
        folder = mapped(name, change={"error_probability": {"error probability": values}})
    without = ("error_probability", "uncertainty")
    mapped("a", leave_out=without)
    made, _ = composed(folder.parent)
    (overview,) = [sheet for sheet in made.sheets if sheet.page == "overview"]
    assert [row[0] for row in overview.tables["scenes"].rows] == ["s1", "s9", "s10", "a"]
    assert [sheet.heading for sheet in made.sheets if sheet.page == "scene"] == ["s1", "s9", "s10", "a"]


def test_the_first_input_is_shown(mapped, write_raster):
    path = write_raster("date=2024/s2.tif")
    for number, text in enumerate((path, f"s2={path}")):
        made, _ = composed(mapped(f"scene_{number}", inputs=[text]))
        assert made.sheets[0].maps["input"].layers[0].source() == path


def test_inputs_and_references_inside_of_archives_are_shown(mapped, write_raster, tmp_path):
    archive = tmp_path / "scene.zip"
    with ZipFile(archive, "w") as zipped:
        for name, bands in (("s2.tif", ("B02", "B03", "B04")), ("s1.tif", ("VV", "VH"))):
            zipped.write(write_raster(name, bands), name)
    inside = f"/vsizip/{archive}"
    corner = (500000.0, 5000000.0)
    made, _ = composed(mapped(corner=corner, inputs=[f"{inside}/s2.tif"], auxiliary=[f"{inside}/s1.tif"]))
    assert made.sheets[0].maps["input"].layers[0].source() == f"{inside}/s2.tif"
    (sheet,) = [sheet for sheet in made.sheets if sheet.page == "modality"]
    assert "Reference: VV (dB) as measured" in [picture.caption for picture in sheet.maps.values()]


def test_the_polygons_of_a_scene_are_its_map_too(mapped, tmp_path):
    polygons = tmp_path / "fields.gpkg"
    polygons.write_bytes(b"")
    accuracy = {**ACCURACY, "compared": {"map": str(polygons)}}
    for job, told in (({"output_polygons": str(polygons)}, False), ({"output_polygons": ""}, True)):
        scenes, _ = scenes_in_folder(str(mapped(f"scene_{told}", **job)))
        notes = compose(Request(scenes), accuracy, lambda fraction, message: True)[1]
        assert any("another map" in note for note in notes) == told


def test_a_layer_with_open_options_is_its_file(mapped):
    folder = mapped()
    scenes, _ = mapped_scenes([QgsRasterLayer(f"{folder / 'map.tif'}|option:NUM_THREADS=1", "map")])
    accuracy = {**ACCURACY, "compared": {"map": str(folder / "map.tif")}}
    made, notes = compose(Request(scenes), accuracy, lambda fraction, message: True)
    assert made.variables["date"]
    assert made.sheets[-1].tables["versions"].rows[-1][1] == hashing.sha256(str(folder / "map.tif"))
    assert not [note for note in notes if "another map" in note]


def test_what_does_not_belong_together_is_told(mapped):
    folder = mapped("a")
    other = QgsRasterLayer(str(mapped("b", seed=1) / "map.tif"), "map")
    accuracy = {**ACCURACY, "compared": {"map": other.source()}}
    scenes, _ = scenes_in_folder(str(folder))
    made, notes = compose(Request(scenes), accuracy, lambda fraction, message: True)
    assert notes == [f"The figures of accuracy are about another map, “{other.source()}”."]
    accuracy["compared"]["map"] = str(folder / "map.tif")
    assert compose(Request(scenes), accuracy, lambda fraction, message: True)[1] == []
    mapped("c", model_name="another")
    made, notes = composed(folder.parent)
    assert "different models (" in notes[0] and "another" in notes[0]
    assert "“toy”" in made.sheets[0].texts["subtitle"] and "“another”" in made.sheets[0].texts["subtitle"]


@pytest.mark.parametrize(("job", "words"), [({}, "the mapped class"), ({"attribution_class": "water"}, "“water”")])
def test_attributions_are_said_to_be_of_their_class(mapped, job, words):
    made, _ = composed(mapped(**job))
    (why,) = [sheet for sheet in made.sheets if sheet.page == "why"]
    assert f"the score of {'the class ' if job else ''}{words}" in why.texts["caption"]


@pytest.mark.parametrize(("corner", "there"), [((500000.0, 5000000.0), True), ((600000.0, 5200000.0), False)])
def test_many_bands_are_shown_in_colours_with_one_stretch_where_the_reference_lies(mapped, write_raster, corner, there):
    names = ("B2", "B3", "B4", "B8")
    values = {f"hs:{name}": np.full((40, 56), at, "float32") for at, name in enumerate(names, 1)}
    reference = write_raster("hs.tif", names)  # its bands hold their numbers
    folder = mapped(
        corner=corner,
        leave_out=("expected_error", "reconstruction_error"),
        change={"reconstruction": values},
        auxiliary=[f"hs={reference}"],
    )
    made, notes = composed(folder)
    (sheet,) = [sheet for sheet in made.sheets if sheet.page == "modality"]
    pictures = list(sheet.maps.values())
    assert pictures[0].caption == "Reconstruction of B4, B3, B2"
    assert len(pictures) == 1 + there
    assert notes == ([] if there else ["Left out: the reference of hs (it has no value on the scene)."])
    for picture in pictures:
        renderer = picture.layers[0].renderer()
        assert renderer.usesBands() == [3, 2, 1]
        assert [renderer.redContrastEnhancement().minimumValue(), renderer.redContrastEnhancement().maximumValue()] == [
            3,
            4,
        ]
        assert picture.box == pictures[0].box  # the scene's place, however large the reference is


def test_three_places_are_marked_on_the_map(mapped):
    made, _ = composed(mapped())
    (why,) = [sheet for sheet in made.sheets if sheet.page == "why"]
    marks, players = why.maps["map"].layers
    assert [feature["name"] for feature in marks.getFeatures()] == ["1", "2", "3"]
    assert why.maps["map"].ground is players
    assert all(players.extent().contains(feature.geometry().asPoint()) for feature in marks.getFeatures())


@pytest.mark.usefixtures("qgis_app")
def test_numbers_of_places_that_lie_together_are_all_drawn():
    crs = QgsCoordinateReferenceSystem("EPSG:32632")
    layer = numbered_places([QgsPointXY(600000, 5200000), QgsPointXY(600001, 5200000)], crs)
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(crs)
    settings.setExtent(QgsRectangle(599000, 5199000, 601000, 5201000))
    settings.setOutputSize(QSize(200, 200))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    placed = job.takeLabelingResults().labelsWithinRect(settings.visibleExtent())
    assert sorted(label.labelText for label in placed) == ["1", "2"]


@pytest.mark.parametrize(("epsg", "corner"), [(0, (0.0, 40.0)), (4326, (10.0, 60.0))])
def test_scenes_in_degrees_and_without_crs(report, mapped, epsg, corner):
    _, html, pages = report(SCENES=str(mapped(epsg=epsg, corner=corner)))
    assert pages == len(PAGES)
    assert ("mapped area (px)" in html) == (epsg == 0)


def test_a_quantity_instead_of_classes(mapped):
    values = np.linspace(0, 30, 40 * 56, dtype="float32").reshape(40, 56)
    folder = mapped(change={"map": {"height": values}}, leave_out=("probability", "main_error"))
    (folder / "map.qml").unlink()
    card_free = composed(folder, model=str(folder / "none"))[0]
    assert "areas" not in [sheet.page for sheet in card_free.sheets]
    (why,) = [sheet for sheet in card_free.sheets if sheet.page == "why"]
    assert "its part in the estimate" in why.texts["caption"]
    assert "error" in [sheet.page for sheet in card_free.sheets]


def test_a_quantity_has_its_unit(mapped):
    values = np.full((40, 56), 12, "float32")
    outputs = {"map": {"height": values}, "uncertainty": {"uncertainty": values / 8}, "main_error": {"e": values / 4}}
    folder = mapped(
        main=MainTask("regression", "height", unit="m"), change=outputs, leave_out=("probability", "error_probability")
    )
    made, _ = composed(folder)
    texts = made.sheets[0].texts
    assert (texts["figure_2"], texts["figure_2_name"]) == ("1.50 m", "mean uncertainty")
    assert (texts["figure_3"], texts["figure_3_name"]) == ("3.00 m", "RMSE by the reference")
    (error,) = [sheet for sheet in made.sheets if sheet.page == "error"]
    assert "the error of the estimate" in error.texts["caption"]
    assert "classes" not in error.texts["caption"]


def test_a_quantity_is_wrong_beyond_what_its_error_probability_calls_wrong(mapped):
    rng = np.random.default_rng(5)
    values, off = np.full((40, 56), 12, "float32"), rng.normal(0, 4, (40, 56)).astype("float32")
    folder = mapped(
        main=MainTask("regression", "height", unit="m"), leave_out=("probability",),
        change={"map": {"height": values}, "main_error": {"e": off}}, tags={"ERROR_TOLERANCE": "2.5"},
    )  # fmt: skip
    made, _ = composed(folder)
    (error,) = [sheet for sheet in made.sheets if sheet.page == "error"]
    assert "Wrong is an estimate that is off by more than 2.50 m." in error.texts["caption"]
    table = error.tables["levels_table"]
    assert table.headings[-1] == "observed wrong"
    ((scene,), _) = scenes_in_folder(str(folder))
    figures = measure(scene, False, lambda _: True)
    assert sum(level.wrong for level in figures.levels) == (np.abs(off[:, :-2]) > 2.5).sum()


def test_a_quantity_has_intervals(card):
    held = Intervals((0.5, 0.9), (0.75, 2.5), 1.25, (0.484, 0.9126))
    regression = replace(card, main=MainTask("regression", "height", unit="m"), error_models={}, intervals=held)
    (sheet,) = model_sheets(regression)
    said = "50 %: ± 0.75 × uncertainty (48.4 %); 90 %: ± 2.5 × uncertainty (91.3 %)"
    assert ("Intervals", said) in [tuple(row) for row in sheet.tables["card"].rows]
    assert not [row for sheet in model_sheets(card) for row in sheet.tables["card"].rows if row[0] == "Intervals"]


def test_letter(mapped, report):
    sizes = {}
    assert report(SCENES=str(mapped()), PAPER="Letter")[2] == len(PAGES)
    layout = QgsPrintLayout(QgsProject.instance())
    layout.loadFromTemplate(read_template(TEMPLATE), QgsReadWriteContext())
    before = {i.id(): i.pagePos() for i in layout.items() if "." in getattr(i, "id", str)()}
    resize(layout, (215.9, 279.4))
    collection = layout.pageCollection()
    for number in range(collection.pageCount()):
        page = collection.page(number).pageSize()
        assert (page.width(), page.height()) == (215.9, 279.4)
        for item in collection.itemsOnPage(number):
            if "." in item.id():
                sizes[item.id()] = item
                assert item.pagePos().y() == pytest.approx(before[item.id()].y() * 279.4 / 297, abs=0.01)
                assert item.pagePos().y() + item.rect().height() <= 279.4
    assert len(sizes) > 60


def test_the_template_has_every_item_that_sheets_name(mapped, tmp_path):
    layout = QgsPrintLayout(QgsProject.instance())
    layout.loadFromTemplate(read_template(TEMPLATE), QgsReadWriteContext())
    assert page_kinds(layout) == [
        *[
            "title",
            "map",
            "areas",
            "error",
            "why",
            "modality",
            "accuracy",
            "errors",
            "model",
            "reproduce",
            "overview",
            "scene",
            "findings",
        ]
    ]
    ids = [item.id() for item in layout.items() if "." in getattr(item, "id", str)()]
    assert len(ids) == len(set(ids))
    table = tmp_path / "errors.csv"
    table.write_text(FINDINGS)
    sheets = composed(mapped(), errors=str(table))[0].sheets
    assert "findings" in [sheet.page for sheet in sheets]
    for sheet in sheets:
        fresh = QgsPrintLayout(QgsProject.instance())
        fresh.loadFromTemplate(read_template(TEMPLATE), QgsReadWriteContext())
        assert fill(fresh, sheet) == []


def test_a_template_without_named_items(report, mapped, tmp_path):
    text = Path(TEMPLATE).read_text(encoding="utf-8")
    own = tmp_path / "own.qpt"
    own.write_text(text.replace('id="why.places"', 'id=""').replace('id="modality.', 'id="m'), encoding="utf-8")
    lines, _, pages = report(SCENES=str(mapped()), TEMPLATE=str(own))
    assert pages == len(PAGES) - 1
    assert "The template has no picture “why.places”; it was left out." in lines
    assert "The template has no page “modality”; it was left out." in lines


def refused(provider, **parameters):
    algorithm = provider.algorithm("report")
    return algorithm.checkParameterValues(parameters, QgsProcessingContext())


def test_bad_input_is_refused_before_work(provider, mapped, write_raster, tmp_path):
    folder, pdf = str(mapped()), str(tmp_path / "r.pdf")
    table = tmp_path / "t.csv"
    table.write_text("a,b\n")
    nothing = tmp_path / "empty.qpt"
    nothing.write_text("<svg/>")
    no_json = tmp_path / "x.json"
    no_json.write_text("[1]")
    for parameters, words in (
        ({"OUTPUT_PDF": pdf}, "Give either the layers"),
        ({"SCENES": folder, "LAYERS": [f"{folder}/map.tif"], "OUTPUT_PDF": pdf}, "Give either the layers"),
        ({"SCENES": folder}, "No output is asked for"),
        ({"SCENES": str(tmp_path / "none"), "OUTPUT_PDF": pdf}, "does not exist"),
        ({"LAYERS": [write_raster("scene.tif", ("a",))], "OUTPUT_PDF": pdf}, "None of the layers was made by AuxLens"),
        ({"LAYERS": [str(tmp_path / "gone.tif")], "OUTPUT_PDF": pdf}, "does not exist"),
        ({"SCENES": folder, "OUTPUT_PDF": str(tmp_path / "r.txt")}, "must end in .pdf"),
        ({"SCENES": folder, "OUTPUT_PDF": f"{nothing}/r.pdf"}, "cannot be written"),
        ({"SCENES": folder, "OUTPUT_PDF": pdf, "TEMPLATE": str(nothing)}, "is no layout template"),
        ({"SCENES": folder, "OUTPUT_PDF": pdf, "TEMPLATE": str(tmp_path / "no.qpt")}, "does not exist"),
        ({"SCENES": folder, "OUTPUT_PDF": pdf, "ERRORS": str(table)}, "has no rows"),
        ({"SCENES": folder, "OUTPUT_PDF": pdf, "ACCURACY": str(no_json)}, "is no table of accuracies"),
        ({"SCENES": folder, "OUTPUT_PDF": pdf, "MODEL": str(tmp_path / "no.safetensors")}, "does not exist"),
        ({"SCENES": folder, "OUTPUT_PDF": pdf, "PAPER": "A7"}, "Unknown value “A7”"),
    ):
        ok, message = refused(provider, **parameters)
        assert not ok, parameters
        assert words in message
        assert "\n" not in message
    assert refused(provider, SCENES=folder, OUTPUT_PDF=pdf)[0]


def test_a_canceled_report_leaves_no_file(run, mapped, tmp_path, feedback_type):
    folder = str(mapped())
    for word in ("Measuring", "Printing", "Writing"):
        pdf, html = tmp_path / word / "r.pdf", tmp_path / word / "r.html"
        run("report", feedback_type(cancel_at=word), SCENES=folder, OUTPUT_PDF=str(pdf), OUTPUT_REPORT=str(html))
        assert not pdf.parent.exists() or not list(pdf.parent.iterdir()), word
    older = [tmp_path / "Writing" / name for name in ("r.pdf", "r.html")]
    for file in older:
        file.write_text("older")
    pdf, html = map(str, older)
    run("report", feedback_type(cancel_at="Writing"), SCENES=folder, OUTPUT_PDF=pdf, OUTPUT_REPORT=html)
    assert {p.name: p.read_text() for p in older[0].parent.iterdir()} == {"r.pdf": "older", "r.html": "older"}


@pytest.mark.parametrize("name", ["r.html", "r.pdf"])
def test_a_report_that_cannot_be_written_names_its_file(mapped, tmp_path, name):
    scenes, _ = scenes_in_folder(str(mapped()))
    for path in (tmp_path / "none" / name, tmp_path / "out" / name):
        (tmp_path / "out" / name).mkdir(parents=True, exist_ok=True)  # no place for a file of that name
        request = Request(scenes, **{name.partition(".")[2]: str(path)})
        with pytest.raises(JobError, match=f"“{path}” cannot be written: (No such file|Is a directory)"):
            write_report(request, lambda fraction, message: True)
    assert os.listdir(tmp_path / "out") == [name]


ACCURACY = {
    "compared": {"sampling": "A sample of 300 pixels."},
    "overall": {"overall_accuracy": 0.9, "kappa": 0.8},
    "classes": [
        {"class": "water", "value": 1, "reference_pixels": 100, "users_accuracy": 0.95, "producers_accuracy": None}
        | {
            "f1": 0.9,
            "iou": 0.8,
            "area": 12.5,
            "area_ci95": 1.25,
            "area_unit": "ha",
            "adjusted_users_accuracy_ci95": 0.02,
        }
    ],
}


def test_tables_of_other_algorithms(report, mapped, tmp_path):
    accuracy, errors = tmp_path / "a.json", tmp_path / "e.csv"
    accuracy.write_text(json.dumps(ACCURACY))
    errors.write_text("task,auroc_gain\ns1,0.0123456\n<dem>,nan\n")
    _, html, pages = report(SCENES=str(mapped()), ACCURACY=str(accuracy), ERRORS=str(errors))
    assert pages == len(PAGES) + 2
    for words in ("12.5 ± 1.2", "0.950 ± 0.020", "A sample of 300 pixels.", "&lt;dem&gt;", "0.0123", "auroc gain"):
        assert words in html
    assert "overall accuracy 0.900" in html


def test_long_tables_take_several_pages(tmp_path):
    table = tmp_path / "errors.csv"
    table.write_text("a,b\n" + "".join(f"{n},x\n" for n in range(207)))
    sheets = errors_sheets(str(table))
    assert [len(sheet.tables["table"].rows) for sheet in sheets] == [46, 46, 46, 46, 16]
    assert {sheet.texts["caption"] for sheet in sheets} == {"errors.csv (7 more rows in the file)"}
    assert sheets[1].heading == "Are errors explained? (2 / 5)"


FINDINGS = """figure,of,group,value,low,high,p_value,effective_size,pixels
pearson,s1:VV (signed),all,-0.12586,-0.1824,-0.0702,2.0e-11,2817.9,257448
spearman,s1:VV (signed),all,-0.1298,,,4.6e-12,2817.9,257448
"partial, given uncertainty and class",s1:VV (signed),all,0.031,,,,,257448
pearson,s1:VV (signed),class water,0.9,,,,,2000
auroc,uncertainty,all,0.773,0.743,0.801,,,257448
auroc,error probability,all,0.919,0.907,0.931,,,257448
auroc gain over uncertainty,error probability,all,0.146,0.118,0.174,,,0
ece,error probability,all,0.0429,,,,,257448
"""


def test_explained_errors_are_put_into_two_tables(tmp_path):
    table = tmp_path / "errors.csv"
    table.write_text(FINDINGS)
    (sheet,) = errors_sheets(str(table))
    assert sheet.page == "findings"
    assert sheet.tables["detection"].rows == (
        ("error probability", "0.919 (0.907 … 0.931)", "–", "–", "–", "0.146 (0.118 … 0.174)"),
        ("uncertainty", "0.773 (0.743 … 0.801)", "–", "–", "–", "–"),
    )
    assert sheet.tables["correlations"].rows == (
        ("s1:VV (signed)", "−0.126 (−0.182 … −0.070)", "< 0.001 (2\u202f818)", "−0.130", "0.031"),
    )
    assert "0.5 is chance" in sheet.texts["detection_caption"] and "Dutilleul" in sheet.texts["correlations_caption"]


def test_of_many_bands_the_strongest_correlations_are_shown(tmp_path):
    table = tmp_path / "errors.csv"
    line = "pearson,hs:{0} (signed),all,{1},,,0.5,10,100\n"
    table.write_text(FINDINGS.splitlines()[0] + "\n" + "".join(line.format(n, -n / 100) for n in range(40)))
    (sheet,) = errors_sheets(str(table))
    shown = [row[0] for row in sheet.tables["correlations"].rows]
    assert shown == [f"hs:{n} (signed)" for n in range(20, 40)]
    assert sheet.texts["correlations_caption"].endswith("The 20 strongest of 40 are shown.")


def test_intervals_are_said_to_their_second_digit():
    overall = {"overall_accuracy": 0.9, "adjusted_overall_accuracy": 0.94652, "adjusted_overall_accuracy_ci95": 0.0185}
    sheet = accuracy_sheet({"overall": {**overall, "adjusted_overall_accuracy_se": 0.009, "mean_iou": 0.5}})
    said = "overall accuracy 0.900 · area-adjusted overall accuracy 0.947 ± 0.018 · mean IoU 0.500"
    assert sheet.texts["figures"].replace("0.019", "0.018") == said
    assert plus_minus(21157.8, 6158.2, "ha") == "21\u202f158 ± 6\u202f158 ha"
    assert plus_minus(-406.45, 3.078) == "−406.4 ± 3.1"
    assert plus_minus(5.0, 0.0) == "5.00" and plus_minus(float("nan"), 1.0) == "–"


def test_reading_tables(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("class,value,area,area_ci95,area_unit,kappa\nwater,1,5,1,ha,\noverall,,,,,0.5\n")
    found = read_accuracy(str(table))
    assert found["classes"] == [{"class": "water", "value": 1.0, "area": 5.0, "area_ci95": 1.0, "area_unit": "ha"}]
    assert found["overall"]["kappa"] == 0.5
    table.write_text("class,value,reference_pixels\n2018,3,5\noverall,,5\n")
    assert read_accuracy(str(table))["classes"] == [{"class": "2018", "value": 3.0, "reference_pixels": 5.0}]
    many = tmp_path / "m.csv"
    many.write_text(",".join("abcdefghij") + "\n" + "\n".join(",".join("1234567890") for _ in range(50)))
    shown, more = as_table(read_rows(str(many)), "t", 30)
    assert (len(shown.headings), len(shown.rows), more) == (9, 30, 20)
    assert [len(part.rows) for part in shown.parts(12)] == [12, 12, 6]


def test_the_accuracy_of_polygons_counts_polygons(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("class,value,reference_polygons,f1,overall_accuracy\nwater,1,12,0.5,\noverall,,12,,0.75\n")
    shown = accuracy_sheet(read_accuracy(str(table))).tables["table"]
    assert shown.headings[:2] == ("class", "reference polygons")
    assert shown.rows[0][:2] == ("water", "12")


def test_the_accuracy_of_a_quantity_has_its_unit(tmp_path):
    table, figures = tmp_path / "a.csv", tmp_path / "a.json"
    table.write_text("unit,bias,rmse,r2,pixels\nm,-0.2,2.345,0.8,40\n")
    overall = {"bias": -0.2, "rmse": 2.345, "r2": 0.8, "pixels": 40}
    figures.write_text(json.dumps({"unit": "m", "overall": overall}))
    for path in (table, figures):
        sheet = accuracy_sheet(read_accuracy(str(path)))
        assert sheet.texts["figures"] == "bias −0.200 m · RMSE 2.35 m · R² 0.800 · pixels 40"
        assert ("RMSE", "2.35 m") in sheet.tables["table"].rows
        assert ("R²", "0.800") in sheet.tables["table"].rows


@pytest.mark.usefixtures("qgis_app")
@pytest.mark.parametrize("count", [1, 9, 60, 200])
def test_no_legend_is_cut(count):
    image = QImage(700, 160, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    color = QColor("#d55e00")
    swatches([(color, f"class number {n}") for n in range(count)])(painter, QRectF(20, 20, 640, 100))
    painter.end()
    ink = [(x, y) for x in range(700) for y in range(160) if image.pixelColor(x, y) != QColor("white")]
    assert min(x for x, _ in ink) >= 19
    assert max(y for _, y in ink) <= 121
    if count <= 60:
        assert max(x for x, _ in ink) <= 661


COLOURS = ("#ff0000", "#0000ff")


@pytest.mark.usefixtures("qgis_app")
def test_bars_keep_their_lengths_and_sides():
    image = QImage(400, 60, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    bars([Bar("a", 2.0, QColor("#ff0000")), Bar("b", -1.0, QColor("#0000ff"))])(painter, QRectF(0, 0, 400, 60))
    painter.end()
    found = {c: [x for x in range(400) for y in range(60) if image.pixelColor(x, y).name() == c] for c in COLOURS}
    red, blue = found["#ff0000"], found["#0000ff"]
    assert len(red) == pytest.approx(2 * len(blue), rel=0.03)
    assert max(blue) <= min(red)


@pytest.mark.usefixtures("qgis_app")
def test_names_are_no_expressions_and_no_html():
    label = QgsLayoutItemLabel(QgsPrintLayout(QgsProject.instance()))
    label.setText(plain("scene [% 1 + 1 %]", html=False))
    assert label.currentText() == "scene [\u200b% 1 + 1 %]"
    assert plain("a <b>", html=True) == "a &lt;b&gt;"


@pytest.mark.usefixtures("qgis_app")
def test_long_labels_shrink():
    layout = QgsPrintLayout(QgsProject.instance())
    label = QgsLayoutItemLabel(layout)
    layout.addLayoutItem(label)
    label.attemptSetSceneRect(QRectF(0, 0, 60, 10))
    font = label.font()
    font.setPointSizeF(12)
    label.setFont(font)
    label.setText("short")
    fit_label(label)
    assert label.font().pointSizeF() == 12
    label.setText("a long text that does not fit into so small a box " * 3)
    fit_label(label)
    assert label.font().pointSizeF() < 8


@pytest.mark.parametrize(("about", "nice"), [(0.0123, 0.01), (260, 200), (3700, 5000), (0, 1)])
def test_intervals_of_grids(about, nice):
    assert nice_interval(about) == pytest.approx(nice)


@pytest.mark.usefixtures("qgis_app")
def test_trimming_cuts_off_nothing_but_emptiness():
    chart = ramp([(QColor("#000000"), "0 m"), (QColor("#ffffff"), "5 m")])
    picture = svg(chart, 60, 40, trimmed=True).decode()
    height = float(re.search(r'viewBox="0 0 [0-9.]+ ([0-9.]+)"', picture).group(1))
    assert 24 <= height <= 36  # the ramp and the line of numbers below it, in pixels


def test_long_jobs_take_several_pages_and_stay_json(mapped):
    job = {"job": "map", "inputs": [f"/data/{'x' * 150}/B{n}.tif" for n in range(60)], "mask": ""}
    pages = _pages_of(job)
    assert len(pages) > 2
    assert json.loads("\n".join(line for page in pages for line in page)) == {k: job[k] for k in ("job", "inputs")}
    assert breakable("a" * 90).split("\u200b") == ["a" * 40, "a" * 40, "a" * 10]
    assert breakable("short words stay") == "short words stay"


@pytest.mark.usefixtures("qgis_app")
@pytest.mark.parametrize("known", [[], [2], [0, 1, 2, 3], list(range(30))])
def test_spectra_with_gaps(known):
    values = np.full(30, np.nan)
    values[known] = np.arange(len(known))
    lines = [Line("a", values, QColor("#0072b2"), np.where(np.isfinite(values), 0.5, np.nan))]
    image = QImage(400, 120, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    spectrum(lines, [f"b{n}" for n in range(30)])(painter, QRectF(0, 0, 400, 120))
    painter.end()
    blue = [x for x in range(400) for y in range(20, 120) if image.pixelColor(x, y).name() == "#0072b2"]
    assert bool(blue) == bool(known)
