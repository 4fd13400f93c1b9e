"""Benchmark inputs: a generated scene with auxiliary rasters and a reference, and an untrained model for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import torch
from affine import Affine

from auxlens.models import file
from auxlens.models.card import Card, ErrorModel, LandClass, MainTask, Modality, Player
from auxlens.models.config import PRESETS, NetworkConfig, TaskConfig
from auxlens.models.network import Network

BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
CLASSES = tuple(LandClass(i, f"class {i}", f"#{40 * i:02x}{255 - 40 * i:02x}80") for i in range(1, 7))
PLAYERS = {"visible": (0, 1, 2), "red edge": (3, 4, 5, 7), "near infrared": (6,), "shortwave infrared": (8, 9)}
_PATTERN_PX = 1024


def make_scene(folder: Path, height: int, width: int, seed: int = 0) -> dict[str, str]:
    """Write ``s2.tif`` (10 bands uint16), ``s1.tif`` (2 float32), ``dem.tif`` and ``label.tif``; gives their paths.

    Values are a smooth pattern with noise, repeated: about as hard to compress as a real scene.
    """
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(14, _PATTERN_PX // 16, _PATTERN_PX // 16))
    smooth = np.stack([np.kron(band, np.ones((16, 16))) for band in coarse])
    pattern = smooth + 0.3 * rng.normal(size=smooth.shape)
    layers = {
        "s2": ((2000 + 500 * pattern[:10]).clip(1, 20000).astype("uint16"), BANDS),
        "s1": ((-12 + 3 * pattern[10:12]).astype("float32"), ("VV", "VH")),
        "dem": ((400 + 100 * pattern[12:13]).astype("float32"), ("elevation",)),
        "label": ((3 + 2 * smooth[13:14]).clip(1, 6).astype("uint8"), ("class",)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _write(folder / f"{name}.tif", *layer, height, width) for name, layer in layers.items()}


def make_model(path: Path, size: str = "small", seed: int = 0) -> str:
    """Write a model with random weights for such scenes: six classes, auxiliary VV, VH and elevation."""
    torch.manual_seed(seed)
    tasks = {
        "main": TaskConfig("score", len(CLASSES)),
        "s1": TaskConfig("density", 2, (-12.0, -12.0), (3.0, 3.0)),
        "dem": TaskConfig("density", 1, (400.0,), (100.0,)),
    }
    config = NetworkConfig(PRESETS[size], (2000.0,) * 10, (500.0,) * 10, tasks, tuple(PLAYERS.values()))
    expected = ("entropy", "margin", "expected s1:VV", "expected s1:VH", "expected dem:elevation")
    observed = (*expected, *(f"{k} {b}" for k in ("error", "size") for b in ("s1:VV", "s1:VH", "dem:elevation")))
    card = Card(
        name=f"benchmark {size}",
        created="2026-01-01T00:00:00+00:00",
        plugin_version="0",
        inputs=(Modality("s2", BANDS, config.mean, config.std),),
        auxiliary=(
            Modality("s1", ("VV", "VH"), (-12.0, -12.0), (3.0, 3.0), unit="dB"),
            Modality("dem", ("elevation",), (400.0,), (100.0,), unit="m"),
        ),
        main=MainTask("segmentation", "class", CLASSES),
        network=config.to_dict(),
        tile_px=1024,
        margin_px=config.margin_px,
        players=tuple(Player(name, tuple(f"s2:{BANDS[i]}" for i in group)) for name, group in PLAYERS.items()),
        error_models={
            name: ErrorModel(f, (0.0,) * len(f), (1.0,) * len(f), (0.1,) * len(f), -1.0)
            for name, f in (("expected", expected), ("observed", observed))
        },
    )
    file.save(str(path), Network(config), card)
    return str(path)


def _write(path: Path, pattern: np.ndarray, bands: tuple[str, ...], height: int, width: int) -> str:
    profile = {
        "driver": "GTiff", "count": len(pattern), "dtype": pattern.dtype, "height": height, "width": width,
        "crs": "EPSG:32632", "transform": Affine(10, 0, 500_000, 0, -10, 5_400_000),
        "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "zstd_level": 1, "bigtiff": "if_safer",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.descriptions = bands
        for row in range(0, height, _PATTERN_PX):
            for col in range(0, width, _PATTERN_PX):
                size = (min(_PATTERN_PX, height - row), min(_PATTERN_PX, width - col))
                window = rasterio.windows.Window(col, row, size[1], size[0])
                dataset.write(pattern[:, : size[0], : size[1]], window=window)
    return str(path)
