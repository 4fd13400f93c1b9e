"""The panel “Why here?”: spots, answers, texts; quick, and from reopened projects."""

import time

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from qgis.PyQt.QtGui import QGuiApplication, QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication

from auxlens.engine.jobs import SceneError
from auxlens.models.card import MainTask
from auxlens.plugin.panel.answer import spot_of
from auxlens.plugin.panel.dock import WhyHereDock
from auxlens.plugin.panel.view import as_text
from auxlens.plugin.scenes import scenes_in_folder

NO_KEYS = Qt.KeyboardModifier.NoModifier
UTM = QgsCoordinateReferenceSystem("EPSG:32632")


def read(folder, name):
    return gdal.Open(str(folder / f"{name}.tif")).ReadAsArray()


def events(ms=50):
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    (loop.exec if hasattr(loop, "exec") else loop.exec_)()


@pytest.fixture
def folder(mapped):
    return mapped()


@pytest.fixture
def scene(qgis_app, folder):
    return scenes_in_folder(str(folder))[0][0]


@pytest.fixture
def dock(qgis_app, folder):
    """The panel over a canvas that shows the scene, in its own CRS."""
    project = QgsProject.instance()
    layers = [QgsRasterLayer(str(path), path.stem) for path in sorted(folder.glob("*.tif"))]
    project.addMapLayers(layers)
    canvas = QgsMapCanvas()
    canvas.resize(560, 400)
    canvas.setDestinationCrs(UTM)
    canvas.setLayers(layers)
    canvas.setExtent(QgsRectangle(6e5, 5.2e6 - 400, 6e5 + 560, 5.2e6))
    canvas.show()
    made = WhyHereDock(canvas)
    canvas.setMapTool(made.tool)
    made.canvas = canvas  # kept alive
    yield made
    made.close_down()
    project.clear()


def centre(row, column):
    return QgsGeometry.fromPointXY(QgsPointXY(6e5 + 10 * column + 5, 5.2e6 - 10 * row - 5))


def test_spot_of_a_pixel_in_any_crs(scene):
    spot = spot_of(scene, centre(7, 9), UTM)
    assert (spot.rows, spot.columns, spot.mask) == (slice(7, 8), slice(9, 10), None)
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    point = centre(7, 9)
    point.transform(QgsCoordinateTransform(UTM, degrees, QgsProject.instance()))
    assert spot_of(scene, point, degrees) == spot
    assert spot_of(scene, centre(-1, 9), UTM) is None
    assert spot_of(scene, centre(7, 56), UTM) is None
    assert spot_of(scene, QgsGeometry(), UTM) is None


def test_spot_of_an_outline_takes_the_pixels_whose_middle_is_inside(scene):
    shape = QgsGeometry.fromRect(QgsRectangle(6e5 + 21, 5.2e6 - 58, 6e5 + 66, 5.2e6 - 12))
    spot = spot_of(scene, shape, UTM)
    rows, columns = np.nonzero(spot.mask)
    assert set(rows + spot.rows.start) == {1, 2, 3, 4, 5}  # the middle of row 5 is 55 m down
    assert set(columns + spot.columns.start) == {2, 3, 4, 5, 6}
    partly = spot_of(scene, QgsGeometry.fromRect(QgsRectangle(6e5 - 500, 5.2e6 - 20, 6e5 + 20, 5.2e6 + 500)), UTM)
    assert partly.mask.sum() == 4
    assert spot_of(scene, QgsGeometry.fromRect(QgsRectangle(0, 0, 1, 1)), UTM) is None


def test_too_large_an_outline_is_refused(qgis_app, mapped):
    ((scene,), _) = scenes_in_folder(str(mapped(size=(300, 300))))
    with pytest.raises(SceneError, match="spans 300 × 300 pixels"):
        spot_of(scene, QgsGeometry.fromRect(scene.any_layer.extent()), UTM)


