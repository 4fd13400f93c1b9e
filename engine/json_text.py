"""JSON that every program can read: the standard has no words for numbers that are not finite, which Python writes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def json_text(value: Any, **options: Any) -> str:
    """A value as JSON text, numbers that are not finite as null; ``options`` are those of ``json.dumps``."""
    return json.dumps(plain(value), allow_nan=False, **options)


def plain(value: Any) -> Any:
    """The same of what JSON has: arrays as lists, array scalars as numbers, numbers that are not finite as ``None``."""
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
