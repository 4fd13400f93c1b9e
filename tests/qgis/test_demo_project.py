"""The demo's project and picture, from small stand-ins of the rasters that the demo maps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsProject
from qgis.PyQt.QtGui import QImage

from auxlens.engine.mapping.styles import qml
from auxlens.engine.qml import paletted, raster_style
from auxlens.models.card import Card, LandClass, MainTask, Modality, Player

ROOT = Path(__file__).resolve().parents[2]
SIZE = 48
CLASSES = (LandClass(1, "water", "#2b6ca3"), LandClass(2, "forest", "#1f5c3a"))
CARD = Card(
    name="m",
    created="",
    plugin_version="0",
    inputs=(),
    auxiliary=(Modality("s1", ("VV",), (-11.0,), (4.0,), unit="dB"),),
    main=MainTask("segmentation", "cover", CLASSES),
    network={},
    tile_px=256,
    margin_px=32,
    players=(Player("visible", ("s2:B2", "s2:B3")), Player("red", ("s2:B4",))),
)
AUXILIARY = ("reconstruction", "reconstruction_error", "expected_error")
FLOATS = ("probability", "uncertainty", "error_probability", *AUXILIARY)


def raster(path: Path, bands: np.ndarray, names: tuple, colours: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"uint8": gdal.GDT_Byte, "uint16": gdal.GDT_UInt16, "float32": gdal.GDT_Float32}[bands.dtype.name]
    file = gdal.GetDriverByName("GTiff").Create(str(path), SIZE, SIZE, len(bands), kind)
    file.SetGeoTransform((600000.0, 10.0, 0.0, 5200000.0, 0.0, -10.0))
    file.SetProjection('LOCAL_CS["plane",UNIT["metre",1]]')
    for number, (band, name) in enumerate(zip(bands, names), 1):
        target = file.GetRasterBand(number)
        target.SetDescription(name)
        if colours:
            table = gdal.ColorTable()
            for value, colour in colours.items():
                table.SetColorEntry(value, tuple(bytes.fromhex(colour)))
            target.SetColorTable(table)
            target.SetCategoryNames(["", "one", "two"])
        target.WriteArray(band)
    file.FlushCache()


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    scene, maps = tmp_path / "unseen" / "scene_04", tmp_path / "maps" / "scene_04"
    label = rng.integers(1, 3, (1, SIZE, SIZE)).astype("uint8")
    raster(scene / "s2.tif", rng.integers(1, 2000, (3, SIZE, SIZE)).astype("uint16"), ("B2", "B3", "B4"), {})
    raster(scene / "s1.tif", rng.normal(-11, 4, (1, SIZE, SIZE)).astype("float32"), ("VV",), {})
    causes = np.ones((1, SIZE, SIZE), "uint8")
    causes[0, SIZE // 2 :] = 2
    for name, values in (("label", label), ("causes", causes)):
        raster(scene / f"{name}.tif", values, (name,), {1: "2b6ca3", 2: "1f5c3a"})
        (scene / f"{name}.qml").write_text(raster_style(paletted(CLASSES)), encoding="utf-8")
    wrong = np.zeros((1, SIZE, SIZE), "uint8")
    wrong[0, : SIZE // 4] = 1
    outputs = {"map": np.where(wrong, 3 - label, label).astype("uint8"), "main_error": wrong}
    outputs.update({name: rng.random((1, SIZE, SIZE)).astype("float32") for name in FLOATS})
    outputs["attribution"] = rng.integers(1, 3, (3, SIZE, SIZE)).astype("float32")
    for name, values in outputs.items():
        names = ("s1:VV",) if name in AUXILIARY else ("water",)
        names = ("visible", "red", "dominant player") if name == "attribution" else names
        raster(maps / f"{name}.tif", values, names, {})
        (maps / f"{name}.qml").write_text(qml(name, CARD, names), encoding="utf-8")
    return tmp_path


def run(demo: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "scripts" / "demo_project.py"), str(demo), "scene_04"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.usefixtures("qgis_app")
def test_project_holds_every_layer_styled_grouped_and_with_a_theme(demo: Path) -> None:
    done = run(demo)
    assert done.returncode == 0, done.stderr
    project = QgsProject()
    assert project.read(str(demo / "demo.qgz"))
    group = project.layerTreeRoot().findGroup("scene_04")
    layers = [node.layer() for node in group.findLayers()]
    assert [layer.name() for layer in layers[:2]] == ["Map", "Probability"]
    assert len(layers) == 13
    assert all(layer.isValid() for layer in layers)
    kinds = {layer.name(): layer.renderer().type() for layer in layers}
    assert kinds["Attribution"] == kinds["Map"] == kinds["Main error"] == kinds["Reference"] == "paletted"
    assert kinds["Reconstruction error"] == kinds["Sentinel-1 VV"] == "singlebandpseudocolor"
    assert sorted(project.mapThemeCollection().mapThemes()) == sorted(layer.name() for layer in layers)
    assert group.findLayers()[0].isVisible()
    reference = next(layer for layer in layers if layer.name() == "Reference")
    assert [c.label for c in reference.renderer().classes()] == ["water", "forest"]


@pytest.mark.usefixtures("qgis_app")
def test_picture_shows_layers_and_how_often_each_cause_is_wrong(demo: Path) -> None:
    done = run(demo)
    assert "haze 50 % (" in done.stdout
    assert "cloud shadow 0 % (" in done.stdout
    picture = QImage(str(demo / "demo.png"))
    assert picture.width() == 1600
    colours = {picture.pixelColor(x, y).name() for x in range(0, 1600, 7) for y in range(0, picture.height(), 7)}
    assert {"#2b6ca3", "#1f5c3a", "#d55e00"} <= colours


def test_a_missing_layer_is_named(demo: Path) -> None:
    (demo / "maps" / "scene_04" / "uncertainty.tif").unlink()
    done = run(demo)
    assert done.returncode != 0
    assert "uncertainty.tif is missing" in done.stderr
    assert not (demo / "demo.qgz").exists()
