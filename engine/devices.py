"""Devices and precisions: the one place that chooses them."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable

import torch

from ..models.errors import DeviceError

log = logging.getLogger("auxlens")

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_PROBE_RUNS = 4


def choose_device(name: str) -> torch.device:
    """The device that a job asks for.

    Args:
        name: ``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        DeviceError: unknown, or not in this machine.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise DeviceError(f"Unknown device “{name}”; choose auto, cpu, cuda, cuda:1 or mps.")
    device = torch.device(name)
    there = {"cpu": 1, "mps": int(_has_mps()), "cuda": torch.cuda.device_count()}[device.type]
    if (device.index or 0) >= there:
        found = f"{torch.cuda.device_count()} CUDA GPUs" if device.type == "cuda" else "none"
        raise DeviceError(f"The device “{name}” is not in this machine ({found} found); choose auto or cpu.")
    return device


def choose_precision(name: str, device: torch.device, forward: Callable[[], object] | None = None) -> torch.dtype:
    """The number format of the network's convolutions.

    Args:
        name: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        device: Where the network runs.
        forward: Runs the network once on a small chip; on a CPU ``auto`` times it in both precisions.

    Raises:
        DeviceError: float16 on a CPU, whose convolutions need bfloat16 or float32.
    """
    if name != "auto":
        if name == "float16" and device.type == "cpu":
            raise DeviceError("A CPU computes in float32 or bfloat16, not in float16; choose auto.")
        return _TYPES[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and forward is not None and _has_bfloat16_instructions():
        full, half = _seconds(forward, device)
        log.debug("A small chip takes %.1f ms in float32, %.1f ms in bfloat16.", full * 1e3, half * 1e3)
        return torch.bfloat16 if half < full else torch.float32
    return torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> contextlib.AbstractContextManager[object]:
    """A context in which convolutions run in ``dtype``."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def _seconds(forward: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Best time of a run in float32 and in bfloat16, in turn, so that a busy machine slows both."""
    times: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(_PROBE_RUNS + 1):
        for dtype, found in times.items():
            with torch.inference_mode(), autocast(device, dtype):
                start = time.perf_counter()
                forward()
                found.append(time.perf_counter() - start)
    return min(times[torch.float32][1:]), min(times[torch.bfloat16][1:])


def _has_bfloat16_instructions() -> bool:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in older versions
    return any(there is True for name, there in capabilities.items() if "bf16" in name)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
