"""From passes of a group of spacecraft to windows: cut, split by masks, described."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from missioncontrol.orbits.arrays import Booleans, Floats, Integers
from missioncontrol.orbits.ground_clearance import GroundClearance, Stations
from missioncontrol.orbits.horizon_mask import Spans, split_by_mask
from missioncontrol.orbits.passes import Moments, Passes, PassSearch, line_up
from missioncontrol.orbits.propagation import Ephemerides
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_grid import TimeGrid
from missioncontrol.orbits.tracks import Tracks
from missioncontrol.orbits.windows import WindowColumns


def windows_over_stations(
    ephemerides: Ephemerides,
    satellites: Integers,
    sites: Sequence[Site],
    *,
    first_site: int,
    origin_s: float,
) -> WindowColumns:
    """Return the windows of a group over stations, by spacecraft, site, acquisition.

    Args:
        ephemerides: Of the group.
        satellites: Index of each of its spacecraft.
        sites: The stations.
        first_site: Index of the first of them.
        origin_s: From when the times of the windows count, seconds after midnight.
    """
    stations, grid = Stations(sites), ephemerides.grid
    clearance = GroundClearance(ephemerides, stations)
    tracks = Tracks(clearance)
    passes = PassSearch(clearance).find()
    aos, los = _cut(passes, tracks)
    if any(site.horizon_mask for site in sites):
        aos, los = _split(aos, los, sites, clearance, tracks)
    row, site = clearance.parts(aos.pair)
    tca_s, sine = _highest(aos, los, passes.best, clearance)
    return WindowColumns(
        satellite_index=satellites[row],
        site_index=site + first_site,
        aos_s=aos.at_s - origin_s,
        tca_s=tca_s - origin_s,
        los_s=los.at_s - origin_s,
        max_elevation_deg=np.degrees(np.arcsin(sine)),
        aos_azimuth_deg=stations.azimuth_deg(site, aos.line_of_sight_km),
        los_azimuth_deg=stations.azimuth_deg(site, los.line_of_sight_km),
        clipped_start=aos.at_s <= grid.start_s,
        clipped_end=los.at_s >= grid.end_s,
    )


def _cut(passes: Passes, tracks: Tracks) -> tuple[Moments, Moments]:
    """Cut passes to the interval asked about and drop those outside it."""
    grid = tracks.grid
    inside = (passes.los.at_s > grid.start_s) & (passes.aos.at_s < grid.end_s)
    aos, los = passes.aos.taking(inside), passes.los.taking(inside)
    return (
        _moved(aos, aos.at_s < grid.start_s, grid.start_s, tracks),
        _moved(los, los.at_s > grid.end_s, grid.end_s, tracks),
    )


def _moved(moments: Moments, which: Booleans, at_s: float, tracks: Tracks) -> Moments:
    [moved] = np.nonzero(which)
    times, sight = moments.at_s.copy(), moments.line_of_sight_km.copy()
    times[moved] = at_s
    sight[:, moved] = tracks.line_of_sight_km(moments.pair[moved], times[moved])
    return Moments(moments.pair, times, sight)


def _split(
    aos: Moments,
    los: Moments,
    sites: Sequence[Site],
    clearance: GroundClearance,
    tracks: Tracks,
) -> tuple[Moments, Moments]:
    """Split the windows of the stations that have a mask by azimuth."""
    _, site = clearance.parts(aos.pair)
    plain = np.array([not one.horizon_mask for one in sites])[site]
    begins, ends = [aos.taking(plain)], [los.taking(plain)]
    for number, one in enumerate(sites):
        if one.horizon_mask:
            here = site == number
            spans = Spans(aos.pair[here], aos.at_s[here], los.at_s[here])
            parts = split_by_mask(spans, clearance, one)
            begins.append(_at(parts.pair, parts.aos_s, tracks))
            ends.append(_at(parts.pair, parts.los_s, tracks))
    return (
        Moments.joined(*begins).in_order(tracks.grid),
        Moments.joined(*ends).in_order(tracks.grid),
    )


def _at(pair: Integers, at_s: Floats, tracks: Tracks) -> Moments:
    return Moments(pair, at_s, tracks.line_of_sight_km(pair, at_s))


def _highest(
    aos: Moments, los: Moments, culminations: Moments, clearance: GroundClearance
) -> tuple[Floats, Floats]:
    """Return when each window is highest, and the sine of its elevation then.

    That is a culmination inside it, or one of its edges: of a window cut
    before or after its culmination, or between two parts of a split pass.
    """
    stations, (_, site) = clearance.stations, clearance.parts(aos.pair)
    at_aos = stations.sin_elevation(site, aos.line_of_sight_km)
    at_los = stations.sin_elevation(site, los.line_of_sight_km)
    highest = np.maximum(at_aos, at_los)
    tca_s = np.where(at_aos >= at_los, aos.at_s, los.at_s)
    inside, window = _inside(culminations, aos, los, clearance.grid)
    culminations = culminations.taking(inside)
    _, site = clearance.parts(culminations.pair)
    sine = stations.sin_elevation(site, culminations.line_of_sight_km)
    # Ascending, so that of several culminations the highest is written last.
    order = np.argsort(sine, kind="stable")
    order = order[sine[order] > highest[window[order]]]
    tca_s[window[order]] = culminations.at_s[order]
    highest[window[order]] = sine[order]
    return tca_s, highest


def _inside(
    moments: Moments, aos: Moments, los: Moments, grid: TimeGrid
) -> tuple[Integers, Integers]:
    """Return which moments lie in a window, and in which."""
    begins = line_up(aos.pair, aos.at_s, grid)
    window = np.searchsorted(begins, line_up(moments.pair, moments.at_s, grid), side="right") - 1
    [inside] = np.nonzero(window >= 0)
    window = window[inside]
    same = (aos.pair[window] == moments.pair[inside]) & (moments.at_s[inside] <= los.at_s[window])
    return inside[same], window[same]
