"""Bands: which files make which modality, and which file gives which band of a model."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError

from ...models.errors import SceneError
from ..jobs import split_name

_ALPHA = {"alpha", "mask", "opacity", "transparency"}

log = logging.getLogger("auxlens")


@dataclass(frozen=True)
class BandSource:
    """One band of one file. ``number`` is 1-based; ``name`` is the description, or else made from the file."""

    path: str
    number: int
    name: str


@dataclass(frozen=True)
class ModalitySource:
    """The files of one modality of one scene, a source for each band in the modality's order."""

    name: str
    bands: tuple[BandSource, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(band.path for band in self.bands))


def open_raster(path: str) -> rasterio.DatasetReader:
    """Open a raster.

    Raises:
        SceneError: missing, empty, truncated or of a format that GDAL does not read.
    """
    try:
        return rasterio.open(path)
    except RasterioError as error:
        if os.path.isfile(path) and not os.access(path, os.R_OK):
            raise SceneError(f"“{path}” cannot be read: you have no permission.") from error
        if os.path.exists(path) or ":" in path[2:]:  # a colon: a URL or a part of a file, which GDAL alone knows
            raise SceneError(f"“{path}” is not a raster that can be read; check the file or leave it out.") from error
        raise SceneError(f"The raster “{path}” does not exist; check the path.") from error


def alpha_band(dataset: rasterio.DatasetReader) -> int | None:
    """Number of the band that is an alpha channel.

    A band that is described as something else is not: GDAL marks the fourth band of any 8-bit file so, near infrared
    too.
    """
    colors = enumerate(zip(dataset.colorinterp, dataset.descriptions, strict=True), 1)
    return next((i for i, (c, text) in colors if c == ColorInterp.alpha and _may_be_alpha(text)), None)


def _may_be_alpha(description: str | None) -> bool:
    return not _is_name(description) or (description or "").strip().lower() in _ALPHA


def bands_of(path: str) -> tuple[BandSource, ...]:
    """The bands of a file, named by their descriptions; a single band without one takes its name from the file's.

    An alpha band is no band: it says where the others are valid.
    """
    with open_raster(path) as dataset:
        alpha = alpha_band(dataset)
        numbers = [i for i in range(1, dataset.count + 1) if i != alpha]
        names = [text if _is_name(text) else "" for text in (dataset.descriptions[i - 1] for i in numbers)]
        if len(names) == 1 and not names[0]:
            names = [_band_name(_stem(path))]
        return tuple(BandSource(path, i, name or f"band {i}") for i, name in zip(numbers, names, strict=True))


