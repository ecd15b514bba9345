from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from skyfield.api import EarthSatellite
from skyfield.framelib import itrs

from missioncontrol.orbits import frames
from missioncontrol.orbits.earth_rotation import julian_day
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.time_systems import utc_from

MIDNIGHT = datetime(2026, 8, 12, tzinfo=UTC)
SECONDS = np.arange(0.0, 3 * 86400.0, 1234.5)


@pytest.mark.parametrize("frame", ["ICRF", "ITRF2014"])
def test_agrees_with_skyfield(iss, frame):
    scale = packaged_time_scale()
    times = scale.utc(2026, 8, 12, 0, 0, SECONDS)
    satellite = EarthSatellite(*iss.tle_lines(), iss.name, scale)
    if frame == "ICRF":
        position = satellite.at(times).position.km
        velocity = satellite.at(times).velocity.km_per_s
    else:
        distance, speed = satellite.at(times).frame_xyz_and_velocity(itrs)
        position, velocity = distance.km, speed.km_per_s
    found_km, found_km_s = frames.to_teme(
        frame,
        position.T,
        velocity.T,
        midnight=MIDNIGHT,
        seconds=SECONDS,
        time_scale=scale,
    )
    whole = np.full_like(SECONDS, julian_day(MIDNIGHT))
    _, expected_km, expected_km_s = iss.satrec().sgp4_array(whole, SECONDS / 86400.0)
    np.testing.assert_allclose(found_km, expected_km, atol=2e-5)
    np.testing.assert_allclose(found_km_s, expected_km_s, atol=1e-6)


@pytest.mark.parametrize(
    ("system", "clock", "utc"),
    [
        ("UTC", "2026-08-12T00:00:00", "2026-08-12T00:00:00"),
        ("TAI", "2026-08-12T00:00:37", "2026-08-12T00:00:00"),
        ("GPS", "2026-08-12T00:00:18", "2026-08-12T00:00:00"),
        ("TT", "2026-08-12T00:01:09.184", "2026-08-12T00:00:00"),
        # Either side of the last leap second.
        ("TAI", "2017-01-01T00:00:35", "2016-12-31T23:59:59"),
        ("TAI", "2017-01-01T00:00:37", "2017-01-01T00:00:00"),
    ],
)
def test_clocks_are_brought_to_utc(system, clock, utc):
    found = utc_from(system, datetime.fromisoformat(clock).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_barycentric_time_differs_by_milliseconds_only():
    clock = datetime(2026, 4, 1, tzinfo=UTC)
    difference = utc_from("TDB", clock) - utc_from("TT", clock)
    assert timedelta(milliseconds=1) < abs(difference) < timedelta(milliseconds=2)