def test_a_click_is_answered_with_what_the_layers_hold(dock, folder):
    place = QPoint(95, 75)  # a canvas pixel is a metre here
    QTest.mouseClick(dock.canvas.viewport(), Qt.MouseButton.LeftButton, NO_KEYS, place)
    row, column = dock.found.spot.rows.start, dock.found.spot.columns.start
    assert abs(row - 7) <= 1
    assert abs(column - 9) <= 1
    here = dock.found.place
    assert here.mapped.value == read(folder, "map")[row, column]
    assert here.values["error_probability"] == pytest.approx(read(folder, "error_probability")[row, column])
    events()
    risk = read(folder, "error_probability")
    lower = 100 * (risk[np.isfinite(risk)] < risk[row, column]).mean()
    assert dock.found.percentiles["error_probability"] == pytest.approx(lower, abs=0.1)
    assert dock.found.place.readings[0].unit == "dB"  # from the card, when there was time to read it


def drag(dock, places):
    view = dock.canvas.viewport()
    corners = [QPoint(x, y) for x, y in places]
    QTest.mousePress(view, Qt.MouseButton.LeftButton, NO_KEYS, corners[0])
    for corner in corners[1:]:
        held = Qt.MouseButton.LeftButton
        moved = QMouseEvent(QEvent.Type.MouseMove, QPointF(corner), Qt.MouseButton.NoButton, held, NO_KEYS)
        QApplication.sendEvent(view, moved)  # QTest's moves hold no button
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, NO_KEYS, corners[-1])


def test_a_drag_draws_an_outline(dock):
    drag(dock, ((100, 100), (200, 100), (200, 180), (100, 180)))
    assert dock.found.spot.mask is not None
    assert 60 <= dock.found.place.pixels <= 100  # 10 × 8 pixels
    assert f" · {dock.found.place.pixels} pixels\n" in as_text(dock.found)


def test_a_straight_drag_asks_about_the_pixel(dock):
    drag(dock, ((95, 75), (120, 75), (150, 75), (180, 75)))
    assert dock.found.spot.mask is None
    assert dock.found.place.pixels == 1


def test_a_spike_of_an_outline_does_not_count(dock):
    drag(dock, ((100, 100), (200, 100), (200, 180), (280, 180), (200, 180), (100, 180)))
    assert 60 <= dock.found.place.pixels <= 100


def test_an_interrupted_outline_is_given_up(dock):
    view = dock.canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, NO_KEYS, QPoint(100, 100))
    dock.canvas.unsetMapTool(dock.tool)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, NO_KEYS, QPoint(100, 100))
    dock.canvas.setMapTool(dock.tool)
    none = Qt.MouseButton.NoButton
    for x in (200, 240):
        QApplication.sendEvent(view, QMouseEvent(QEvent.Type.MouseMove, QPointF(x, 150), none, none, NO_KEYS))
    assert dock.tool._band.asGeometry().isEmpty()


def test_an_answer_takes_a_moment(dock):
    times = []
    for at in range(5):
        started = time.perf_counter()
        dock.ask(centre(5 + at, 20))
        times.append(time.perf_counter() - started)
    assert sorted(times)[2] < 0.2


def test_copies(dock):
    dock.ask(centre(7, 9))
    events()
    dock.text_button.click()
    said = QGuiApplication.clipboard().text()
    assert said.startswith("Mapped as ")
    for words in (
        "Error probability: ",
        "% of the scene",
        "dominant: ",
        "s1 VV predicted",
        "observed",
        "600095, 5199925",
    ):
        assert words in said
    dock.picture_button.click()
    picture = QGuiApplication.clipboard().image()
    assert picture.width() >= 840
    assert picture.height() > 800


def test_places_without_an_answer(dock):
    dock.ask(centre(-50, 9))
    assert dock.found is None
    assert not dock.text_button.isEnabled()
    dock.ask(centre(3, 55))  # nodata
    assert dock.found.place.pixels == 0
    assert as_text(dock.found).startswith("Nothing is mapped here")


def test_layers_that_go_are_forgotten(dock):
    dock.ask(centre(7, 9))
    QgsProject.instance().removeAllMapLayers()
    assert dock.found is None
    dock.ask(centre(7, 9))
    assert dock.found is None


def test_layers_of_a_reopened_project(dock, tmp_path):
    dock.ask(centre(7, 9))
    before = dock.found.place
    path = str(tmp_path / "p.qgz")
    assert QgsProject.instance().write(path)
    QgsProject.instance().clear()
    assert QgsProject.instance().read(path)
    dock.ask(centre(7, 9))
    assert dock.found.place.mapped == before.mapped
    assert dock.found.place.attributions == before.attributions


