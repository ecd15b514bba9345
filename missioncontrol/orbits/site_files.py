"""Files of ground stations: a JSON list of names, places and masks."""

from __future__ import annotations

import json
from collections.abc import Mapping

from missioncontrol.orbits.sites import Site

DEFAULT_MASK_DEG = 5.0


class SitesError(ValueError):
    """A list of stations that does not say what it must."""


def read_sites(text: str, *, mask_deg: float | None = None) -> list[Site]:
    """Read a JSON list of ``name``, ``lat_deg``, ``lon_deg``, ``alt_m`` and a mask.

    The mask is ``mask_deg``, or ``horizon_mask``: a list of [azimuth, elevation]
    in degrees. A station without either has ``DEFAULT_MASK_DEG``.

    Args:
        text: The file.
        mask_deg: Stands instead of what the file says of any mask.

    Raises:
        SitesError: No JSON, no list, or an entry with a field missing or out of
            its range.
    """
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise SitesError(f"The stations are no JSON: {error}.") from None
    if not isinstance(entries, list):
        raise SitesError("The stations are JSON, but no list; give [{...}, {...}].")
    sites = [_site(number, entry, mask_deg) for number, entry in enumerate(entries, start=1)]
    if not sites:
        raise SitesError("The list of stations is empty; give at least one.")
    return sites


def _site(number: int, entry: object, mask_deg: float | None) -> Site:
    if not isinstance(entry, Mapping):
        raise SitesError(f"Station {number} is {entry!r}, not an object with name and place.")
    name = str(entry.get("name") or f"number {number}")
    knots = entry.get("horizon_mask") or []
    try:
        return Site(
            name=name,
            latitude_deg=float(entry["lat_deg"]),
            longitude_deg=float(entry["lon_deg"]),
            height_m=float(entry.get("alt_m", 0.0)),
            mask_deg=float(entry.get("mask_deg", DEFAULT_MASK_DEG))
            if mask_deg is None
            else mask_deg,
            horizon_mask=()
            if mask_deg is not None
            else tuple((float(azimuth), float(elevation)) for azimuth, elevation in knots),
        )
    except KeyError as error:
        raise SitesError(f"Station {name}: the field {error} is missing.") from None
    except (TypeError, ValueError) as error:
        raise SitesError(f"Station {name}: {error}") from None