def modalities_from_layers(paths: Sequence[str], grouped: bool) -> tuple[ModalitySource, ...]:
    """Make modalities of loaded layers, in their order.

    Each multi-band raster is one modality, named after its file or by ``name=path``. With ``grouped`` (inputs),
    several single-band rasters together are one modality, as in Sentinel-2 scene folders; without (auxiliary
    rasters) each is its own.

    Raises:
        SceneError: unreadable rasters, or two modalities of one name.
    """
    named = [split_name(path) for path in paths]
    files = [(name, bands_of(path)) for name, path in named]
    singles = [bands[0] for name, bands in files if len(bands) == 1 and not name]
    group = grouped and len(singles) > 1
    found: list[ModalitySource] = []
    for name, bands in files:
        if group and len(bands) == 1 and not name:
            if bands[0] is singles[0]:
                found.append(ModalitySource(_plain(_common_name(singles)), tuple(singles)))
        else:
            found.append(ModalitySource(_plain(name or _stem(bands[0].path)), bands))
    names = [modality.name for modality in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SceneError(f"Two modalities are called “{twice[0]}”; rename one of the files, or name them as name=path.")
    return tuple(found)


def match(wanted: Sequence[tuple[str, tuple[str, ...]]], paths: Sequence[str]) -> tuple[ModalitySource, ...]:
    """Find the bands of a model's modalities among files.

    Args:
        wanted: Name and band names of each modality.
        paths: Files (or ``name=path``, the same name for the files of one modality), in any order if names tell,
            else in the model's order.

    Returns:
        A source for each modality, in the order of ``wanted``. Bands go by name if every name is found once;
        else by order if the numbers of bands are equal.

    Raises:
        SceneError: neither fits; lists both sides.
    """
    files = _opened(paths)
    named_first = _match_by_file(wanted, files) if any(name for name, _ in files) else None
    found = (
        named_first or _match_by_name(wanted, files) or _match_by_file(wanted, files) or _match_by_order(wanted, files)
    )
    if found is None:
        needs = "; ".join(f"{name}: {', '.join(bands)}" for name, bands in wanted)
        given = [band for _, bands in files for band in bands]
        by_file = groupby(given, key=lambda band: band.path)
        has = "; ".join(f"{os.path.basename(path)}: {', '.join(b.name for b in bands)}" for path, bands in by_file)
        raise SceneError(
            f"The bands do not fit. The model needs {sum(len(b) for _, b in wanted)} bands ({needs}); "
            f"given are {len(given)} ({has or 'none'}). {_given_twice(given)}Give rasters with these bands, "
            "by description or in this order."
        )
    for (name, bands), source in zip(wanted, found, strict=True):
        _warn_of_other_names(name, bands, source)
    return found


def _warn_of_other_names(modality: str, bands: Sequence[str], source: ModalitySource) -> None:
    """Say so where bands are taken by their order, although both sides have names for them."""
    pairs = [(band, given.name) for band, given in zip(bands, source.bands, strict=True)]
    others = [f"{own} for {band}" for band, own in pairs if _is_name(band) and _is_name(own) and not _fits(own, band)]
    if others:
        log.warning(
            "Bands of %s are taken by their order: %s. Check that they are the same.", modality, ", ".join(others)
        )


def _given_twice(bands: Sequence[BandSource]) -> str:
    """A sentence about two files that give one band, as a pattern that matches too much does."""
    first: dict[str, str] = {}
    for band in bands:
        path = first.setdefault(band_key(band.name), band.path)
        if path != band.path:
            names = f"{os.path.basename(path)} and {os.path.basename(band.path)}"
            return f"The band {band.name} is given twice, by {names}: leave one out. "
    return ""


def match_some(
    wanted: Sequence[tuple[str, tuple[str, ...]]], paths: Sequence[str]
) -> tuple[ModalitySource | None, ...]:
    """Find those of several modalities that are there: by ``name=path``, else by the bands' names alone."""
    files = _opened(paths)
    found = []
    for name, bands in wanted:
        own = next((pick(bands, given) for label, given in files if label == name), None)
        by_name = (_pick_by_name(bands, given) for label, given in files if not label)
        picked = own or next((bands for bands in by_name if bands), None)
        found.append(ModalitySource(name, picked) if picked else None)
    return tuple(found)


def _opened(paths: Sequence[str]) -> list[tuple[str, tuple[BandSource, ...]]]:
    """Bands of each file; those of several files that are given one name (a file a band) together."""
    files: list[tuple[str, tuple[BandSource, ...]]] = []
    for name, path in map(split_name, paths):
        at = next((i for i, (other, _) in enumerate(files) if name and other == name), None)
        if at is None:
            files.append((name, bands_of(path)))
        else:
            files[at] = (name, files[at][1] + bands_of(path))
    return files


Files = Sequence[tuple[str, tuple[BandSource, ...]]]
Wanted = Sequence[tuple[str, tuple[str, ...]]]


def _match_by_file(wanted: Wanted, files: Files) -> tuple[ModalitySource, ...] | None:
    """A file a modality: by given name, else by the file's position."""
    by_name = {name: bands for name, bands in files if name}
    if by_name:
        chosen = [by_name.get(name) for name, _ in wanted]
    elif len(files) == len(wanted):
        chosen = [bands for _, bands in files]
    else:
        return None
    asked = {band_key(band) for _, bands in wanted for band in bands}
    there = {band_key(band.name) for _, bands in files for band in bands}
    found = []
    for (name, bands), given in zip(wanted, chosen, strict=True):
        picked = _pick_by_name(bands, given) if given is not None else None
        # By order only where no name says that a file, or a band, belongs elsewhere.
        elsewhere = by_name == {} and (
            {band_key(b.name) for b in given or ()} & asked or {band_key(band) for band in bands} & there
        )
        if picked is None and given is not None and not elsewhere:
            picked = pick(bands, given)
        if picked is None:
            return None
        found.append(ModalitySource(name, picked))
    return tuple(found)


def _match_by_name(wanted: Wanted, files: Files) -> tuple[ModalitySource, ...] | None:
    given = [band for _, bands in files for band in bands]
    found = [(name, _pick_by_name(bands, given)) for name, bands in wanted]
    if any(picked is None for _, picked in found):
        return None
    return tuple(ModalitySource(name, picked) for name, picked in found if picked is not None)


def _match_by_order(wanted: Wanted, files: Files) -> tuple[ModalitySource, ...] | None:
    given = [band for _, bands in files for band in bands]
    if len(given) != sum(len(bands) for _, bands in wanted) or _names_differ(wanted, given):
        return None
    supply = iter(given)
    return tuple(ModalitySource(name, tuple(next(supply) for _ in bands)) for name, bands in wanted)


def _names_differ(wanted: Wanted, given: Sequence[BandSource]) -> bool:
    """Whether most wanted names are there but not all: then order would silently take the wrong bands."""
    names = {band_key(b.name) for b in given}
    known = [band_key(band) in names for _, bands in wanted for band in bands]
    return any(known) and not all(known)


def pick(bands: Sequence[str], given: Sequence[BandSource]) -> tuple[BandSource, ...] | None:
    """The wanted bands among those given: by name if all are found, by order if the count fits, else None."""
    by_name = _pick_by_name(bands, given)
    if by_name is not None:
        return by_name
    if len(given) == len(bands) and not _names_differ([("", tuple(bands))], given):
        return tuple(given)
    return None


def _pick_by_name(bands: Sequence[str], given: Sequence[BandSource]) -> tuple[BandSource, ...] | None:
    """The wanted bands, each of a name that one source has, or else ends with: ``red`` is found as ``alpha_red``."""
    found = []
    for band in bands:
        exact = [source for source in given if band_key(source.name) == band_key(band)]
        fitting = exact or [source for source in given if _fits(source.name, band)]
        if len(fitting) != 1:
            return None
        found += fitting
    return tuple(found)


def _fits(own: str, band: str) -> bool:
    """Whether a band may be called ``band``, or the end of its name is: ``alpha_red`` is a red."""
    return bool(re.search(rf"(^|[\W_]){re.escape(band_key(band))}$", band_key(own)))


def _is_name(text: str | None) -> bool:
    """Whether a description says something: “Band 1” is a driver's filler."""
    return bool(text) and not re.fullmatch(r"(?i)band[ _]?\d+", text or "")


def band_key(name: str) -> str:
    """What band names are compared by: without case, and with B02 equal to B2."""
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", name.strip().lower())


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _band_name(stem: str) -> str:
    """``B02`` for ``T30UVD_20200601_B02_10m``, where one part of a file's name alone is a band's; else the whole."""
    parts = [part for part in re.split(r"[_.-]", stem) if re.fullmatch(r"(?i)b\d{1,2}a?", part)]
    return parts[0] if len(parts) == 1 else stem


def _plain(name: str) -> str:
    """A file's name as a modality's name, which has no dots."""
    return name.replace(".", "_")


def _common_start(texts: Sequence[str]) -> Iterator[str]:
    for letters in zip(*texts, strict=False):
        if len(set(letters)) > 1:
            return
        yield letters[0]


def _common_name(bands: Iterable[BandSource]) -> str:
    stems = [_stem(band.path) for band in bands]
    prefix = re.sub(r"[\W_]*[A-Za-z]?0*$", "", "".join(_common_start(stems)))
    return prefix or "bands"
