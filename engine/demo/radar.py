"""Sentinel-1-like backscatter of a demo scene; clouds, haze and the sun do not change it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .cover import Cover
from .noise import Field
from .recipe import at_state, land_classes, recipe
from .relief import Relief


def backscatter(cover: Cover, relief: Relief, rng: np.random.Generator) -> Field:
    """VV and VH in dB, ``(2, H, W)``: class and state, soil moisture, local incidence angle, speckle.

    The slope's effect is ``10 n log10(cos θ / cos θ_ref)`` with a class's own exponent n (Clapp's law).
    """
    data = recipe()["radar"]
    sigma = np.zeros((2, *cover.label.shape), np.float32)
    tilt = 10.0 * np.log10(_cosine_of_incidence(relief) / np.cos(np.deg2rad(data["incidence_deg"])))
    for kind in land_classes():
        here = cover.label == kind["value"]
        rough = kind["roughness_db"] * rng.standard_normal(int(here.sum()), dtype=np.float32)
        level = at_state(kind["sigma"], cover.state[here])
        sigma[:, here] = (
            level + kind["slope_exponent"] * tilt[here] + kind["moisture_db"] * cover.moisture[here] + rough
        )
    power = np.stack([ndimage.gaussian_filter(10.0 ** (band / 10.0), 0.7) for band in sigma])
    looks = data["looks"]
    power *= rng.standard_gamma(looks, power.shape, dtype=np.float32) / looks
    floor = 10.0 ** (np.asarray(data["noise_floor_db"], np.float32) / 10.0)
    return np.asarray(10.0 * np.log10(power + floor[:, None, None]), np.float32)


def _cosine_of_incidence(relief: Relief) -> Field:
    data = recipe()["radar"]
    incidence, azimuth = np.deg2rad(data["incidence_deg"]), np.deg2rad(data["look_azimuth_deg"])
    up = np.sqrt(np.maximum(1.0 - relief.normal_east**2 - relief.normal_north**2, 0.0))
    towards = -(relief.normal_east * np.sin(azimuth) + relief.normal_north * np.cos(azimuth))
    return np.asarray(np.clip(up * np.cos(incidence) + towards * np.sin(incidence), 0.12, 1.0), np.float32)
