"""Fixtures of the tests inside QGIS: the provider, demo scenes, a model and a map, each made once a session."""

import json
import os
import struct
import time
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingFeedback

from auxlens.algorithms.provider import AuxLensProvider
from auxlens.models.card import CARD_KEY, Card, ErrorModel, LandClass, MainTask, Modality

ROOT = Path(__file__).resolve().parents[2]
S2_BANDS = ("B02", "B03", "B04")


class Feedback(QgsProcessingFeedback):
    """Keeps what is told; cancels itself when ``cancel_at`` is part of a message."""

    def __init__(self, cancel_at=None):
        super().__init__(False)
        self.lines = []
        self.cancel_at = cancel_at
        self.canceled_at = None

    def _take(self, text):
        self.lines.append(text)
        if self.cancel_at is not None and self.cancel_at in text:
            self.canceled_at = self.canceled_at or time.monotonic()
            self.cancel()

    def pushInfo(self, text):
        self._take(text)

    def pushWarning(self, text):
        self._take(text)

    def setProgressText(self, text):
        self._take(text)


@pytest.fixture(scope="session")
def feedback_type():
    return Feedback


@pytest.fixture(scope="session")
def provider(qgis_app, qgis_processing):
    made = AuxLensProvider()
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


@pytest.fixture(scope="session")
def run(provider):
    """Runs an algorithm through Processing."""
    import processing

    def go(algorithm, feedback=None, **parameters):
        return processing.run(f"auxlens:{algorithm}", parameters, feedback=feedback or Feedback())

    return go


@pytest.fixture(scope="session")
def engine_python_path():
    """Path of the engine's Python; skips where none is set up."""
    python = os.environ.get("AUXLENS_PYTHON", str(ROOT / ".venv" / "engine" / "bin" / "python"))
    if not Path(python).exists():
        pytest.skip(f"no engine: {python} does not exist (make setup)")
    return python


@pytest.fixture(scope="session")
def engine(engine_python_path):
    """Lets Processing find the engine."""
    os.environ["AUXLENS_PYTHON"] = engine_python_path


@pytest.fixture(scope="session")
def scenes(run, engine, tmp_path_factory):
    """Four demo scenes of 192 pixels."""
    folder = tmp_path_factory.mktemp("scenes")
    run("createdemo", SCENE_COUNT=4, SIZE=192, SEED=3, OUTPUT_FOLDER=str(folder))
    return folder


@pytest.fixture(scope="session")
def trained(run, scenes, tmp_path_factory):
    """Model and report of a short training on the demo scenes."""
    folder = tmp_path_factory.mktemp("model")
    return run(
        "trainfolder",
        SCENES=str(scenes),
        INPUT_PATTERNS="s2=s2.tif",
        AUXILIARY_PATTERNS="s1=s1.tif;dem=dem.tif",
        REFERENCE_PATTERN="label.tif",
        EPOCHS=2,
        CHIP_SIZE=32,
        BATCH_SIZE=32,
        OUTPUT_MODEL=str(folder / "demo.safetensors"),
        OUTPUT_REPORT=str(folder / "demo.html"),
    )


@pytest.fixture
def card():
    s2 = Modality("s2", S2_BANDS, (0.1,) * 3, (0.1,) * 3)
    return Card(
        name="toy",
        created="2025-01-01T00:00:00Z",
        plugin_version="0.1.0",
        inputs=(s2,),
        auxiliary=(Modality("s1", ("VV",), (-12.0,), (3.0,), unit="dB"),),
        main=MainTask("segmentation", "land cover", (LandClass(1, "a", "#ff0000"), LandClass(2, "b", "#00ff00"))),
        network={},
        tile_px=256,
        margin_px=32,
        error_models={"expected": ErrorModel(("entropy",), (0.0,), (1.0,), (1.0,), 0.0)},
    )


@pytest.fixture
def write_model(tmp_path):
    """Writes a model file without weights: enough for every check that needs the card alone."""

    def write(card, name="toy.safetensors"):
        header = json.dumps({"__metadata__": {CARD_KEY: card.to_json()}}).encode()
        path = tmp_path / name
        path.write_bytes(struct.pack("<Q", len(header)) + header)
        return str(path)

    return write


@pytest.fixture
def write_raster(tmp_path):
    """Writes a small GeoTIFF with described bands."""
    from osgeo import gdal, osr

    def write(name, bands=S2_BANDS, size=16, epsg=32632):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = gdal.GetDriverByName("GTiff").Create(str(path), size, size, len(bands), gdal.GDT_Float32)
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(epsg)
        data.SetProjection(crs.ExportToWkt())
        data.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
        for number, band in enumerate(bands, 1):
            data.GetRasterBand(number).SetDescription(band)
            data.GetRasterBand(number).Fill(number)
        return str(path)

    return write
