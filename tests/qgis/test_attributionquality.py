"""``attributionquality`` from QGIS: from its parameters to its job."""

from qgis.core import QgsProcessingContext, QgsProcessingFeedback


def test_other_models(provider, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    algorithm = provider.algorithm("attributionquality")
    given = {"MODEL": "a.safetensors", "INPUTS": []}

    def others(**more):
        return algorithm.job({**given, **more}, QgsProcessingContext(), export=False).other_models

    assert others() == ()
    paths = ["b.safetensors", str(tmp_path / "c.safetensors")]
    assert others(OTHER_MODELS=paths) == tuple(str(tmp_path / f"{name}.safetensors") for name in "bc")


def test_other_models_are_no_layers(provider, write_raster, tmp_path):
    given = {"MODEL": str(tmp_path / "a.safetensors"), "INPUTS": [write_raster("scene/s2.tif")]}
    (tmp_path / "b.safetensors").touch()
    feedback = QgsProcessingFeedback(False)
    for others in ([str(tmp_path / "b.safetensors")], str(tmp_path / "b.safetensors")):
        algorithm = provider.algorithm("attributionquality").create()
        told = {**given, "OTHER_MODELS": others, "OUTPUT_REPORT": str(tmp_path / "report.html")}
        assert algorithm.prepare(told, QgsProcessingContext(), feedback), feedback.textLog()
