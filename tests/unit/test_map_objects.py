"""Mapping with a scene-level model: polygons and tiles, exact means, tables and rasters that agree."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
import torch

from auxlens.engine import jobs
from auxlens.engine.checks import check_map_folder
from auxlens.engine.executors.map import run
from auxlens.engine.mapping import plans
from auxlens.models import file
from auxlens.models.card import read_card
from auxlens.models.errors import Canceled, JobError, SceneError

BANDS = ("B2", "B3", "B4")
WEST, NORTH, GSD = 500_000.0, 5_400_000.0, 10.0
SHAPES = {  # columns and rows of the scene, in pixels
    "a": shapely.box(12, 10, 60, 44),
    "over": shapely.box(50, 30, 90, 80),
    "round": shapely.Point(120, 60).buffer(33.3),
    "edge": shapely.box(150, 100, 400, 400),
    "dot": shapely.box(30.6, 100.6, 30.8, 100.8),
    "nodata": shapely.box(2, 2, 6, 90),
    "away": shapely.box(-90, -90, -20, -20),
}


@pytest.fixture
def scene(write, rng):
    """150 × 170 px with a strip of nodata, and radar with a hole."""
    values = rng.integers(1, 250, (3, 150, 170)).astype("uint16")
    values[:, :, :9] = 0
    values[:, :60, 100:] //= 3
    radar = rng.normal(-14, 3, (2, 150, 170)).astype("float32")
    radar[:, 100:110] = np.nan
    return {
        "inputs": (write("s2.tif", values, BANDS, nodata=0),),
        "auxiliary": (write("s1.tif", radar, ("VV", "VH"), nodata=np.nan),),
        "values": values,
        "radar": radar,
    }


@pytest.fixture
def polygons(tmp_path):
    """Writes polygons in degrees, with fields of their own; gives the path."""

    def make(names=tuple(SHAPES), name="crowns.gpkg", **fields) -> str:
        shapes = [shapely.affinity.affine_transform(SHAPES[n], (GSD, 0, 0, -GSD, WEST, NORTH)) for n in names]
        frame = gpd.GeoDataFrame({"name": list(names), **fields}, geometry=shapes, crs="EPSG:32632").to_crs(4326)
        frame.to_file(tmp_path / name)
        return str(tmp_path / name)

    return make


def job_of(model, scene, folder, outputs=("polygons",), **options):
    paths = {f"output_{name}": str(folder / f"{name}.{'gpkg' if name == 'polygons' else 'tif'}") for name in outputs}
    return jobs.MapJob(model, scene["inputs"], **{"precision": "float32", **paths, **options})


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read()


def dense(model, values):
    network, card = file.load(model)
    with torch.inference_mode():
        return network, card, network(torch.from_numpy(np.where(values == 0, np.nan, values).astype("float32"))[None])


def pixels_of(name, values):
    """The valid pixels whose middle lies in a shape."""
    rows, cols = np.indices(values.shape[1:]) + 0.5
    inside = shapely.contains_xy(SHAPES[name], cols, rows)
    if name == "dot":
        inside[100, 30] = True
    return inside & (values != 0).all(axis=0)


def test_a_polygon_has_the_mean_score_of_its_pixels(untrained, scene, polygons, tmp_path, quiet, monkeypatch):
    """Over several tiles, on a border, overlapping, smaller than a pixel, on nodata; and beside the scene."""
    monkeypatch.setattr(plans, "_WINDOW_PX", 64)
    model = untrained("scene_classification")
    result = run(job_of(model, scene, tmp_path, polygons=polygons(), auxiliary=scene["auxiliary"]), quiet())
    assert result["outputs"] == {"polygons": str(tmp_path / "polygons.gpkg")} and result["figures"]["polygons"] == 5
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons").set_index("name")
    assert found.crs.to_epsg() == 4326 and list(found.index) == [name for name in SHAPES if name != "away"]
    network, card, raw = dense(model, scene["values"])
    _, scale = network.head("s1").physical(raw["s1"])
    relative = np.log(scale[0].numpy() / np.array(card.auxiliary[0].std)[:, None, None])
    for name, row in found.iterrows():
        inside = pixels_of(name, scene["values"])
        assert row["pixels"] == inside.sum(), name
        if name == "nodata":
            assert row[["map", "map_value", "uncertainty", "probability_water"]].isna().all()
            continue
        probability = torch.softmax(raw["main"][0][:, inside].mean(dim=1), dim=0).numpy()
        columns = [f"probability_{c.name}" for c in card.main.classes]
        assert np.allclose(row[columns].astype(float), probability, atol=1e-4), name
        best = card.main.classes[probability.argmax()]
        assert (row["map"], row["map_value"]) == (best.name, best.value)
        entropy = -(probability * np.log(probability)).sum() / np.log(3)
        assert np.isclose(row["uncertainty"], entropy, atol=1e-4) and 0 < row["error_probability"] < 1
        assert np.isclose(row["expected_error_s1"], np.exp(relative[:, inside].mean(axis=1)).mean(), rtol=1e-3)
    assert found["reconstruction_error_s1"].notna().sum() == 4  # the dot lies where there is no radar


def test_rasters_are_filled_with_the_polygons_values(untrained, scene, polygons, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(plans, "_WINDOW_PX", 64)
    model = untrained("scene_classification")
    outputs = ("polygons", "map", "probability", "uncertainty", "error_probability", "reconstruction", "expected_error")
    run(job_of(model, scene, tmp_path, outputs, polygons=polygons()), quiet())
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons").set_index("name")
    mapped, probability = read(tmp_path / "map.tif")[0], read(tmp_path / "probability.tif")
    covered = np.zeros(mapped.shape, bool)
    for name in ("dot", "edge", "round", "over", "a"):  # from the last to the first
        inside = pixels_of(name, scene["values"])
        own = inside & ~covered
        assert (mapped[own] == found.loc[name, "map_value"]).all(), name
        assert np.allclose(probability[1][own], found.loc[name, "probability_wood"], atol=1e-6)
        covered |= inside
    assert (mapped[~covered] == 255).all() and np.isnan(probability[:, ~covered]).all()
    raw = dense(model, scene["values"])
    mean, scale = (v[0].numpy() for v in raw[0].head("s1").physical(raw[2]["s1"]))
    valid = (scene["values"] != 0).all(axis=0)
    assert np.allclose(read(tmp_path / "reconstruction.tif")[:, valid], mean[:, valid], atol=1e-2)
    assert np.allclose(read(tmp_path / "expected_error.tif")[:, valid], scale[:, valid], atol=1e-2)
    with rasterio.open(tmp_path / "map.tif") as made:
        assert made.colormap(1)[5] == (0, 170, 0, 255)


def test_without_polygons_the_tiles_of_a_grid_are_mapped(untrained, scene, tmp_path, quiet):
    model = untrained("scene_regression")
    run(job_of(model, scene, tmp_path, ("polygons", "map", "uncertainty"), tile_size=40), quiet())
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons")
    assert len(found) == 4 * 5 and found.crs.to_epsg() == 32632 and found["pixels"].max() == 40 * 40
    network, _, raw = dense(model, scene["values"])
    last = found[(found["row"] == 4) & (found["column"] == 5)].iloc[0]
    assert last.geometry.bounds == (WEST + 1600, NORTH - 1500, WEST + 1700, NORTH - 1200)
    pooled = raw["main"][:, :, 120:, 160:].mean(dim=(2, 3), keepdim=True)
    estimate, scale = (float(v) for v in network.head("main").physical(pooled))
    assert np.isclose(last["map"], estimate, rtol=1e-4) and np.isclose(last["uncertainty"], scale, rtol=1e-4)
    assert np.allclose(read(tmp_path / "map.tif")[0, 120:, 160:], estimate, rtol=1e-4)
    run(job_of(model, scene, tmp_path), quiet())
    assert len(gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons")) == 2 * 2  # of the model's own size, 96 px


def test_fields_of_the_layer_are_kept_beside_the_results(untrained, scene, polygons, tmp_path, quiet, caplog):
    given = polygons(("a", "over"), "crowns.geojson", genus=["Pinus", "Acer"], Map=["x", "y"], FID=["7", "7"])
    run(job_of(untrained("scene_classification"), scene, tmp_path, polygons=given), quiet())
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons")
    assert found["genus"].tolist() == ["Pinus", "Acer"] and found["Map_given"].tolist() == ["x", "y"]
    assert set(found["map"]) <= {"water", "wood", "town"} and "kept as Map_given, FID_given" in caplog.text
    style = pyogrio.read_dataframe(tmp_path / "polygons.gpkg", layer="layer_styles")["styleQML"].iloc[0]
    assert 'attr="map"' in style and 'value="wood"' in style and "0,170,0,160" in style


def test_names_that_differ_by_case_alone_get_a_number(untrained, scene, polygons, tmp_path, quiet, caplog):
    """Of classes, and of the layer's fields: an earlier map's, and what GeoJSON allows."""
    network, card = file.load(untrained("scene_classification"))
    classes = tuple(replace(c, name=name) for c, name in zip(card.main.classes, ("Oak", "oak", "town"), strict=True))
    model = str(tmp_path / "oaks.safetensors")
    file.save(model, network, replace(card, main=replace(card.main, classes=classes)))
    fields = {"map": ["x", "y"], "map_given": ["u", "v"], "geom": [1, 2], "genus": ["a", "b"], "Genus": ["c", "d"]}
    given = polygons(("a", "over"), "crowns.geojson", **fields)
    run(job_of(model, scene, tmp_path, ("polygons", "map"), polygons=given), quiet())
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons")
    kept = {"map_given": "map_given", "map": "map_given_2", "geom": "geom_given", "genus": "genus", "Genus": "Genus_2"}
    assert {old: found[new].tolist() for old, new in kept.items()} == fields
    assert "The polygons' fields Genus, map, geom are kept as Genus_2, map_given_2, geom_given." in caplog.text
    probabilities = found[["probability_Oak", "probability_oak_2", "probability_town"]]
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5) and set(found["map"]) <= {"Oak", "oak", "town"}
    assert probabilities.to_numpy().argmax(axis=1).tolist() == [[2, 5, 7].index(v) for v in found["map_value"]]
    assert (read(tmp_path / "map.tif") != 255).any()


def test_a_table_that_cannot_be_written_is_told(untrained, scene, tmp_path, quiet, monkeypatch):
    def refuse(*_arguments, **_options):
        raise pyogrio.errors.FieldError("Error adding field 'x' to layer")

    monkeypatch.setattr(gpd.GeoDataFrame, "to_file", refuse)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(SceneError, match=r"cannot be written .*field 'x'.* take a field"):
        run(job_of(untrained("scene_classification"), scene, folder, tile_size=64), quiet())
    assert not list(folder.iterdir())


def test_nothing_of_a_geopackage_that_was_edited_gets_into_a_new_one(untrained, scene, polygons, tmp_path, quiet):
    model, path = untrained("scene_classification"), tmp_path / "polygons.gpkg"
    run(job_of(model, scene, tmp_path, polygons=polygons()), quiet())
    with closing(sqlite3.connect(path)) as edited:  # as QGIS keeps a layer: open, the edits beside the file
        edited.execute("PRAGMA journal_mode = wal")
        edited.execute("PRAGMA wal_autocheckpoint = 0")
        edited.execute("CREATE TABLE edits (text)")
        edited.executemany("INSERT INTO edits VALUES (?)", [("edit" * 200,)] * 500)
        edited.commit()
        beside = tmp_path / "polygons.gpkg.aux.xml"  # as GDAL's, of a file that was looked at
        beside.write_text("<PAMDataset><Metadata><MDI key='AUXLENS_MODEL'>old</MDI></Metadata></PAMDataset>")
        run(job_of(model, scene, tmp_path, polygons=polygons(("a",), "one.gpkg")), quiet())
        assert not beside.exists()
        with closing(sqlite3.connect(path)) as found:
            assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert not found.execute("SELECT * FROM sqlite_master WHERE name = 'edits'").fetchall()
    assert len(gpd.read_file(path, layer="polygons")) == 1


def test_mask_and_extent(untrained, scene, polygons, write, tmp_path, quiet):
    """Pixels outside are not the polygon's, and a polygon outside is left out."""
    mask = np.zeros((1, 150, 170), "uint8")
    mask[0, :20] = 1
    limits = {"mask": write("mask.tif", mask), "extent": (WEST + 100, NORTH - 400, WEST + 400, NORTH)}
    given = polygons(("a", "round"))
    run(
        job_of(untrained("scene_classification"), scene, tmp_path, ("polygons", "map"), polygons=given, **limits),
        quiet(),
    )
    found = gpd.read_file(tmp_path / "polygons.gpkg", layer="polygons")
    assert found[["name", "pixels"]].to_numpy().tolist() == [["a", 10 * 28]]
    mapped = read(tmp_path / "map.tif")[0]
    assert mapped.shape == (40, 30) and (mapped[10:20, 2:] != 255).all() and (mapped != 255).sum() == 10 * 28


