"""The sheets that are not about a scene's layers: tables given, the model, how to reproduce; and the overview."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsPalLayerSettings,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QT_TRANSLATE_NOOP

from ...engine.version import plugin_version
from ...models.card import Card, Modality
from ..charts import font
from ..words import figure, percent, tr
from .scene_sheets import Subject, key_texts, plain_map
from .sheets import MapPicture, Sheet
from .tables import Table, pairs

_SCENES_A_PAGE = 24
_LINES_A_PAGE, _LINE_CHARACTERS = 58, 112
_MODEL_ROWS = 30


def numbers_sheet(accuracy: Mapping[str, Any], errors: Optional[Table], more: int) -> Optional[Sheet]:
    """What ``accuracy`` and ``explainerrors`` found."""
    texts, tables = {"caption": ""}, {}
    if accuracy:
        overall = accuracy["overall"]
        tables["accuracy_table"] = _accuracy_table(accuracy)
        texts["accuracy"] = " · ".join(
            f"{name.replace('_', ' ')} {figure(value)}"
            for name, value in overall.items()
            if isinstance(value, (int, float))
        )
        texts["caption"] = str((accuracy.get("compared") or {}).get("sampling", ""))
    if errors is not None:
        tables["errors_table"] = errors
        texts["errors"] = errors.title + (" " + tr("({} more rows in the file)").format(more) if more else "")
    if not tables:
        return None
    return Sheet("numbers", tr("Against references"), texts, {}, {}, tables)


_OF_CLASS = (
    ("users_accuracy", QT_TRANSLATE_NOOP("AuxLens", "user's accuracy")),
    ("producers_accuracy", QT_TRANSLATE_NOOP("AuxLens", "producer's accuracy")),
    ("f1", QT_TRANSLATE_NOOP("AuxLens", "F1")),
    ("iou", QT_TRANSLATE_NOOP("AuxLens", "IoU")),
)


def _accuracy_table(accuracy: Mapping[str, Any]) -> Table:
    rows = accuracy.get("classes") or []
    if not rows:
        overall = accuracy["overall"]
        return pairs(
            [(name.replace("_", " "), figure(v)) for name, v in overall.items() if isinstance(v, (int, float))]
        )
    shown = []
    for row in rows[:20]:
        cells = [str(row.get("class", "")), figure(float(row.get("reference_pixels") or 0))]
        for key, _ in _OF_CLASS:
            value = row.get(key)
            half = row.get(f"adjusted_{key}_ci95")
            text = "–" if value is None else figure(float(value))
            cells.append(text if half is None or value is None else f"{text} ± {figure(float(half))}")
        shown.append(tuple(cells))
    headings = (tr("class"), tr("reference pixels"), *(tr(name) for _, name in _OF_CLASS))
    return Table(headings, tuple(shown), (0.26, 0.16, 0.17, 0.19, 0.11, 0.11))


def model_sheets(card: Optional[Card]) -> List[Sheet]:
    """The model's card: what it needs and gives, how good it is, how it was trained."""
    if card is None:
        return []
    training = card.training
    entries = [
        (tr("Name"), card.name),
        (tr("Created"), f"{card.created[:10]}, AuxLens {card.plugin_version}"),
        (tr("Licence"), card.licence or tr("not stated")),
        (tr("Main task"), _main_words(card)),
        *[(tr("Input {}").format(m.name), _modality_words(m)) for m in card.inputs],
        *[(tr("Auxiliary {}").format(m.name), _modality_words(m)) for m in card.auxiliary],
        (tr("Strategy"), card.strategy),
    ]
    for split, figures in (training.get("figures") or {}).items():
        entries.append((tr("Figures on {}").format(split), _figures_words(figures)))
    for band, figures in (training.get("auxiliary_figures") or {}).items():
        entries.append((tr("Reconstruction of {}").format(band), _figures_words(figures, ("rmse", "r2", "bias"))))
    for form, model in card.error_models.items():
        chosen = ("auroc", "auroc_uncertainty_alone", "aupr", "ece", "error_rate")
        entries.append((tr("Error probability ({})").format(form), _figures_words(model.figures, chosen)))
    scenes = [str(s.get("name", "")) for s in training.get("scenes") or [] if isinstance(s, dict)]
    if scenes:
        more = f" … ({len(scenes)})" if len(scenes) > 12 else ""
        entries.append((tr("Trained on"), ", ".join(scenes[:12]) + more))
    ended = [f"{training[key]}" for key in ("ended",) if training.get(key)]
    if training.get("epochs"):
        entries.append((tr("Epochs"), ", ".join([str(training["epochs"]), *ended])))
    table = pairs([(name, _short(value)) for name, value in entries])
    heading = tr("Model")
    return [Sheet("model", heading, {"caption": ""}, {}, {}, {"card": part}) for part in table.parts(_MODEL_ROWS)]


