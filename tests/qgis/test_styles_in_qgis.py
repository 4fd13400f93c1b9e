"""QGIS reads the styles that the engine writes, and draws what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

from auxlens.engine.mapping.styles import qml
from auxlens.models.card import Card, LandClass, MainTask, Modality

S1 = Modality("s1", ("VV", "VH"), (-11.0, -17.0), (4.0, 5.0), unit="dB")
RGB = Modality("plane", ("B2", "B3", "B4"), (10.0, 20.0, 30.0), (1.0, 2.0, 3.0))
CLASSES = (LandClass(1, "water & ice", "#2b6ca3"), LandClass(3, "forest <old>", "#1f5c3a"))
SEGMENTATION = MainTask("segmentation", "cover", CLASSES)
REGRESSION = MainTask("regression", "height", unit="m", mean=12.0, std=4.0)


def card(main: MainTask, auxiliary: Modality = S1) -> Card:
    return Card(
        name="m",
        created="",
        plugin_version="0",
        inputs=(),
        auxiliary=(auxiliary,),
        main=main,
        network={},
        tile_px=256,
        margin_px=32,
        training={"auxiliary_rmse": {"s1:VV": 1.5}},
    )


def raster(path: Path, bands: list, kind: int, nodata: float) -> str:
    rows, columns = np.asarray(bands[0]).shape
    file = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, len(bands), kind)
    file.SetGeoTransform((0.0, 1.0, 0.0, float(rows), 0.0, -1.0))
    for number, band in enumerate(bands, 1):
        file.GetRasterBand(number).WriteArray(np.asarray(band))
        file.GetRasterBand(number).SetNoDataValue(nodata)
    file.FlushCache()
    return str(path)


def styled(path: str, style: str) -> QgsRasterLayer:
    layer = QgsRasterLayer(path, "layer")
    Path(path).with_suffix(".qml").write_text(style, encoding="utf-8")
    message, loaded = layer.loadNamedStyle(str(Path(path).with_suffix(".qml")))
    assert loaded, message
    return layer


def drawn(layer: QgsRasterLayer) -> list:
    """Colours of the first row's pixels, 10 × 10 screen pixels each; None where transparent."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(10 * layer.width(), 10 * layer.height()))
    settings.setBackgroundColor(QColor(0, 0, 0, 0))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    pixels = [job.renderedImage().pixelColor(10 * column + 5, 5) for column in range(layer.width())]
    return [pixel.name() if pixel.alpha() else None for pixel in pixels]


def near(found: str, wanted: str) -> bool:
    return all(abs(a - b) <= 3 for a, b in zip(QColor(found).getRgb()[:3], QColor(wanted).getRgb()[:3], strict=True))


@pytest.mark.usefixtures("qgis_app")
class TestStyles:
    def test_map(self, tmp_path: Path) -> None:
        path = raster(tmp_path / "map.tif", [[[1, 3, 0]]], gdal.GDT_Byte, 0)
        layer = styled(path, qml("map", card(SEGMENTATION), ("cover",)))
        assert layer.renderer().type() == "paletted"
        assert [(c.value, c.label) for c in layer.renderer().classes()] == [(1, "water & ice"), (3, "forest <old>")]
        assert drawn(layer) == ["#2b6ca3", "#1f5c3a", None]

    def test_main_error(self, tmp_path: Path) -> None:
        path = raster(tmp_path / "error.tif", [[[0, 1, 255]]], gdal.GDT_Byte, 255)
        assert drawn(styled(path, qml("main_error", card(SEGMENTATION), ("main error",)))) == [
            "#e8e8e4",
            "#d55e00",
            None,
        ]

    @pytest.mark.parametrize("kind", ["probability", "uncertainty", "error_probability"])
    def test_probabilities(self, tmp_path: Path, kind: str) -> None:
        path = raster(tmp_path / "p.tif", [[[0.0, 0.5, 1.0, np.nan]]], gdal.GDT_Float32, np.nan)
        layer = styled(path, qml(kind, card(SEGMENTATION), ("water",)))
        assert layer.renderer().type() == "singlebandpseudocolor"
        assert (layer.renderer().classificationMin(), layer.renderer().classificationMax()) == (0.0, 1.0)
        colours = drawn(layer)
        assert colours[3] is None
        lightness = [QColor(c).lightness() for c in colours[:3]]
        assert lightness == sorted(lightness)
        assert len(set(lightness)) == 3

    def test_signed_errors_are_white_at_0_and_saturate(self, tmp_path: Path) -> None:
        path = raster(tmp_path / "e.tif", [[[-9.0, 0.0, 3.0, 9.0, np.nan]]] * 2, gdal.GDT_Float32, np.nan)
        layer = styled(path, qml("reconstruction_error", card(SEGMENTATION), S1.band_names))
        below, middle, edge, above, empty = drawn(layer)
        assert near(middle, "#f7f7f7")
        assert near(below, "#053061")
        assert near(edge, "#67001f")
        assert above == edge
        assert empty is None
        shader = layer.renderer().shader().rasterShaderFunction()
        assert shader.colorRampItemList()[0].label == "−3 dB"
        legend = shader.legendSettings()  # QGIS shows the label with the suffix
        assert legend.minimumLabel() + legend.suffix() == "−3 dB"
        assert legend.maximumLabel() + legend.suffix() == "3 dB"
        assert shader.sourceColorRamp().count() == 11

    def test_reconstruction_of_radar_and_of_many_bands(self, tmp_path: Path) -> None:
        path = raster(tmp_path / "r.tif", [[[-19.0, -3.0, np.nan]]] * 2, gdal.GDT_Float32, np.nan)
        grey = styled(path, qml("reconstruction", card(SEGMENTATION), S1.band_names))
        assert drawn(grey) == ["#000000", "#ffffff", None]
        path = raster(tmp_path / "many.tif", [[[8.0, np.nan]], [[20.0, np.nan]], [[36.0, np.nan]]], 6, np.nan)
        colour = styled(path, qml("reconstruction", card(SEGMENTATION, RGB), RGB.band_names))
        assert colour.renderer().type() == "multibandcolor"
        assert colour.renderer().usesBands() == [3, 2, 1]
        first, empty = drawn(colour)
        assert near(first, "#ff7f00")
        assert empty is None

    def test_regression(self, tmp_path: Path) -> None:
        path = raster(tmp_path / "h.tif", [[[4.0, 20.0, np.nan]]], gdal.GDT_Float32, np.nan)
        layer = styled(path, qml("map", card(REGRESSION), ("height",)))
        assert [near(a, b) for a, b in zip(drawn(layer)[:2], ("#440154", "#fde725"), strict=True)] == [True, True]
        error = styled(path, qml("main_error", card(REGRESSION), ("main error",)))
        renderer = error.renderer()
        assert renderer.classificationMin() == -renderer.classificationMax()
