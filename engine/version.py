"""The version, from ``metadata.txt``, its only home."""

from __future__ import annotations

from configparser import ConfigParser
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def plugin_version() -> str:
    """The plugin's version, for example ``0.1.0``."""
    card = ConfigParser(interpolation=None)
    card.read(Path(__file__).resolve().parent.parent / "metadata.txt", encoding="utf-8")
    return card.get("general", "version")
