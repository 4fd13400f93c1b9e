"""Sentinel-2-like reflectance of a demo scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .cover import Cover
from .noise import Field, fractal
from .recipe import at_state, class_value, land_classes, recipe
from .relief import Relief

_ASPHALT = 0.115  # reflectance of a track or street, about the same in every band


@dataclass(frozen=True)
class Sky:
    """Where the sun stands, and what lies between ground and sensor.

    ``haze`` is the haze's opacity, ``shadow`` the share of direct light that clouds take; both ``(H, W)`` 0–1.
    """

    sun_elevation_deg: float
    sun_azimuth_deg: float
    haze: Field
    shadow: Field


def surface_reflectance(cover: Cover, rng: np.random.Generator) -> Field:
    """Reflectance of flat, evenly lit ground, ``(10, H, W)``, before the sensor."""
    size = cover.label.shape[0]
    bands = len(recipe()["bands"])
    reflectance = np.zeros((bands, size, size), np.float32)
    stands = fractal(size, rng, 160, 2.0)
    for kind in land_classes():
        here = cover.label == kind["value"]
        spectrum = at_state(kind["states"], cover.state[here])
        brightness = 1.0 + kind["variation"] * stands[here]
        grain = 1.0 + kind["texture"] * rng.standard_normal(int(here.sum()), dtype=np.float32)
        reflectance[:, here] = spectrum * np.clip(brightness * grain, 0.4, 1.9)
    drier = 1.0 - 0.22 * cover.moisture * (cover.label != class_value("water"))
    reflectance[-2:] *= drier  # water in soil and leaves darkens the short-wave infrared
    return np.asarray(reflectance * (1.0 - cover.track) + _ASPHALT * cover.track, np.float32)


def sensed(reflectance: Field, relief: Relief, cover: Cover, sky: Sky, rng: np.random.Generator) -> NDArray[np.uint16]:
    """What the sensor records: relief shading, shadow, haze, blur and noise.

    Args:
        reflectance: ``(10, H, W)`` from :func:`surface_reflectance`.

    Returns:
        ``(10, H, W)`` uint16, reflectance × 10 000, never 0 (which is nodata).
    """
    data = recipe()
    direct = _direct_light(relief, sky)
    direct[cover.label == class_value("water")] = 1.0  # water lies level
    wavelengths = np.asarray(data["wavelengths_nm"], np.float32)
    bluish = (wavelengths / wavelengths[0]) ** -data["haze"]["wavelength_exponent"]
    kept = data["shadow"]["direct_share_kept"]
    calibration = 1.0 + 0.01 * rng.standard_normal(len(wavelengths))
    recorded = np.empty(reflectance.shape, np.uint16)
    for band, ground in enumerate(reflectance):
        diffuse = 0.10 + data["shadow"]["diffuse_blue"] * bluish[band]
        light = (1.0 - diffuse) * direct * (1.0 - (1.0 - kept) * sky.shadow) + diffuse
        opacity = data["haze"]["opacity"] * sky.haze * bluish[band] ** 0.6
        seen = ground * light * (1.0 - opacity) + data["haze"]["path_reflectance"] * bluish[band] * sky.haze * opacity
        seen = ndimage.gaussian_filter(seen * calibration[band], data["blur_px"][band])
        noise = rng.standard_normal(seen.shape, dtype=np.float32)
        seen = seen + noise * (data["noise"]["floor"] + data["noise"]["relative"] * seen)
        recorded[band] = np.clip(np.rint(seen * 10_000.0), 1, 65_535)
    return recorded


def _direct_light(relief: Relief, sky: Sky) -> Field:
    """Cosine of the angle between sun and ground over that of level ground (cosine law), 0 where self-shaded."""
    elevation, azimuth = np.deg2rad(sky.sun_elevation_deg), np.deg2rad(sky.sun_azimuth_deg)
    up = np.sqrt(np.maximum(1.0 - relief.normal_east**2 - relief.normal_north**2, 0.0))
    across = relief.normal_east * np.sin(azimuth) + relief.normal_north * np.cos(azimuth)
    cosine = up * np.sin(elevation) + across * np.cos(elevation)
    return np.asarray(np.clip(cosine / np.sin(elevation), 0.0, 1.7), np.float32)
