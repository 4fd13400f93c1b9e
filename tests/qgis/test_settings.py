"""The options page, and the plugin's coming and going."""

import time

import pytest
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtGui import QIcon

from auxlens.plugin.preferences import PYTHON_KEY, engine_python, python_setting
from auxlens.plugin.settings import AuxLensOptionsFactory, AuxLensOptionsPage


@pytest.fixture
def page(qgis_app, monkeypatch):
    """The page of a user who has set nothing up."""
    QgsSettings().remove(PYTHON_KEY)
    monkeypatch.delenv("AUXLENS_PYTHON", raising=False)
    yield AuxLensOptionsFactory(QIcon()).createWidget()
    QgsSettings().remove(PYTHON_KEY)


def test_the_page_says_what_is_missing(page):
    assert isinstance(page, AuxLensOptionsPage)
    assert page.state.text().startswith("AuxLens's engine is not set up.")


def test_a_wrong_path_is_told_at_once(page):
    page.path.setFilePath("/nowhere/python")
    assert "names “/nowhere/python”" in page.state.text()


def test_the_choice_is_saved_and_used(page, engine_python_path):
    page.path.setFilePath(engine_python_path)
    assert page.state.text() == f"Ready: {engine_python_path}"
    assert python_setting() == ""
    page.apply()
    assert python_setting() == engine_python() == engine_python_path


def test_a_set_up_that_fails_says_why(page, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without a network
    page.set_up()
    assert not page.button.isEnabled()
    deadline = time.monotonic() + 60
    while not page.button.isEnabled() and time.monotonic() < deadline:
        QgsApplication.processEvents()
        time.sleep(0.05)
    text = page.log.toPlainText()
    assert "Making an environment" in text
    assert "Check the network connection" in text
    assert page.state.text().startswith("AuxLens's engine is not set up.")