def _short(value: str, most: int = 260) -> str:
    return value if len(value) <= most else value[: most - 2] + " …"


def _main_words(card: Card) -> str:
    main = card.main
    names = ", ".join(c.name for c in main.classes) or main.unit
    return f"{main.kind}: {main.name}" + (f" ({names})" if names else "")


def _modality_words(modality: Modality) -> str:
    gsd = f", {modality.gsd_m:.3g} m" if modality.gsd_m else ""
    unit = f", {modality.unit}" if modality.unit else ""
    return ", ".join(modality.bands) + f" ({len(modality.bands)}{gsd}{unit})"


def _figures_words(figures: Mapping[str, Any], chosen: Sequence[str] = ()) -> str:
    names = [name for name in (chosen or figures) if isinstance(figures.get(name), (int, float))]
    return " · ".join(f"{name.replace('_', ' ')} {figure(float(figures[name]))}" for name in names)


def reproduce_sheets(subjects: Sequence[Subject]) -> List[Sheet]:
    """How to make the maps again: versions, hashes, and the job as it can be run."""
    first = subjects[0].scene
    entries = [
        (tr("Made with"), tr("AuxLens {}").format(first.tags.version or "–")),
        (tr("Report by"), f"AuxLens {plugin_version()}, QGIS {Qgis.QGIS_VERSION}"),
        (tr("Model"), str(first.tags.job.get("model") or first.tags.model)),
        (tr("SHA-256 of the model"), first.tags.model_sha256),
    ]
    for subject in subjects[:8]:
        for output in list(subject.scene.layers)[:1]:
            path = subject.scene.layers[output].source()
            entries.append((tr("SHA-256 of the {}, {}").format(output, subject.scene.name), _sha256(path)))
    if not first.tags.job:
        return [
            Sheet("reproduce", tr("How to reproduce"), {"caption": "", "job": ""}, tables={"versions": pairs(entries)})
        ]
    pages = _pages_of(first.tags.job)
    caption = tr("Save the text below as job.json and run it with: auxlens run job.json")
    if len(subjects) > 1:
        caption += ". " + tr("It is the first scene's; every raster carries its own.")
    return [
        Sheet(
            "reproduce",
            tr("How to reproduce") + (f" ({at} / {len(pages)})" if len(pages) > 1 else ""),
            {"caption": caption, "job": "\n".join(lines)},
            tables={"versions": pairs(entries)} if at == 1 else {},
        )
        for at, lines in enumerate(pages, 1)
    ]


