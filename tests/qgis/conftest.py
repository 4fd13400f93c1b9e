"""Fixtures of the tests inside QGIS: the provider, demo scenes, a model and a map, each made once a session."""

import hashlib
import json
import os
import struct
import time
from dataclasses import replace
from html import escape
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
    from processing.gui import Postprocessing  # there is no Processing before the fixture

    Postprocessing.iface = None  # newer QGIS wants a layer tree of it, which a stand-in does not have
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


MAPPED_CLASSES = (
    LandClass(1, "water", "#2b6ca3"),
    LandClass(2, "forest <&>", "#1f5c3a"),
    LandClass(3, "urban", "#c0392b"),
)
MAPPED = MainTask("segmentation", "cover", MAPPED_CLASSES)


@pytest.fixture
def mapped(tmp_path, card, write_model):
    """Writes what ``map`` writes of a scene: small rasters with tags, styles and known values.

    Gives a function that writes them and returns their folder; ``leave_out`` names outputs that are not made,
    ``change`` maps outputs to values of one's own, ``tags`` are further ones of all
    rasters, ``further`` are fields of the job.
    """
    import numpy as np
    from osgeo import gdal, osr

    def write(
        scene="scene_01",
        leave_out=(),
        size=(40, 56),
        epsg=32632,
        seed=0,
        corner=(600000.0, 5200000.0),
        change=None,
        model_name="toy",
        main=MAPPED,
        tags=None,
        **further,
    ):
        folder = tmp_path / "maps" / scene
        folder.mkdir(parents=True)
        model = write_model(replace(card, name=model_name, main=main), f"{model_name}.safetensors")
        values = mapped_values(size, np.random.default_rng(seed))
        values.update(change or {})
        job = {"job": "map", "model": model, "inputs": [f"/data/{scene}/s2.tif"], "auxiliary": [], **further}
        for output, bands in values.items():
            if output in leave_out:
                continue
            array = np.stack(list(bands.values()))
            kind = gdal.GDT_Byte if array.dtype == np.uint8 else gdal.GDT_Float32
            file = gdal.GetDriverByName("GTiff").Create(
                str(folder / f"{output}.tif"), size[1], size[0], len(array), kind
            )
            step = 10.0 if epsg != 4326 else 1e-4
            file.SetGeoTransform((corner[0], step, 0.0, corner[1], 0.0, -step))
            if epsg:
                crs = osr.SpatialReference()
                crs.ImportFromEPSG(epsg)
                file.SetProjection(crs.ExportToWkt())
            said = {"OUTPUT": output, "MODEL": model_name, "VERSION": "0.1.0", "JOB": json.dumps(job), **(tags or {})}
            said["MODEL_SHA256"] = hashlib.sha256(Path(model).read_bytes()).hexdigest()
            for name, value in said.items():
                file.SetMetadataItem(f"AUXLENS_{name}", value)
            for number, (name, band) in enumerate(bands.items(), 1):
                target = file.GetRasterBand(number)
                target.SetDescription(name)
                target.SetNoDataValue(255 if kind == gdal.GDT_Byte else float("nan"))
                target.WriteArray(band)
            file.FlushCache()
        if main.classes:
            (folder / "map.qml").write_text(PALETTE, encoding="utf-8")
        return folder

    return write


PALETTE = (
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.22.0\"><pipe>"
    '<rasterrenderer type="paletted" opacity="1" alphaBand="-1" band="1"><rasterTransparency/><colorPalette>'
    + "".join(
        f'<paletteEntry value="{c.value}" label="{escape(c.name)}" color="{c.color}" alpha="255"/>'
        for c in MAPPED_CLASSES
    )
    + "</colorPalette></rasterrenderer></pipe></qgis>"
)


def mapped_values(size, rng):
    """Values of every output, by band name; the last two columns have none."""
    import numpy as np

    height, width = size
    probability = rng.dirichlet((0.4, 0.4, 0.4), size).transpose(2, 0, 1).astype("float32")
    attribution = rng.normal(size=(3, height, width)).astype("float32")
    wrong = rng.integers(0, 2, size).astype("uint8")
    risk = np.clip(0.4 * wrong + rng.random(size) * 0.6, 0, 1).astype("float32")
    truth = rng.normal(-12, 3, (2, *size)).astype("float32")
    error = rng.normal(0.5, 1, (2, *size)).astype("float32")
    sar = ("s1:VV", "s1:VH")
    values = {
        "map": {"cover": (probability.argmax(axis=0) + 1).astype("uint8")},
        "probability": {c.name: p for c, p in zip(MAPPED_CLASSES, probability)},
        "uncertainty": {"uncertainty": rng.random(size).astype("float32")},
        "reconstruction": dict(zip(sar, truth + error)),
        "expected_error": dict(zip(sar, 1 + rng.random((2, *size)).astype("float32"))),
        "reconstruction_error": dict(zip(sar, error)),
        "main_error": {"main error": wrong},
        "error_probability": {"error probability": risk},
        "attribution": {
            **dict(zip(("visible", "infrared", "radar"), attribution)),
            "dominant player": (np.abs(attribution).argmax(axis=0) + 1).astype("float32"),
        },
    }
    for bands in values.values():
        for band in bands.values():
            band[:, -2:] = 255 if band.dtype == np.uint8 else np.nan
    return values
