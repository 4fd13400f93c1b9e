"""``attributionquality`` from QGIS: from its parameters to its job."""

from qgis.core import QgsProcessingContext


def test_other_models(provider, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    algorithm = provider.algorithm("attributionquality")
    given = {"MODEL": "a.safetensors", "INPUTS": []}

    def others(**more):
        return algorithm.job({**given, **more}, QgsProcessingContext(), export=False).other_models

    assert others() == ()
    paths = ["b.safetensors", str(tmp_path / "c.safetensors")]
    assert others(OTHER_MODELS=paths) == tuple(str(tmp_path / f"{name}.safetensors") for name in "bc")
