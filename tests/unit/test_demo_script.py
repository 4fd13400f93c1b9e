"""``scripts/demo`` replaces what it made itself, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


@pytest.fixture
def demo(tmp_path):
    """Runs the script, of which the first algorithm fails, on a folder; gives its exit code and what it said."""
    scripts = tmp_path / "checkout" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "demo", scripts)
    (scripts / "qgis_process").write_text("#!/bin/sh\nexit 9\n")
    (scripts / "qgis_process").chmod(0o755)

    def run(*words: Path) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", scripts / "demo", *words], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
        return done.returncode, done.stderr

    return run


def test_other_folders_are_left_alone(demo, tmp_path):
    survey = tmp_path / "survey"
    for name in ("scenes", "unseen", "maps"):
        (survey / name).mkdir(parents=True)
        (survey / name / "mine.tif").write_text("mine")
    before = sorted(survey.rglob("*"))
    code, said = demo(survey)
    assert code == 2 and f"“{survey}” is not empty and was not made by scripts/demo" in said
    assert sorted(survey.rglob("*")) == before


@pytest.mark.parametrize("there", [None, (), ("demo.qgz", "scenes/scene_01/s2.tif")], ids=["new", "empty", "before"])
def test_new_and_own_folders_are_taken(demo, tmp_path, there):
    """Twice, the second time after a run that ended early; ``before``: made when there was no marker yet."""
    folder = tmp_path / "some demo"
    for name in there or ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("old")
    if there == ():
        folder.mkdir()
    for _ in range(2):
        assert demo(folder)[0] == 9
        assert not (folder / "scenes").exists()
        (folder / "scenes").mkdir()


def test_the_checkout_s_own_folder(demo, tmp_path):
    assert demo()[0] == 9
    assert (tmp_path / "checkout" / "demo").is_dir()
    assert demo()[0] == 9
