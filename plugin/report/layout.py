"""A report as a PDF, printed through a layout template (.qpt) that users may edit.

Each page of the template is of one kind, told by its items' ids: ``error.map`` belongs to the page ``error``. A sheet
is printed on the page of its kind; items that it has nothing for are hidden, all others stay as the template has them.
"""

from __future__ import annotations

import base64
from collections import Counter
from typing import Callable, Dict, List, Mapping, Optional, Set, Tuple

from qgis.core import (
    Qgis,
    QgsAbstractLayoutIterator,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsLayoutFrame,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemManualTable,
    QgsLayoutItemMap,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsPrintLayout,
    QgsProject,
    QgsReadWriteContext,
)
from qgis.PyQt.QtXml import QDomDocument

from ...engine.jobs import JobError
from ..charts import Chart, svg
from ..words import tr
from .fitting import breakable, fit_label, fit_table, nice_interval, plain, table_contents
from .sheets import MapPicture, Report, Sheet
from .tables import Table

PAPERS = {"template": None, "A4": (210.0, 297.0), "Letter": (215.9, 279.4)}  # width and height in mm, upright
DPI = 300


def read_template(path: str) -> QDomDocument:
    """Read a layout template.

    Raises:
        JobError: no such file, or no template.
    """
    document = QDomDocument()
    try:
        with open(path, encoding="utf-8") as file:
            read = document.setContent(file.read())
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"The template “{path}” cannot be read: {error}.") from error
    ok = read[0] if isinstance(read, tuple) else bool(read)
    if not ok or document.documentElement().tagName() != "Layout":
        raise JobError(
            f"“{path}” is no layout template; save one in QGIS's layout window (Layout ▸ Save as Template…)."
        )
    return document


def write_pdf(report: Report, template: str, paper: str, path: str, going_on: Callable[[float], bool]) -> List[str]:
    """Print a report.

    Args:
        template: Path of the ``.qpt``.
        paper: One of ``PAPERS``.
        path: Of the PDF, which is not whole where it fails or is stopped.
        going_on: Is told the share done, 0–1, and says whether to go on.

    Returns:
        Sentences about what the template has no place for.

    Raises:
        JobError: no template, none of its pages fits, or the PDF cannot be printed.
        OSError: the file cannot be written.
    """
    printer = _Printer(report, read_template(template), PAPERS[paper], going_on)
    if not printer.sheets:
        raise JobError(
            f"The template “{template}” has no page for this report: no item is called “title.title”, “map.map” or the "
            "like. Start from the template that AuxLens brings along."
        )
    settings = QgsLayoutExporter.PdfExportSettings()
    settings.dpi = DPI
    settings.textRenderFormat = Qgis.TextRenderFormat.AlwaysText
    with open(path, "wb"):  # QGIS does not say why it cannot write a file
        pass
    code, said = QgsLayoutExporter.exportToPdf(printer, path, settings)
    if code != QgsLayoutExporter.ExportResult.Success:
        raise JobError(f"The PDF cannot be written{f': {said}' if said else ''}; choose another place.")
    return printer.notes


