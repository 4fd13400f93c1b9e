"""Training scene-level tasks: polygons and whole scenes, from files to a model that maps polygons."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import torch
from affine import Affine

from auxlens.engine import jobs
from auxlens.engine.executors.map import run as run_map
from auxlens.engine.executors.train import run
from auxlens.engine.training import learn as learning, options
from auxlens.engine.training.scenes import scenes_of
from auxlens.engine.training.setup import Setup
from auxlens.models import file
from auxlens.models.card import read_card
from auxlens.models.config import PRESETS
from auxlens.models.errors import JobError, SceneError

SIZE, GSD = 160, 1.0
GENERA = ("Acer", "Pinus", "Quercus")
FAST = {"epochs": 6, "chip_size": 32, "batch_size": 8, "precision": "float32"}


def write(path: Path, values: np.ndarray, bands, west: float) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype}
    transform = Affine(GSD, 0, west, 0, -GSD, 5_400_000)
    with rasterio.open(path, "w", **profile, crs="EPSG:32632", transform=transform) as dataset:
        dataset.write(values)
        dataset.descriptions = bands
    return str(path)


def write_plot(folder: Path, seed: int, west: float) -> list[dict]:
    """A plot of 36 crowns on dark soil. Genera differ by colour, too little for a single pixel; height by size."""
    rng = np.random.default_rng(seed)
    rgb = rng.normal(50, 15, (3, SIZE, SIZE))
    height = rng.normal(0.5, 0.2, (1, SIZE, SIZE))
    crowns = []
    for number in range(36):
        col, row = (26 * np.array(divmod(number, 6)) + rng.integers(0, 6, 2)).tolist()
        side, genus = int(rng.integers(10, 20)), int(rng.integers(3))
        place = (slice(None), slice(row, row + side), slice(col, col + side))
        tone = np.eye(3)[genus][:, None, None] * 30 - 10
        rgb[place] = rng.normal(110, 30, (3, side, side)) + tone
        height[place] = side / 2 + rng.normal(0, 0.3, (1, side, side))
        box = shapely.box(west + col, 5_400_000 - row - side, west + col + side, 5_400_000 - row)
        crowns.append({"genus": GENERA[genus], "height": side / 2, "geometry": box})
    write(folder / "rgb.tif", rgb.clip(1, 254).astype("uint8"), ("red", "green", "blue"), west)
    write(folder / "chm.tif", height.astype("float32"), ("height",), west)
    return crowns


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three plots beside each other, crowns of all one folder up, and a table of the plots."""
    root = tmp_path_factory.mktemp("crowns")
    wests = [500_000.0 + 1000 * i for i in range(3)]
    crowns = [c for i, west in enumerate(wests) for c in write_plot(root / "plots" / f"plot_{i}", i, west)]
    gpd.GeoDataFrame(crowns, crs="EPSG:32632").to_file(root / "crowns.gpkg")
    return root / "plots"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setitem(PRESETS, "small", (8, 16, 24))
    monkeypatch.setattr(options, "CHIPS_AN_EPOCH", (128, 128))


def job_of(folder: Path, model: Path, **changes) -> jobs.TrainFolderJob:
    given = {
        "task": "scene_classification",
        "scenes": str(folder),
        "input_patterns": "rgb=rgb.tif",
        "auxiliary_patterns": "chm=chm.tif",
        "reference_pattern": "../../crowns.gpkg",
        "reference_field": "genus",
    }
    return jobs.TrainFolderJob(str(model), **{**given, **FAST, **changes})


