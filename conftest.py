"""Makes the repository's root importable as ``auxlens``, whatever the checkout's folder is called."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the engine: see engine/tuning.py

if "auxlens" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "auxlens", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["auxlens"] = package
    spec.loader.exec_module(package)
