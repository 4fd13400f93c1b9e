"""The card: everything about a model that is not a weight, readable without torch.

A model file is one ``.safetensors`` file: eight bytes with the header's length (little endian), a JSON
header, the tensors. The card is JSON text in the header's metadata under ``auxlens_card``, so that the QGIS
side reads it with the standard library alone. Nothing here, or anywhere, unpickles.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

from .errors import ModelFileError

CARD_KEY = "auxlens_card"
SCHEMA = 1
_LARGEST_HEADER = 100 * 2**20  # bytes; the limit of the safetensors format itself
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # torch's zip; bare pickles


@dataclass(frozen=True)
class Modality:
    """The bands of one sensor or product, as the model was trained on them.

    ``mean`` and ``std`` are per band, in the file's own (physical) values; ``gsd_m`` is the ground sampling distance of
    its finest file in metres, before it is warped to the scene's grid (``None`` without a CRS); ``pattern`` is the file
    pattern inside a scene folder.
    """

    name: str
    bands: Tuple[str, ...]
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    unit: str = ""
    dtype: str = "float32"
    nodata: Optional[float] = None
    gsd_m: Optional[float] = None
    pattern: str = ""

    @property
    def band_names(self) -> Tuple[str, ...]:
        """``modality:band`` for every band: how bands are called in outputs and reports."""
        return tuple(f"{self.name}:{band}" for band in self.bands)


@dataclass(frozen=True)
class LandClass:
    """One class of a segmentation: value in the map (1-based in QGIS legends), name and ``#rrggbb`` colour."""

    value: int
    name: str
    color: str


@dataclass(frozen=True)
class MainTask:
    """What the map shows.

    ``kind`` is one of ``segmentation``, ``regression``, ``scene_classification`` and ``scene_regression``. ``classes``
    are in the order of the network's channels; empty for numbers. ``mean`` and ``std`` are those of a regression's
    target.
    """

    kind: str
    name: str
    classes: Tuple[LandClass, ...] = ()
    unit: str = ""
    mean: float = 0.0
    std: float = 1.0

    @property
    def is_scene_level(self) -> bool:
        """Whether a label or number belongs to a scene or polygon, and not to a pixel."""
        return self.kind.startswith("scene_")


@dataclass(frozen=True)
class Player:
    """A group of input bands (as ``modality:band``) whose contribution to a score is one attribution."""

    name: str
    bands: Tuple[str, ...]

    def indices(self, bands: Sequence[str]) -> Tuple[int, ...]:
        """Numbers (0-based, ascending) of the player's bands among ``modality:band`` names."""
        return tuple(i for i, band in enumerate(bands) if band in self.bands)