def test_classes_of_polygons(small, folder, tmp_path, quiet):
    model, report = tmp_path / "genus.safetensors", tmp_path / "genus.html"
    result = run(job_of(folder, model, output_report=str(report), epochs=10), quiet())
    figures = result["figures"]
    assert figures["test"]["overall_accuracy"] > 0.8
    assert sum(figures[split]["objects"] for split in ("validation", "test")) in range(25, 60)
    network, card = file.load(str(model))
    assert card.main.kind == "scene_classification" and [c.name for c in card.main.classes] == list(GENERA)
    assert network.config.tasks["main"].pooled and not network.config.tasks["chm"].pooled
    assert card.tile_px in (12, 16) and card.training["split_unit"] == "block"
    assert card.training["auxiliary_rmse"]["chm:height"] < 0.9 * card.auxiliary[0].std[0]
    text = report.read_text(encoding="utf-8")
    assert "Objects, and their share" in text and "Pinus" in text and "data:image/" in text

    out, crowns = tmp_path / "crowns.gpkg", str(folder.parent / "crowns.gpkg")
    run_map(
        jobs.MapJob(str(model), (str(folder / "plot_2" / "rgb.tif"),), polygons=crowns, output_polygons=str(out)),
        quiet(),
    )
    mapped = gpd.read_file(out, layer=out.stem)
    assert len(mapped) == 36 and (mapped["map"] == mapped["genus"]).mean() > 0.8
    assert np.allclose(mapped.filter(like="probability_").filter(regex="Acer|Pinus|Quercus").sum(axis=1), 1, atol=1e-5)


def test_a_plot_without_a_reference_teaches_nothing(small, folder, tmp_path, quiet, caplog):
    for number in range(2):
        shutil.copytree(folder / f"plot_{number}", tmp_path / "plots" / f"plot_{number}")
    shutil.copy(folder.parent / "crowns.gpkg", tmp_path / "plots" / "plot_0")
    job = job_of(tmp_path / "plots", tmp_path / "m.safetensors", reference_pattern="crowns.gpkg")
    with caplog.at_level("INFO"):
        setup = Setup(job, scenes_of(job), quiet())
    assert "1 scene(s) have no reference and teach nothing, because chips are drawn at objects." in caplog.text
    chips = learning._training_chips(setup, 32, 100, np.random.default_rng(0))
    assert {chip.scene for chip in chips} == {0}


def test_patches_as_players_change_nothing_but_attributions(small, folder, tmp_path, quiet, monkeypatch):
    """Two trainings, with and without players: the same network, and attributions that sum to its scores."""
    monkeypatch.setattr(options, "EXPLAINER_STEPS", (20, 20))
    models = {players: tmp_path / f"{players[:4]}.safetensors" for players in ("none", "patches=4")}
    for players, model in models.items():
        run(job_of(folder, model, players=players, epochs=2), quiet())
    (plain, _), (network, card) = (file.load(str(model)) for model in models.values())
    assert card.patch_px == 8 and card.players == () and network.config.patches == 4 and network.config.reach == 3
    assert 0 < card.training["attribution"]["unexplained"] < 1 and card.training["attribution"]["reach"] > 0
    weights = network.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in plain.state_dict().items())
    assert float(network.absence.shifts[-1].abs().max()) > 0  # it was told what absent patches are
    tables = []
    for players, model in models.items():
        out = tmp_path / f"{players[:4]}.gpkg"
        given = {"output_attribution": str(tmp_path / "a.tif")} if players != "none" else {}
        rgb, crowns = str(folder / "plot_2" / "rgb.tif"), str(folder.parent / "crowns.gpkg")
        result = run_map(
            jobs.MapJob(str(model), (rgb,), polygons=crowns, output_polygons=str(out), precision="float32", **given),
            quiet(),
        )
        tables.append(gpd.read_file(out, layer=out.stem))
    without, told = tables
    shared = [name for name in without if name.startswith(("map", "probability", "uncertainty"))]
    assert without[shared].equals(told[shared]) and result["figures"]["efficiency_residual"] <= 1e-4
    assert np.allclose(told["score"], told["score_bias"] + told["score_inside"] + told["score_around"], atol=1e-4)


