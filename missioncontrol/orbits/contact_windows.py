"""When ground stations can see spacecraft: all windows of a fleet in one sweep.

Method: spacecraft on a grid of times, 300 s apart (less for what flies low and
eccentric); a window's edge is a change of sign of the clearance above the
mask, solved on polynomials through sixteen nodes; a bound on the curvature
shows between which nodes a short window may hide. See :mod:`.polynomials`,
:mod:`.ground_clearance`, :mod:`.hidden_crossings` and :mod:`.passes`.

Against Skyfield's own angles the edges agree within 0.1 ms. That is numerical
fidelity. A TLE drifts from the truth by 1-3 km a day, which is 0.1-0.4 s along
the track.

Elevation is geometric: no refraction, no light time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from skyfield.timelib import Timescale

from missioncontrol.orbits.elements import DEFAULT_ELEMENTS_AGE_LIMIT
from missioncontrol.orbits.fleet_ephemerides import FleetEphemerides
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.station_windows import windows_over_stations
from missioncontrol.orbits.time_grid import TimeGrid, seconds_of
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.windows import (
    ContactWindow,
    ContactWindows,
    Refusal,
    appended,
    in_order,
    no_windows,
    without_seams,
)

__all__ = [
    "ContactWindow",
    "ContactWindows",
    "Refusal",
    "contact_windows_in_parts",
    "find_contact_windows",
]

_SPACECRAFT_IN_PART: Final = 64
_CELLS_AT_ONCE: Final = 1_200_000  # spacecraft x stations x nodes held in memory
# Stations x nodes below which OpenBLAS keeps a product in one thread.
_SITE_NODES_AT_ONCE: Final = 80_000


def find_contact_windows(
    *,
    elements: Sequence[AnyTrajectory],
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
    within the interval or less than an hour before or after it, has no windows
    and stands in ``refused`` instead. One whose ephemeris covers a part of the
    interval has the windows of that part, and stands in ``refused`` too.

    Args:
        elements: Mean elements or an ephemeris, one for each spacecraft.
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
    parts = list(
        contact_windows_in_parts(
            elements=elements,
            sites=sites,
            start=start,
            end=end,
            elements_age_limit=elements_age_limit,
            time_scale=time_scale,
        )
    )
    return ContactWindows.of(
        appended([no_windows(), *parts]),
        start=start,
        satellites=tuple(one.name for one in elements),
        sites=tuple(site.name for site in sites),
        computed=range(len(elements)),
        refused=[refusal for part in parts for refusal in part.refused],
    )


def contact_windows_in_parts(
    *,
    elements: Sequence[AnyTrajectory],
    sites: Sequence[Site],
    start: datetime,
    end: datetime,
    elements_age_limit: timedelta = DEFAULT_ELEMENTS_AGE_LIMIT,
    time_scale: Timescale | None = None,
) -> Iterator[ContactWindows]:
    """Yield the same windows a few spacecraft at a time, in order, in bounded memory.

    Arguments and errors are those of :func:`find_contact_windows`.
    """
    _, origin_s, _ = seconds_of(start, end)  # refuses a bad interval at once
    fleet = FleetEphemerides(
        elements,
        start=start,
        end=end,
        age_limit=elements_age_limit,
        time_scale=time_scale or packaged_time_scale(),
    )
    return _parts(fleet, elements, sites, start, origin_s)


def _parts(
    fleet: FleetEphemerides,
    elements: Sequence[AnyTrajectory],
    sites: Sequence[Site],
    start: datetime,
    origin_s: float,
) -> Iterator[ContactWindows]:
    satellites = tuple(one.name for one in elements)
    site_names = tuple(site.name for site in sites)
    for first in range(0, len(elements), _SPACECRAFT_IN_PART):
        computed = range(first, min(first + _SPACECRAFT_IN_PART, len(elements)))
        found, refused = [no_windows()], list[Refusal]()
        for group in fleet.groups(
            computed, lambda grid: _spacecraft_at_once(grid, sites), refused
        ):
            found += [
                windows_over_stations(
                    group.ephemerides,
                    group.indices,
                    some,
                    first_site=number,
                    origin_s=origin_s,
                )
                for number, some in _sites_at_once(group.ephemerides.grid, sites)
            ]
        yield ContactWindows.of(
            without_seams(in_order(appended(found))),
            start=start,
            satellites=satellites,
            sites=site_names,
            computed=computed,
            refused=sorted(refused, key=lambda refusal: refusal.satellite_index),
        )


def _spacecraft_at_once(grid: TimeGrid, sites: Sequence[Site]) -> int:
    return max(1, _CELLS_AT_ONCE // (max(1, len(sites)) * grid.nodes))


def _sites_at_once(grid: TimeGrid, sites: Sequence[Site]) -> Iterator[tuple[int, Sequence[Site]]]:
    """Yield groups of sites, each with the number of its first."""
    size = max(1, _SITE_NODES_AT_ONCE // grid.nodes)
    for first in range(0, len(sites), size):
        yield first, sites[first : first + size]
