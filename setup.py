"""Builds the engine's wheel; all but the version is in pyproject.toml, and that has its only home in metadata.txt."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

card = ConfigParser(interpolation=None)
card.read(Path(__file__).with_name("metadata.txt"), encoding="utf-8")
setup(version=card["general"]["version"])
