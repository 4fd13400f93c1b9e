"""The panel “Why here?”: asks the layers of a mapped scene about a place and shows what they say. Needs no engine."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.gui import QgsDockWidget, QgsMapCanvas
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ...engine.jobs import SceneError
from ..cards import card_of, classes_of, main_unit, units_of
from ..charts import words
from ..scenes import MappedScene, mapped_scenes
from ..words import tr
from .answer import Answer, Background, Spot, answer, in_crs, spot_of, takes_long
from .tool import AskTool
from .view import AnswerView, as_text, parts


class WhyHereDock(QgsDockWidget):
    """Made once by the plugin; ``tool`` is its map tool.

    Args:
        canvas: The map canvas that is asked on.
    """

    def __init__(self, canvas: QgsMapCanvas, parent: Optional[QWidget] = None) -> None:
        super().__init__(tr("Why here?"), parent)
        self.setObjectName("AuxLensWhyHere")
        self.found: Optional[Answer] = None
        self.tool = AskTool(canvas)
        self.view = AnswerView()
        self._canvas = canvas
        self._scenes: Optional[List[MappedScene]] = None  # of the project; None until they are looked for
        self._known: Dict[str, Tuple[Background, bool]] = {}  # by layer; whether its scene was sampled
        self._asked: Optional[Tuple[QgsGeometry, QgsCoordinateReferenceSystem]] = None  # where, and in which CRS
        self._later = QTimer(self)  # runs when the answer is on the screen
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._complete)
        self.choice = QComboBox()
        self.choice.setToolTip(tr("The mapped scene that is asked, where several lie below each other."))
        self.text_button = QPushButton(tr("Copy text"))
        self.picture_button = QPushButton(tr("Copy picture"))
        self._lay_out()
        self.tool.asked.connect(self.ask)
        self.closed.connect(self._put_away)
        canvas.destinationCrsChanged.connect(self._ask_again)  # the place stays, its mark moves
        self.choice.activated.connect(self._ask_again)
        self.text_button.clicked.connect(self.copy_text)
        self.picture_button.clicked.connect(self.copy_picture)
        project = QgsProject.instance()
        project.layersAdded.connect(self._forget)
        project.layersWillBeRemoved.connect(self._forget)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        for button in (self.text_button, self.picture_button):
            button.setEnabled(False)
            row.addWidget(button)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.view)
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(row)
        layout.addWidget(scroll)
        self.setWidget(inside)

    def close_down(self) -> None:
        """Let go of the project and the map; called when the plugin is unloaded."""
        project = QgsProject.instance()
        project.layersAdded.disconnect(self._forget)
        project.layersWillBeRemoved.disconnect(self._forget)
        self._canvas.destinationCrsChanged.disconnect(self._ask_again)
        self._let_go()
        self.found = None
        self.tool.remove()

    def ask(self, shape: QgsGeometry) -> None:
        """Answer for a point or polygon of the canvas's CRS."""
        self._asked = shape, self._canvas.mapSettings().destinationCrs()
        self._ask_again()

    def _ask_again(self, *_: Any) -> None:
        if self._asked is None:
            return
        try:
            here = self._here(*self._asked)
        except SceneError as error:
            self._say(str(error))
            return
        names = [scene.name for scene, _ in here]
        if names != [self.choice.itemText(at) for at in range(self.choice.count())]:
            self.choice.clear()
            self.choice.addItems(names)
        if not here:
            self._say(tr("No mapped scene lies here: add layers that “map” made, and click on them."))
            return
        scene, spot = here[max(0, self.choice.currentIndex())]
        self._show(scene, spot)

    def _put_away(self) -> None:
        """The panel is closed: no more questions."""
        self._canvas.unsetMapTool(self.tool)
        self.tool.clear()

    def _here(self, shape: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> List[Tuple[MappedScene, Spot]]:
        """The scenes that a shape lies on, those of visible layers first."""
        visible = {layer.id() for layer in self._canvas.layers()}
        found = [(scene, spot) for scene in self.scenes() for spot in [spot_of(scene, shape, crs)] if spot is not None]
        return sorted(found, key=lambda pair: not any(layer.id() in visible for layer in pair[0].layers.values()))

    def scenes(self) -> List[MappedScene]:
        """The mapped scenes of the project."""
        if self._scenes is None:
            layers = [node.layer() for node in QgsProject.instance().layerTreeRoot().findLayers()]
            self._scenes = mapped_scenes([layer for layer in layers if layer is not None])[0]
            for layer in self._maps():
                layer.styleChanged.connect(self._restyled)
        return self._scenes

    def _maps(self) -> List[QgsRasterLayer]:
        return [scene.layers["map"] for scene in self._scenes or () if "map" in scene.layers]

    def _restyled(self) -> None:
        """Styles name the classes."""
        self._known.clear()

    def _show(self, scene: MappedScene, spot: Spot) -> None:
        known, sampled = self._background(scene)
        quick = takes_long(scene)
        self._put(answer(scene, spot, known, quick=quick))
        self._mark(scene, spot)
        for button in (self.text_button, self.picture_button):
            button.setEnabled(True)
        if quick or not sampled:
            self._later.start()

    def _put(self, found: Answer) -> None:
        self.found = found
        self.view.show_parts(parts(found))

    def _background(self, scene: MappedScene) -> Tuple[Background, bool]:
        key = scene.any_layer.id()
        if key not in self._known:
            self._known[key] = Background(classes_of(scene, None), {}), False
        return self._known[key]

    def _complete(self) -> None:
        """What takes longer: spectra and, once a scene, units and classes from the card, and its distribution."""
        if self.found is None:
            return
        scene, spot = self.found.scene, self.found.spot
        known, sampled = self._background(scene)
        if not sampled:
            card, _ = card_of(scene)
            known = Background(classes_of(scene, card), units_of(card), main_unit(card))
            known.sample(scene)
            self._known[scene.any_layer.id()] = known, True
        self._put(answer(scene, spot, known))

    def _say(self, sentence: str) -> None:
        self.found = None
        self.tool.clear()
        self.view.show_parts([(words([(line, False) for line in _wrapped(sentence)], 12), 18.0 * 6)])
        for button in (self.text_button, self.picture_button):
            button.setEnabled(False)

    def _mark(self, scene: MappedScene, spot: Spot) -> None:
        """Mark the pixel, or the outline as it was drawn."""
        if spot.mask is not None and self._asked is not None:
            self._mark_shape(*self._asked, ringed=False)
            return
        layer = scene.any_layer
        box, dx, dy = layer.extent(), layer.rasterUnitsPerPixelX(), layer.rasterUnitsPerPixelY()
        left, top = box.xMinimum() + spot.columns.start * dx, box.yMaximum() - spot.rows.start * dy
        pixel = QgsGeometry.fromRect(QgsRectangle(left, top - dy, left + dx, top))
        self._mark_shape(pixel, layer.crs(), ringed=True)

    def _mark_shape(self, shape: QgsGeometry, crs: QgsCoordinateReferenceSystem, *, ringed: bool) -> None:
        shown = in_crs(shape, crs, self._canvas.mapSettings().destinationCrs())
        if shown is None:
            self.tool.clear()
        else:
            self.tool.mark(shown, ringed=ringed)

    def copy_text(self) -> None:
        """The answer's words and numbers to the clipboard."""
        if self.found is not None:
            QGuiApplication.clipboard().setText(as_text(self.found))

    def copy_picture(self) -> None:
        """The answer's picture to the clipboard."""
        if self.found is not None:
            QGuiApplication.clipboard().setImage(self.view.image())

    def _let_go(self) -> None:
        """Of the scenes."""
        self._later.stop()
        for layer in self._maps():
            layer.styleChanged.disconnect(self._restyled)
        self._scenes = None

    def _forget(self, *_: Any) -> None:
        """Layers come or go."""
        self._let_go()
        self._known.clear()
        self._asked = None
        if self.found is not None:
            self._say(tr("The layers have changed; click again."))


def _wrapped(sentence: str, characters: int = 46) -> List[str]:
    lines = [""]
    for word in sentence.split():
        if len(lines[-1]) + len(word) >= characters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
