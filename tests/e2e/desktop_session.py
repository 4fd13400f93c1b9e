"""Runs inside the QGIS desktop (``qgis --code``): opens dialogs, runs them, takes screenshots.

What it finds goes to ``result.json`` in the folder that ``AUXLENS_DESKTOP`` names, where ``parameters.json`` holds the
parameters of the runs and the layers to drop. ``test_desktop.py`` starts it and judges.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from qgis.PyQt.QtWidgets import QApplication, QDialog, QDockWidget, QLineEdit, QToolButton, QTreeView
from qgis.utils import iface, plugins, unloadPlugin

sys.path.insert(0, os.environ["AUXLENS_E2E"])  # QGIS does not say where this file is
import real_mouse
import styles_shown

FOLDER = Path(os.environ["AUXLENS_DESKTOP"])
RESULT = {}


def pause(ms):
    """Let the desktop go on for some milliseconds."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    (loop.exec if hasattr(loop, "exec") else loop.exec_)()


def wait_for(condition, seconds):
    for _ in range(int(seconds * 10)):
        if condition():
            return True
        pause(100)
    return False


def shoot(widget, name):
    widget.grab().save(str(FOLDER / f"{name}.png"))


def open_toolbox(window):
    """Show the toolbox with AuxLens's algorithms; says which there are."""
    dock = window.findChild(QDockWidget, "ProcessingToolbox")
    dock.show()
    search = dock.findChild(QLineEdit)
    search.setText("auxlens")
    pause(500)
    view = dock.findChild(QTreeView)
    view.expandAll()
    pause(300)
    shoot(dock, "toolbox")
    found = []

    def walk(parent):
        for row in range(view.model().rowCount(parent)):
            index = view.model().index(row, 0, parent)
            found.append(index.data())
            walk(index)

    walk(view.rootIndex())
    search.setText("")
    dock.hide()
    return found


def open_options(window):
    """Show the options page."""
    pages = []

    def look():
        dialog = QApplication.activeModalWidget()
        page = next((w for w in dialog.findChildren(object) if type(w).__name__ == "AuxLensOptionsPage"), None)
        if page is not None:
            pages.append(page.state.text())
            dialog.resize(1000, 640)
            pause(300)
            shoot(dialog, "options")
        dialog.reject()

    QTimer.singleShot(1500, look)
    iface.showOptionsDialog(window, "AuxLens")
    return pages


def run_dialog(algorithm, parameters, suffix=""):
    """Fill in an algorithm's dialog, run it, and wait for its end; gives whether it went well, and the results."""
    import processing

    dialog = processing.createAlgorithmDialog(f"auxlens:{algorithm}", parameters)
    ended = []
    dialog.algorithmFinished.connect(lambda ok, results: ended.append((ok, dict(results))))
    dialog.resize(1100, 900)
    dialog.show()
    pause(1000)
    shoot(dialog, f"dialog{suffix}")
    dialog.runButton().click()
    wait_for(lambda: ended, 240)
    pause(1000)
    shoot(dialog, f"log{suffix}")
    dialog.close()
    if not ended:
        raise RuntimeError("the algorithm did not end")
    return ended[0]


def run_batch(algorithm, rows):
    """Fill in the window of QGIS for running an algorithm as a batch, run it, and give how its layers are drawn."""
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
    from processing.tools.dataobjects import createContext

    before = set(QgsProject.instance().mapLayers())
    dialog = BatchAlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById(f"auxlens:{algorithm}"))
    panel, context = dialog.mainWidget(), createContext()
    panel.addRow(len(rows) - 1)
    for number, row in enumerate(rows):
        for name, value in row.items():
            column = panel.parameter_to_column[name]
            if name.startswith("OUTPUT"):
                panel.tblParameters.cellWidget(number + 1, column).setValue(value)
            else:
                panel.wrappers[number][column].setParameterValue(value, context)
    panel.checkLoadLayersOnCompletion.setChecked(True)
    dialog.resize(1400, 500)
    dialog.show()
    pause(500)
    shoot(dialog, "batch")
    dialog.runButton().click()
    pause(1000)
    shoot(dialog, "batch_log")
    dialog.close()
    new = [layer for key, layer in QgsProject.instance().mapLayers().items() if key not in before]
    return {layer.source(): styles_shown.shown(layer) for layer in new}


def report_on_the_group():
    """A report of the layers in the scene's group, through its dialog."""
    group = next(iter(QgsProject.instance().layerTreeRoot().findGroups()))
    layers = [node.layer().id() for node in group.findLayers()]
    ok, results = run_dialog("report", {"LAYERS": layers, "OUTPUT_PDF": str(FOLDER / "report.pdf")}, "_report")
    for window in QApplication.topLevelWidgets():
        if isinstance(window, QDialog):
            window.hide()  # the log of an algorithm that ran in the main thread
    layout(iface.mainWindow())  # the viewer of results has opened
    return {"ok": ok, "results": results}


def layout(window):
    """Room for the names in the panel of layers."""
    panel = window.findChild(QDockWidget, "Layers")
    window.resizeDocks([panel], [430], Qt.Orientation.Horizontal)
    for name in ("MessageLog", "Browser", "ResultsViewer"):
        dock = window.findChild(QDockWidget, name)
        if dock is not None:
            dock.hide()


def describe_tree():
    return [
        {
            "group": group.name(),
            "layers": [
                {
                    "name": node.name(),
                    "visible": node.isVisible(),
                    "renderer": node.layer().renderer().type(),
                    "source": node.layer().source(),
                }
                for node in group.findLayers()
            ],
        }
        for group in QgsProject.instance().layerTreeRoot().findGroups()
    ]