class _Printer(QgsAbstractLayoutIterator):
    """Gives QGIS one page after the other; a layout is held until one of its pages is needed again."""

    def __init__(
        self,
        report: Report,
        document: QDomDocument,
        paper: Optional[Tuple[float, float]],
        going_on: Callable[[float], bool],
    ) -> None:
        super().__init__()
        self.notes: List[str] = []
        self._report, self._document, self._paper, self._going_on = report, document, paper, going_on
        self._project = QgsProject()  # of its own: nothing is added to the user's
        self._layout = self._load()
        self._filled: Set[str] = set()  # pages of the layout that a sheet was put into
        self._at = -1
        pages = set(page_kinds(self._layout))
        self.sheets = [sheet for sheet in report.sheets if sheet.page in pages]
        for page in dict.fromkeys(sheet.page for sheet in report.sheets if sheet.page not in pages):
            self.notes.append(tr("The template has no page “{}”; it was left out.").format(page))

    def layout(self) -> QgsPrintLayout:
        return self._layout

    def count(self) -> int:
        return len(self.sheets)

    def beginRender(self) -> bool:
        self._at = -1
        return True

    def endRender(self) -> bool:
        return True

    def filePath(self, path: str, extension: str) -> str:
        return path

    def next(self) -> bool:
        """Make the next page ready."""
        self._at += 1
        if self._at >= len(self.sheets):
            return False
        if not self._going_on(self._at / len(self.sheets)):
            return False
        sheet = self.sheets[self._at]
        if sheet.page in self._filled:  # as the template has it again: loading takes long, so only now
            self._layout = self._load()
            self._filled.clear()
        self._filled.add(sheet.page)
        numbers = {"auxlens_page": self._at + 1, "auxlens_pages": len(self.sheets)}
        variables = {f"auxlens_{name}": value for name, value in self._report.variables.items()}
        QgsExpressionContextUtils.setLayoutVariables(
            self._layout,
            {**variables, **numbers, "auxlens_title": self._report.title, "auxlens_heading": sheet.heading},
        )
        for note in fill(self._layout, sheet):
            if note not in self.notes:
                self.notes.append(note)
        return True

    def _load(self) -> QgsPrintLayout:
        layout = QgsPrintLayout(self._project)
        layout.loadFromTemplate(self._document, QgsReadWriteContext())
        if self._paper:
            resize(layout, self._paper)
        return layout


def page_kinds(layout: QgsPrintLayout) -> List[str]:
    """Kind of each page of a template: what stands before the point in most of its items' ids."""
    collection = layout.pageCollection()
    kinds = []
    for number in range(collection.pageCount()):
        ids = (item.id() for item in collection.itemsOnPage(number))
        kinds.append(next(iter(Counter(i.partition(".")[0] for i in ids if "." in i).most_common(1)), ("", 0))[0])
    return kinds


def resize(layout: QgsPrintLayout, paper: Tuple[float, float]) -> None:
    """Give every page another size (lying pages lie), and move and stretch its items with it."""
    collection = layout.pageCollection()
    items = [(item, item.page(), item.pagePos(), item.rect()) for item in _items(layout)]
    factors = []
    for number in range(collection.pageCount()):
        page = collection.page(number)
        old = page.pageSize()
        new = paper if old.height() >= old.width() else paper[::-1]
        factors.append((new[0] / old.width(), new[1] / old.height()))
        page.setPageSize(QgsLayoutSize(*new))
    collection.reflow()
    for item, number, place, rect in items:
        x, y = factors[number]
        item.attemptResize(QgsLayoutSize(rect.width() * x, rect.height() * y))
        item.attemptMove(QgsLayoutPoint(place.x() * x, place.y() * y), True, False, number)


def _items(layout: QgsPrintLayout) -> List[QgsLayoutItem]:
    collection = layout.pageCollection()
    return [item for number in range(collection.pageCount()) for item in collection.itemsOnPage(number)]


def fill(layout: QgsPrintLayout, sheet: Sheet) -> List[str]:
    """Put a sheet's content into the items of its page, and leave only that page to be printed.

    Returns:
        Sentences about items that the template does not have, or has of another kind.
    """
    collection = layout.pageCollection()
    number = page_kinds(layout).index(sheet.page)
    for other in range(collection.pageCount()):
        collection.page(other).setExcludeFromExports(other != number)
    prefix = f"{sheet.page}."
    items = {i.id()[len(prefix) :]: i for i in collection.itemsOnPage(number) if i.id().startswith(prefix)}
    texts: Dict[str, str] = {"heading": sheet.heading, **sheet.texts}
    charts: Dict[str, Chart] = dict(sheet.charts)
    for name, picture in sheet.maps.items():
        texts[f"{name}_caption"] = picture.caption
        if picture.legend is not None:
            charts[f"{name}_legend"] = picture.legend
    filler = _Filler(sheet.page, items)
    for name, text in texts.items():
        filler.label(name, text)
    for name, picture in sheet.maps.items():
        filler.map(name, picture, layout)
    for name, chart in charts.items():
        filler.chart(name, chart)
    for name, table in sheet.tables.items():
        filler.table(name, table)
    filler.hide_the_rest(layout)
    return filler.notes


