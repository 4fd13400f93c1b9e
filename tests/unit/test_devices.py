"""Devices and number formats; GPUs as far as a machine without one can tell."""

from __future__ import annotations

import contextlib

import pytest
import torch

from auxlens.engine import devices
from auxlens.models.errors import DeviceError


@pytest.mark.parametrize(("name", "expected"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_a_named_format_is_taken(name, expected):
    assert devices.choose_precision(name, torch.device("cpu")) is expected


def test_a_cpu_has_no_float16():
    with pytest.raises(DeviceError, match="not in float16; choose auto"):
        devices.choose_precision("float16", torch.device("cpu"))


@pytest.mark.parametrize("instructions", [True, False])
def test_a_cpu_takes_bfloat16_where_it_has_instructions(monkeypatch, instructions):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": instructions})
    expected = torch.bfloat16 if instructions else torch.float32
    assert devices.choose_precision("auto", torch.device("cpu")) is expected


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_that_only_emulates_bfloat16_takes_float16(monkeypatch, native):
    asked = []
    monkeypatch.setattr(torch.cuda, "device", lambda device: asked.append(device) or contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    device = torch.device("cuda", 1)
    assert devices.choose_precision("auto", device) is (torch.bfloat16 if native else torch.float16)
    assert asked == [device]
