"""Starts the worker from the folder that this file lies in: ``python -I <plugin>/engine/start.py``.

QGIS starts the engine by this path, so the engine always runs the same code as the plugin that asked for it, whatever
the plugin's folder is called and whatever is installed in the engine's environment. Standard library only.
"""

import importlib.util
import sys
from pathlib import Path


def register(root: Path) -> None:
    """Make the package in the folder ``root`` importable as ``auxlens``."""
    spec = importlib.util.spec_from_file_location(
        "auxlens", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package in {root}")
    package = importlib.util.module_from_spec(spec)
    sys.modules["auxlens"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit(f"The engine needs Python 3.11 or newer, but {sys.executable} is {sys.version.split()[0]}.")
    register(Path(__file__).resolve().parent.parent)
    from auxlens.engine.worker import main

    main()
