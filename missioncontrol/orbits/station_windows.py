"""From passes of a group of spacecraft to windows: cut, split by masks, described."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from missioncontrol.orbits.arrays import Floats, Integers
from missioncontrol.orbits.ground_clearance import GroundClearance, Stations
from missioncontrol.orbits.horizon_mask import Spans, split_by_mask
from missioncontrol.orbits.passes import Moments, PassSearch
from missioncontrol.orbits.propagation import Ephemerides
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.spans import best_within, cut, moments_at
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
    passes = PassSearch(clearance).find()
    aos, los = cut(passes, clearance)
    if any(site.horizon_mask for site in sites):
        aos, los = _split(aos, los, sites, clearance)

    def height(pair: Integers, line_of_sight_km: Floats) -> Floats:
        return stations.sin_elevation(clearance.parts(pair)[1], line_of_sight_km)

    tca_s, sine = best_within(aos, los, passes.best, grid, height)
    row, site = clearance.parts(aos.pair)
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


def _split(
    aos: Moments,
    los: Moments,
    sites: Sequence[Site],
    clearance: GroundClearance,
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
            begins.append(moments_at(clearance, parts.pair, parts.aos_s))
            ends.append(moments_at(clearance, parts.pair, parts.los_s))
    return (
        Moments.joined(*begins).in_order(clearance.grid),
        Moments.joined(*ends).in_order(clearance.grid),
    )