def test_a_panel_that_goes_leaves_nothing_on_the_canvas(qgis_app):
    canvas = QgsMapCanvas()
    before = len(canvas.scene().items())
    for _ in range(3):  # as when the plugin is loaded again
        dock = WhyHereDock(canvas)
        canvas.setMapTool(dock.tool)
        dock.close_down()
        QCoreApplication.sendPostedEvents(dock.tool, QEvent.Type.DeferredDelete)
        assert len(canvas.scene().items()) == before
        assert canvas.mapTool() is None
        assert sip.isdeleted(dock.tool)


def test_scenes_below_each_other_can_be_chosen(dock, mapped):
    other = mapped("scene_02", seed=5)
    QgsProject.instance().addMapLayer(QgsRasterLayer(str(other / "map.tif"), "other"))
    dock.ask(centre(7, 9))
    names = [dock.choice.itemText(at) for at in range(dock.choice.count())]
    assert names == ["scene_01", "scene_02"]  # the one that the canvas shows comes first
    dock.choice.setCurrentIndex(1)
    dock.choice.activated.emit(1)
    assert dock.found.scene.name == "scene_02"
    assert dock.found.place.mapped.value == read(other, "map")[7, 9]


def test_a_place_stays_where_the_map_gets_another_crs(dock, mapped):
    QgsProject.instance().addMapLayer(QgsRasterLayer(str(mapped("scene_02", seed=5) / "map.tif"), "other"))
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    for shape in (centre(7, 9), QgsGeometry.fromRect(QgsRectangle(6e5 + 20, 5.2e6 - 60, 6e5 + 60, 5.2e6 - 20))):
        dock.canvas.setDestinationCrs(UTM)
        dock.ask(shape)
        before, there = dock.found.spot, QgsGeometry(shape)
        there.transform(QgsCoordinateTransform(UTM, degrees, QgsProject.instance()))
        dock.canvas.setDestinationCrs(degrees)
        assert dock.tool._band.asGeometry().intersects(there)
        dock.choice.setCurrentIndex(1)
        dock.choice.activated.emit(1)
        assert dock.found.scene.name == "scene_02"
        assert (dock.found.spot.rows, dock.found.spot.columns) == (before.rows, before.columns)


def test_a_quantity_has_its_unit(dock, mapped):
    values = np.full((40, 56), 12, "float32")
    main = MainTask("regression", "height", unit="m")
    outputs = {"map": {"height": values}, "uncertainty": {"uncertainty": values / 8}}
    folder = mapped("heights", main=main, model_name="tall", change=outputs, leave_out=("probability",))
    QgsProject.instance().clear()
    names = ("map", "uncertainty")
    QgsProject.instance().addMapLayers([QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in names])
    dock.ask(centre(7, 9))
    events()
    said = as_text(dock.found)
    assert said.startswith("Estimated as 12.0 m\n")
    assert "Uncertainty: 1.50 m · " in said


def test_classes_that_are_renamed_have_their_new_names(dock):
    dock.ask(centre(7, 9))
    events()
    layer, mapped_as = dock.found.scene.layers["map"], dock.found.place.mapped
    renderer = layer.renderer().clone()
    renderer.setLabel(mapped_as.value, "meadow")
    layer.setRenderer(renderer)
    dock.ask(centre(7, 9))
    assert as_text(dock.found).startswith("Mapped as meadow\n")


def test_a_panel_that_is_closed_asks_no_more(dock):
    dock.show()
    dock.ask(centre(7, 9))
    dock.close()
    assert dock.canvas.mapTool() is None
    assert not dock.tool._point.isVisible()
    assert dock.tool._band.asGeometry().isEmpty()


def test_spectra_of_many_bands_follow(dock, mapped):
    values = {f"hsi:{n}": np.full((40, 56), n, "float32") for n in range(70)}
    folder = mapped("many", leave_out=("reconstruction_error", "expected_error"), change={"reconstruction": values})
    QgsProject.instance().clear()
    names = ("map", "uncertainty", "reconstruction")
    QgsProject.instance().addMapLayers([QgsRasterLayer(str(folder / f"{name}.tif"), name) for name in names])
    dock.ask(centre(7, 9))
    assert dock.found.place.mapped is not None
    assert dock.found.place.readings == ()
    events()
    (reading,) = dock.found.place.readings
    assert reading.predicted.tolist() == list(range(70))
    assert np.isnan(reading.observed).all()
    assert dock.view.image().height() > 300
