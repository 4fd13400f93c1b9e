"""Time and size of a report, and time of the panel's answers, on a scene of 4096²; writes ``reports.md``.

``QT_QPA_PLATFORM=offscreen .venv/qgis/bin/python benchmarks/reports.py demo/maps/scene_04`` repeats the layers of a
mapped scene, such as that of ``make demo``, in both directions until they have that size. Run by QGIS's own Python.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))
import numpy as np  # noqa: E402
from osgeo import gdal  # noqa: E402
from qgis.core import QgsApplication, QgsGeometry, QgsPointXY, QgsProject, QgsRasterLayer  # noqa: E402

import conftest  # noqa: F401, E402 - makes this checkout importable as auxlens

gdal.UseExceptions()
CLICKS = 20


def repeat(source: Path, folder: Path, side: int) -> None:
    """Write a raster's pixels again and again into one of ``side`` × ``side``, with its tags, bands and style."""
    given = gdal.Open(str(source))
    kind = given.GetRasterBand(1).DataType
    options = ["TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "COMPRESS=ZSTD", "INTERLEAVE=BAND", "BIGTIFF=IF_SAFER"]
    target = str(folder / source.name)
    made = gdal.GetDriverByName("GTiff").Create(target, side, side, given.RasterCount, kind, options)
    made.SetGeoTransform(given.GetGeoTransform())
    made.SetProjection(given.GetProjection())
    made.SetMetadata(given.GetMetadata())
    for number in range(1, given.RasterCount + 1):
        band, copy = given.GetRasterBand(number), made.GetRasterBand(number)
        copy.SetDescription(band.GetDescription())
        copy.SetNoDataValue(band.GetNoDataValue())
        values = band.ReadAsArray()
        times = [-(-side // length) for length in values.shape]
        copy.WriteArray(np.tile(values, times)[:side, :side])
    made = None
    for sidecar in (source.with_suffix(".qml"), Path(f"{source}.aux.xml")):
        if sidecar.exists():
            shutil.copy(sidecar, folder)


def report(folder: Path) -> dict[str, float]:
    """Run ``report`` as a user does, in a process of its own."""
    pdf, html = folder / "report.pdf", folder / "report.html"
    command = [str(ROOT / "scripts" / "qgis_process"), "run", "auxlens:report", "--", f"SCENES={folder}"]
    start, used = time.perf_counter(), os.times()
    subprocess.run([*command, f"OUTPUT_PDF={pdf}", f"OUTPUT_REPORT={html}"], check=True, stdout=subprocess.DEVNULL)
    ended = os.times()
    cpu = ended.children_user + ended.children_system - used.children_user - used.children_system
    sizes = {"pdf_mb": pdf.stat().st_size / 1e6, "html_mb": html.stat().st_size / 1e6}
    return {"seconds": time.perf_counter() - start, "cpu_seconds": cpu, **sizes}


def panel(folder: Path) -> dict[str, float]:
    """Ask the panel about a pixel of layers that nobody has read yet, then about others; painted each time."""
    from qgis.gui import QgsMapCanvas

    from auxlens.plugin.panel.dock import WhyHereDock

    layers = [QgsRasterLayer(str(path), path.stem) for path in sorted(folder.glob("*.tif"))]
    QgsProject.instance().addMapLayers(layers)
    canvas = QgsMapCanvas()
    canvas.setDestinationCrs(layers[0].crs())
    dock = WhyHereDock(canvas)
    dock.show()
    box = layers[0].extent()
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(CLICKS + 1):
        x, y = box.xMinimum() + rng.random() * box.width(), box.yMinimum() + rng.random() * box.height()
        start = time.perf_counter()
        dock.ask(QgsGeometry.fromPointXY(QgsPointXY(x, y)))
        dock.view.repaint()
        seconds.append(time.perf_counter() - start)
    dock.close_down()
    QgsProject.instance().clear()
    return {"first": seconds[0], "median": statistics.median(seconds[1:]), "longest": max(seconds[1:])}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("scene", type=Path, help="folder with the layers of one mapped scene")
    arguments.add_argument("--side", type=int, default=4096, help="width and height, in pixels")
    options = arguments.parse_args()
    application = QgsApplication([], True)
    application.initQgis()
    with tempfile.TemporaryDirectory(prefix="auxlens-bench-") as temporary:
        folder = Path(temporary)
        for path in sorted(options.scene.glob("*.tif")):
            repeat(path, folder, options.side)
        asked = panel(folder)
        made = report(folder)
        outputs = len(list(folder.glob("*.tif")))
    lines = [
        "# Time and size of reports, and time of the panel's answers",
        "",
        "`QT_QPA_PLATFORM=offscreen .venv/qgis/bin/python benchmarks/reports.py demo/maps/scene_04`:",
        f"{outputs} outputs of {options.side}², repeated from the demo's. QGIS offscreen, "
        f"{len(os.sched_getaffinity(0))} cores. A click is timed",
        "from the question to the painted answer.",
        "",
        "| what | measured | goal |",
        "|---|---|---|",
        f"| report, PDF and HTML | {made['seconds']:.1f} s ({made['cpu_seconds']:.1f} s of the processor) | ≤ 30 s |",
        f"| size of the PDF | {made['pdf_mb']:.1f} MB | ≤ 20 MB |",
        f"| size of the HTML | {made['html_mb']:.1f} MB | ≤ 20 MB |",
        f"| first click | {asked['first']:.3f} s | ≤ 0.2 s |",
        f"| {CLICKS} further clicks elsewhere, median (longest) | {asked['median']:.3f} s ({asked['longest']:.3f} s) "
        "| ≤ 0.2 s |",
    ]
    (HERE / "reports.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
