"""Builds the engine's wheel; all but version and packages is in pyproject.toml.

The version's only home is metadata.txt, and packages are found, so that none can be forgotten.
"""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

card = ConfigParser(interpolation=None)
card.read(ROOT / "metadata.txt", encoding="utf-8")
found = find_packages(str(ROOT), include=[f"{name}*" for name in ("algorithms", "engine", "models", "plugin")])
setup(version=card["general"]["version"], packages=["auxlens", *(f"auxlens.{name}" for name in found)])
