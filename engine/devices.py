"""Devices and precisions: the one place that chooses them."""

from __future__ import annotations

import contextlib
import re

import torch

from ..models.errors import DeviceError
from .jobs import DEVICE_PATTERN

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """The device that a job asks for.

    Args:
        name: ``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    Raises:
        DeviceError: unknown, or not in this machine.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    if not re.fullmatch(DEVICE_PATTERN, name):
        raise DeviceError(f"Unknown device “{name}”; choose auto, cpu, cuda, cuda:1 or mps.")
    device = torch.device(name)
    there = {"cpu": 1, "mps": int(_has_mps()), "cuda": torch.cuda.device_count()}[device.type]
    if (device.index or 0) >= there:
        found = f"{torch.cuda.device_count()} CUDA GPUs" if device.type == "cuda" else "none"
        raise DeviceError(f"The device “{name}” is not in this machine ({found} found); choose auto or cpu.")
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The number format of the network's convolutions.

    Args:
        name: ``float32``, ``bfloat16``, ``float16``, or ``auto``: bfloat16 where the device has instructions for
            it. A CPU is not timed: the same job must give the same map, whatever else the machine does.
        device: Where the network runs.

    Raises:
        DeviceError: float16 on a CPU, whose convolutions need bfloat16 or float32.
    """
    if name != "auto":
        if name == "float16" and device.type == "cpu":
            raise DeviceError("A CPU computes in float32 or bfloat16, not in float16; choose auto.")
        return _TYPES[name]
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if device.type == "cpu" and _has_bfloat16_instructions() else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> contextlib.AbstractContextManager[object]:
    """A context in which convolutions run in ``dtype``."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def _has_bfloat16_instructions() -> bool:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not in older versions
    return any(there is True for name, there in capabilities.items() if "bf16" in name)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
