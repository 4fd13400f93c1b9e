"""``mapfolder`` through ``qgis_process`` and the command line: what an unattended script gets when a scene fails."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def statuses(path):
    with open(path, encoding="utf-8") as file:
        return {row["scene"]: row["status"] for row in csv.DictReader(file)}


def test_exit_codes_tell_that_a_scene_failed(qgis_process, environment, scenes, model, tmp_path):
    for name in ("scene_01", "scene_02"):
        shutil.copytree(scenes / name, tmp_path / "in" / name)
    whole = (tmp_path / "in/scene_02/s2.tif").read_bytes()
    (tmp_path / "in/scene_02/s2.tif").write_bytes(b"no raster")
    given = {"MODEL": model, "SCENES": tmp_path / "in", "LAYERS": ["map", "error_probability"]}
    outputs = {"OUTPUT_FOLDER": tmp_path / "out", "OUTPUT_TABLE": tmp_path / "t.csv"}
    code, said = qgis_process("mapfolder", **given, **outputs)
    assert code == 1 and "1 of 2 scenes failed (scene_02); the others are mapped" in said
    assert statuses(tmp_path / "t.csv") == {"scene_01": "mapped", "scene_02": "failed"}

    start = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import conftest; from auxlens.engine.cli import main; main()"
    )
    words = ["mapfolder", "--model", model, "--scenes", tmp_path / "in", "--layers", "map", "error_probability"]
    words += ["--output-folder", tmp_path / "out", "--output-table", tmp_path / "t.csv"]
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "QGIS", "GDAL", "PROJ"))
    }
    command = [environment["AUXLENS_PYTHON"], "-c", start, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean)
    assert done.returncode == 3 and "1 of 2 scenes failed" in done.stderr
    assert statuses(tmp_path / "t.csv") == {"scene_01": "up to date", "scene_02": "failed"}

    (tmp_path / "in/scene_02/s2.tif").write_bytes(whole)
    code, said = qgis_process("mapfolder", **given, **outputs)
    assert code == 0 and f"OUTPUT_TABLE:\t{tmp_path / 't.csv'}" in said, said
    assert statuses(tmp_path / "t.csv") == {"scene_01": "up to date", "scene_02": "mapped"}
