"""Translations: complete, with the same places for values, compiled, and used by algorithms and panel."""

import re
import xml.etree.ElementTree as ElementTree
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from auxlens.algorithms.map import Map
from auxlens.plugin import translation
from auxlens.plugin.words import output_words, tr

FOLDER = Path(translation.__file__).resolve().parents[1] / "resources" / "i18n"


def messages(path):
    return [(m.findtext("source"), m.findtext("translation")) for m in ElementTree.parse(path).iter("message")]


@pytest.fixture
def german(qgis_app):
    installed = translation.install("de_AT")
    yield installed
    translation.remove(installed)


def test_every_text_of_the_sources_is_translated():
    loader = SourceFileLoader("translations", str(FOLDER.parents[1] / "scripts" / "translations"))
    script = module_from_spec(spec_from_loader("translations", loader))
    loader.exec_module(script)
    german = dict(messages(FOLDER / "auxlens_de.ts"))
    assert set(german) == set(script.texts()), "run scripts/translations"
    assert [source for source, text in german.items() if not text] == []


@pytest.mark.usefixtures("german")
def test_translations_are_compiled_and_keep_places_for_values():
    pairs = messages(FOLDER / "auxlens_de.ts")
    assert len(pairs) > 300
    for source, text in pairs:
        assert tr(source) == text
        assert re.findall(r"{\w*}", source) == re.findall(r"{\w*}", text), source


def test_texts_are_german_where_qgis_is(german):
    assert german is not None
    assert tr("Why here?") == "Warum hier?"
    assert output_words("error_probability") == "Fehlerwahrscheinlichkeit"
    assert Map().displayName() == "Eine Szene kartieren und die Karte erklären"
    algorithm = Map()
    algorithm.initAlgorithm({})
    assert algorithm.parameterDefinition("OUTPUT_MAP").description() == "Karte"
    assert algorithm.parameterDefinition("TILE_SIZE").help().startswith("Breite und Höhe")


@pytest.mark.usefixtures("qgis_app")
def test_texts_are_english_elsewhere():
    assert translation.install("eo") is None
    translation.remove(None)
    installed = translation.install("de")
    translation.remove(installed)
    assert tr("Why here?") == "Why here?"
