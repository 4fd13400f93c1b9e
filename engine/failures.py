"""Turns what a job raised into an error that tells the user what to do, where there is such an error."""

from __future__ import annotations

import sys

from .jobs import AuxLensError, Canceled, DeviceError, EngineError

_SET_UP = (
    "set up the engine again (Settings ▸ Options ▸ AuxLens), or install requirements/engine.lock into that environment"
)


def known_failure(error: BaseException) -> AuxLensError | None:
    """The user's error that stands for ``error``, or ``None`` where it is a bug.

    A lacking or broken package becomes an ``EngineError``, exhausted memory (of the host or of the device) a
    ``DeviceError``, Ctrl-C a ``Canceled``.
    """
    if isinstance(error, AuxLensError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Canceled("Canceled.")
    if isinstance(error, ImportError) and error.name and not error.name.startswith("auxlens"):
        package = error.name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError):
            return EngineError(f"The engine's Python ({sys.executable}) lacks the package “{package}”; {_SET_UP}.")
        return EngineError(
            f"The engine's Python ({sys.executable}) cannot load the package “{package}” ({error}); {_SET_UP}."
        )
    if _out_of_memory(error):
        return DeviceError(
            "Out of memory. Choose a smaller tile size or chip size, batch size 1 or a smaller network, "
            "ask for fewer outputs at once, or close other programs."
        )
    return None


def _out_of_memory(error: BaseException) -> bool:
    # torch's classes are known by name: this must work where torch cannot be imported.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
