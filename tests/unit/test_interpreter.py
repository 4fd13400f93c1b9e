"""The look-up of the engine's Python and the set-up of its environment."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auxlens.engine.jobs import Canceled, EngineError
from auxlens.plugin import client, environment, interpreter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes links to a Python")


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(interpreter.VARIABLE, raising=False)


@pytest.fixture
def python(tmp_path):
    """Makes a file that can be run, in place of a Python."""

    def make(*parts):
        path = tmp_path.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(sys.executable)
        return str(path)

    return make


def test_setting_before_variable_before_profile(python, tmp_path, monkeypatch):
    of_profile = python("profile", "auxlens", "engine", "bin", "python")
    profile = str(tmp_path / "profile")
    assert interpreter.find("", profile) == of_profile
    of_variable = python("variable", "python")
    monkeypatch.setenv(interpreter.VARIABLE, of_variable)
    assert interpreter.find("", profile) == of_variable
    of_setting = python("setting", "python")
    assert interpreter.find(of_setting, profile) == of_setting


def test_an_environments_folder_does(python, tmp_path):
    inside = python("env", "bin", "python")
    assert interpreter.find(str(tmp_path / "env")) == inside


def test_none_says_where_it_looked_and_never_takes_qgis_python(tmp_path):
    with pytest.raises(EngineError) as caught:
        interpreter.find("", str(tmp_path))
    message = str(caught.value)
    assert interpreter.VARIABLE in message
    assert str(tmp_path / "auxlens" / "engine") in message
    assert "Settings ▸ Options ▸ AuxLens" in message


def test_a_wrong_choice_is_not_passed_over(python, tmp_path, monkeypatch):
    python("auxlens", "engine", "bin", "python")
    with pytest.raises(EngineError, match=r"option.*/nowhere/python"):
        interpreter.find("/nowhere/python", str(tmp_path))
    monkeypatch.setenv(interpreter.VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(EngineError, match=f"{interpreter.VARIABLE}.*gone"):
        interpreter.find("", str(tmp_path))


class Feedback:
    def __init__(self, cancel_at=""):
        self.lines = []
        self.cancel_at = cancel_at

    def pushInfo(self, text):
        self.lines.append(text)

    def isCanceled(self):
        return bool(self.cancel_at) and any(self.cancel_at in line for line in self.lines)


@pytest.fixture
def lock(tmp_path):
    """Writes a requirements file."""

    def write(text):
        path = tmp_path / "lock.txt"
        path.write_text(text)
        return str(path)

    return write


def test_set_up_fails_clearly_and_leaves_the_old_environment(tmp_path, lock, python):
    old = python("auxlens", "engine", "bin", "python")
    feedback = Feedback()
    with pytest.raises(EngineError, match=r"Setting up the engine failed.*network"):
        environment.create(str(tmp_path), feedback, lock=lock("./not-there.whl\n"))
    assert feedback.lines
    assert os.path.exists(old)
    assert [entry.name for entry in (tmp_path / "auxlens").iterdir()] == ["engine"]


def test_an_environment_without_the_packages_is_not_taken(tmp_path, lock):
    with pytest.raises(EngineError, match="No module named 'geopandas'"):
        environment.create(str(tmp_path), Feedback(), lock=lock("# nothing\n"))
    assert list((tmp_path / "auxlens").iterdir()) == []


def test_paths_on_windows_stay_short(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreter.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "C:/Users/firstname.lastname/AppData/Local")
    one, other = (interpreter.environment_folder(str(tmp_path / name)) for name in ("default", "work"))
    longest = 167  # of the files in torch's wheel
    assert one != other
    assert len(f"{one}.12345.part/Lib/site-packages/") + longest < 260
    assert interpreter.environment_folder(str(tmp_path / "default")) == one


def test_set_up_can_be_canceled(tmp_path, lock):
    begin = time.monotonic()
    with pytest.raises(Canceled):
        environment.create(str(tmp_path), Feedback("Making an environment"), lock=lock("# nothing\n"))
    assert time.monotonic() - begin < 3
    assert list((tmp_path / "auxlens").iterdir()) == []


def test_a_complete_environment_takes_the_old_ones_place(tmp_path, lock, python, monkeypatch):
    old = Path(python("auxlens", "engine", "bin", "python")).with_name("old")
    old.touch()
    monkeypatch.setattr(environment, "_CHECK", "import sys; assert sys.prefix != sys.base_prefix")
    made = environment.create(str(tmp_path), Feedback(), lock=lock("# nothing\n"))
    assert made == interpreter.find("", str(tmp_path))
    assert not old.exists()
    assert [entry.name for entry in (tmp_path / "auxlens").iterdir()] == ["engine"]


def test_what_crashed_set_ups_left_is_removed(tmp_path, lock):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = tmp_path / "auxlens"
    stale = [f"engine.{ended.pid}.part", f"engine.{ended.pid}.old", f"engine.{os.getpid()}.old"]
    kept = ["engine", f"engine.{os.getppid()}.part", "engine.backup.old", "engine.1.2.part"]
    for name in (*stale, *kept):
        (folder / name / "lib").mkdir(parents=True)
    with pytest.raises(EngineError):
        environment.create(str(tmp_path), Feedback(), lock=lock("./not-there.whl\n"))
    assert {entry.name for entry in folder.iterdir()} == set(kept)


def test_jobs_go_on_until_the_environment_is_replaced(tmp_path, lock, monkeypatch):
    states = []

    def note(place):
        states.append((place, client._engine is not None and client._engine.alive, client._one_job.locked()))

    monkeypatch.setenv(interpreter.VARIABLE, sys.executable)
    client.configure(interpreter.find)
    monkeypatch.setattr(client, "_engine", client.Engine(sys.executable))
    monkeypatch.setattr(environment, "_CHECK", "")
    monkeypatch.setattr(environment, "_run", lambda *_: note("built"))
    monkeypatch.setattr(environment, "_replace", lambda *_: note("replaced"))
    environment.create(str(tmp_path), Feedback(), lock=lock("# nothing\n"))
    assert states == [("built", True, False)] * 3 + [("replaced", False, True)]
    assert not client._one_job.locked()


def test_pythons_are_found_off_the_path(tmp_path, monkeypatch):
    there = tmp_path / "Versions" / "3.13" / "bin" / "python3.13"
    there.parent.mkdir(parents=True)
    there.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(environment, "_FOLDERS", (str(tmp_path / "Versions" / "*" / "bin"),))
    assert str(there) in environment._candidates()


def test_pythons_of_the_installer_newest_first(tmp_path, monkeypatch):
    for version in ("Python39", "Python313", "Python311"):
        (tmp_path / "Programs" / "Python" / version).mkdir(parents=True)
        (tmp_path / "Programs" / "Python" / version / "python.exe").touch()
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert [path.split(os.sep)[-2] for path in environment._installed()] == ["Python313", "Python311", "Python39"]


def test_the_launcher_is_asked(tmp_path, monkeypatch):
    launcher = tmp_path / "py"
    launcher.write_text(f'#!/bin/sh\n[ "$1" = -3.12 ] || exit 103\nshift\nexec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment._from_launcher(12) == sys.executable
    assert environment._from_launcher(13) == ""


def test_a_python_that_does_not_do_is_named(tmp_path):
    with pytest.raises(EngineError, match=r"/nowhere/python3.*3\.11"):
        environment.base_python("/nowhere/python3")
    assert os.path.isfile(environment.base_python())
