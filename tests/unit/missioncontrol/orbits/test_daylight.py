from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.api import wgs84
from skyfield.jpllib import SpiceKernel

from missioncontrol.orbits.daylight import (
    SubsolarPoint,
    subsolar_point,
    sun_directions,
    terminator_latitude_deg,
)
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale

START = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.floats(0.0, 365.0).map(lambda days: START + timedelta(days=days))


@pytest.fixture(scope="module")
def sun_seen():
    """Return the Sun's azimuth and elevation at a place as Skyfield observes it."""
    kernel = SpiceKernel(str(resources.files("skyfield_data") / "data" / "de421.bsp"))

    def seen(latitude_deg, longitude_deg, at) -> tuple[float, float]:
        place = kernel["earth"] + wgs84.latlon(latitude_deg, longitude_deg)
        time = packaged_time_scale().from_datetime(at)
        elevation, azimuth, _ = place.at(time).observe(kernel["sun"]).apparent().altaz()
        return azimuth.degrees, elevation.degrees

    yield seen
    kernel.close()


class TestSubsolarPoint:
    @settings(max_examples=20, deadline=None)
    @given(at=instants)
    def test_has_the_sun_in_the_zenith(self, sun_seen, at):
        point = subsolar_point(at)
        _, elevation = sun_seen(point.latitude_deg, point.longitude_deg, at)
        assert elevation > 89.98

    def test_refuses_a_time_without_a_zone(self):
        with pytest.raises(ValueError, match="carries no time zone"):
            subsolar_point(datetime(2026, 1, 1))  # noqa: DTZ001


class TestTerminator:
    @settings(max_examples=20, deadline=None)
    @given(at=instants, longitude_deg=st.floats(-180.0, 180.0))
    def test_has_the_sun_on_the_horizon_and_night_where_it_says(self, sun_seen, at, longitude_deg):
        point = subsolar_point(at)
        [latitude] = terminator_latitude_deg(point, np.array([longitude_deg]))
        _, elevation = sun_seen(latitude, longitude_deg, at)
        assert elevation == pytest.approx(0.0, abs=0.02)
        night = -89.9 if point.latitude_deg >= 0.0 else 89.9
        _, elevation = sun_seen(night, longitude_deg, at)
        assert elevation < 0.2

    @given(sun=st.floats(-23.5, 23.5), longitude_deg=st.floats(-180.0, 180.0))
    def test_is_a_right_angle_away_from_the_sun(self, sun, longitude_deg):
        [latitude] = np.radians(
            terminator_latitude_deg(
                SubsolarPoint(latitude_deg=sun, longitude_deg=40.0), np.array([longitude_deg])
            )
        )
        declination, hour_angle = np.radians([sun, longitude_deg - 40.0])
        cosine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(
            declination
        ) * np.cos(hour_angle)
        assert cosine == pytest.approx(0.0, abs=1e-12)

    def test_runs_along_meridians_at_an_equinox(self):
        point = SubsolarPoint(latitude_deg=0.0, longitude_deg=0.0)
        latitude = terminator_latitude_deg(
            point, np.array([-179.0, -91.0, -89.0, 0.0, 89.0, 91.0])
        )
        assert latitude.tolist() == [90.0, 90.0, -90.0, -90.0, -90.0, 90.0]


class TestSunDirections:
    @settings(max_examples=20, deadline=None)
    @given(at=instants, latitude_deg=st.floats(-89.0, 89.0), longitude_deg=st.floats(-180, 180))
    def test_are_what_another_library_observes(self, sun_seen, at, latitude_deg, longitude_deg):
        site = Site(
            name="ANY", latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=0.0
        )
        seen = sun_directions(site, [at])
        azimuth, elevation = sun_seen(latitude_deg, longitude_deg, at)
        assert seen.elevation_deg[0] == pytest.approx(elevation, abs=0.02)
        across = (seen.azimuth_deg[0] - azimuth + 180.0) % 360.0 - 180.0
        assert across * np.cos(np.radians(elevation)) == pytest.approx(0.0, abs=0.02)

    def test_refuse_no_instant(self):
        site = Site(name="ANY", latitude_deg=0.0, longitude_deg=0.0, height_m=0.0)
        with pytest.raises(ValueError, match="No instant"):
            sun_directions(site, [])
