"""The exportonnx job: the network as an ONNX file, checked against the network itself."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from ...models.card import CARD_KEY, Card
from ...models.errors import Canceled, EngineError, JobError
from ...models.file import load
from ...models.parts import part_path
from ..checks import check_exportonnx
from ..jobs import ExportOnnxJob, Progress
from ..onnx.deepness import metadata
from ..onnx.network import EXPECTED_ERROR, PROBABILITY, RECONSTRUCTION, PhysicalNetwork
from ..scene.writing import check_writable

log = logging.getLogger("auxlens")

OPSET = 17  # the first with layer normalisation; read since ONNX Runtime 1.13
TOLERANCE = 1e-4  # of a probability, or of a standard deviation; of an amount itself where it is larger than that
_EXAMPLE_PX = 96
_INPUT = "input"


def run(job: ExportOnnxJob, progress: Progress) -> dict[str, Any]:
    """Write the ONNX file.

    Returns:
        ``outputs``: the file; ``figures``: its largest difference from the network, by output.

    Raises:
        AuxLensError: the model cannot be read, the file cannot be written, or it differs from the network.
        Canceled: stopped by the user; nothing is written.
    """
    network, card = load(job.model)
    check_exportonnx(job, card)
    check_writable([job.output_onnx])
    target = Path(job.output_onnx)
    part = part_path(target)
    physical = PhysicalNetwork(network, map_only=job.tile_size > 0).eval()
    try:
        progress.report(0.1, "Tracing the network")
        _export(physical, card, job.tile_size, part)
        if progress.canceled():
            raise Canceled("The export was canceled.")
        progress.report(0.5, "Comparing with the network")
        differences = _differences(physical, card, job.tile_size, part)
        _check(differences)
        os.replace(part, target)
    except OSError as error:
        raise JobError(f"“{target}” cannot be written ({error}); choose a folder with room.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    size = f"{job.tile_size} × {job.tile_size} px" if job.tile_size else "any size"
    log.info("Input: %s bands, %s; outputs: %s.", len(card.input_bands), size, ", ".join(physical.outputs))
    return {"outputs": {"onnx": job.output_onnx}, "figures": {"largest_difference": differences}}


def _export(network: PhysicalNetwork, card: Card, tile_px: int, path: Path) -> None:
    """Trace the network, and add what readers need to know of it."""
    side = tile_px or _EXAMPLE_PX
    example = torch.from_numpy(_values(card, (1, side, side), 0))
    free = {0: "batch", 2: "height", 3: "width"}
    dynamic = {} if tile_px else {_INPUT: free, **{name: _free_of(network, name) for name in network.outputs}}
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter that replaces this one needs further packages, and the sizes as symbols throughout.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (example,), str(path), dynamo=False, opset_version=OPSET, input_names=[_INPUT],
            output_names=list(network.outputs), dynamic_axes=dynamic,
        )  # fmt: skip
    model = onnx.load(str(path))
    for key, value in {**(metadata(card, tile_px) if tile_px else {}), **_description(card)}.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _free_of(network: PhysicalNetwork, output: str) -> dict[int, str]:
    whole = network.pooled and output not in (RECONSTRUCTION, EXPECTED_ERROR)
    return {0: "batch"} if whole else {0: "batch", 2: "height", 3: "width"}


def _description(card: Card) -> dict[str, str]:
    """Bands in and out, and the card itself."""
    return {
        "auxlens_input_bands": ", ".join(card.input_bands),
        "auxlens_classes": ", ".join(f"{c.value}={c.name}" for c in card.main.classes),
        "auxlens_auxiliary_bands": ", ".join(card.auxiliary_bands),
        CARD_KEY: card.to_json(),
    }


def _differences(network: PhysicalNetwork, card: Card, tile_px: int, path: Path) -> dict[str, float]:
    """Largest difference of each output from the network's, over several sizes, as ``TOLERANCE`` has it."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    stride = network.network.config.stride
    odd = [(1, 3 * stride + 1, 5 * stride - 1), (2, 4 * stride, 2 * stride), (1, 8 * stride, 40 * stride + 3)]
    sizes = [(1, tile_px, tile_px)] if tile_px else [(1, _EXAMPLE_PX, _EXAMPLE_PX), *odd]
    largest = dict.fromkeys(network.outputs, 0.0)
    for number, size in enumerate(sizes):
        values = _values(card, size, number)
        with torch.no_grad():
            expected = [tensor.numpy() for tensor in network(torch.from_numpy(values))]
        found = session.run(list(network.outputs), {_INPUT: values})
        for name, a, b in zip(network.outputs, expected, found, strict=True):
            if a.shape != b.shape or not np.isfinite(b).all():
                largest[name] = float("inf")
            else:
                largest[name] = max(
                    largest[name], float((np.abs(a - b) / np.maximum(_unit(name, card), np.abs(a))).max())
                )
    return largest


def _check(differences: dict[str, float]) -> None:
    worst = max(differences, key=lambda name: differences[name])
    if not differences[worst] <= TOLERANCE:
        raise EngineError(
            f"The exported network differs from the model by {differences[worst]:.2g} in “{worst}”, more than "
            f"{TOLERANCE:g}; it is not written. Please report this with the model's card."
        )


def _unit(output: str, card: Card) -> NDArray[np.float32]:
    """What a difference of 1 is, as ``(channels, 1, 1)``: 1 of a probability, a standard deviation of an amount."""
    if output == PROBABILITY:
        deviations = [1.0]
    elif output in (RECONSTRUCTION, EXPECTED_ERROR):
        deviations = [std for modality in card.auxiliary for std in modality.std]
    else:
        deviations = [card.main.std]
    return np.array(deviations, np.float32).reshape(-1, 1, 1)


def _values(card: Card, size: tuple[int, int, int], seed: int) -> NDArray[np.float32]:
    """Random values like those of the training scenes, with a corner that is not valid."""
    batch, height, width = size
    mean = np.array([m for modality in card.inputs for m in modality.mean], np.float32).reshape(-1, 1, 1)
    std = np.array([s for modality in card.inputs for s in modality.std], np.float32).reshape(-1, 1, 1)
    noise = np.random.default_rng(seed).standard_normal((batch, len(mean), height, width), np.float32)
    values = mean + std * noise
    values[:, :, : height // 8, : width // 8] = np.nan
    return values
