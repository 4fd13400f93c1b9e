"""``mapfolder`` through Processing: results, resuming, and what a scene that fails does to the run."""

import csv
import shutil
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingException, QgsRasterLayer


@pytest.fixture
def folder(scenes, tmp_path):
    """Two scenes, the second of which cannot be read."""
    for name in ("good", "bad"):
        shutil.copytree(scenes / "scene_01", tmp_path / "in" / name)
    (tmp_path / "in" / "bad" / "s2.tif").write_text("no raster")
    return tmp_path


def go(run, trained, folder, feedback, **parameters):
    outputs = {"OUTPUT_FOLDER": folder / "out", "OUTPUT_TABLE": folder / "t.csv", "OUTPUT_REPORT": folder / "r.html"}
    given = {"MODEL": trained["OUTPUT_MODEL"], "SCENES": folder / "in", "LAYERS": ["map", "uncertainty"], **outputs}
    return run(
        "mapfolder",
        feedback,
        **{name: value if isinstance(value, list) else str(value) for name, value in {**given, **parameters}.items()},
    )


def rows(folder):
    with open(folder / "t.csv", encoding="utf-8") as file:
        return {row["scene"]: row for row in csv.DictReader(file)}


def test_a_script_gets_an_error_after_all_that_can_be_done(run, engine, trained, folder, feedback_type):
    with pytest.raises(QgsProcessingException, match=r"1 of 2 scenes failed \(bad\); the others are mapped"):
        go(run, trained, folder, feedback_type())
    assert {name: row["status"] for name, row in rows(folder).items()} == {"good": "mapped", "bad": "failed"}
    assert "not a raster" in rows(folder)["bad"]["message"] and "good" in (folder / "r.html").read_text()


def test_the_desktop_gets_its_results(run, engine, trained, folder, feedback_type, monkeypatch):
    monkeypatch.setattr(QgsApplication, "platform", staticmethod(lambda: "desktop"))
    feedback = feedback_type()
    told = []
    feedback.reportError = lambda text, fatal=False: told.append((text, fatal))
    results = go(run, trained, folder, feedback)
    assert results["OUTPUT_TABLE"] == str(folder / "t.csv") and Path(results["OUTPUT_REPORT"]).exists()
    assert [fatal for _, fatal in told] == [False] and "1 of 2 scenes failed" in told[0][0]
    assert any("Found 2 scenes" in line for line in feedback.lines)
    assert any("bad: " in line and "not a raster" in line for line in feedback.lines)


def test_layers_open_styled_with_one_scale(run, engine, trained, scenes, tmp_path, feedback_type):
    for name in ("scene_01", "scene_02"):
        shutil.copytree(scenes / name, tmp_path / "in" / name)
    go(run, trained, tmp_path, feedback_type())
    shown = []
    for name in ("scene_01", "scene_02"):
        layer = QgsRasterLayer(str(tmp_path / "out" / name / "uncertainty.tif"))
        assert layer.isValid() and layer.renderer().type() == "singlebandpseudocolor"
        shown.append(
            [
                (item.value, item.color.name())
                for item in layer.renderer().shader().rasterShaderFunction().colorRampItemList()
            ]
        )
    assert shown[0] == shown[1] and (shown[0][0][0], shown[0][-1][0]) == (0, 1)
    again = feedback_type()
    go(run, trained, tmp_path, again)
    assert any("2 scenes are up to date" in line for line in again.lines)
    with_one = go(run, trained, tmp_path, feedback_type(), LAYERS="map")
    assert not (Path(with_one["OUTPUT_FOLDER"]) / "scene_01" / "uncertainty.tif").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"LAYERS": ["colour"]}, "Unknown value “colour” of LAYERS"),
        ({"LAYERS": "map,colour"}, "Unknown value “colour” of LAYERS"),
        ({"SCENES": "/no/such/folder"}, "does not exist"),
        ({"SCHEDULER": "localhost"}, "is no address of a Dask scheduler"),
        ({"INPUT_PATTERNS": "s3=s2.tif"}, "has no modality “s3”"),
        ({"DEVICE": "gpu"}, "Unknown device"),
    ],
)
def test_wrong_values_are_told_before_the_run(run, engine, trained, folder, feedback_type, parameters, message):
    with pytest.raises(QgsProcessingException, match=message):
        go(run, trained, folder, feedback_type(), **parameters)
    assert not (folder / "out").exists()
