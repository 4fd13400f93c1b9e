"""The QGIS desktop under a virtual display: toolbox, dialog, run, styled layers in a group."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ("map", "uncertainty", "reconstruction", "reconstruction_error", "main_error", "error_probability")
BATCH, BATCH_OUTPUTS = ("scene_01", "scene_02"), ("map", "uncertainty")
SETTINGS = """[PythonPlugins]
auxlens=true
processing=true

[qgis]
checkVersion=false
showTips=false
"""


def find(*names):
    return next((path for path in map(shutil.which, names) if path), None)


@pytest.fixture(scope="module")
def desktop(environment, scenes, model, every_layer, tmp_path_factory):
    """What a session of the desktop found; see ``desktop_session.py``. Screenshots lie in its folder."""
    qgis = find("qgis.bin", "qgis")
    if not qgis or not find("xvfb-run"):
        pytest.skip("the QGIS desktop or xvfb-run is not installed")
    folder = Path(os.environ.get("AUXLENS_DESKTOP") or tmp_path_factory.mktemp("desktop"))
    folder.mkdir(parents=True, exist_ok=True)
    scene = scenes / "scene_04"
    parameters = {
        "MODEL": str(model),
        "INPUTS": [str(scene / "s2.tif")],
        "AUXILIARY": [str(scene / "s1.tif"), str(scene / "dem.tif")],
        "REFERENCE": str(scene / "label.tif"),
        **{f"OUTPUT_{name.upper()}": str(folder / f"{name}.tif") for name in OUTPUTS},
    }
    batch = [
        {
            "MODEL": str(model),
            "INPUTS": [str(scenes / name / "s2.tif")],
            **{f"OUTPUT_{output.upper()}": str(folder / f"{name}_{output}.tif") for output in BATCH_OUTPUTS},
        }
        for name in BATCH
    ]
    given = {"map": parameters, "batch": batch, "layers": list(every_layer.values())}
    (folder / "parameters.json").write_text(json.dumps(given), encoding="utf-8")
    (folder / "result.json").unlink(missing_ok=True)
    profile = tmp_path_factory.mktemp("desktop_profile")
    settings = profile / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "auxlens").symlink_to(ROOT)
    variables = {key: value for key, value in environment.items() if key != "QGIS_CUSTOM_CONFIG_PATH"}
    variables.update(QGIS_PLUGINPATH=str(plugins), QT_QPA_PLATFORM="xcb", AUXLENS_DESKTOP=str(folder))
    variables["AUXLENS_E2E"] = str(Path(__file__).parent)
    session = str(Path(__file__).with_name("desktop_session.py"))
    command = [qgis, "--nologo", "--noversioncheck", "--profiles-path", str(profile), "--code", session]
    done = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command],
        env=variables,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert (folder / "result.json").exists(), done.stdout + done.stderr
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    found["folder"], found["said"] = folder, done.stdout + done.stderr
    assert "error" not in found, found["error"]
    return found


def test_the_provider_is_in_the_toolbox(desktop):
    assert desktop["plugin"]
    ids = sorted(page.stem for page in (ROOT / "docs" / "algorithms").glob("*.md"))
    assert desktop["algorithms"] == [f"auxlens:{name}" for name in ids]
    assert {"AuxLens", "Map a scene and explain the map", "Train a model on layers"} <= set(desktop["toolbox"])


def test_the_options_page_says_that_the_engine_is_ready(desktop):
    (state,) = desktop["options"]
    assert state.startswith("Ready: ")


def test_layers_appear_styled_in_the_scenes_group(desktop):
    assert desktop["ok"]
    (group,) = [group for group in desktop["tree"] if group["group"] == "scene_04"]
    assert [Path(layer["source"]).stem for layer in group["layers"]] == list(OUTPUTS)
    assert [layer["visible"] for layer in group["layers"]] == [True] + [False] * (len(OUTPUTS) - 1)
    assert {layer["renderer"] for layer in group["layers"]} <= {"paletted", "singlebandpseudocolor"}
    assert desktop["top_level"] == ["scene_04", "Sentinel-2"]


def test_the_dialog_of_report_takes_the_layers_of_the_group(desktop):
    assert desktop["report"]["ok"]
    assert (desktop["folder"] / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_panel_answers_real_clicks_and_outlines(desktop):
    said = desktop["why_here"]
    if not said:
        pytest.skip("libXtst is not installed: no real mouse events")
    assert said["shown"]
    assert said["pixel"]["pixels"] == 1
    assert {"uncertainty", "error_probability", "main_error"} <= set(said["pixel"]["values"])
    assert said["seconds"] < 0.2
    assert said["text"].startswith(f"Mapped as {said['pixel']['mapped']}\nscene_04")
    assert said["outline"]["pixels"] > 10
    assert said["reopened"] == said["pixel"]
    assert (desktop["folder"] / "why_here.png").stat().st_size > 5000


def test_files_that_are_dropped_open_styled(desktop, every_layer, styles):
    for path in every_layer.values():
        assert desktop["dropped"][path] == styles.shown(styles.opened(path)), path


def test_a_batch_of_qgis_opens_styled_with_the_same_scale(desktop):
    folder, drawn = desktop["folder"], desktop["batch"]
    assert set(drawn) == {str(folder / f"{name}_{output}.tif") for name in BATCH for output in BATCH_OUTPUTS}
    for output, kind in zip(BATCH_OUTPUTS, ("paletted", "singlebandpseudocolor"), strict=True):
        first, second = (drawn[str(folder / f"{name}_{output}.tif")] for name in BATCH)
        assert first == second and first[0] == kind and len(first[2]) > 1
    assert set(BATCH) <= set(desktop["groups"])


def test_the_plugin_can_be_unloaded(desktop):
    assert desktop["unloaded"]
    assert not desktop["left"]


def test_qgis_stays_alive_and_ends_by_itself(desktop):
    assert "Traceback" not in desktop["said"]
    for name in ("toolbox", "options", "dialog", "log", "desktop"):
        assert (desktop["folder"] / f"{name}.png").stat().st_size > 5000
