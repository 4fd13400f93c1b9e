"""Zonal explanation from QGIS: layers in a project, polygons from anywhere, a result that opens styled."""

import csv

import pytest
from osgeo import gdal
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def tagged(write_raster):
    """Writes a raster of 16 × 16 pixels of 10 m that says which output it is; every band holds its number / 10."""

    def write(name, output, bands):
        path = write_raster(name, bands)
        file = gdal.Open(path, gdal.GA_Update)
        file.SetMetadataItem("AUXLENS_OUTPUT", output)
        for number in range(1, len(bands) + 1):
            file.GetRasterBand(number).Fill(number / 10)
        file.FlushCache()
        return path

    return write


@pytest.fixture
def polygons(qgis_app):
    """Two polygons in memory, in degrees: one on the raster, one beside it."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=name:string", "fields", "memory")
    for name, box in (
        ("on", QgsRectangle(9.0002, 45.1525, 9.0008, 45.1530)),
        ("beside", QgsRectangle(9.1, 45.1525, 9.2, 45.16)),
    ):
        feature = QgsFeature(layer.fields())
        feature.setAttribute("name", name)
        feature.setGeometry(QgsGeometry.fromRect(box))
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    return layer


def test_layers_and_a_memory_layer_to_polygons_and_table(run, tagged, polygons, tmp_path):
    layers = [
        tagged("a.tif", "error_probability", ("error probability",)),
        QgsRasterLayer(tagged("b.tif", "attribution", ("red", "blue", "dominant player")), "any name"),
    ]
    table = tmp_path / "new folder" / "table.csv"
    result = run(
        "zonalexplanation", LAYERS=layers, POLYGONS=polygons, OUTPUT=str(tmp_path / "z.gpkg"), OUTPUT_TABLE=str(table)
    )
    assert result == {"OUTPUT": str(tmp_path / "z.gpkg"), "OUTPUT_TABLE": str(table)}
    with open(table, encoding="utf-8") as file:
        on, beside = csv.DictReader(file)
    assert on["name"] == "on" and float(on["error_probability_mean"]) == pytest.approx(0.1)
    assert float(on["attribution_blue"]) == pytest.approx(0.2) and float(on["mapped_share"]) == pytest.approx(1.0)
    assert "10 % likely to be wrong" in on["sentence"]
    assert (float(beside["mapped_share"]), beside["sentence"]) == (0.0, "Nothing of it is mapped.")
    layer = QgsVectorLayer(result["OUTPUT"], "opened later")
    assert layer.isValid() and layer.featureCount() == 2 and layer.crs().authid() == "EPSG:4326"
    check_style(layer)


def check_style(layer):
    assert layer.renderer().type() == "RuleRenderer"
    rules = layer.renderer().rootRule().children()
    assert rules[0].label() == "0–5 % likely wrong" and rules[-1].isElse()
    assert "sentence" in layer.mapTipTemplate()


def test_the_layer_that_a_run_loads_is_styled_and_named(run, provider, tagged, polygons, qgis_processing):
    from processing.gui.Postprocessing import handleAlgorithmResults

    path = run("zonalexplanation", LAYERS=[tagged("a.tif", "error_probability", ("p",))], POLYGONS=polygons,
               OUTPUT="TEMPORARY_OUTPUT")["OUTPUT"]  # fmt: skip
    assert path.endswith(".gpkg")
    project, context = QgsProject(), QgsProcessingContext()
    context.setProject(project)
    context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails("x", project, "OUTPUT"))
    algorithm = provider.algorithm("zonalexplanation")
    algorithm.watch_outputs(algorithm.JOB(("a.tif",), "p", output_zones=path), context)
    assert handleAlgorithmResults(algorithm, context)
    (layer,) = project.mapLayers().values()
    assert layer.name() == "Explained polygons"
    check_style(layer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"LAYERS": []}, "No layer is given"),
        ({"LAYERS": ["plain.tif"]}, "None of the layers was made by AuxLens"),
        ({"LAYERS": ["/nowhere/x.tif"]}, "does not exist"),
        ({"OUTPUT": None}, "No output is asked for"),
        ({"OUTPUT": "zones.shp"}, "must end in .gpkg"),
        ({"OUTPUT": "p.tif"}, "must end in .gpkg"),
        ({"POLYGONS": "/nowhere/x.gpkg"}, "does not exist"),
    ],
)
def test_bad_parameters(run, tagged, write_raster, polygons, tmp_path, monkeypatch, changes, message):
    monkeypatch.chdir(tmp_path)
    write_raster("plain.tif")
    given = {"LAYERS": [tagged("p.tif", "error_probability", ("p",))], "POLYGONS": polygons, "OUTPUT": "z.gpkg"}
    with pytest.raises(QgsProcessingException, match=message):
        run("zonalexplanation", **{**given, **changes})
    assert not list(tmp_path.glob("*.gpkg"))


def test_two_layers_of_one_output_are_told_by_the_engine(run, tagged, polygons, tmp_path):
    layers = [tagged(f"{i}.tif", "uncertainty", ("u",)) for i in range(2)]
    with pytest.raises(QgsProcessingException, match="both of the output “uncertainty”"):
        run("zonalexplanation", LAYERS=layers, POLYGONS=polygons, OUTPUT=str(tmp_path / "z.gpkg"))
    assert not list(tmp_path.glob("*.gpkg"))
