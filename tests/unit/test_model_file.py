"""Model files: everything comes back, damage is told in a sentence, and no code in a file ever runs."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from auxlens.models import file
from auxlens.models.card import (
    CARD_KEY,
    SCHEMA,
    Card,
    ErrorModel,
    InputDensity,
    Intervals,
    LandClass,
    MainTask,
    Modality,
    Player,
    read_card,
)
from auxlens.models.config import NetworkConfig, TaskConfig
from auxlens.models.errors import ModelFileError
from auxlens.models.network import Network

ROOT = Path(__file__).resolve().parents[2]
CONFIG = NetworkConfig((4, 6), (10.0, 20.0, 5.0), (2.0, 3.0, 1.0), {"main": TaskConfig("score", 2)})


def full_card() -> Card:
    """A card in which no field has its default."""
    tasks = {"main": TaskConfig("score", 2), "s1": TaskConfig("density", 2, (-12.0, -18.0), (3.0, 4.0))}
    return Card(
        name="Küste",
        created="2026-01-02T03:04:05+00:00",
        plugin_version="0.1.0",
        inputs=(
            Modality("s2", ("B2", "B8A"), (10.0, 20.0), (2.0, 3.0), "", "uint16", 0.0, 10.0, "s2=B02.tif,B8A.tif"),
            Modality("dem", ("elevation",), (5.0,), (1.0,), "m", "int16", -32768.0, 10.0, "../dem.tif"),
        ),
        auxiliary=(Modality("s1", ("VV", "VH"), (-12.0, -18.0), (3.0, 4.0), "dB", "float32", None, None, "s1.tif"),),
        main=MainTask("segmentation", "cover", (LandClass(3, "water", "#0000ff"), LandClass(9, "wood", "#00aa00"))),
        network=replace(CONFIG, tasks=tasks, players=((0, 1), (2,)), patch_px=2, patches=3).to_dict(),
        tile_px=512,
        margin_px=13,
        strategy="single",
        licence="CC-BY-4.0",
        reference_pattern="label.tif",
        players=(Player("optical", ("s2:B2", "s2:B8A")), Player("relief", ("dem:elevation",))),
        patch_px=2,
        error_models={
            "expected": ErrorModel(
                ("entropy",), (0.1,), (0.2,), (1.5,), -2.0, 0.5, {"auroc": 0.9}, (0.5, -0.5), ((0.25, -0.25),)
            )
        },
        input_density=InputDensity(
            (1.0, 0.0, 0.0),
            (0.0, 1.0, 2.0),
            (1.0, 2.0, 3.0),
            (((1.0, 0.0, 0.5), (0.0, 2.0, 0.0)),),
            ((0.5, 1.5),),
            (0.25,),
            3.0,
            2.0,
            1.5,
        ),
        intervals=Intervals((0.5, 0.9), (0.75, 2.5), 1.25, (0.5, 0.875), {"mae": 2.0}),
        training={"seed": 4, "scenes": [{"name": "a", "sha256": {"a.tif": "00"}}]},
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    card = full_card()
    torch.manual_seed(0)
    file.save(str(path), Network(NetworkConfig.from_dict(card.network)), card)
    return path


def rewritten(path: Path, change) -> str:
    """A copy of a model file whose card (a dict) was changed; the weights stay."""
    header = json.loads(path.read_bytes()[8:][: struct.unpack("<Q", path.read_bytes()[:8])[0]])
    card = json.loads(header["__metadata__"][CARD_KEY])
    change(card)
    other = path.with_name("rewritten.safetensors")
    safetensors.torch.save_file(safetensors.torch.load_file(path), other, metadata={CARD_KEY: json.dumps(card)})
    return str(other)


def test_every_field_of_the_card_comes_back(saved):
    card = full_card()
    defaults = {f.name: f.default for f in fields(Card)}
    assert all(getattr(card, name) != value for name, value in defaults.items() if name != "schema")
    found = read_card(str(saved))
    for field in fields(Card):
        assert getattr(found, field.name) == json_like(getattr(card, field.name)), field.name
    assert file.load(str(saved))[1] == found


def json_like(value):
    """The network's configuration is kept as JSON keeps it: lists for tuples."""
    return json.loads(json.dumps(value)) if isinstance(value, dict) and "widths" in value else value


