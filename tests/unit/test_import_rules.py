"""The direction of imports: who may import whom, and which packages may enter which process."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("algorithms", "plugin", "engine", "models")
CONTRACT = (
    "engine.jobs",
    "engine.checks",
    "engine.palettes",
    "engine.paths",
    "engine.scene.hashing",
    "engine.version",
    "models.card",
    "models.members",
    "models.parts",
)

# What each folder may import of ours.
OURS = {
    "": ("algorithms", "plugin"),
    "algorithms": ("algorithms", "plugin", *CONTRACT),
    "plugin": ("plugin", *CONTRACT),
    "engine": ("engine", "models"),
    "models": ("models",),
}
QGIS_SIDE = {"qgis", "osgeo", "numpy", "processing"}
NEVER_IN_ENGINE = {"qgis", "osgeo", "processing", "PyQt5", "PyQt6", "gdal"}
OPENS_RASTERS = {"rasterio", "geopandas", "pyogrio", "fiona", "osgeo", "exactextract"}
STANDARD_LIBRARY_ONLY = (
    "engine/checks.py",
    "engine/jobs.py",
    "engine/palettes.py",
    "engine/paths.py",
    "engine/scene/hashing.py",
    "engine/start.py",
    "engine/version.py",
    "models/card.py",
    "models/errors.py",
    "models/members.py",
    "models/parts.py",
    "plugin/client.py",
    "plugin/environment.py",
    "plugin/interpreter.py",
    "plugin/isolation.py",
)
DISTRIBUTIONS = {"distributed": "dask", "sklearn": "scikit-learn", "lightning_fabric": "lightning-fabric"}


def _sources():
    files = [ROOT / "__init__.py", *(file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")))]
    return [file.relative_to(ROOT) for file in files]


def _module(source):
    parts = source.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(source): source for source in _sources()}


def _imports(source):
    """``(name, line, inside a function)`` of every import; ours as ``.engine.jobs``, others as ``torch.nn``."""
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))
    lazy = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    package = source.parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = ["", *package[: len(package) - node.level + 1]] if node.level else []
            base = ".".join([*parts, node.module] if node.module else parts)
            assert node.level <= len(package) + 1, f"{source}:{node.lineno} leaves the package"
            names = [_member(base or ".", alias.name) for alias in node.names]
        else:
            continue
        for name in names:
            ours = name.split(".")[0] == "auxlens"
            yield (name[len("auxlens") :] if ours else name), node.lineno, id(node) in lazy


def _member(base, name):
    """``from base import name``: the module ``base.name`` where it is one of ours, else ``base``."""
    dotted = f"{base}.{name}" if base != "." else f".{name}"
    return dotted if dotted.lstrip(".") in MODULES else base


def _ours(source):
    return [(name[1:], line, lazy) for name, line, lazy in _imports(source) if name.startswith(".")]


def _others(source):
    return {name.split(".")[0]: line for name, line, _ in _imports(source) if not name.startswith(".")}


def _third_parties(source):
    return {name: line for name, line in _others(source).items() if name not in sys.stdlib_module_names}


def _below(module, allowed):
    return any(module == name or module.startswith(name + ".") for name in allowed)


def _of(*folders):
    return [source for source in _sources() if source.parts[0] in folders]


def test_there_is_something_to_look_at():
    assert {"engine.jobs", "models.card", "plugin.client", "algorithms.map", "engine.worker"} <= set(MODULES)
    assert {"engine.jobs", "plugin.isolation"} <= {name for name, _, _ in _ours(Path("plugin/client.py"))}
    assert "rich" in _third_parties(Path("engine/console.py"))


@pytest.mark.parametrize("source", _sources(), ids=str)
def test_imports_go_down_only(source):
    folder = source.parts[0] if len(source.parts) > 1 else ""
    wrong = [f"{source}:{line} imports {name}" for name, line, _ in _ours(source) if not _below(name, OURS[folder])]
    assert not wrong


def test_the_root_imports_lazily():
    assert [name for name, _, lazy in _imports(Path("__init__.py")) if not lazy] == []


@pytest.mark.parametrize("source", _of("algorithms", "plugin"), ids=str)
def test_the_side_of_qgis_needs_what_qgis_ships(source):
    assert set(_third_parties(source)) <= QGIS_SIDE


@pytest.mark.parametrize("source", _of("engine", "models"), ids=str)
def test_the_engine_never_meets_qgis(source):
    assert not NEVER_IN_ENGINE & set(_others(source))


@pytest.mark.parametrize("source", _of("models"), ids=str)
def test_models_open_no_raster(source):
    assert not OPENS_RASTERS & set(_others(source))


@pytest.mark.parametrize("source", STANDARD_LIBRARY_ONLY)
def test_standard_library_only(source):
    assert not _third_parties(Path(source))
    # What they import of ours is as bare.
    bare = {_module(Path(name)) for name in STANDARD_LIBRARY_ONLY} | {"engine.worker"}
    assert {name for name, _, _ in _ours(Path(source))} <= bare


def test_the_qgis_side_runs_on_python_3_9():
    for source in [*_of("algorithms", "plugin"), *map(Path, ("__init__.py", *STANDARD_LIBRARY_ONLY))]:
        ast.parse((ROOT / source).read_text(encoding="utf-8"), feature_version=(3, 9))


def test_engine_packages_are_declared():
    declared = re.findall(r"^[a-z][a-z0-9-]*", (ROOT / "requirements/engine.txt").read_text(), re.MULTILINE)
    used = {DISTRIBUTIONS.get(name, name) for source in _of("engine", "models") for name in _third_parties(source)}
    assert used <= set(declared)
    locked = re.findall(r"^[a-z][a-z0-9-]*(?===)", (ROOT / "requirements/engine.lock").read_text(), re.MULTILINE)
    assert set(declared) <= set(locked)


def test_every_package_is_in_the_wheel():
    code = "import setuptools, distutils.core as core; print(*core.run_setup('setup.py', stop_after='init').packages)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    ours = {".".join(["auxlens", *source.parts[:-1]]) for source in _of(*FOLDERS)}
    assert ours <= set(found.stdout.split())


def test_no_circles():
    graph = {name: {target for target, _, _ in _ours(source)} for name, source in MODULES.items()}
    done: set = set()

    def visit(name, path):
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name not in done:
            for target in graph.get(name, ()):
                visit(target, [*path, name])
            done.add(name)

    for name in graph:
        visit(name, [])


def test_subpackage_files_are_empty():
    assert [s for s in _sources() if s.name == "__init__.py" and len(s.parts) > 1 and (ROOT / s).stat().st_size] == []


def test_mapping_loads_nothing_that_only_learning_needs():
    """It would take a tenth of the memory that a map may take."""
    code = (
        "import sys, conftest\n"
        "import auxlens.engine.executors.map\n"
        "print(sorted({'sklearn', 'scipy', 'matplotlib', 'lightning_fabric', 'captum'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
