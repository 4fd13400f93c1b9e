"""Accuracy of maps of polygons: each counts once, against a field of their own or of another layer."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from auxlens.engine.executors.accuracy import assess, run
from auxlens.engine.jobs import AccuracyJob
from auxlens.models.errors import JobError, SceneError

TRUTH = ["Acer"] * 4 + ["Pinus"] * 4 + ["Quercus"] * 2 + [None] * 2
MAP = ["Acer", "Acer", "Acer", "Pinus", "Pinus", "Pinus", "Quercus", "Pinus", "Quercus", "Acer", "Acer", None]


@pytest.fixture
def crowns(tmp_path):
    """Writes twelve squares of 10 m, moved by ``shift`` metres; gives the path."""

    def make(name="crowns.gpkg", shift=0.0, crs="EPSG:32632", **fields) -> str:
        boxes = [shapely.box(20 * i + shift, 0, 20 * i + shift + 10, 10) for i in range(12)]
        frame = gpd.GeoDataFrame(fields, geometry=boxes, crs="EPSG:32632")
        frame.to_crs(crs).to_file(tmp_path / name)
        return str(tmp_path / name)

    return make


def test_fields_of_one_layer(crowns, tmp_path, quiet):
    right = [1.0 if a == b else 0.6 for a, b in zip(MAP, TRUTH, strict=True)]
    others = {f"probability_{g}": [r if m == g else (1 - r) / 2 for m, r in zip(MAP, right, strict=True)]
              for g in ("Acer", "Pinus", "Quercus")}  # fmt: skip
    path = crowns(map=MAP, genus=TRUTH, **others)
    outputs = {f"output_{name}": str(tmp_path / file) for name, file in
               (("report", "a.html"), ("table", "a.csv"), ("json", "a.json"))}  # fmt: skip
    result = run(AccuracyJob(path, path, "genus", task="scene_classification", **outputs), quiet())
    assert result["figures"]["polygons"] == 10 and result["figures"]["overall_accuracy"] == 0.7
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["confusion"]["polygons"] == [[3, 1, 0], [0, 3, 1], [1, 0, 1]]
    assert content["reliability"]["accuracy"] == 0.7
    assert content["overall"]["ece"] == pytest.approx(0.3 * 0.6)  # the wrong ones were 0.6 sure
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert [rows[0][k] for k in ("class", "reference_polygons", "mapped_polygons", "mapped_area", "area_unit")] == [
        *("Acer", "4", "4", "5.0", "polygons")
    ]
    # five crowns are mapped as Acer, of which four have a truth, three of these Acer; one of four mapped as Pinus is
    assert float(rows[0]["area"]) == pytest.approx(5 * 3 / 4 + 4 * 1 / 4)
    text = (tmp_path / "a.html").read_text()
    assert "10 polygons compared" in text and "counts once, whatever its size" in text and "pixel" not in text


def test_class_codes_of_many_digits_stay_apart(crowns, quiet):
    """With gaps, which make a field of whole numbers one of floating point; and two precisions of one number."""
    codes = np.array([1234567.0] * 4 + [1234568.0] * 4 + [1.1] * 3 + [np.nan])
    swapped = np.select([codes == 1234567, codes == 1234568], [1234568.0, 1234567.0], np.nan)
    path = crowns(map=swapped, single=codes.astype("float32"), code=codes)
    job = AccuracyJob(path, path, "code", task="scene_classification")
    assert assess(job, quiet()).overall["overall_accuracy"] == 0
    found = assess(replace(job, map_field="single"), quiet())
    assert found.overall["overall_accuracy"] == 1
    assert [c.name for c in found.classes] == ["1.1", "1234567", "1234568"]


def test_another_layer_by_overlap(crowns, quiet):
    """Moved by 3 m, squares share 7/13 of their union; by 4 m 6/14, too little. CRS may differ."""
    path = crowns(map=MAP)
    near = crowns("near.gpkg", 3.0, "EPSG:4326", genus=TRUTH)
    assert assess(AccuracyJob(path, near, "genus", task="scene_classification"), quiet()).overall["polygons"] == 10
    with pytest.raises(SceneError, match="no polygon of the reference covers one"):
        assess(AccuracyJob(path, crowns("far.gpkg", 4.0, genus=TRUTH), "genus", task="scene_classification"), quiet())


def test_a_reference_that_reaches_far_round_the_earth(crowns, tmp_path, quiet):
    path = crowns(map=MAP)
    truth = gpd.read_file(crowns("truth.gpkg", crs="EPSG:4326", genus=TRUTH))
    far = gpd.GeoDataFrame(
        {"genus": ["Acer"] * 2}, geometry=[shapely.box(-180, -90, 180, 90), shapely.box(99, 0, 100, 1)]
    )
    pd.concat([truth, far.set_crs(4326)]).to_file(tmp_path / "far.gpkg")
    job = AccuracyJob(path, str(tmp_path / "far.gpkg"), "genus", task="scene_classification")
    found = assess(job, quiet()).overall
    assert found["polygons"] == 10 and found["overall_accuracy"] == 0.7


def test_polygons_of_a_map_in_degrees_across_the_date_line(tmp_path, quiet):
    boxes = [shapely.box(west, -16.2, west + 0.04, -16.1) for west in (179.9, 179.98, 180.02, 180.1)]
    frame = gpd.GeoDataFrame({"map": list("abab"), "truth": list("abaa")}, geometry=boxes, crs=4326)
    frame.to_file(tmp_path / "map.gpkg"), frame.to_crs(32760).to_file(tmp_path / "truth.gpkg")
    paths = (str(tmp_path / f"{name}.gpkg") for name in ("map", "truth"))
    found = assess(AccuracyJob(*paths, "truth", task="scene_classification"), quiet()).overall
    assert found["polygons"] == 4 and found["overall_accuracy"] == 0.75


def test_polygons_that_cross_themselves(tmp_path, quiet, caplog):
    """A bow of two triangles covers half of its box; a part that lies in another one twice counts once."""
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    halves = [shapely.Polygon([(0, 0), (5, 5), (0, 10)]), shapely.Polygon([(10, 0), (5, 5), (10, 10)])]
    twice = shapely.MultiPolygon([shapely.box(20, 0, 30, 10), shapely.box(20, 0, 26, 10)])
    line = shapely.Polygon([(40, 0), (41, 1), (42, 2), (40, 0)])
    mapped, given = [bow, twice, line], [shapely.MultiPolygon(halves), twice, shapely.box(40, 0, 42, 2)]
    for name, shapes in (("map", mapped), ("truth", given)):
        frame = gpd.GeoDataFrame({"map": ["a", "b", "b"]}, geometry=shapes, crs="EPSG:32632")
        frame.to_file(tmp_path / f"{name}.gpkg")
    paths = [str(tmp_path / f"{name}.gpkg") for name in ("map", "truth")]
    with caplog.at_level("WARNING", "auxlens"):
        found = assess(AccuracyJob(*paths, "map", task="scene_classification"), quiet()).overall
    assert (found["polygons"], found["overall_accuracy"]) == (2, 1.0)
    assert f"Polygons that cross themselves in “{paths[0]}”: 3; what they enclose is counted once." in caplog.text
    assert f"Polygons that cross themselves in “{paths[1]}”: 1;" in caplog.text


def test_numbers(crowns, quiet):
    truth = np.arange(12.0)
    path = crowns(map=truth + np.tile([0.5, -0.5], 6), height=np.where(truth == 3, np.nan, truth))
    figures = assess(AccuracyJob(path, path, "height", task="scene_regression"), quiet()).overall
    assert (figures["polygons"], figures["mae"]) == (11, 0.5) and figures["bias"] == pytest.approx(0.5 / 11)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"map_field": "none"}, SceneError, "no field “none”"),
        ({"reference_field": "number", "task": "segmentation"}, SceneError, "No class of the reference"),
        ({"task": "regression"}, SceneError, "which is no number; choose the task “scene_classification”"),
        ({"reference_field": "empty"}, SceneError, "has a reference: the field “empty” is empty there"),
        ({"map_field": "empty"}, SceneError, "is empty; choose the field with the map"),
        ({"probability": "p.tif", "task": "scene_regression"}, JobError, "Probabilities belong to classes"),
        ({"probability": "p.tif"}, SceneError, "have their probabilities as fields; leave the raster"),
        ({"uncertainty": "u.tif", "task": "regression"}, SceneError, "have their uncertainty as fields; leave the"),
    ],
)
def test_what_cannot_be_compared(crowns, tmp_path, quiet, change, error, message):
    path = crowns(map=MAP, genus=TRUTH, number=list(range(12)), empty=[None] * 12)
    table = str(tmp_path / "a.csv")
    job = {"reference_field": "genus", "task": "scene_classification", "output_table": table, **change}
    with pytest.raises(error, match=message):
        run(AccuracyJob(path, path, **job), quiet())


def test_a_raster_is_no_reference_of_polygons(crowns, write, quiet):
    raster = write("truth.tif", np.ones((1, 8, 8), "uint8"))
    with pytest.raises(SceneError, match=r"is of polygons, the reference .* is a raster"):
        assess(AccuracyJob(crowns(map=MAP), raster, task="scene_classification"), quiet())
