"""A raster of local correlations between the main error and each reconstruction error, in a moving window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...models.errors import Canceled
from ..jobs import Progress
from ..palettes import BLUE_WHITE_RED, Scale
from ..qml import pseudocolor, raster_style
from ..scene.tags import OUTPUT, WINDOW_PX, made_by
from ..scene.window import plan
from ..scene.writing import Layer, LayerWriter
from ..version import plugin_version
from .mapped import Plane, SceneLayers

_TILE_PX = 1024
_KNOWN = 0.25  # share of a window's pixels, below which it says nothing
_CONSTANT = 1e-6  # share of the mean square; less variance than that is none


def local_correlation(x: Plane, y: Plane, window_px: int) -> NDArray[np.float32]:
    """Pearson's correlation of two planes in a window around each pixel.

    Args:
        x: ``(H, W)``, NaN where there is no value.
        y: The same.
        window_px: Side of the window, odd.

    Returns:
        ``(H, W)``, −1 to 1; NaN where less than a quarter of the window is known, or one plane is constant in it.
    """
    known = np.isfinite(x) & np.isfinite(y)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(ndimage.uniform_filter(values, window_px, mode="constant"))

    share = mean(known.astype(np.float64))
    a, b = (np.where(known, v, 0.0).astype(np.float64) for v in (x, y))
    enough = share >= _KNOWN
    safe = np.where(enough, share, 1.0)
    mean_a, mean_b = mean(a) / safe, mean(b) / safe
    square_a, square_b = mean(a * a) / safe, mean(b * b) / safe
    var_a, var_b = square_a - mean_a**2, square_b - mean_b**2
    varies = enough & (var_a > _CONSTANT * square_a) & (var_b > _CONSTANT * square_b)
    r = (mean(a * b) / safe - mean_a * mean_b) / np.sqrt(np.where(varies, var_a * var_b, 1.0))
    return np.where(varies, np.clip(r, -1.0, 1.0), np.nan).astype(np.float32)


def write_correlation(layers: SceneLayers, path: str, window_px: int, job: str, progress: Progress) -> None:
    """Write the raster: a band for each auxiliary band, correlation of the sizes of both errors.

    Args:
        layers: Of the scene.
        path: To write to.
        window_px: Width and height of the moving window.
        job: The one that asks for it, as JSON.
        progress: Told after every band, and asked whether to stop.

    Raises:
        Canceled: the user asked to stop.
    """

    def go_on() -> None:
        if progress.canceled():
            raise Canceled("Explaining the errors was canceled.")

    scene = layers.scene
    made = made_by(scene.model, scene.model_sha256, plugin_version(), job)
    own = {OUTPUT: "correlation", WINDOW_PX: str(window_px)}
    style = raster_style(pseudocolor(Scale(-1.0, 1.0, BLUE_WHITE_RED)))
    layer = Layer(path, "float32", float("nan"), scene.bands, tags={**made, **own}, sidecars={".qml": style})
    whole = scene.grid.whole
    tiles = list(plan(whole, whole, _TILE_PX, window_px // 2))
    with LayerWriter(layer, scene.grid) as writer:
        for number, tile in enumerate(tiles):
            planes = layers.read(tile.chip, ("main_error", "reconstruction_error"), go_on)
            main, errors = np.abs(planes["main_error"][0]), planes["reconstruction_error"]
            cut = tile.core.relative_to(tile.chip).slices
            found = np.empty((len(errors), tile.core.height, tile.core.width), np.float32)
            for band, error in enumerate(errors):
                go_on()
                found[band] = local_correlation(main, np.abs(error), window_px)[cut]
                share = (number + (band + 1) / len(errors)) / len(tiles)
                progress.report(0.6 + 0.35 * share, f"Correlating in windows: {number + 1} of {len(tiles)}")
            writer.write(found, tile.core)
        writer.commit()
