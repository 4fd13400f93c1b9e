"""The options page, and the plugin's coming and going."""

import threading
import time

import pytest
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtGui import QIcon

from auxlens.engine.jobs import Canceled, EngineError
from auxlens.plugin import environment, settings
from auxlens.plugin.preferences import (
    PYTHON_KEY,
    SETUP_PYTHON_KEY,
    engine_python,
    python_setting,
    setup_python_setting,
)
from auxlens.plugin.settings import AuxLensOptionsFactory, AuxLensOptionsPage


@pytest.fixture
def page(qgis_app, monkeypatch):
    """The page of a user who has set nothing up."""
    QgsSettings().remove(PYTHON_KEY)
    QgsSettings().remove(SETUP_PYTHON_KEY)
    monkeypatch.delenv("AUXLENS_PYTHON", raising=False)
    yield AuxLensOptionsFactory(QIcon()).createWidget()
    QgsSettings().remove(PYTHON_KEY)
    QgsSettings().remove(SETUP_PYTHON_KEY)


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


def test_the_python_for_the_set_up_is_saved_and_taken(page):
    page.base.setFilePath("/nowhere/python3")
    page.apply()
    assert setup_python_setting() == "/nowhere/python3"
    assert AuxLensOptionsFactory(QIcon()).createWidget().base.filePath() == "/nowhere/python3"
    page.set_up()
    finish(page)
    assert "“/nowhere/python3” is not Python 3.11 or newer" in page.log.toPlainText()


def test_a_second_page_joins_the_set_up_that_runs(page, monkeypatch):
    begun, go_on, calls = threading.Event(), threading.Event(), []

    def create(profile, feedback, python):
        calls.append(python)
        feedback.pushInfo("Making an environment")
        begun.set()
        go_on.wait(20)
        raise EngineError("No network.")

    monkeypatch.setattr(environment, "create", create)
    page.set_up()
    assert begun.wait(20)
    page.deleteLater()  # as when the options are closed
    again = AuxLensOptionsFactory(QIcon()).createWidget()
    assert not again.button.isEnabled()
    assert "Making an environment" in again.log.toPlainText()
    assert settings.start_set_up("other") is again._task
    go_on.set()
    finish(again)
    assert "No network." in again.log.toPlainText()
    assert calls == [""]
    assert AuxLensOptionsFactory(QIcon()).createWidget().button.isEnabled()


def test_unloading_cancels_the_set_up_that_runs(page, monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    def create(profile, feedback, python):
        begun.set()
        while not feedback.isCanceled():
            time.sleep(0.01)
        ended.set()
        raise Canceled("The set-up was canceled.")

    monkeypatch.setattr(environment, "create", create)
    page.set_up()
    assert begun.wait(20)
    settings.stop_set_up()
    assert ended.is_set()
    finish(page)
    assert settings._set_up is None


def finish(page):
    deadline = time.monotonic() + 60
    while not page.button.isEnabled() and time.monotonic() < deadline:
        QgsApplication.processEvents()
        time.sleep(0.05)
    assert page.button.isEnabled()


def test_a_set_up_that_fails_says_why(page, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as without a network
    page.set_up()
    assert not page.button.isEnabled()
    finish(page)
    text = page.log.toPlainText()
    assert "Making an environment" in text
    assert "Check the network connection" in text
    assert page.state.text().startswith("AuxLens's engine is not set up.")
