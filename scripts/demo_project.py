"""Put the demo's layers into a QGIS project, styled and grouped, and draw them side by side.

    scripts/demo_project.py <demo folder> <scene>

Run by QGIS's own Python. Reads the scene's rasters and the maps that ``auxlens:map`` made of it; writes
``demo.qgz`` and ``demo.png`` into the demo's folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
from demo_picture import Panel, draw
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsLayerTreeGroup,
    QgsMapThemeCollection,
    QgsProject,
    QgsRasterLayer,
    QgsReferencedRectangle,
)

OUTPUTS = (
    "map",
    "probability",
    "uncertainty",
    "error_probability",
    "main_error",
    "reconstruction",
    "reconstruction_error",
    "expected_error",
    "attribution",
)
SCENE_FILES = {"label": "Reference", "causes": "Known causes of error", "s1": "Sentinel-1 VV", "s2": "Sentinel-2"}
gdal.UseExceptions()


def main(demo: Path, scene: str) -> None:
    """Write the project and the picture of one mapped scene."""
    project = QgsProject.instance()
    project.clear()
    layers = load_layers(demo, scene)
    group = project.layerTreeRoot().addGroup(scene)
    for name, layer in layers.items():
        project.addMapLayer(layer, False)
        node = group.addLayer(layer)
        node.setItemVisibilityChecked(name in ("map", "s2"))
        node.setExpanded(name == "map")
    project.setTitle(f"AuxLens demo – {scene}")
    project.setCrs(layers["s2"].crs())
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(layers["s2"].extent(), layers["s2"].crs()))
    add_themes(project, group, layers)
    if not project.write(str(demo / "demo.qgz")):
        sys.exit(f"{demo / 'demo.qgz'} cannot be written: {project.error()}")
    draw(panels(layers), heading(demo, scene), summary(demo, scene), demo / "demo.png")


def load_layers(demo: Path, scene: str) -> Dict[str, QgsRasterLayer]:
    """Layers by name, from the top of the legend down: outputs first, then what was measured."""
    maps, measured = demo / "maps" / scene, demo / "unseen" / scene
    paths = {name: maps / f"{name}.tif" for name in OUTPUTS}
    paths.update({name: measured / f"{name}.tif" for name in SCENE_FILES})
    layers = {}
    for name, path in paths.items():
        layer = QgsRasterLayer(str(path), SCENE_FILES.get(name, name.replace("_", " ").capitalize()))
        if not layer.isValid():
            sys.exit(f"{path} is missing or no raster; run scripts/demo from its start")
        layers[name] = layer
    # The measured modality in the colours of the reconstructed one: that is what they are compared by.
    layers["s1"].loadNamedStyle(str(maps / "reconstruction.qml"))
    for layer in layers.values():
        layer.setCustomProperty("auxlens/scene", scene)
    return layers


def add_themes(project: QgsProject, group: QgsLayerTreeGroup, layers: Dict[str, QgsRasterLayer]) -> None:
    """One map theme a layer, so that a click shows it over the satellite image."""
    for shown in layers.values():
        records = []
        for layer in (shown, layers["s2"]):
            record = QgsMapThemeCollection.MapThemeLayerRecord(layer)
            record.isVisible = True
            records.append(record)
        theme = QgsMapThemeCollection.MapThemeRecord()
        theme.setLayerRecords(records)
        project.mapThemeCollection().insert(shown.name(), theme)


def panels(layers: Dict[str, QgsRasterLayer]) -> List[Panel]:
    """What the picture shows, line by line."""
    return [
        Panel("Input: Sentinel-2", layers["s2"], note="all that the network is given"),
        Panel("Reference", layers["label"]),
        Panel("Map", layers["map"]),
        Panel("Main error", layers["main_error"]),
        Panel("Why: the dominant player", layers["attribution"]),
        Panel("Uncertainty", layers["uncertainty"]),
        Panel("Error probability", layers["error_probability"]),
        Panel("Known causes of error", layers["causes"]),
        Panel("Sentinel-1 VV, measured", layers["s1"]),
        Panel("Sentinel-1 VV, reconstructed", layers["reconstruction"]),
        Panel("Reconstruction error", layers["reconstruction_error"]),
        Panel("Expected error", layers["expected_error"]),
    ]


def heading(demo: Path, scene: str) -> str:
    known, wrong = compared(demo, scene)
    return (
        f"A scene that the model never saw: {100 * (~wrong[known]).mean():.1f} % of the map agrees with the reference"
    )


def summary(demo: Path, scene: str) -> str:
    """How often the map is wrong, and how often it was expected to be, under each cause."""
    known, wrong = compared(demo, scene)
    expected = read(demo / "maps" / scene / "error_probability.tif")
    causes = read(demo / "unseen" / scene / "causes.tif")
    known &= np.isfinite(expected)
    parts = []
    for value, name in ((0, "undisturbed"), (1, "haze"), (2, "cloud shadow"), (3, "unseen class")):
        here = known & (causes == value)
        if here.any():
            parts.append(f"{name} {100 * wrong[here].mean():.0f} % ({100 * expected[here].mean():.0f} %)")
    text = "Share of wrong pixels, and in brackets the mean error probability: " + " · ".join(parts)
    print(text)
    return text


def compared(demo: Path, scene: str) -> Tuple[np.ndarray, np.ndarray]:
    """Where both map and reference are known, and where they differ; a class unknown to the model is always wrong."""
    found, nodata = read_with_nodata(demo / "maps" / scene / "map.tif")
    reference = read(demo / "unseen" / scene / "label.tif")
    return (found != nodata) & (reference != 0), found != reference


def read(path: Path) -> np.ndarray:
    return read_with_nodata(path)[0]


def read_with_nodata(path: Path) -> Tuple[np.ndarray, float]:
    file = gdal.Open(str(path))  # a band outlives its file badly
    band = file.GetRasterBand(1)
    return band.ReadAsArray(), band.GetNoDataValue()


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    main(Path(sys.argv[1]), sys.argv[2])
    QgsProject.instance().clear()
    application.exitQgis()
