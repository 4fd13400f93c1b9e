"""Names of a GeoPackage's fields, which must differ by more than case."""

from __future__ import annotations

from collections.abc import Iterable

RESERVED = ("fid", "geom")  # a GeoPackage's own columns


def distinct_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names with a number appended where they, but for case, are there already."""
    used = {name.lower() for name in taken}
    found = []
    for name in names:
        new, number = name, 2
        while new.lower() in used:
            new, number = f"{name}_{number}", number + 1
        used.add(new.lower())
        found.append(new)
    return found
