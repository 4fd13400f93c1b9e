"""ONNX: what other tools compute is what the model computes, and Deepness finds what it reads."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from auxlens.engine.executors import exportonnx as onnx_file
from auxlens.engine.executors.exportonnx import run
from auxlens.engine.jobs import Canceled, EngineError, ExportOnnxJob, JobError, ModelFileError
from auxlens.models import file
from auxlens.models.card import Card, LandClass, MainTask, Modality, Player
from auxlens.models.config import MAIN, NetworkConfig, TaskConfig
from auxlens.models.heads import DensityHead
from auxlens.models.network import Network

BANDS = ("B2", "B3", "B4")


@pytest.fixture
def values(rng: np.random.Generator):
    """Physical values of a size; the corner is not valid."""

    def make(batch: int, height: int, width: int) -> np.ndarray:
        array = rng.normal(100.0, 60.0, (batch, 3, height, width)).astype("float32")
        array[:, 1, :5, :7] = np.nan
        return array

    return make


def truth(model: str, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """What the model itself says, from its raw outputs."""
    network, card = file.load(model)
    with torch.no_grad():
        raw = network(torch.from_numpy(inputs))
    found: dict[str, np.ndarray] = {}
    if card.main.classes:
        found["probability"] = torch.softmax(raw[MAIN], 1).numpy()
    else:
        head = network.head(MAIN)
        assert isinstance(head, DensityHead)
        found["estimate"], found["uncertainty"] = (t.numpy() for t in head.physical(raw[MAIN]))
    head = network.head("s1")
    assert isinstance(head, DensityHead)
    found["reconstruction"], found["expected_error"] = (t.numpy() for t in head.physical(raw["s1"]))
    return found


@pytest.mark.parametrize("kind", ["segmentation", "regression"])
def test_any_size_and_every_output(untrained, quiet, values, tmp_path: Path, kind: str):
    model, target = untrained(kind), tmp_path / "net.onnx"
    figures = run(ExportOnnxJob(model, str(target)), quiet())["figures"]
    session = onnxruntime.InferenceSession(str(target))
    names = [output.name for output in session.get_outputs()]
    assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
    # wider than a strip of rows that the network prepares at once, and sizes that no stride divides
    for size in ((1, 31, 47), (3, 64, 64), (1, 700, 130), (1, 130, 700)):
        inputs = values(*size)
        expected = truth(model, inputs)
        assert names == list(expected) == list(figures["largest_difference"])
        for name, found in zip(names, session.run(names, {"input": inputs}), strict=True):
            np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-4)
    assert 0 <= max(figures["largest_difference"].values()) < 1e-4


def deepness(path: Path, tile: np.ndarray) -> np.ndarray:
    """What Deepness does with a tile ``(H, W, bands)``: its preprocessing, the network, the most probable class."""
    session = onnxruntime.InferenceSession(str(path))
    meta = session.get_modelmeta().custom_metadata_map
    batch = np.float32(tile[None] * 1.0 / 255.0)
    mean, std = (np.array(json.loads(meta[f"standardization_{name}"]), np.float32) for name in ("mean", "std"))
    batch = np.transpose((batch - mean) / std, (0, 3, 1, 2))
    (result,) = session.run(None, {session.get_inputs()[0].name: batch})
    result[result < float(json.loads(meta["seg_thresh"]))] = 0.0
    return np.argmax(result, axis=1)[0]


def test_deepness_maps_as_the_model_does(untrained, quiet, rng, tmp_path: Path):
    model, target = untrained(), tmp_path / "net.onnx"
    run(ExportOnnxJob(model, str(target), tile_size=192), quiet())
    tile = rng.integers(1, 400, (192, 192, 3)).astype("uint16")
    expected = truth(model, np.transpose(tile[None].astype("float32"), (0, 3, 1, 2)))["probability"].argmax(1)[0]
    assert (deepness(target, tile) == expected).mean() > 0.9999 and len(np.unique(expected)) > 1


def test_deepness_finds_what_it_reads(untrained, quiet, tmp_path: Path):
    network, card = file.load(untrained())
    model = str(tmp_path / "m.safetensors")
    file.save(model, network, replace(card, inputs=(replace(card.inputs[0], gsd_m=10.0),)))
    target = tmp_path / "net.onnx"
    run(ExportOnnxJob(model, str(target), tile_size=192), quiet())
    session = onnxruntime.InferenceSession(str(target))
    (output,) = session.get_outputs()  # it takes no more
    assert session.get_inputs()[0].shape == [1, 3, 192, 192] and output.shape == [1, 3, 192, 192]
    meta = session.get_modelmeta().custom_metadata_map
    assert str(json.loads(meta["model_type"])).capitalize() == "Segmentor"
    assert json.loads(meta["class_names"]) == {"0": "water", "1": "wood", "2": "town"}
    assert float(json.loads(meta["resolution"])) == 1000.0  # cm
    assert int(json.loads(meta["tile_size"])) == 192
    overlap = int(json.loads(meta["tiles_overlap"]))
    assert overlap >= 100 * 2 * card.margin_px / 192 > overlap - 1
    assert int(json.loads(meta["seg_small_segment"])) == 0
    assert all(ast.literal_eval(meta[key]) for key in ("standardization_mean", "standardization_std"))
    assert Card.from_json(meta["auxlens_card"]) == file.load(model)[1]
    assert meta["auxlens_input_bands"] == "s2:B2, s2:B3, s2:B4" and meta["auxlens_classes"].startswith("2=water")


def test_a_regression_for_deepness(untrained, quiet, tmp_path: Path):
    target = tmp_path / "net.onnx"
    run(ExportOnnxJob(untrained("regression"), str(target), tile_size=192), quiet())
    session = onnxruntime.InferenceSession(str(target))
    assert [output.shape for output in session.get_outputs()] == [[1, 1, 192, 192]]
    meta = session.get_modelmeta().custom_metadata_map
    assert (json.loads(meta["model_type"]), json.loads(meta["reg_output_scaling"])) == ("Regressor", 1.0)
    assert json.loads(meta["class_names"]) == {"0": "height"}


def test_a_scene_level_model_gives_one_label(quiet, values, tmp_path: Path):
    config = NetworkConfig((8, 12, 16), (100.0,) * 3, (60.0,) * 3, {"main": TaskConfig("score", 2, pooled=True)})
    network = Network(config).eval()
    card = Card(
        name="scenes", created="", plugin_version="0", inputs=(Modality("s2", BANDS, config.mean, config.std),),
        auxiliary=(), network=config.to_dict(), tile_px=96, margin_px=config.margin_px,
        main=MainTask("scene_classification", "crop", (LandClass(1, "a", "#ff0000"), LandClass(2, "b", "#0000ff"))),
    )  # fmt: skip
    model, target = str(tmp_path / "m.safetensors"), tmp_path / "net.onnx"
    file.save(model, network, card)
    run(ExportOnnxJob(model, str(target)), quiet())
    inputs = values(2, 33, 50)
    inputs[0, :, 20:] = np.nan
    inputs[1, 2, :, 10:] = np.nan  # one band alone
    session = onnxruntime.InferenceSession(str(target))
    (found,) = session.run(None, {"input": inputs})
    with torch.no_grad():
        raw = network(torch.from_numpy(inputs))[MAIN]
    for chip, values, label in zip(inputs, raw, found, strict=True):  # of the pixels that a map has
        mean = values[:, np.isfinite(chip).all(axis=0)].mean(dim=1)
        np.testing.assert_allclose(label[:, 0, 0], torch.softmax(mean, 0).numpy(), atol=1e-4)
    (found,) = session.run(None, {"input": np.full_like(inputs, np.nan)})
    assert np.isnan(found).all()
    with pytest.raises(JobError, match="labels scenes"):
        run(ExportOnnxJob(model, str(target), tile_size=256), quiet())


def test_players_do_not_get_in_the_way(quiet, values, tmp_path: Path):
    tasks = {"main": TaskConfig("score", 2)}
    config = NetworkConfig((8, 12, 16), (100.0,) * 3, (60.0,) * 3, tasks, players=((0,), (1, 2)))
    network = Network(config).eval()
    card = Card(
        players=(Player("one", ("s2:B2",)), Player("two", ("s2:B3", "s2:B4"))),
        name="players", created="", plugin_version="0", inputs=(Modality("s2", BANDS, config.mean, config.std),),
        auxiliary=(), network=config.to_dict(), tile_px=96, margin_px=config.margin_px,
        main=MainTask("segmentation", "c", (LandClass(1, "a", "#ff0000"), LandClass(2, "b", "#0000ff"))),
    )  # fmt: skip
    model, target = str(tmp_path / "m.safetensors"), tmp_path / "net.onnx"
    file.save(model, network, card)
    assert max(run(ExportOnnxJob(model, str(target)), quiet())["figures"]["largest_difference"].values()) < 1e-4


def test_the_file_is_sound_onnx(untrained, quiet, tmp_path: Path):
    target = tmp_path / "net.onnx"
    run(ExportOnnxJob(untrained(), str(target)), quiet())
    model = onnx.load(str(target))
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17 and "model_type" not in {p.key for p in model.metadata_props}


def test_a_network_that_differs_is_not_written(untrained, quiet, tmp_path: Path, monkeypatch):
    export = onnx_file._export

    def spoiled(network, card, tile_px, path):
        export(network, card, tile_px, path)
        model = onnx.load(str(path))
        weights = model.graph.initializer[0]
        array = onnx.numpy_helper.to_array(weights) * 1.01
        weights.CopyFrom(onnx.numpy_helper.from_array(array.astype("float32"), weights.name))
        onnx.save(model, str(path))

    monkeypatch.setattr(onnx_file, "_export", spoiled)
    with pytest.raises(EngineError, match="differs from the model by"):
        run(ExportOnnxJob(untrained(), str(tmp_path / "net.onnx")), quiet())
    assert not list(tmp_path.glob("*.onnx")) and not list(tmp_path.glob(".*part*"))


def test_bad_input(untrained, quiet, tmp_path: Path):
    model, target = untrained(), str(tmp_path / "net.onnx")
    margin = file.load(model)[1].margin_px
    for job, kind, message in (
        (ExportOnnxJob(model, ""), JobError, "No output is asked for; give an ONNX file"),
        (ExportOnnxJob(model, model), JobError, "path of an input"),
        (ExportOnnxJob(model, target, tile_size=-1), JobError, "0 or more"),
        (ExportOnnxJob(model, target, tile_size=2 * margin), JobError, "are all margin"),
        (ExportOnnxJob(str(tmp_path / "no.safetensors"), target), ModelFileError, "does not exist"),
        (ExportOnnxJob(model, str(tmp_path / "no" / "net.onnx")), Exception, "does not exist or cannot be written"),
    ):
        with pytest.raises(kind, match=message):
            run(job, quiet())
    with pytest.raises(Canceled):
        run(ExportOnnxJob(model, target), quiet(stop_after=1))
    assert not list(tmp_path.glob("*.onnx")) and not list(tmp_path.glob(".*part*"))