def test_others_may_read_it_as_any_file(saved, tmp_path):
    (tmp_path / "any").touch()
    assert saved.stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_card_from_before_a_field_was_there(saved):
    older = read_card(rewritten(saved, lambda card: card.pop("intervals")))
    assert older == replace(read_card(str(saved)), intervals=None)


def test_weights_come_back_and_the_network_is_ready_to_predict(saved):
    torch.manual_seed(0)
    expected = Network(NetworkConfig.from_dict(full_card().network)).state_dict()
    network, _ = file.load(str(saved))
    assert not network.training
    assert expected.keys() == network.state_dict().keys()
    assert all(torch.equal(values, expected[name]) for name, values in network.state_dict().items())


def test_the_card_has_the_mlm_fields(saved):
    text = json.loads(read_header(saved)["__metadata__"][CARD_KEY])
    assert (text["mlm:name"], text["mlm:tasks"]) == ("Küste", ["semantic-segmentation"])
    assert text["mlm:input"][0] == {"name": "s2", "bands": ["B2", "B8A"]}
    assert text["mlm:output"][0]["classification:classes"][1] == {"value": 9, "name": "wood", "color_hint": "00aa00"}


def read_header(path: Path) -> dict:
    data = path.read_bytes()
    return json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])


@pytest.mark.parametrize("length", [896, 1152, 1408, 19280, 19280 + 65536])
def test_a_header_may_be_as_long_as_the_first_bytes_of_a_pickle_say(tmp_path, length):
    """As little-endian numbers these lengths begin like pickles and zips."""
    card = Card("a", "", "", (), (), MainTask("regression", "h"), {}, 64, 8)
    header = json.dumps({"__metadata__": {CARD_KEY: card.to_json()}}).encode()
    assert len(header) <= length
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", length) + header.ljust(length))
    assert path.read_bytes().startswith((b"\x80", b"PK"))
    assert read_card(str(path)).tile_px == 64


@pytest.mark.parametrize("keep", [0, 5, 8, 200, -1])
def test_a_truncated_file(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(ModelFileError, match=r"cut short.*(copy it again|expected)"):
        read_card(str(saved))
    with pytest.raises(ModelFileError):
        file.load(str(saved))


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelFileError, match="does not exist; check the path"):
        read_card(str(tmp_path / "none.safetensors"))


@pytest.mark.parametrize(
    "content",
    [
        b"just some text, long enough for a header of any kind",
        struct.pack("<Q", 4) + b"[1] ",
        struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
        struct.pack("<Q", 20) + b"[" * 20,
        struct.pack("<Q", 200_000) + b"[" * 200_000,
    ],
)
def test_not_safetensors(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"is not a safetensors file.*AuxLens has trained"):
        read_card(str(path))


@pytest.mark.parametrize("offsets", ["ab", ["0", "x"], [0], None, {"a": 1}])
def test_a_damaged_list_of_tensors(tmp_path, offsets):
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": offsets}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"0000")
    with pytest.raises(ModelFileError, match="damaged safetensors header; copy it again"):
        read_card(str(path))


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_without_a_card(tmp_path, metadata):
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file({"w": torch.zeros(3)}, path, metadata=metadata)
    with pytest.raises(ModelFileError, match="without an AuxLens card"):
        read_card(str(path))


