from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missioncontrol.orbits.eclipse import beta_angle_deg, eclipse_intervals
from missioncontrol.orbits.look_angles import subpoints
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from missioncontrol.orbits.tle import elements_from_tle

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def dawn_dusk():
    return sun_synchronous_elements("DD-1", 90001, 750.0, 18.0, EPOCH)


def local_mean_hours_at_node(elements, near: datetime) -> float:
    """Return the local mean solar time of the first northward crossing after *near*."""
    at = [near + timedelta(seconds=5.0 * step) for step in range(1250)]
    points = subpoints(elements, at)
    latitude = points.latitude_deg
    first = np.flatnonzero((latitude[:-1] < 0.0) & (latitude[1:] >= 0.0))[0]
    longitude = points.longitude_deg[first]
    utc_hours = (at[first] - near.replace(hour=0, minute=0, second=0)) / timedelta(hours=1)
    return (utc_hours + longitude / 15.0) % 24.0


def test_altitude_and_inclination_are_those_of_the_textbook(dawn_dusk):
    assert dawn_dusk.inclination_deg == pytest.approx(98.4, abs=0.05)
    at = [EPOCH + timedelta(seconds=30.0 * step) for step in range(200)]
    heights_km = subpoints(dawn_dusk, at).height_m / 1000.0
    assert 735.0 < heights_km.min() < heights_km.max() < 790.0


@pytest.mark.parametrize("ltan_hours", [6.0, 10.5, 18.0, 22.25])
def test_the_node_is_crossed_at_the_local_time_asked_for(ltan_hours):
    elements = sun_synchronous_elements("ANY", 90002, 700.0, ltan_hours, EPOCH)
    found = local_mean_hours_at_node(elements, EPOCH + timedelta(days=1))
    assert found == pytest.approx(ltan_hours, abs=0.02)


def test_the_local_time_drifts_by_less_than_a_minute_in_a_year(dawn_dusk):
    first = local_mean_hours_at_node(dawn_dusk, EPOCH + timedelta(days=1))
    last = local_mean_hours_at_node(dawn_dusk, EPOCH + timedelta(days=366))
    assert abs(last - first) * 60.0 < 1.0


def test_a_dawn_dusk_orbit_at_750_km_has_one_season_of_eclipses(dawn_dusk):
    """LTAN 18:00 leans away from the Sun in June, so the season is centred there."""
    seasons = eclipse_intervals(dawn_dusk, start=EPOCH, end=EPOCH + timedelta(days=365))
    first, last = seasons[0].entry, seasons[-1].exit
    assert (last - first) / timedelta(days=1) == pytest.approx(80.0, abs=2.0)
    longest = max(seasons, key=lambda one: one.duration_s)
    assert longest.duration_s / 60.0 == pytest.approx(17.8, abs=0.1)
    middle = first + (last - first) / 2
    assert abs(middle - datetime(2026, 6, 21, tzinfo=UTC)) < timedelta(days=3)
    # Within the season every revolution has its shadow.
    revolutions = (last - first) / timedelta(days=1) * dawn_dusk.mean_motion_rev_per_day
    assert len(seasons) == pytest.approx(revolutions, abs=2.0)


def test_the_sun_stays_far_above_the_plane_of_a_dawn_dusk_orbit(dawn_dusk):
    days = [EPOCH + timedelta(days=day) for day in range(365)]
    beta = beta_angle_deg(dawn_dusk, days)
    # 90 degrees less the Sun's declination and the plane's own tilt.
    expected = 90.0 - 23.44 - (dawn_dusk.inclination_deg - 90.0)
    assert beta.min() == pytest.approx(expected, abs=0.3)
    assert abs(days[int(beta.argmin())] - datetime(2026, 6, 21, tzinfo=UTC)) < timedelta(days=5)
    noon = sun_synchronous_elements("NOON", 90003, 750.0, 12.0, EPOCH)
    assert np.abs(beta_angle_deg(noon, days)).max() < 10.0


def test_survives_as_a_tle(dawn_dusk):
    read = elements_from_tle("DD-1", *dawn_dusk.tle_lines())
    assert read.epoch == dawn_dusk.epoch
    assert read.raan_deg == pytest.approx(dawn_dusk.raan_deg, abs=1e-4)
    assert read.mean_motion_rev_per_day == pytest.approx(
        dawn_dusk.mean_motion_rev_per_day, abs=1e-8
    )


@pytest.mark.parametrize(
    ("altitude_km", "ltan_hours", "message"),
    [(150.0, 6.0, "200 to 5500 km"), (7000.0, 6.0, "200 to 5500 km"), (700.0, 25.0, "0 to 24 h")],
)
def test_says_what_is_out_of_range(altitude_km, ltan_hours, message):
    with pytest.raises(ValueError, match=message):
        sun_synchronous_elements("ANY", 1, altitude_km, ltan_hours, EPOCH)


@pytest.mark.parametrize("altitude_km", [200.0, 550.0, 1400.0, 5500.0])
def test_every_altitude_in_range_follows_the_sun(altitude_km):
    elements = sun_synchronous_elements("ANY", 1, altitude_km, 9.5, EPOCH)
    per_year = elements.satrec().nodedot * 60.0 * 24.0 * 365.24219
    assert per_year == pytest.approx(2.0 * np.pi, rel=1e-9)
