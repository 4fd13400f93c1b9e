"""Every layer that any algorithm writes opens styled: made by qgis_process, and after a project was saved and read."""

from pathlib import Path

import pytest
from qgis.core import (
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterVectorDestination,
    QgsProject,
)

from auxlens.algorithms.provider import ALGORITHMS

RAMP, CLASSES, COLOURS = "singlebandpseudocolor", "paletted", "multibandcolor"
MAPPED = {
    "OUTPUT_MAP": CLASSES,
    "OUTPUT_PROBABILITY": RAMP,
    "OUTPUT_UNCERTAINTY": RAMP,
    "OUTPUT_RECONSTRUCTION": RAMP,
    "OUTPUT_EXPECTED_ERROR": RAMP,
    "OUTPUT_RECONSTRUCTION_ERROR": RAMP,
    "OUTPUT_MAIN_ERROR": CLASSES,
    "OUTPUT_ERROR_PROBABILITY": RAMP,
    "OUTPUT_ATTRIBUTION": CLASSES,
}
# Every layer of every algorithm; folders are told by the files in them.
KINDS = {
    **{("map", name): kind for name, kind in MAPPED.items()},
    ("map", "OUTPUT_POLYGONS"): "categorizedSymbol",
    ("explainerrors", "OUTPUT_CORRELATION"): RAMP,
    ("sensitivity", "OUTPUT_SENSITIVITY"): CLASSES,
    ("zonalexplanation", "OUTPUT"): "RuleRenderer",
    **{("mapfolder", name.removeprefix("OUTPUT_").lower()): kind for name, kind in MAPPED.items()},
    **{("createdemo", name): kind for name, kind in (("s2", COLOURS), ("s1", RAMP), ("dem", RAMP))},
    **{("createdemo", name): CLASSES for name in ("label", "causes")},
}
FOLDERS = ("createdemo", "mapfolder")


def test_no_layer_is_forgotten(qgis_app):
    kinds = (QgsProcessingParameterRasterDestination, QgsProcessingParameterVectorDestination)
    declared = set()
    for made in ALGORITHMS:
        algorithm = made().create()
        layers = [d.name() for d in algorithm.destinationParameterDefinitions() if isinstance(d, kinds)]
        declared |= {(algorithm.name(), name) for name in layers}
    assert declared == {key for key in KINDS if key[0] not in FOLDERS}


@pytest.mark.parametrize("key", KINDS, ids=".".join)
def test_it_opens_with_its_style(key, every_layer, styles):
    path = every_layer[key]
    kind, bands, legend = styles.shown(styles.opened(path))
    assert kind == KINDS[key]
    assert len(legend) > 1
    if key[1].upper().endswith("ATTRIBUTION") or key[0] == "sensitivity":
        assert bands == [styles.opened(path).bandCount()]  # the dominant player
    if not path.endswith(".gpkg"):
        assert Path(path).with_suffix(".qml").exists()


def test_all_are_styled_after_a_project_was_saved_and_read(every_layer, styles, tmp_path):
    project = QgsProject()
    layers = [styles.opened(path) for path in every_layer.values()]
    before = {layer.source(): styles.shown(layer) for layer in layers}
    project.addMapLayers(layers)
    assert project.write(str(tmp_path / "p.qgz"))
    project.clear()
    again = QgsProject()
    assert again.read(str(tmp_path / "p.qgz"))
    after = {layer.source(): styles.shown(layer) for layer in again.mapLayers().values()}
    assert len(after) == len(every_layer)
    assert after == before


def test_a_batch_shares_its_scales(every_layer, styles):
    for name in MAPPED:
        single, in_batch = every_layer["map", name], every_layer["mapfolder", name.removeprefix("OUTPUT_").lower()]
        assert styles.shown(styles.opened(single)) == styles.shown(styles.opened(in_batch))