def test_metadata_that_are_no_dict(tmp_path):
    header = json.dumps({"__metadata__": ["card"]}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(ModelFileError, match="without an AuxLens card"):
        read_card(str(path))


def test_a_newer_schema(saved):
    with pytest.raises(ModelFileError, match=rf"format {SCHEMA + 1}, newer than format {SCHEMA} .* update"):
        read_card(rewritten(saved, lambda card: card.update(schema=SCHEMA + 1)))


def test_a_card_of_a_newer_minor_version_may_have_more_fields(saved):
    assert read_card(rewritten(saved, lambda card: card.update(colour="blue"))).name == "Küste"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"card"', "{}", "null"])
def test_card_text_that_is_no_card(text):
    with pytest.raises(ModelFileError, match="card is not readable; get a fresh copy"):
        Card.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("main"),
        lambda card: card.update(inputs=3),
        lambda card: card.update(inputs=["s2"]),
        lambda card: card["inputs"][0].pop("bands"),
        lambda card: card["inputs"][0].update(shape="round"),
        lambda card: card["main"]["classes"][0].pop("value"),
        lambda card: card.update(error_models=[1]),
        lambda card: card["error_models"]["expected"].pop("mean"),
    ],
)
def test_a_damaged_card(saved, change):
    with pytest.raises(ModelFileError, match=r"incomplete or damaged .*get a fresh copy"):
        read_card(rewritten(saved, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card["network"].update(widths=[4, 8]),
        lambda card: card["network"].update(widths=[]),
        lambda card: card["network"].update(widths=["a"]),
    ],
)
def test_weights_that_do_not_fit(saved, change):
    path = rewritten(saved, change)
    assert read_card(path).name == "Küste"
    with pytest.raises(ModelFileError, match=r"weights .* do not fit the network"):
        file.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card["inputs"].pop(),
        lambda card: card["auxiliary"].clear(),
        lambda card: card["main"]["classes"].append({"value": 1, "name": "x", "color": "#000000"}),
    ],
)
def test_a_card_that_contradicts_its_network(saved, change):
    with pytest.raises(ModelFileError, match="contradicts itself"):
        file.load(rewritten(saved, change))


@pytest.mark.parametrize("lost", ["tasks", "widths"])
def test_a_network_that_is_not_described(saved, lost):
    with pytest.raises(ModelFileError, match=f"not described completely.*{lost}"):
        file.load(rewritten(saved, lambda card: card["network"].pop(lost)))


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


@pytest.mark.parametrize("write", ["torch", "legacy", *range(pickle.HIGHEST_PROTOCOL + 1)])
def test_pickles_are_refused_and_their_code_never_runs(tmp_path, write):
    path, trap = tmp_path / "model.safetensors", tmp_path / "trap"
    if isinstance(write, int):
        path.write_bytes(pickle.dumps(Trap(str(trap)), protocol=write))
    else:
        torch.save(Trap(str(trap)), path, _use_new_zipfile_serialization=write == "torch")
    named = "never loaded" if write in ("torch", "legacy", 2, 3, 4, 5) else "not a safetensors file"
    for read in (read_card, file.load):
        with pytest.raises(ModelFileError, match=named):
            read(str(path))
    assert not trap.exists()
    if isinstance(write, int):  # the trap is real
        pickle.loads(path.read_bytes())
    else:
        torch.load(path.rename(tmp_path / "model.pt"), weights_only=False)
    assert trap.is_dir()


def test_a_folder_that_cannot_be_written(tmp_path, saved):
    (tmp_path / "file").write_text("")
    network, card = file.load(str(saved))
    for folder in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(ModelFileError, match=r"cannot be written .*choose a folder"):
            file.save(str(folder / "model.safetensors"), network, card)


def test_saving_fails_without_leaving_anything(tmp_path, saved):
    network, card = file.load(str(saved))
    target = tmp_path / "taken.safetensors"
    target.mkdir()
    with pytest.raises(ModelFileError, match="cannot be written"):
        file.save(str(target), network, card)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.safetensors", "taken.safetensors"]


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="needs the system's Python")
def test_the_card_is_read_with_the_standard_library_alone(saved):
    program = f"""
import importlib.util, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"torch", "numpy", "safetensors", "rasterio"}}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
spec = importlib.util.spec_from_file_location("auxlens", {str(ROOT / "__init__.py")!r},
                                              submodule_search_locations=[{str(ROOT)!r}])
package = importlib.util.module_from_spec(spec)
sys.modules["auxlens"] = package
spec.loader.exec_module(package)
from auxlens.models.card import read_card
card = read_card({str(saved)!r})
print(card.name, *card.input_bands, *card.auxiliary_bands, [c.name for c in card.main.classes])
"""
    done = subprocess.run(["/usr/bin/python3", "-I", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.strip() == "Küste s2:B2 s2:B8A dem:elevation s1:VV s1:VH ['water', 'wood']"
