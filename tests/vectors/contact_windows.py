"""The contact windows that Orekit 13.1.9 computed, and how ours are judged by them.

Orekit's passes are complete for some masks; with the others, chosen so that
one pass just grazes them, the file holds that one pass only.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from missioncontrol.orbits.contact_windows import ContactWindows, find_contact_windows
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.tle import elements_from_tle

_FILE = Path(__file__).parent / "contact_windows_reference.json"

# |dt| <= 2 ms + 0.0002 deg / |elevation rate at the event|
TIME_TOLERANCE_S = 0.002
ELEVATION_TOLERANCE_DEG = 2e-4
TCA_TOLERANCE_S = 0.005  # low orbits; a geostationary culmination is flat
LOW_ORBITS = (0, 4, 9)
COMPLETE_MASKS = (5.0, 30.0, 34.444)

Key = tuple[int, int, float]  # satellite, station, mask


@dataclass(frozen=True)
class Reference:
    """Orekit's answers; seconds count from ``start``."""

    start: datetime
    end: datetime
    elements: dict[int, MeanElements]
    stations: dict[int, dict]
    passes: list[dict]
    no_passes: list[dict]
    eclipses: list[dict]
    look_angles: list[dict]

    def site(self, number: int, mask_deg: float = 5.0) -> Site:
        station = self.stations[number]
        return Site(
            name=station["name"],
            latitude_deg=station["lat_deg"],
            longitude_deg=station["lon_deg"],
            height_m=station["alt_m"],
            mask_deg=mask_deg,
        )

    def named(self, name: str) -> MeanElements:
        return next(one for one in self.elements.values() if one.name.startswith(name))

    def passes_by_key(self) -> dict[Key, list[dict]]:
        groups: dict[Key, list[dict]] = defaultdict(list)
        for one in self.passes:
            groups[one["sat"], one["station"], one["mask_deg"]].append(one)
        return groups

    def compute(self, key: Key, **options) -> ContactWindows:
        """Return our windows of one pair and mask."""
        satellite, station, mask_deg = key
        return find_contact_windows(
            elements=[self.elements[satellite]],
            sites=[self.site(station, mask_deg)],
            start=self.start,
            end=self.end,
            **options,
        )


def load_reference() -> Reference:
    data = json.loads(_FILE.read_text())
    return Reference(
        start=datetime.fromisoformat(data["start_utc"]).astimezone(UTC),
        end=datetime.fromisoformat(data["end_utc"]).astimezone(UTC),
        elements={
            one["id"]: elements_from_tle(one["name"], one["line1"], one["line2"])
            for one in data["satellites"]
        },
        stations={one["id"]: one for one in data["stations"]},
        passes=data["passes"],
        no_passes=data["no_passes"],
        eclipses=data["eclipses"],
        look_angles=data["look_angles"],
    )


@dataclass(frozen=True)
class Deviation:
    """One number of a pass: ours less Orekit's, and what is allowed."""

    what: str  # aos, los, tca, max_elevation
    wanted: dict
    error: float
    tolerance: float

    @property
    def excess(self) -> float:
        return self.error / self.tolerance


def overlapping(windows: ContactWindows, wanted: dict) -> list[int]:
    """Return the windows that the reference's pass touches."""
    inside = wanted["tca_s"]
    if inside is None:
        inside = wanted["aos_s"] if wanted["aos_s"] is not None else wanted["los_s"]
    [hits] = np.nonzero((windows.aos_s <= inside + 0.01) & (windows.los_s >= inside - 0.01))
    return hits.tolist()


def deviations(reference: Reference, windows: ContactWindows, wanted: dict) -> Iterator[Deviation]:
    """Yield what can be compared of one pass that has its window."""
    [number] = overlapping(windows, wanted)
    for what in ("aos", "los"):
        at_s = wanted[f"{what}_s"]
        if at_s is not None:
            error = abs(float(getattr(windows, f"{what}_s")[number]) - at_s)
            rate = _elevation_rate_deg_s(reference, wanted, at_s)
            tolerance = TIME_TOLERANCE_S + ELEVATION_TOLERANCE_DEG / rate
            yield Deviation(what, wanted, error, tolerance)
    # A pass cut before or after its culmination is highest at the cut.
    highest = wanted["edge_el_deg"] if wanted["max_el_deg"] is None else wanted["max_el_deg"]
    error = abs(float(windows.max_elevation_deg[number]) - highest)
    yield Deviation("max_elevation", wanted, error, ELEVATION_TOLERANCE_DEG)
    if wanted["max_el_deg"] is not None and wanted["sat"] in LOW_ORBITS:
        error = abs(float(windows.tca_s[number]) - wanted["tca_s"])
        yield Deviation("tca", wanted, error, TCA_TOLERANCE_S)


def missing_and_invented(
    reference: Reference, computed: dict[Key, ContactWindows]
) -> tuple[list[dict], list[Key]]:
    """Return passes without a window of ours, and the pairs of windows without a pass."""
    missing = [
        wanted
        for key, passes in reference.passes_by_key().items()
        for wanted in passes
        if len(overlapping(computed[key], wanted)) != 1
    ]
    invented: list[Key] = []
    for key, passes in reference.passes_by_key().items():
        if key[2] in COMPLETE_MASKS:
            invented += [key] * max(0, len(computed[key]) - len(passes))
    for one in reference.no_passes:
        key = (one["sat"], one["station"], one["mask_deg"])
        invented += [key] * len(reference.compute(key))
    return missing, invented


def _elevation_rate_deg_s(reference: Reference, wanted: dict, at_s: float) -> float:
    site = reference.site(wanted["station"], wanted["mask_deg"])
    at = [reference.start + timedelta(seconds=at_s + shift) for shift in (-0.5, 0.5)]
    before, after = look_angles(reference.elements[wanted["sat"]], site, at).elevation_deg
    return abs(float(after - before))