@dataclass(frozen=True)
class ErrorModel:
    """Logistic model of the probability that the map is wrong at a pixel.

    ``P(wrong) = 1 / (1 + exp(-(a + a_k + sum_i (c_i + c_ik) * z_i)))`` with ``z_i = (feature_i - mean[i]) / std[i]``,
    ``a`` the ``intercept``, ``c`` the ``coefficients``, and for a pixel mapped as class ``k`` what is added to them:
    ``class_intercepts`` and ``class_coefficients`` (a row a feature; both empty where classes are not told apart).
    For a regression "wrong" means an absolute error above ``tolerance`` (target units).
    """

    features: Tuple[str, ...]
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    coefficients: Tuple[float, ...]
    intercept: float
    tolerance: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    class_intercepts: Tuple[float, ...] = ()
    class_coefficients: Tuple[Tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Intervals:
    """What a regression's predicted scale says of its errors, calibrated on validation (``engine.explain.intervals``).

    The expected absolute error is ``error_factor`` times the predicted scale, and map ± ``factors[i]`` predicted scales
    holds the reference with probability ``levels[i]``. ``coverage`` are the shares that they held on test (empty
    without), ``figures`` the mean absolute error there, and the one expected.
    """

    levels: Tuple[float, ...]
    factors: Tuple[float, ...]
    error_factor: float
    coverage: Tuple[float, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class InputDensity:
    """Gaussian mixture of the training scenes' input bands: how usual an input is (``engine.explain.input_density``).

    Bands with a ``floor`` above 0 are taken as logarithms of at least that value, so that ratios count. For the
    standardised bands ``z`` the negative log-likelihood of component ``j`` is
    ``constants[j] + |projections[j] z - offsets[j]|² / 2``; ``typical`` and ``spread`` are the mixture's median and
    interquartile range over the training scenes, ``unusual`` the novelty that one block in a hundred exceeds there and
    on the validation scenes.
    """

    floor: Tuple[float, ...]
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    projections: Tuple[Tuple[Tuple[float, ...], ...], ...]
    offsets: Tuple[Tuple[float, ...], ...]
    constants: Tuple[float, ...]
    typical: float
    spread: float
    unusual: float


@dataclass(frozen=True)
class Card:
    """A model's description. See the module's text for where it is kept.

    ``network`` is the configuration that rebuilds the network; ``tile_px`` the suggested window size (of a scene-level
    model, the width of the tiles that it maps where no polygons are given) and
    ``margin_px`` the receptive field's radius, both in pixels of the input grid; ``error_models`` holds
    ``expected`` (needs no reference) and ``observed`` (needs every auxiliary modality); ``input_density`` tells them
    which inputs are unlike those of training; ``intervals`` are a regression's; ``training`` is the manifest: scenes
    with SHA-256, split, seed, strategy, versions, and figures on validation and test.
    """

    name: str
    created: str
    plugin_version: str
    inputs: Tuple[Modality, ...]
    auxiliary: Tuple[Modality, ...]
    main: MainTask
    network: Mapping[str, Any]
    tile_px: int
    margin_px: int
    strategy: str = "multitask"
    licence: str = ""
    reference_pattern: str = ""
    players: Tuple[Player, ...] = ()  # in the order of the network's; none: no attributions to bands
    patch_px: int = 0  # width of the patches that are a scene-level model's players; 0: no attributions to patches
    error_models: Mapping[str, ErrorModel] = field(default_factory=dict)
    input_density: Optional[InputDensity] = None
    intervals: Optional[Intervals] = None
    training: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def input_bands(self) -> Tuple[str, ...]:
        return tuple(name for modality in self.inputs for name in modality.band_names)

    @property
    def auxiliary_bands(self) -> Tuple[str, ...]:
        return tuple(name for modality in self.auxiliary for name in modality.band_names)

    def to_json(self) -> str:
        """The card as JSON text, with the fields of the STAC MLM extension that have a counterpart."""
        return json.dumps({**asdict(self), **_mlm(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Rebuild a card.

        Raises:
            ModelFileError: the text is no card, or one of a newer schema.
        """
        try:
            data = json.loads(text)
            schema = data["schema"]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelFileError("The model's card is not readable; get a fresh copy of the model file.") from error
        if not isinstance(schema, int) or schema > SCHEMA:
            raise ModelFileError(
                f"The model file is of format {schema}, newer than format {SCHEMA} that this AuxLens reads; "
                "update the AuxLens plugin."
            )
        try:
            return cls(**{f.name: _READERS.get(f.name, _same)(data[f.name]) for f in fields(cls) if f.name in data})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(
                f"The model's card is incomplete or damaged ({error}); get a fresh copy of the model file."
            ) from error


def read_card(path: str) -> Card:
    """Read the card of a model file without loading its weights.

    Raises:
        ModelFileError: missing, truncated, not safetensors (a pickle is named as such), without a card, or of
            a newer version.
    """
    metadata = _read_header(path).get("__metadata__")
    text = metadata.get(CARD_KEY) if isinstance(metadata, dict) else None
    if text is None:
        raise ModelFileError(
            f"“{path}” is a safetensors file without an AuxLens card; choose a model that AuxLens has trained."
        )
    return Card.from_json(text)


def _read_header(path: str) -> Dict[str, Any]:
    """Read a safetensors header and check that the file is as long as the header says."""
    if not os.path.isfile(path):
        raise ModelFileError(f"The model file “{path}” does not exist; check the path.")
    size = os.path.getsize(path)
    try:
        with open(path, "rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(size - 8, _LARGEST_HEADER):
                if start.startswith(_PICKLES):  # only here: a sound header may be as long as these bytes say
                    raise ModelFileError(
                        f"“{path}” is a pickled PyTorch file under another name. Pickles can run code and are never "
                        "loaded; choose a .safetensors model that AuxLens has trained."
                    )
                raise ModelFileError(
                    f"“{path}” is not a safetensors file, or is cut short ({size} bytes); "
                    "choose a model that AuxLens has trained, or copy it again."
                )
            header = json.loads(file.read(length))
    except OSError as error:
        raise ModelFileError(f"The model file “{path}” cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"“{path}” is not a safetensors file; choose a model that AuxLens has trained.") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"“{path}” is not a safetensors file; choose a model that AuxLens has trained.")
    _check_length(path, header, size - 8 - length)
    return header


def _check_length(path: str, header: Mapping[str, Any], found: int) -> None:
    try:
        ends = (int(t["data_offsets"][1]) for name, t in header.items() if name != "__metadata__")
        expected = max(ends, default=0)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ModelFileError(f"“{path}” has a damaged safetensors header; copy it again.") from error
    if found < expected:
        raise ModelFileError(
            f"The model file “{path}” is cut short: {expected} bytes of weights expected, {found} found; copy it again."
        )


def _mlm(card: Card) -> Dict[str, Any]:
    tasks = {
        "segmentation": "semantic-segmentation",
        "scene_classification": "scene-classification",
        "scene_regression": "regression",
    }
    return {
        "mlm:name": card.name,
        "mlm:architecture": "U-Net, one decoder a task",
        "mlm:framework": "pytorch",
        "mlm:tasks": [tasks.get(card.main.kind, card.main.kind)],
        "mlm:input": [{"name": m.name, "bands": list(m.bands)} for m in card.inputs],
        "mlm:output": [
            {
                "name": card.main.name,
                "classification:classes": [
                    {"value": c.value, "name": c.name, "color_hint": c.color.lstrip("#")} for c in card.main.classes
                ],
            }
        ],
    }


def _same(value: Any) -> Any:
    return value


def _modality(data: Mapping[str, Any]) -> Modality:
    return Modality(**{**data, **{key: tuple(data[key]) for key in ("bands", "mean", "std")}})


def _main(data: Mapping[str, Any]) -> MainTask:
    return MainTask(**{**data, "classes": tuple(LandClass(**c) for c in data.get("classes", ()))})


def _error_model(data: Mapping[str, Any]) -> ErrorModel:
    return ErrorModel(**{key: _tuples(value) for key, value in data.items()})


def _tuples(value: Any) -> Any:
    """Lists of JSON, at every depth, as tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _player(data: Mapping[str, Any]) -> Player:
    return Player(data["name"], tuple(data["bands"]))


_READERS: Dict[str, Callable[[Any], Any]] = {
    "inputs": lambda items: tuple(_modality(item) for item in items),
    "auxiliary": lambda items: tuple(_modality(item) for item in items),
    "main": _main,
    "players": lambda items: tuple(_player(item) for item in items),
    "error_models": lambda items: {name: _error_model(item) for name, item in items.items()},
    "input_density": lambda data: data and InputDensity(**{key: _tuples(value) for key, value in data.items()}),
    "intervals": lambda data: data and Intervals(**{key: _tuples(value) for key, value in data.items()}),
}
