"""The errors that AuxLens raises on purpose; anything else that is raised is a bug.

A message says what was expected, what was found and what to do. Standard library only.
"""


class AuxLensError(Exception):
    """Root of every error whose message is meant for the user."""


class SceneError(AuxLensError):
    """Raised when rasters or references are missing, unreadable or do not fit together."""


class ModelFileError(AuxLensError):
    """Raised when a model file is unreadable, incomplete, unsafe or of a newer version."""


class DeviceError(AuxLensError):
    """Raised when the requested device or precision does not exist here or runs out of memory."""


class JobError(AuxLensError):
    """Raised when a job asks for something that is incomplete, contradictory or impossible."""


class EngineError(AuxLensError):
    """Raised when the engine process cannot be found, started or kept alive."""


class Canceled(AuxLensError):
    """Raised inside a job when the user asked for it to stop."""
