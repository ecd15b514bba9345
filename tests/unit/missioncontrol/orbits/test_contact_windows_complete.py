"""No pass is lost and none invented: against scans by independent routes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.api import EarthSatellite, wgs84

from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale

START = datetime(2026, 8, 12, tzinfo=UTC)


def assert_agrees(windows, at_s, elevation_deg, mask_deg, margin_deg):
    """Every instant of the scan is inside a window exactly if it is above the mask."""
    inside = np.zeros(len(at_s), dtype=bool)
    for aos_s, los_s in zip(windows.aos_s, windows.los_s, strict=True):
        inside |= (at_s >= aos_s) & (at_s <= los_s)
    clear = np.abs(elevation_deg - mask_deg) > margin_deg
    wrong = clear & (inside != (elevation_deg > mask_deg))
    assert not wrong.any(), at_s[wrong]


@pytest.mark.parametrize(("station", "masks"), [(0, (0.0, 5.0, 30.0)), (6, (5.0, 43.21))])
def test_agrees_with_a_scan_by_skyfield_every_second(reference, station, masks):
    scale = packaged_time_scale()
    at_s = np.arange(0.0, 6 * 3600.0)
    times = scale.utc(2026, 8, 12, 0, 0, at_s)
    site = reference.site(station)
    topos = wgs84.latlon(site.latitude_deg, site.longitude_deg, site.height_m)
    for number in (0, 4):
        elements = reference.elements[number]
        satellite = EarthSatellite(*elements.tle_lines(), elements.name, scale)
        elevation_deg = (satellite - topos).at(times).altaz()[0].degrees
        for mask_deg in masks:
            windows = find_contact_windows(
                elements=[elements],
                sites=[reference.site(station, mask_deg)],
                start=START,
                end=START + timedelta(hours=6),
            )
            assert_agrees(windows, at_s, elevation_deg, mask_deg, 1e-5)


def low_orbits():
    return st.builds(
        lambda mean_motion, eccentricity, inclination, raan, perigee, anomaly: MeanElements(
            name="ANY",
            catalogue_number=1,
            object_id="",
            epoch=START,
            mean_motion_rev_per_day=mean_motion,
            eccentricity=eccentricity,
            inclination_deg=inclination,
            raan_deg=raan,
            argument_of_perigee_deg=perigee,
            mean_anomaly_deg=anomaly,
        ),
        st.floats(11.0, 15.6),
        st.floats(0.0, 0.01),
        st.floats(0.0, 180.0),
        st.floats(0.0, 360.0),
        st.floats(0.0, 360.0),
        st.floats(0.0, 360.0),
    )


def eccentric_orbits():
    return st.builds(
        lambda perigee_km, apogee_km, inclination, raan, perigee, anomaly: MeanElements(
            name="ECCENTRIC",
            catalogue_number=2,
            object_id="",
            epoch=START,
            mean_motion_rev_per_day=86400.0
            / (2 * np.pi)
            * (398600.8 / (6378.1 + (perigee_km + apogee_km) / 2) ** 3) ** 0.5,
            eccentricity=(apogee_km - perigee_km) / (apogee_km + perigee_km + 2 * 6378.1),
            inclination_deg=inclination,
            raan_deg=raan,
            argument_of_perigee_deg=perigee,
            mean_anomaly_deg=anomaly,
        ),
        st.floats(250.0, 1500.0),
        st.floats(2000.0, 60000.0),
        st.floats(0.1, 179.9),  # SGP4's own deep-space terms jump at 180
        st.floats(0.0, 360.0),
        st.floats(0.0, 360.0),
        st.floats(0.0, 360.0),
    )


def sites():
    return st.builds(
        lambda latitude, longitude, height, mask: Site(
            name="ANYWHERE",
            latitude_deg=latitude,
            longitude_deg=longitude,
            height_m=height,
            mask_deg=mask,
        ),
        st.floats(-90.0, 90.0),
        st.floats(-180.0, 180.0),
        st.floats(-400.0, 5000.0),
        st.sampled_from([-2.0, 0.0, 5.0, 10.0, 30.0, 45.0, 70.0, 80.0]),
    )


@settings(max_examples=80, deadline=None)
@given(elements=st.one_of(low_orbits(), eccentric_orbits()), site=sites())
def test_agrees_with_a_scan_of_any_orbit_from_anywhere(elements, site):
    hours = 12
    at_s = np.arange(0.0, hours * 3600.0, 7.0)
    instants = [START + timedelta(seconds=float(one)) for one in at_s]
    elevation_deg = look_angles(elements, site, instants).elevation_deg
    windows = find_contact_windows(
        elements=[elements], sites=[site], start=START, end=START + timedelta(hours=hours)
    )
    assert windows.refused == []
    assert_agrees(windows, at_s, elevation_deg, site.mask_deg, 1e-5)
    assert (windows.los_s > windows.aos_s).all()
    assert (windows.aos_s[1:] > windows.los_s[:-1]).all()


def test_passes_shorter_than_the_grid_are_found_wherever_they_fall_on_it(sentinel):
    """Masks set just below a peak: short windows at every phase of the 120 s grid."""
    base = Site(name="KIRUNA", latitude_deg=67.8571, longitude_deg=20.9643, height_m=402.0)
    end = START + timedelta(days=7)
    options = {"elements": [sentinel], "start": START, "end": end}
    peaks = list(find_contact_windows(sites=[base], **options))[1:-1]
    masks = [replace(base, mask_deg=one.max_elevation_deg - 1e-4) for one in peaks]
    windows = find_contact_windows(sites=masks, **options)
    shortest = []
    for number, peak in enumerate(peaks):
        aos_s, los_s = (column[windows.site_index == number] for column in _edges(windows))
        at_s = (peak.tca - START).total_seconds()
        [hit] = np.flatnonzero((aos_s <= at_s) & (at_s <= los_s))
        shortest.append(los_s[hit] - aos_s[hit])
    assert len(shortest) > 60
    assert max(shortest) < 60.0
    assert min(shortest) < 3.0


def _edges(windows):
    return windows.aos_s, windows.los_s