def test_numbers_of_polygons(small, folder, tmp_path, quiet):
    """Crown height follows from crown size, which the pooled features must tell."""
    model = tmp_path / "height.safetensors"
    changes = {"task": "scene_regression", "reference_field": "height", "strategy": "single", "epochs": 25}
    result = run(job_of(folder, model, **changes, output_report=str(tmp_path / "height.html")), quiet())
    card = read_card(str(model))
    assert (card.main.kind, card.main.name, card.main.classes) == ("scene_regression", "height", ())
    assert 6 < card.main.mean < 8.5 and 0.8 < card.main.std < 2
    held = card.intervals
    assert held and held.error_factor > 0 and list(held.factors) == sorted(held.factors)
    assert abs(held.coverage[0] - 0.5) < 0.3 and held.coverage[-1] > 0.8
    assert result["figures"]["test"]["r2"] > 0.8 and result["figures"]["test"]["objects"] > 10


def test_labels_of_whole_scenes(small, folder, tmp_path, quiet):
    """A table with the scenes' names; a scene that it does not name is left out of the reference."""
    root = tmp_path / "chips"
    for i in range(12):
        rng = np.random.default_rng(i)
        values = rng.normal(100 + 40 * (i % 2), 20, (3, 40, 44)).clip(1, 254).astype("uint8")
        write(root / f"chip_{i:02d}" / "rgb.tif", values, ("red", "green", "blue"), 500_000.0)
    lines = ["scene;cover", *(f"chip_{i:02d};{('bog', 'fen')[i % 2]}" for i in range(11))]
    (root / "labels.csv").write_text("\n".join(lines))
    model = tmp_path / "cover.safetensors"
    changes = {"auxiliary_patterns": "", "reference_pattern": "../labels.csv", "reference_field": "cover", "epochs": 8}
    result = run(job_of(root, model, **changes), quiet())
    assert result["figures"]["test"]["overall_accuracy"] == 1
    card = read_card(str(model))
    assert card.training["split_unit"] == "scene" and [c.name for c in card.main.classes] == ["bog", "fen"]
    assert card.tile_px == 40  # the scenes' size, in steps of the network's stride
    out = tmp_path / "cover.gpkg"
    run_map(
        jobs.MapJob(str(model), (str(root / "chip_11" / "rgb.tif"),), output_polygons=str(out), tile_size=64), quiet()
    )
    assert gpd.read_file(out, layer=out.stem)["map"].tolist() == ["fen"]


def test_the_same_seed_gives_the_same_model(small, folder, tmp_path, quiet):
    results = [run(job_of(folder, tmp_path / f"{i}.safetensors", epochs=1), quiet())["figures"] for i in range(2)]
    assert results[0] == results[1]


def points(folder: Path, path: Path) -> str:
    frame = gpd.read_file(folder.parent / "crowns.gpkg")
    frame.set_geometry(frame.geometry.centroid).to_file(path)
    return str(path)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"task": "scene"}, JobError, "Unknown task “scene”"),
        ({"players": "warm=red;cold=green,blue"}, JobError, "image patches, not bands"),
        ({"reference_pattern": "chm.tif"}, SceneError, "needs polygons with a field, or a CSV table"),
        ({"reference_field": "species"}, SceneError, "has no field “species”"),
        ({"task": "scene_regression"}, SceneError, "are not all numbers, which a regression needs"),
        (
            {"reference_pattern": "../../points.gpkg"},
            SceneError,
            "features of type Point; a scene-level task needs poly",
        ),
        ({"reference_pattern": "../../labels.csv"}, SceneError, "no column “genus” beside its first"),
        ({"reference_pattern": "../../others.csv"}, SceneError, "names none of the scenes"),
    ],
)
def test_references_that_do_not_fit(small, folder, tmp_path, quiet, change, error, message):
    points(folder, folder.parent / "points.gpkg")
    (folder.parent / "labels.csv").write_text("scene,cover\nplot_0,a\nplot_1,b\n")
    (folder.parent / "others.csv").write_text("scene,genus\nchip_0,a\nchip_1,b\n")
    model = tmp_path / "m.safetensors"
    with pytest.raises(error, match=message):
        run(job_of(folder, model, **change), quiet())
    assert not list(tmp_path.iterdir())