def _pages_of(job: Mapping[str, Any]) -> List[List[str]]:
    """A job as lines of JSON, in pages; long lines count as often as they will be broken."""
    pages: List[List[str]] = [[]]
    room = _LINES_A_PAGE
    used = {key: value for key, value in job.items() if value not in ("", [], None)}
    for line in json.dumps(used, ensure_ascii=False, indent=1).splitlines():
        takes = -(-len(line) // _LINE_CHARACTERS)
        if takes > room and pages[-1]:
            pages.append([])
            room = _LINES_A_PAGE
        pages[-1].append(line)
        room -= takes
    return pages


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for part in iter(lambda: file.read(2**20), b""):
                digest.update(part)
    except OSError:
        return "–"
    return digest.hexdigest()


def overview_sheets(subjects: Sequence[Subject], title: str, notes: Sequence[str]) -> List[Sheet]:
    """All scenes of a folder: where they lie, and their figures beside each other."""
    columns = [
        (tr("scene"), [subject.scene.name for subject in subjects]),
        (tr("area"), [figure(s.figures.area, s.figures.unit) for s in subjects]),
        (tr("mean uncertainty"), [figure(s.figures.mean("uncertainty")) for s in subjects]),
        (tr("expected wrong"), [percent(s.figures.mean("error_probability")) for s in subjects]),
        (tr("likely wrong (≥ 50 %)"), [percent(_doubtful(s)) for s in subjects]),
        (tr("wrong by the reference"), [percent(_wrong(s)) for s in subjects]),
    ]
    used = [(heading, cells) for heading, cells in columns if any(cell != "–" for cell in cells)]
    rows = tuple(zip(*(cells for _, cells in used)))
    widths = (0.3, *(0.7 / (len(used) - 1),) * (len(used) - 1))
    parts = Table(tuple(heading for heading, _ in used), rows, widths).parts(_SCENES_A_PAGE)
    extents = _extents(subjects)
    subtitle = tr("{} scenes mapped with the model “{}”").format(len(subjects), subjects[0].scene.tags.model or "–")
    return [
        Sheet(
            "overview",
            title,
            {"title": title, "subtitle": subtitle, "notes": "\n".join(notes) if at == 0 else ""},
            {"map": MapPicture([extents], tr("Where the scenes lie"))} if at == 0 and extents is not None else {},
            {},
            {"scenes": part},
        )
        for at, part in enumerate(parts)
    ]


def _doubtful(subject: Subject) -> float:
    """Share of the area that is more likely wrong than right."""
    figures = subject.figures
    known = figures.levels and figures.area
    return sum(level.area for level in figures.levels if level.low >= 0.5) / figures.area if known else float("nan")


def _wrong(subject: Subject) -> float:
    return subject.figures.mean("main_error") if subject.classes else float("nan")


def _extents(subjects: Sequence[Subject]) -> Optional[QgsVectorLayer]:
    """The scenes' extents as polygons, in the first scene's CRS; ``None`` without one."""
    target = subjects[0].scene.any_layer.crs()
    if not target.isValid():
        return None
    layer = QgsVectorLayer("Polygon?field=name:string", tr("Scenes"), "memory")
    layer.setCrs(target)
    features = []
    for subject in subjects:
        source = subject.scene.any_layer
        geometry = QgsGeometry.fromRect(source.extent())
        if source.crs().isValid() and source.crs() != target:
            geometry.transform(QgsCoordinateTransform(source.crs(), target, QgsProject.instance()))
        feature = QgsFeature(layer.fields())
        feature.setGeometry(geometry)
        feature.setAttributes([subject.scene.name])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    symbol = QgsFillSymbol.createSimple({"color": "86,180,233,70", "outline_color": "#0072b2", "outline_width": "0.4"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    labels = QgsPalLayerSettings()
    labels.fieldName = "name"
    text_format = QgsTextFormat()
    text_format.setFont(font(8))
    text_format.setSize(8)
    labels.setFormat(text_format)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(labels))
    layer.setLabelsEnabled(True)
    return layer


def scene_sheet(subject: Subject) -> Sheet:
    """One scene of several on a page: map, doubt and key figures."""
    scene = subject.scene
    maps: Dict[str, MapPicture] = {}
    for place, output in (("map", "map"), ("beside", scene.doubt)):
        if output and output in scene.layers:
            maps[place] = plain_map(scene, output)
    areas: Tuple[Tuple[str, ...], ...] = ()
    if subject.classes:
        named = {c.value: c.name for c in subject.classes}
        largest = sorted(subject.figures.classes.items(), key=lambda item: -item[1])[:14]
        areas = tuple((named.get(v, str(v)), figure(a), percent(a / (subject.figures.area or 1.0))) for v, a in largest)
    headings = (tr("class"), tr("mapped area ({})").format(subject.figures.unit), tr("share"))
    tables = {"areas": Table(headings, areas, (0.5, 0.3, 0.2))} if areas else {}
    texts = {"caption": " ".join(subject.notes), **key_texts(subject)}
    return Sheet("scene", scene.name, texts, maps, {}, tables)