class _Filler:
    """Fills the items of one page; ``items`` by name without the page's."""

    def __init__(self, page: str, items: Mapping[str, QgsLayoutItem]) -> None:
        self.notes: List[str] = []
        self._page, self._items = page, items
        self._filled: List[str] = []

    def _item(self, name: str, kind: type, words: str) -> Optional[QgsLayoutItem]:
        item = self._items.get(name)
        if isinstance(item, kind):
            self._filled.append(name)
            return item
        whole = name.endswith(("_caption", "_legend", "heading"))  # what goes with something else is not missed
        if not whole:
            self.notes.append(tr("The template has no {} “{}.{}”; it was left out.").format(words, self._page, name))
        return None

    def label(self, name: str, text: str) -> None:
        item = self._item(name, QgsLayoutItemLabel, tr("label")) if text else None
        if item is not None:
            item.setText(plain(breakable(text), html=item.mode() == QgsLayoutItemLabel.Mode.ModeHtml))
            fit_label(item)

    def map(self, name: str, picture: MapPicture, layout: QgsPrintLayout) -> None:
        item = self._item(name, QgsLayoutItemMap, tr("map"))
        if item is None:
            return
        ground = picture.ground
        item.setLayers(list(picture.layers))
        item.setKeepLayerSet(True)
        item.setCrs(ground.crs())
        box = picture.box
        box.scale(1.02)
        item.zoomToExtent(box)
        interval = nice_interval(max(item.extent().width(), item.extent().height()) / 4)
        for grid in (item.grids().grid(at) for at in range(item.grids().size())):
            grid.setIntervalX(interval)
            grid.setIntervalY(interval)
            grid.setAnnotationPrecision(len(f"{interval:f}".rstrip("0").partition(".")[2]))
        for bar in _linked(layout, item):
            if ground.crs().isValid():
                bar.applyDefaultSize(bar.guessUnits())
                bar.setUnitsPerSegment(2 * bar.unitsPerSegment())  # one piece for two: numbers never meet
                bar.setNumberOfSegments(1)

    def chart(self, name: str, chart: Chart) -> None:
        item = self._item(name, QgsLayoutItemPicture, tr("picture"))
        if item is not None:
            picture = svg(chart, item.rect().width(), item.rect().height())
            item.setPicturePath("base64:" + base64.b64encode(picture).decode(), QgsLayoutItemPicture.Format.FormatSVG)

    def table(self, name: str, table: Table) -> None:
        frame = self._item(name, QgsLayoutFrame, tr("table"))
        shown = frame.multiFrame() if frame is not None else None
        if not isinstance(shown, QgsLayoutItemManualTable):
            return
        table_contents(shown, table, frame.rect().width())
        fit_table(shown, frame.rect().height())

    def hide_the_rest(self, layout: QgsPrintLayout) -> None:
        """Items of ours without content, and the scale bars of maps that are not shown or have no CRS."""
        for name, item in self._items.items():
            if name in self._filled or isinstance(item, QgsLayoutItemScaleBar):
                continue
            if isinstance(item, (QgsLayoutItemLabel, QgsLayoutItemMap, QgsLayoutItemPicture, QgsLayoutFrame)):
                item.setVisibility(False)
        for item in self._items.values():
            if isinstance(item, QgsLayoutItemMap):
                for bar in _linked(layout, item):
                    bar.setVisibility(item.isVisible() and item.crs().isValid())


def _linked(layout: QgsPrintLayout, shown: QgsLayoutItemMap) -> List[QgsLayoutItemScaleBar]:
    bars = (item for item in layout.items() if isinstance(item, QgsLayoutItemScaleBar))
    return [bar for bar in bars if bar.linkedMap() == shown]
