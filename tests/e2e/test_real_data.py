"""Real scenes through ``scripts/qgis_process``: trained on files as they come, mapped without preparation."""

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, ogr

from auxlens.models.card import read_card

gdal.UseExceptions()
ogr.UseExceptions()

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
S2_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")


def data(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"no sample data: {DATA / name} does not exist")
    return DATA / name


def read(path: Path) -> np.ndarray:
    """All bands ``(C, H, W)``, NaN where a band is nodata."""
    dataset = gdal.Open(str(path))
    bands = [dataset.GetRasterBand(i + 1) for i in range(dataset.RasterCount)]
    values = [band.ReadAsArray().astype("float64") for band in bands]
    holes = [band.GetNoDataValue() for band in bands]
    return np.stack([np.where(v == hole, np.nan, v) for v, hole in zip(values, holes, strict=True)])


def names(path: Path) -> list:
    dataset = gdal.Open(str(path))
    return [dataset.GetRasterBand(i + 1).GetDescription() for i in range(dataset.RasterCount)]


def same_grid(path: Path, scene: Path) -> bool:
    made, given = gdal.Open(str(path)), gdal.Open(str(scene))
    size = (made.RasterXSize, made.RasterYSize) == (given.RasterXSize, given.RasterYSize)
    return (
        size
        and made.GetGeoTransform() == given.GetGeoTransform()
        and bool(made.GetSpatialRef().IsSame(given.GetSpatialRef()))
    )


@pytest.fixture(scope="module")
def coast(qgis_process, tmp_path_factory):
    """Model of a coast: its even tiles in, height and NDVI as auxiliary, polygons in a layer a class as reference."""
    source = data("aberystwyth")
    root = tmp_path_factory.mktemp("coast")
    (root / "tiles").mkdir()
    for number in range(0, 16, 2):
        (root / "tiles" / f"tile{number}").symlink_to(source / "tiles" / f"tile{number}")
    for name in ("dem.tif", "ndvi.tif", "classes.gpkg"):
        (root / name).symlink_to(source / name)
    model = root / "coast.safetensors"
    code, said = qgis_process(
        "trainfolder",
        SCENES=root / "tiles",
        INPUT_PATTERNS="s2=s2.tif",
        AUXILIARY_PATTERNS="dem=../../dem.tif;ndvi=../../ndvi.tif",
        REFERENCE_PATTERN="../../classes.gpkg",
        CHIP_SIZE=64,
        EPOCHS=18,
        PLAYERS="none",  # half the time; attributions have tests of their own
        OUTPUT_MODEL=model,
        OUTPUT_REPORT=root / "coast.html",
    )
    assert code == 0, said
    return model


def one_layer(source: Path, target: Path) -> Path:
    """A copy of a file with a layer a class as one layer, with the classes' names in a field ``cover``."""
    given = ogr.Open(str(source))
    made = ogr.GetDriverByName("GPKG").CreateDataSource(str(target))
    layer = made.CreateLayer("classes", given.GetLayer(0).GetSpatialRef(), ogr.wkbUnknown)
    layer.CreateField(ogr.FieldDefn("cover", ogr.OFTString))
    for i in range(given.GetLayerCount()):
        for feature in given.GetLayer(i):
            copy = ogr.Feature(layer.GetLayerDefn())
            copy.SetGeometry(feature.GetGeometryRef())
            copy.SetField("cover", given.GetLayer(i).GetName())
            layer.CreateFeature(copy)
    return target


def test_the_coasts_model(coast):
    card = read_card(str(coast))
    assert [c.name for c in card.main.classes] == [
        f"cls_{name}_smpls" for name in ("forest", "grass", "urban", "water")
    ]
    assert card.inputs[0].bands == ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
    assert [(m.name, m.pattern) for m in card.auxiliary] == [("dem", "../../dem.tif"), ("ndvi", "../../ndvi.tif")]
    assert card.training["figures"]["test"]["overall_accuracy"] > 0.7
    assert card.training["auxiliary_figures"]["ndvi:ndvi"]["r2"] > 0.5
    assert "<html" in coast.with_suffix(".html").read_text(encoding="utf-8")


