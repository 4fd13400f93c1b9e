"""What stands on a report's pages, whether they are printed through a layout or written as HTML."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import List, Mapping, Optional, Sequence

from qgis.core import QgsMapLayer, QgsRectangle

from ..charts import Chart
from .tables import Table


@dataclass(frozen=True)
class MapPicture:
    """A map: its layers, the first on top, what it shows in a few words, and its legend.

    ``frame`` is the layer whose extent and CRS are shown; the lowest of them where ``None``.
    """

    layers: Sequence[QgsMapLayer]
    caption: str
    legend: Optional[Chart] = None
    frame: Optional[QgsMapLayer] = None

    @property
    def ground(self) -> QgsMapLayer:
        """The layer whose extent and CRS are shown."""
        return self.frame or self.layers[-1]

    @property
    def box(self) -> QgsRectangle:
        """What is shown, in the ground's CRS, with room for marks that lie at its edges."""
        box = QgsRectangle(self.ground.extent())
        if len(self.layers) > 1:
            box.scale(1.08)
        return box


@dataclass(frozen=True)
class Sheet:
    """One page, or a part of the HTML.

    Attributes:
        page: Which page of the template it is, for example ``error``; the template's items are called
            ``error.map``, ``error.levels`` and so on.
        heading: What the page is about.
        texts: Text of labels, by the item's name without the page.
        maps: Likewise.
        charts: Likewise.
        tables: Likewise.
    """

    page: str
    heading: str
    texts: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, MapPicture] = field(default_factory=dict)
    charts: Mapping[str, Chart] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)


def numbered(sheets: Sequence[Sheet]) -> List[Sheet]:
    """Sheets of one heading, numbered where there are several: “Areas by class (1 / 2)”."""
    if len(sheets) == 1:
        return list(sheets)
    return [replace(sheet, heading=f"{sheet.heading} ({at} / {len(sheets)})") for at, sheet in enumerate(sheets, 1)]


@dataclass(frozen=True)
class Report:
    """A whole report.

    Attributes:
        title: On the first page, and in the file's properties.
        sheets: In the order of the pages.
        variables: For text that users put into a template: ``[% @auxlens_scene %]``.
    """

    title: str
    sheets: Sequence[Sheet]
    variables: Mapping[str, str] = field(default_factory=dict)
