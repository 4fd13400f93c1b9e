"""Fixtures of the end-to-end tests: demo scenes and a model, made by the real ``qgis_process``, once a session."""

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Environment variables with a throw-away QGIS profile; skips where no engine is set up."""
    python = os.environ.get("AUXLENS_PYTHON", str(ROOT / ".venv" / "engine" / "bin" / "python"))
    if not Path(python).exists():
        pytest.skip(f"no engine: {python} does not exist (make setup)")
    profile = tmp_path_factory.mktemp("profile")
    return {**os.environ, "AUXLENS_PYTHON": python, "QGIS_CUSTOM_CONFIG_PATH": str(profile)}


@pytest.fixture(scope="session")
def qgis_process(environment):
    """Runs an algorithm with ``scripts/qgis_process``; gives exit code, results and all that was written."""

    def go(algorithm, **parameters):
        words = [
            f"{name}={item}"
            for name, value in parameters.items()
            for item in (value if isinstance(value, list) else [value])
        ]
        done = subprocess.run(
            [str(ROOT / "scripts" / "qgis_process"), "run", f"auxlens:{algorithm}", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    return go


@pytest.fixture(scope="session")
def scenes(qgis_process, tmp_path_factory):
    folder = tmp_path_factory.mktemp("e2e") / "scenes"
    code, said = qgis_process("createdemo", SCENE_COUNT=4, SIZE=192, SEED=5, OUTPUT_FOLDER=folder)
    assert code == 0, said
    return folder


@pytest.fixture(scope="session")
def model(qgis_process, scenes):
    path = scenes.parent / "demo.safetensors"
    code, said = qgis_process(
        "trainfolder",
        SCENES=scenes,
        INPUT_PATTERNS="s2=s2.tif",
        AUXILIARY_PATTERNS="s1=s1.tif;dem=dem.tif",
        REFERENCE_PATTERN="label.tif",
        EPOCHS=3,
        CHIP_SIZE=32,
        BATCH_SIZE=32,
        OUTPUT_MODEL=path,
        OUTPUT_REPORT=scenes.parent / "demo.html",
    )
    assert code == 0, said
    assert json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    return path


@pytest.fixture(scope="session")
def styles():
    """The module that says how a layer is drawn, which sessions of the desktop read too."""
    spec = importlib.util.spec_from_file_location("styles_shown", Path(__file__).with_name("styles_shown.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def every_layer(qgis_process, scenes, model, tmp_path_factory):
    """Path of every layer that any algorithm writes, by algorithm and output; all made by ``qgis_process``."""
    from auxlens.engine.jobs import MAP_OUTPUTS

    folder = tmp_path_factory.mktemp("layers")
    scene = scenes / "scene_03"  # its edge has values, unlike that of scene_04
    found = {("createdemo", path.stem): str(path) for path in sorted(scene.glob("*.tif"))}

    def go(algorithm, outputs, **parameters):
        paths = {name: folder / file for name, file in outputs.items()}
        code, said = qgis_process(algorithm, **parameters, **paths)
        assert code == 0, said
        found.update({(algorithm, name): str(path) for name, path in paths.items() if path.suffix in (".tif", ".gpkg")})

    inputs, auxiliary = scene / "s2.tif", [scene / "s1.tif", scene / "dem.tif"]
    rasters = {f"OUTPUT_{name.upper()}": f"{name}.tif" for name in MAP_OUTPUTS}
    go("map", rasters, MODEL=model, INPUTS=inputs, AUXILIARY=auxiliary, REFERENCE=scene / "label.tif")
    mapped = [found["map", name] for name in rasters]
    go("explainerrors", {"OUTPUT_CORRELATION": "correlation.tif"}, INPUTS=mapped)
    go("sensitivity", {"OUTPUT_SENSITIVITY": "sensitivity.tif"}, MODEL=model, INPUTS=inputs)
    fields = _fields(scene, folder / "fields.gpkg")
    go("zonalexplanation", {"OUTPUT": "zones.gpkg"}, LAYERS=mapped, POLYGONS=fields)
    quick = {"TASK": "scene_classification", "EPOCHS": 1, "CHIP_SIZE": 32, "BATCH_SIZE": 32}
    of_fields = {"INPUTS": inputs, "REFERENCE": fields, "REFERENCE_FIELD": "cover"}
    go("train", {"OUTPUT_MODEL": "fields.safetensors"}, **of_fields, **quick)
    polygons = {"OUTPUT_POLYGONS": "polygons.gpkg"}
    go("map", polygons, MODEL=folder / "fields.safetensors", INPUTS=inputs, POLYGONS=fields)
    shutil.copytree(scene, folder / "in" / scene.name)
    go("mapfolder", {"OUTPUT_FOLDER": "out"}, MODEL=model, SCENES=folder / "in", LAYERS=",".join(MAP_OUTPUTS))
    found.update({("mapfolder", name): str(folder / "out" / scene.name / f"{name}.tif") for name in MAP_OUTPUTS})
    return found


def _fields(scene, path, side=16):
    """Squares of a scene with their most frequent class, as a GeoPackage."""
    import numpy as np
    from osgeo import gdal, ogr

    raster = gdal.Open(str(scene / "label.tif"))
    west, gsd, _, north, _, _ = raster.GetGeoTransform()
    labels = raster.ReadAsArray()
    made = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = made.CreateLayer("fields", raster.GetSpatialRef(), ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("cover", ogr.OFTString))
    for row in range(0, labels.shape[0], side):
        for col in range(0, labels.shape[1], side):
            values, counts = np.unique(labels[row : row + side, col : col + side], return_counts=True)
            left, right = west + col * gsd, west + (col + side) * gsd
            top, bottom = north - row * gsd, north - (row + side) * gsd
            ring = f"{left} {top},{right} {top},{right} {bottom},{left} {bottom},{left} {top}"
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POLYGON(({ring}))"))
            feature.SetField("cover", f"cover {values[counts.argmax()]}")
            layer.CreateFeature(feature)
    return path
