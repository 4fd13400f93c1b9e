"""A report as one static HTML file: no JavaScript, pictures inside, every text escaped."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Callable, List

from ..charts import Chart, svg
from ..pictures import encoded, is_classes, rendered
from ..words import tr
from .sheets import MapPicture, Report, Sheet
from .tables import Table

_CSS = Path(__file__).resolve().parents[2] / "resources" / "templates" / "look.css"
_MAP_PX = 620
_CHARTS = {
    "levels": (150, 34),
    "chart": (170, 90),
    "players": (120, 90),
    "places": (190, 105),
    "bands_chart": (150, 50),
}  # mm
_STYLE = """
  .maps { display: flex; flex-wrap: wrap; gap: 18px; } .maps figure { flex: 1 1 420px; max-width: 620px; margin: 0; }
  .maps img.map { border: 1px solid var(--line); width: 100%; }
  figcaption { font-size: 13px; font-weight: 600; margin: 0 0 4px; }
  img.chart { margin: 14px 0; }
  pre { font-size: 12px; white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f7f8; padding: 12px; }
  table { margin: 12px 0; } td { overflow-wrap: anywhere; } .pairs td { text-align: left; vertical-align: top; }
  .notes { border-left: 3px solid #d55e00; padding: 2px 0 2px 16px; margin: 22px 0 0; list-style: none; }
"""


def render_html(report: Report, going_on: Callable[[float], bool]) -> str:
    """The report as HTML text.

    Args:
        going_on: Is told the share done, 0–1; stops where it says so.
    """
    body: List[str] = []
    for at, sheet in enumerate(report.sheets):
        if not going_on(at / len(report.sheets)):
            return ""
        body.append(_section(sheet, first=at == 0))
    style = _CSS.read_text(encoding="utf-8") + _STYLE
    return (
        f'<!DOCTYPE html>\n<html lang="{tr("en")}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _section(sheet: Sheet, *, first: bool) -> str:
    texts = dict(sheet.texts)
    parts = [f"<h1>{escape(texts.pop('title', sheet.heading))}</h1>" if first else f"<h2>{escape(sheet.heading)}</h2>"]
    texts.pop("title", None)
    parts += [
        f'<p class="quiet">{escape(texts[name])}</p>' for name in ("subtitle", "figures", "caption") if texts.get(name)
    ]
    if texts.get("figure_1"):
        boxes = [(texts.get(f"figure_{n}"), texts.get(f"figure_{n}_name", "")) for n in range(1, 5)]
        divs = "".join(f"<div><b>{escape(v)}</b><span>{escape(n)}</span></div>" for v, n in boxes if v)
        parts.append(f'<div class="headline">{divs}</div>')
    if sheet.maps:
        parts.append('<div class="maps">' + "".join(_map(picture) for picture in sheet.maps.values()) + "</div>")
    parts += [_chart(name, chart) for name, chart in sheet.charts.items()]
    for name, table in sheet.tables.items():
        parts += [f'<p class="quiet">{escape(texts[key])}</p>' for key in (f"{name}_caption",) if texts.get(key)]
        parts.append(_table(table))
    if texts.get("job"):
        parts.append(f"<pre>{escape(texts['job'])}</pre>")
    if texts.get("notes"):
        parts.append(
            '<ul class="notes">' + "".join(f"<li>{escape(n)}</li>" for n in texts["notes"].splitlines()) + "</ul>"
        )
    tag = "header" if first else "section"
    return f"<{tag}>\n" + "\n".join(parts) + f"\n</{tag}>"


def _map(picture: MapPicture) -> str:
    box = picture.box
    tall = max(40, min(2 * _MAP_PX, round(_MAP_PX * box.height() / box.width()))) if box.width() else _MAP_PX
    kind, name = ("PNG", "image/png") if is_classes(picture.layers[-1]) else ("JPG", "image/jpeg")
    image = _data(name, encoded(rendered(picture.layers, picture.ground.crs(), box, _MAP_PX, tall), kind))
    legend = ""
    if picture.legend is not None:
        legend = f'<img src="{_data("image/svg+xml", svg(picture.legend, 155, 30, trimmed=True))}" alt="">'
    caption = escape(picture.caption)
    return f'<figure><figcaption>{caption}</figcaption><img class="map" src="{image}" alt="{caption}">{legend}</figure>'


def _chart(name: str, chart: Chart) -> str:
    width, height = _CHARTS.get(name, (150, 60))
    picture = _data("image/svg+xml", svg(chart, width, height, trimmed=True))
    return f'<img class="chart" src="{picture}" alt="{escape(name)}">'


def _table(table: Table) -> str:
    named = any(table.headings)
    head = "<tr>" + "".join(f"<th>{escape(h)}</th>" for h in table.headings) + "</tr>" if named else ""
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<div class="scroll"><table class="{"" if named else "pairs"}">{head}{rows}</table></div>'


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
