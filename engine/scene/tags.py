"""Tags of the rasters that AuxLens writes: how each was made, and what it takes to read it."""

from __future__ import annotations

OUTPUT = "AUXLENS_OUTPUT"  # which output of its algorithm
MODEL, MODEL_SHA256 = "AUXLENS_MODEL", "AUXLENS_MODEL_SHA256"
VERSION = "AUXLENS_VERSION"
JOB = "AUXLENS_JOB"  # as JSON

ERROR_FORM = "AUXLENS_ERROR_PROBABILITY"  # which form of the error probability was made
# Of a regression: the absolute error from which on its error probability calls a pixel wrong, in the map's unit; and
# what the uncertainty is multiplied with to give the expected absolute error, and half an interval (JSON, by level).
TOLERANCE, ERROR_FACTOR, INTERVAL_FACTORS = (
    "AUXLENS_ERROR_TOLERANCE",
    "AUXLENS_ERROR_FACTOR",
    "AUXLENS_INTERVAL_FACTORS",
)
# Of attributions: they and this sum to the score (JSON, by class value; of a regression a number in the map's unit).
BIAS = "AUXLENS_ATTRIBUTION_BIAS"
WINDOW_PX = "AUXLENS_WINDOW_PX"  # of a correlation


def made_by(model: str, model_sha256: str, version: str, job: str) -> dict[str, str]:
    """What every raster says of how it was made; ``job`` as JSON."""
    return {MODEL: model, MODEL_SHA256: model_sha256, VERSION: version, JOB: job}
