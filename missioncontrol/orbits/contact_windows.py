"""When ground stations can see spacecraft: all windows of a fleet in one sweep.

Method: all spacecraft on one grid of times, 120 s apart; a window's edge is a
change of sign of the clearance above the mask, solved on polynomials through
eight nodes; a bound on the curvature shows which nodes may hide a short window
between them. Against Orekit the edges agree within 2 ms, and the time in which
the elevation changes by 0.0002 degrees, which matters for grazing passes only.

That is numerical fidelity. A TLE drifts from the truth by 1-3 km a day, which
is 0.1-0.4 s along the track.

Elevation is geometric: no refraction, no light time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sgp4.api import Satrec
from skyfield.timelib import Timescale

from missioncontrol.orbits.elements import (
    DEFAULT_ELEMENTS_AGE_LIMIT,
    MeanElements,
    StaleElementsError,
)
from missioncontrol.orbits.horizon_mask import Track, split_by_mask
from missioncontrol.orbits.passes import Culminations, Passes, PassSearch
from missioncontrol.orbits.polynomials import Booleans
from missioncontrol.orbits.propagation import (
    Ephemerides,
    Integers,
    PropagationError,
    TimeGrid,
    earth_fixed,
    earth_rotation_on,
    first_error,
    propagate_teme,
    time_grid,
)
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.wgs84 import Floats

_SPACECRAFT_AT_ONCE: Final = 64
_POINTS_AT_ONCE: Final = 400_000  # spacecraft x nodes held in memory


@dataclass(frozen=True, slots=True)
class Refusal:
    """A spacecraft whose windows cannot be computed, and why."""

    satellite: str
    satellite_index: int  # in the elements passed in
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWindow:
    """One interval above the mask. Times are UTC."""

    satellite: str
    site: str
    satellite_index: int
    site_index: int
    aos: datetime
    tca: datetime  # of the highest elevation within the window
    los: datetime
    max_elevation_deg: float
    aos_azimuth_deg: float
    los_azimuth_deg: float
    clipped_start: bool  # already open at the start of the interval
    clipped_end: bool  # still open at its end

    @property
    def duration_s(self) -> float:
        return (self.los - self.aos).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWindows:
    """All windows of a computation: columns of equal length, and who was refused.

    Ordered by spacecraft, then site, then acquisition. Times are seconds after
    ``start``; iterate to get :class:`ContactWindow` objects instead.
    """

    start: datetime
    satellites: tuple[str, ...]
    sites: tuple[str, ...]
    satellite_index: Integers
    site_index: Integers
    aos_s: Floats
    tca_s: Floats
    los_s: Floats
    max_elevation_deg: Floats
    aos_azimuth_deg: Floats
    los_azimuth_deg: Floats
    clipped_start: Booleans
    clipped_end: Booleans
    refused: list[Refusal]

    def __len__(self) -> int:
        return len(self.aos_s)

    def __iter__(self) -> Iterator[ContactWindow]:
        for number in range(len(self)):
            satellite, site = int(self.satellite_index[number]), int(self.site_index[number])
            yield ContactWindow(
                satellite=self.satellites[satellite],
                site=self.sites[site],
                satellite_index=satellite,
                site_index=site,
                aos=self.start + timedelta(seconds=float(self.aos_s[number])),
                tca=self.start + timedelta(seconds=float(self.tca_s[number])),
                los=self.start + timedelta(seconds=float(self.los_s[number])),
                max_elevation_deg=float(self.max_elevation_deg[number]),
                aos_azimuth_deg=float(self.aos_azimuth_deg[number]),
                los_azimuth_deg=float(self.los_azimuth_deg[number]),
                clipped_start=bool(self.clipped_start[number]),
                clipped_end=bool(self.clipped_end[number]),
            )


def find_contact_windows(
    *,
    elements: Sequence[MeanElements],
    sites: Sequence[Site],
    start: datetime,
    end: datetime,
    elements_age_limit: timedelta = DEFAULT_ELEMENTS_AGE_LIMIT,
    time_scale: Timescale | None = None,
) -> ContactWindows:
    """Return every window of every spacecraft over every site.

    A window already open at *start*, or still open at *end*, is cut there and
    says so. A spacecraft that is always visible has one window, cut at both.
    A spacecraft whose elements are too old, or that SGP4 says has decayed
    within the interval, has no windows and stands in ``refused`` instead.

    Args:
        elements: Mean elements, one set per spacecraft.
        sites: Antennas with their masks.
        start: First instant, aware.
        end: Last instant, aware; later than *start*.
        elements_age_limit: How far the interval may reach from an epoch.
        time_scale: Other than the packaged one, see :mod:`.time_scale`.

    Raises:
        ValueError: A time without a zone, or *end* not later than *start*.

    Source:
        SGP4: Vallado et al., AIAA 2006-6753, through the ``sgp4`` package.
    """
    grid = time_grid(start, end)
    refused: list[Refusal] = []
    able = _initialise(elements, grid, elements_age_limit, refused)
    parts = [_Part.empty()]
    if able and sites:
        rotation = earth_rotation_on(grid, time_scale or packaged_time_scale())
        size = max(1, min(_SPACECRAFT_AT_ONCE, _POINTS_AT_ONCE // grid.nodes))
        for first in range(0, len(able), size):
            group = able[first : first + size]
            parts += _windows_of_group(group, sites, grid, rotation, refused)
    columns = _Part.concatenated(parts)
    refused.sort(key=lambda refusal: refusal.satellite_index)
    return columns.as_windows(
        start=start,
        start_s=grid.start_s,
        satellites=tuple(one.name for one in elements),
        sites=tuple(site.name for site in sites),
        refused=refused,
    )


@dataclass(frozen=True, slots=True)
class _Able:
    """A spacecraft that passed the first checks."""

    index: int
    name: str
    satrec: Satrec


def _initialise(
    elements: Sequence[MeanElements],
    grid: TimeGrid,
    limit: timedelta,
    refused: list[Refusal],
) -> list[_Able]:
    able = []
    start, end = grid.at(grid.start_s), grid.at(grid.end_s)
    for index, one in enumerate(elements):
        try:
            one.check_age(start=start, end=end, limit=limit)
        except StaleElementsError as error:
            refused.append(Refusal(one.name, index, str(error)))
            continue
        satrec = one.satrec()
        if satrec.error:
            decayed = PropagationError(name=one.name, code=satrec.error, at=one.epoch)
            refused.append(Refusal(one.name, index, str(decayed)))
            continue
        able.append(_Able(index, one.name, satrec))
    return able


def _windows_of_group(
    group: list[_Able],
    sites: Sequence[Site],
    grid: TimeGrid,
    rotation: Floats,
    refused: list[Refusal],
) -> list[_Part]:
    """Propagate one group once and search it over every site."""
    errors, teme_km, teme_km_s = propagate_teme([one.satrec for one in group], grid)
    wrong = [first_error(errors[row], grid, one.name) for row, one in enumerate(group)]
    refused += [
        Refusal(one.name, one.index, str(error))
        for one, error in zip(group, wrong, strict=True)
        if error is not None
    ]
    sound = np.array([row for row, error in enumerate(wrong) if error is None], dtype=np.int64)
    if len(sound) == 0:
        return []
    # SGP4 answers with a place underground after a decay: never search such a row.
    if len(sound) < len(group):
        teme_km, teme_km_s = teme_km[sound], teme_km_s[sound]
    ephemerides = earth_fixed(grid, rotation, teme_km, teme_km_s)
    indices = np.array([one.index for one in group], dtype=np.int64)[sound]
    return [
        _windows_over_site(ephemerides, site, number, indices) for number, site in enumerate(sites)
    ]


def _windows_over_site(
    ephemerides: Ephemerides, site: Site, site_index: int, satellite_indices: Integers
) -> _Part:
    passes, culminations = PassSearch(ephemerides, site).find()
    track = Track(ephemerides, site)
    windows = _cut(passes, ephemerides.grid)
    if site.horizon_mask:
        windows = split_by_mask(windows, track, site)
    tca_s, max_elevation_deg = _highest(windows, culminations, track)
    aos_azimuth_deg, _ = track.azimuth_elevation_deg(windows.row, windows.aos_s)
    los_azimuth_deg, _ = track.azimuth_elevation_deg(windows.row, windows.los_s)
    return _Part(
        satellite_index=satellite_indices[windows.row],
        site_index=np.full(len(windows.row), site_index, dtype=np.int64),
        aos_s=windows.aos_s,
        tca_s=tca_s,
        los_s=windows.los_s,
        max_elevation_deg=max_elevation_deg,
        aos_azimuth_deg=aos_azimuth_deg,
        los_azimuth_deg=los_azimuth_deg,
        clipped_start=windows.aos_s <= ephemerides.grid.start_s,
        clipped_end=windows.los_s >= ephemerides.grid.end_s,
    )


def _cut(passes: Passes, grid: TimeGrid) -> Passes:
    """Cut passes to the interval asked about and drop those outside it."""
    aos_s, los_s = np.maximum(passes.aos_s, grid.start_s), np.minimum(passes.los_s, grid.end_s)
    inside = los_s > aos_s
    return Passes(passes.row[inside], aos_s[inside], los_s[inside])


def _highest(windows: Passes, culminations: Culminations, track: Track) -> tuple[Floats, Floats]:
    """Return when each window is highest, and how high in degrees.

    That is a culmination inside it, or one of its edges: of a window cut
    before or after its culmination, or between two parts of a split pass.
    """
    tca_s, highest = windows.aos_s.copy(), np.full(len(windows.row), -np.inf)
    for at_s in (windows.aos_s, windows.los_s):
        _, elevation = track.azimuth_elevation_deg(windows.row, at_s)
        higher = elevation > highest
        tca_s, highest = np.where(higher, at_s, tca_s), np.where(higher, elevation, highest)
    if len(windows.row) and len(culminations.row):
        _, elevation = track.azimuth_elevation_deg(culminations.row, culminations.at_s)
        window = _window_of(culminations, windows)
        inside = (window >= 0) & (elevation > highest[window])
        # Ascending order, so that of several culminations the highest is written last.
        order = np.argsort(elevation[inside], kind="stable")
        window, inside_s = window[inside][order], culminations.at_s[inside][order]
        tca_s[window], highest[window] = inside_s, elevation[inside][order]
    return tca_s, highest


def _window_of(culminations: Culminations, windows: Passes) -> Integers:
    """Return the window in which each culmination lies, -1 for none."""
    # One axis for all spacecraft: each gets its own stretch of it.
    low = min(float(windows.aos_s.min()), float(culminations.at_s.min()))
    high = max(float(windows.los_s.max()), float(culminations.at_s.max()))
    stretch = high - low + 1.0
    aos = windows.row * stretch + (windows.aos_s - low)
    at = culminations.row * stretch + (culminations.at_s - low)
    window = np.searchsorted(aos, at, side="right") - 1
    lies_inside = (
        (window >= 0)
        & (windows.row[window] == culminations.row)
        & (culminations.at_s <= windows.los_s[window])
    )
    return np.where(lies_inside, window, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Columns of windows; times in seconds after the grid's midnight."""

    satellite_index: Integers
    site_index: Integers
    aos_s: Floats
    tca_s: Floats
    los_s: Floats
    max_elevation_deg: Floats
    aos_azimuth_deg: Floats
    los_azimuth_deg: Floats
    clipped_start: Booleans
    clipped_end: Booleans

    @classmethod
    def empty(cls) -> _Part:
        whole, real, flag = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
        return cls(
            satellite_index=whole,
            site_index=whole,
            aos_s=real,
            tca_s=real,
            los_s=real,
            max_elevation_deg=real,
            aos_azimuth_deg=real,
            los_azimuth_deg=real,
            clipped_start=flag,
            clipped_end=flag,
        )

    @classmethod
    def concatenated(cls, parts: Sequence[_Part]) -> _Part:
        """Return all parts as one, in the order of spacecraft, site, acquisition."""
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in cls.__dataclass_fields__
        }
        order = np.lexsort((columns["aos_s"], columns["site_index"], columns["satellite_index"]))
        return cls(**{name: column[order] for name, column in columns.items()})

    def as_windows(
        self,
        *,
        start: datetime,
        start_s: float,
        satellites: tuple[str, ...],
        sites: tuple[str, ...],
        refused: list[Refusal],
    ) -> ContactWindows:
        return ContactWindows(
            start=start,
            satellites=satellites,
            sites=sites,
            satellite_index=self.satellite_index,
            site_index=self.site_index,
            aos_s=self.aos_s - start_s,
            tca_s=self.tca_s - start_s,
            los_s=self.los_s - start_s,
            max_elevation_deg=self.max_elevation_deg,
            aos_azimuth_deg=self.aos_azimuth_deg,
            los_azimuth_deg=self.los_azimuth_deg,
            clipped_start=self.clipped_start,
            clipped_end=self.clipped_end,
            refused=refused,
        )
