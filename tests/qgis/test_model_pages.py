"""``modelinfo`` and ``exportonnx`` from QGIS: a trained model goes in, a page and a network come out."""

import pytest
from qgis.core import QgsProcessingException

pytestmark = pytest.mark.usefixtures("engine")


def test_a_model_is_described(run, trained, tmp_path):
    page = tmp_path / "new" / "page.html"
    assert run("modelinfo", MODEL=trained["OUTPUT_MODEL"], OUTPUT_REPORT=str(page)) == {"OUTPUT_REPORT": str(page)}
    text = page.read_text(encoding="utf-8")
    assert "scene_01" in text and "overall accuracy" in text and text.count("<img") == 1 and "<script" not in text


def test_a_model_is_exported(run, trained, tmp_path):
    target = tmp_path / "net.onnx"
    assert run("exportonnx", MODEL=trained["OUTPUT_MODEL"], OUTPUT_ONNX=str(target)) == {"OUTPUT_ONNX": str(target)}
    assert b"auxlens_input_bands" in target.read_bytes()


@pytest.mark.parametrize(
    ("algorithm", "changes", "message"),
    [
        ("modelinfo", {"OUTPUT_REPORT": "page.txt"}, "must end in .html"),
        ("modelinfo", {"MODEL": "/nowhere/m.safetensors"}, "does not exist"),
        ("modelinfo", {"OUTPUT_REPORT": None}, "No output is asked for; give a page"),
        ("exportonnx", {"OUTPUT_ONNX": "net.pt"}, "must end in .onnx"),
        ("exportonnx", {"TILE_SIZE": 8}, "are all margin"),
        ("exportonnx", {"TILE_SIZE": -1}, "from 0 to 16384"),
        ("exportonnx", {"OUTPUT_ONNX": None}, "No output is asked for; give an ONNX file"),
    ],
)
def test_bad_parameters(run, write_model, card, tmp_path, monkeypatch, algorithm, changes, message):
    monkeypatch.chdir(tmp_path)
    outputs = {"modelinfo": {"OUTPUT_REPORT": "page.html"}, "exportonnx": {"OUTPUT_ONNX": "net.onnx"}}[algorithm]
    with pytest.raises(QgsProcessingException, match=message):
        run(algorithm, **{"MODEL": write_model(card), **outputs, **changes})
    assert {path.name for path in tmp_path.iterdir()} <= {"toy.safetensors"}