def test_unseen_tiles_of_the_coast(coast, qgis_process, tmp_path):
    source = data("aberystwyth")
    reference = one_layer(source / "classes.gpkg", tmp_path / "classes.gpkg")
    wrong = []
    for tile in ("tile1", "tile9", "tile11"):
        scene = source / "tiles" / tile / "s2.tif"
        asked = ("map", "probability", "main_error", "reconstruction_error")
        outputs = {name: tmp_path / f"{tile}_{name}.tif" for name in asked}
        code, said = qgis_process(
            "map",
            MODEL=coast,
            INPUTS=[scene],
            AUXILIARY=[source / "dem.tif", source / "ndvi.tif"],
            REFERENCE=reference,
            REFERENCE_FIELD="cover",
            **{f"OUTPUT_{name.upper()}": path for name, path in outputs.items()},
        )
        assert code == 0, said
        assert all(same_grid(path, scene) for path in outputs.values())
        assert names(outputs["probability"]) == [c.name for c in read_card(str(coast)).main.classes]
        assert names(outputs["reconstruction_error"]) == ["dem:dem", "ndvi:ndvi"]
        assert (read(outputs["map"])[0] == read(outputs["probability"]).argmax(axis=0) + 1).all()
        error = read(outputs["reconstruction_error"])
        assert np.abs(np.nanmean(error[1])) < 0.1  # NDVI is a function of the inputs
        # The heights end before tile 11.
        assert np.isfinite(error).mean(axis=(1, 2)).tolist() == [0.0 if tile == "tile11" else 1.0, 1.0]
        main = read(outputs["main_error"])[0]
        wrong.append(main[np.isfinite(main)])
    counts = [len(tile) for tile in wrong]
    assert counts == pytest.approx([960, 375, 500], rel=0.2)  # the polygons' areas in the tiles
    assert np.concatenate(wrong).mean() < 0.2  # with some seeds a third of tile 9 is wrong, and next to nothing else


@pytest.fixture(scope="module")
def files():
    """A Sentinel-2 scene as one file a band, at 10, 20 and 60 m."""
    (folder,) = data("scenes").glob("S2A_*")
    return {band: folder / f"{band}.tif" for band in S2_BANDS}


@pytest.fixture(scope="module")
def greenness(files, tmp_path_factory):
    """A reference for the scene, whose own cloud mask has one class only: less and more green, with a strip unknown."""
    red, infrared = (read(files[band])[0] for band in ("B04", "B08"))
    index = (infrared - red) / (infrared + red)
    classes = np.where(index > np.median(index), 2, 1)
    classes[:100] = 0
    given = gdal.Open(str(files["B04"]))
    path = tmp_path_factory.mktemp("greenness") / "green.tif"
    made = gdal.GetDriverByName("GTiff").Create(str(path), given.RasterXSize, given.RasterYSize, 1, gdal.GDT_Byte)
    made.SetGeoTransform(given.GetGeoTransform())
    made.SetProjection(given.GetProjection())
    made.GetRasterBand(1).WriteArray(classes.astype("uint8"))
    made.GetRasterBand(1).SetNoDataValue(0)
    return path


@pytest.fixture(scope="module")
def plains(qgis_process, files, greenness):
    """Model of the scene: a file a band in."""
    model = greenness.with_name("plains.safetensors")
    code, said = qgis_process(
        "train",
        INPUTS=list(files.values()),
        REFERENCE=greenness,
        STRATEGY="single",
        CHIP_SIZE=64,
        EPOCHS=2,
        TIME_LIMIT=0.3,
        OUTPUT_MODEL=model,
        OUTPUT_REPORT=model.with_suffix(".html"),
    )
    assert code == 0, said
    return model


def test_a_file_a_band_is_one_modality_on_the_finest_grid(plains):
    card = read_card(str(plains))
    (modality,) = card.inputs
    assert (modality.bands, modality.gsd_m, modality.dtype) == (S2_BANDS, 10.0, "uint16")
    assert card.training["figures"]["test"]["overall_accuracy"] > 0.65


def test_a_file_a_band_is_mapped_without_preparation(plains, files, greenness, qgis_process, tmp_path):
    shuffled = [files[band] for band in reversed(S2_BANDS)]
    code, said = qgis_process("map", MODEL=plains, INPUTS=shuffled, OUTPUT_MAP=tmp_path / "map.tif")
    assert code == 0, said
    assert same_grid(tmp_path / "map.tif", files["B02"])
    classes, truth = read(tmp_path / "map.tif")[0], read(greenness)[0]
    assert classes.shape == (1068, 1068) and set(np.unique(classes)) == {1, 2}
    assert (classes == truth)[100:].mean() > 0.65


def test_the_scene_of_another_place_is_mapped_too(plains, qgis_process, tmp_path):
    (folder,) = data("scenes").glob("S2B_*")
    bands = [folder / f"{band}.tif" for band in S2_BANDS]
    outputs = {f"OUTPUT_{name.upper()}": tmp_path / f"{name}.tif" for name in ("map", "uncertainty")}
    code, said = qgis_process("map", MODEL=plains, INPUTS=bands, **outputs)
    assert code == 0, said
    assert all(same_grid(path, folder / "B02.tif") for path in outputs.values())
    uncertainty = read(tmp_path / "uncertainty.tif")[0]
    assert np.isfinite(uncertainty).all() and uncertainty.min() >= 0 and uncertainty.max() <= 1


def test_a_band_that_is_missing_is_named(plains, files, qgis_process, tmp_path):
    some = [path for band, path in files.items() if band != "B11"]
    code, said = qgis_process("map", MODEL=plains, INPUTS=some, OUTPUT_MAP=tmp_path / "map.tif")
    assert code != 0
    assert "needs 12 input bands" in said and "B11" in said and "Traceback" not in said
    assert not (tmp_path / "map.tif").exists()
