"""Fixtures of the end-to-end tests: demo scenes and a model, made by the real ``qgis_process``, once a session."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Environment variables with a throw-away QGIS profile; skips where no engine is set up."""
    python = os.environ.get("AUXLENS_PYTHON", str(ROOT / ".venv" / "engine" / "bin" / "python"))
    if not Path(python).exists():
        pytest.skip(f"no engine: {python} does not exist (make setup)")
    profile = tmp_path_factory.mktemp("profile")
    return {**os.environ, "AUXLENS_PYTHON": python, "QGIS_CUSTOM_CONFIG_PATH": str(profile)}


@pytest.fixture(scope="session")
def qgis_process(environment):
    """Runs an algorithm with ``scripts/qgis_process``; gives exit code, results and all that was written."""

    def go(algorithm, **parameters):
        words = [
            f"{name}={item}"
            for name, value in parameters.items()
            for item in (value if isinstance(value, list) else [value])
        ]
        done = subprocess.run(
            [str(ROOT / "scripts" / "qgis_process"), "run", f"auxlens:{algorithm}", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    return go


@pytest.fixture(scope="session")
def scenes(qgis_process, tmp_path_factory):
    folder = tmp_path_factory.mktemp("e2e") / "scenes"
    code, said = qgis_process("createdemo", SCENE_COUNT=4, SIZE=192, SEED=5, OUTPUT_FOLDER=folder)
    assert code == 0, said
    return folder


@pytest.fixture(scope="session")
def model(qgis_process, scenes):
    path = scenes.parent / "demo.safetensors"
    code, said = qgis_process(
        "trainfolder",
        SCENES=scenes,
        INPUT_PATTERNS="s2=s2.tif",
        AUXILIARY_PATTERNS="s1=s1.tif;dem=dem.tif",
        REFERENCE_PATTERN="label.tif",
        EPOCHS=3,
        CHIP_SIZE=32,
        BATCH_SIZE=32,
        OUTPUT_MODEL=path,
        OUTPUT_REPORT=scenes.parent / "demo.html",
    )
    assert code == 0, said
    assert json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    return path