def show_result(window):
    """The window as a user sees it after the run."""
    layout(window)
    iface.messageBar().clearWidgets()
    iface.setActiveLayer(QgsProject.instance().mapLayersByName("Sentinel-2")[0])
    iface.zoomToActiveLayer()
    wait_for(lambda: not iface.mapCanvas().isDrawing(), 20)
    pause(1500)
    shoot(window, "desktop")


def ask_why(window):
    """Open the panel, click on the map, draw an outline, and ask again in the saved and reopened project."""
    if not real_mouse.available():
        return {}
    mouse, canvas = real_mouse.Mouse(), iface.mapCanvas()
    button = next(b for b in window.findChildren(QToolButton) if b.isVisible() and b.text() == "Why here?")
    mouse.click(button, button.rect().center())
    dock = window.findChild(QDockWidget, "AuxLensWhyHere")
    said = {"shown": dock.isVisible()}
    window.resizeDocks([dock], [420], Qt.Orientation.Horizontal)
    pause(500)  # the canvas has become narrower
    iface.zoomToActiveLayer()
    wait_for(lambda: not canvas.isDrawing(), 20)
    view, middle = canvas.viewport(), canvas.viewport().rect().center()
    mouse.click(view, middle + QPoint(20, 20))
    said["pixel"] = _answer(dock)
    said["seconds"] = _seconds(dock)
    wait_for(lambda: dock.found and dock.found.percentiles, 10)
    shoot(window, "why_here")
    mouse.click(dock.text_button, dock.text_button.rect().center())
    said["text"] = QGuiApplication.clipboard().text()
    corners = [(0, 0), (40, 5), (70, 30), (60, 70), (10, 60), (0, 20)]
    mouse.drag(view, [middle + QPoint(x, y) for x, y in corners])
    said["outline"] = _answer(dock)
    path = str(FOLDER / "asked.qgz")
    QgsProject.instance().write(path)
    QgsProject.instance().clear()
    iface.addProject(path)
    wait_for(lambda: not canvas.isDrawing(), 20)
    pause(500)
    canvas.setMapTool(dock.tool)
    mouse.click(view, middle + QPoint(20, 20))
    said["reopened"] = _answer(dock)
    return said


def _answer(dock):
    place = dock.found.place if dock.found is not None else None
    return place and {"pixels": place.pixels, "mapped": place.mapped.name, "values": dict(place.values)}


def _seconds(dock):
    """Of the second answer: the first opens files."""
    started = time.perf_counter()
    dock._ask_again()
    return time.perf_counter() - started


def drop(window, paths):
    """Drop files onto the window, as from a file manager; gives how each that opened is drawn, by its path."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    button, no_keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place, copy = window.rect().center(), Qt.DropAction.CopyAction
    before = set(QgsProject.instance().mapLayers())
    QApplication.sendEvent(window, QDragEnterEvent(place, copy, mime, button, no_keys))  # makes it the target
    QApplication.sendEvent(window, QDropEvent(QPointF(place), copy, mime, button, no_keys))
    # Of a GeoPackage that holds its style, QGIS asks which of its layers to add.
    confirm = QTimer()
    confirm.timeout.connect(lambda: QApplication.activeModalWidget() and QApplication.activeModalWidget().accept())
    confirm.start(300)
    wait_for(lambda: len(QgsProject.instance().mapLayers()) == len(before) + len(paths), 60)
    confirm.stop()
    new = [layer for key, layer in QgsProject.instance().mapLayers().items() if key not in before]
    found = {layer.source().partition("|")[0]: styles_shown.shown(layer) for layer in new}
    QgsProject.instance().removeMapLayers([layer.id() for layer in new])
    return found


def session():
    window = iface.mainWindow()
    window.setGeometry(0, 0, 1500, 950)  # all of it on the screen, so that the mouse can get everywhere
    layout(window)
    RESULT["plugin"] = wait_for(lambda: "auxlens" in plugins, 20)
    provider = QgsApplication.processingRegistry().providerById("auxlens")
    RESULT["algorithms"] = sorted(a.id() for a in provider.algorithms())
    RESULT["toolbox"] = open_toolbox(window)
    RESULT["options"] = open_options(window)
    given = json.loads((FOLDER / "parameters.json").read_text(encoding="utf-8"))
    parameters = given["map"]
    scene = QgsRasterLayer(parameters["INPUTS"][0], "Sentinel-2")
    QgsProject.instance().addMapLayer(scene)
    RESULT["ok"], RESULT["results"] = run_dialog("map", parameters)
    RESULT["tree"] = describe_tree()
    RESULT["top_level"] = [node.name() for node in QgsProject.instance().layerTreeRoot().children()]
    show_result(window)
    RESULT["report"] = report_on_the_group()
    RESULT["why_here"] = ask_why(window)
    RESULT["dropped"] = drop(window, given["layers"])
    RESULT["batch"] = run_batch("map", given["batch"])
    RESULT["groups"] = [group["group"] for group in describe_tree()]
    RESULT["unloaded"] = unloadPlugin("auxlens")
    RESULT["left"] = QgsApplication.processingRegistry().providerById("auxlens") is not None


def main():
    try:
        session()
    except Exception:  # told to the test, whatever it is
        RESULT["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(RESULT, indent=1), encoding="utf-8")
    QgsProject.instance().clear()  # so that nothing is asked at the end
    QTimer.singleShot(0, iface.actionExit().trigger)


QTimer.singleShot(1500, main)