@pytest.mark.parametrize("words", ["Window", "Filling"])
def test_cancel_leaves_nothing(untrained, scene, polygons, tmp_path, words):
    class Stop:
        stopped = False

        def report(self, fraction, message):
            self.stopped |= message.startswith(words)

        def canceled(self):
            return self.stopped

    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(Canceled):
        run(job_of(untrained("scene_classification"), scene, folder, ("polygons", "map"), polygons=polygons()), Stop())
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"outputs": ()}, JobError, "No output"),
        ({"outputs": ("main_error",), "reference": "x.tif"}, JobError, "has no output “main error”"),
        ({"output_polygons": "x.shp"}, JobError, "must end in .gpkg"),
        ({"polygons": "none.gpkg"}, SceneError, "do not exist"),
        ({"polygons": "points"}, SceneError, "holds features of type Point"),
        ({"polygons": "away"}, SceneError, "None of the 1 polygons"),
    ],
)
def test_wrong_jobs_are_refused(untrained, scene, polygons, tmp_path, quiet, change, error, message):
    folder = tmp_path / "out"
    folder.mkdir()
    if change.get("polygons") == "away":
        change = {**change, "polygons": polygons(("away",))}
    if change.get("polygons") == "points":
        points = gpd.GeoDataFrame(geometry=[shapely.Point(WEST, NORTH)], crs="EPSG:32632")
        points.to_file(tmp_path / "points.gpkg")
        change = {**change, "polygons": str(tmp_path / "points.gpkg")}
    with pytest.raises(error, match=message):
        run(job_of(untrained("scene_classification"), scene, folder, **change), quiet())
    assert not list(folder.iterdir())


def test_a_folder_is_not_for_scene_level_models(untrained, tmp_path):
    model = untrained("scene_regression")
    with pytest.raises(JobError, match="map its scenes one by one"):
        check_map_folder(jobs.MapFolderJob(model, str(tmp_path), output_folder=str(tmp_path / "out")), read_card(model))


def test_polygons_are_not_for_models_of_pixels(untrained, scene, polygons, tmp_path, quiet):
    with pytest.raises(JobError, match="is a segmentation, which maps every pixel"):
        run(job_of(untrained(), scene, tmp_path, polygons=polygons()), quiet())
