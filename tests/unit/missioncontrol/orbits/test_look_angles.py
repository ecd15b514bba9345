from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.api import EarthSatellite, wgs84

from missioncontrol.orbits.look_angles import LineOfSight, doppler_hz, look_angles, subpoints
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.time_scale import packaged_time_scale
from missioncontrol.orbits.trajectory import PropagationError

START = datetime(2026, 8, 12, tzinfo=UTC)
SITE = Site(name="KIRUNA", latitude_deg=67.8571, longitude_deg=20.9643, height_m=402.0)


class TestLookAngles:
    def test_agree_with_orekit(self, reference):
        assert len(reference.look_angles) == 27
        for one in reference.look_angles:
            at = reference.start + timedelta(seconds=one["t_s"])
            site = reference.site(one["station"])
            angles = look_angles(reference.elements[one["sat"]], site, [at])
            across = (angles.azimuth_deg[0] - one["az_deg"]) * np.cos(np.radians(one["el_deg"]))
            assert abs(across) < 2e-4
            assert abs(angles.elevation_deg[0] - one["el_deg"]) < 2e-4
            assert abs(angles.range_m[0] - one["range_km"] * 1000.0) < 3.0
            assert abs(angles.range_rate_m_s[0] - one["range_rate_km_s"] * 1000.0) < 0.02

    def test_range_rate_is_the_derivative_of_the_range(self, sentinel):
        middle = [START + timedelta(minutes=minute) for minute in range(0, 300, 7)]
        half = timedelta(seconds=0.5)
        before = look_angles(sentinel, SITE, [at - half for at in middle]).range_m
        after = look_angles(sentinel, SITE, [at + half for at in middle]).range_m
        rate = look_angles(sentinel, SITE, middle).range_rate_m_s
        np.testing.assert_allclose(rate, after - before, atol=0.02)

    def test_refuses_no_instant_and_one_without_a_zone(self, sentinel):
        with pytest.raises(ValueError, match="No instant"):
            look_angles(sentinel, SITE, [])
        with pytest.raises(ValueError, match="no time zone"):
            look_angles(sentinel, SITE, [datetime(2026, 8, 12)])  # noqa: DTZ001

    def test_a_decayed_spacecraft_has_none(self, sentinel):
        falling = replace(
            sentinel, name="FALLING", mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.01
        )
        at = [START, START + timedelta(days=9)]
        with pytest.raises(PropagationError, match="no position of FALLING at 2026-08-21"):
            look_angles(falling, SITE, at)
        with pytest.raises(PropagationError, match="no position of FALLING"):
            LineOfSight(falling, SITE).at(at[1])


class TestLineOfSight:
    @settings(max_examples=50, deadline=None)
    @given(seconds=st.floats(-5 * 86400.0, 5 * 86400.0))
    def test_agrees_with_the_look_angles_at_any_instant(self, sentinel, seconds):
        at = START + timedelta(seconds=seconds)
        expected = look_angles(sentinel, SITE, [at])
        one = LineOfSight(sentinel, SITE).at(at)
        assert one.elevation_deg == pytest.approx(expected.elevation_deg[0], abs=1e-6)
        assert one.azimuth_deg == pytest.approx(expected.azimuth_deg[0], abs=1e-4)
        assert one.range_m == pytest.approx(expected.range_m[0], abs=0.05)
        assert one.range_rate_m_s == pytest.approx(expected.range_rate_m_s[0], abs=0.01)

    def test_goes_on_across_midnight_and_back(self, iss):
        line_of_sight = LineOfSight(iss, SITE)
        for hours in (23.9999, 24.0, 24.0001, 1.0, 50.0):
            at = START + timedelta(hours=hours)
            expected = look_angles(iss, SITE, [at]).elevation_deg[0]
            assert line_of_sight.elevation_deg(at) == pytest.approx(expected, abs=1e-6)


class TestDoppler:
    def test_an_approaching_spacecraft_sounds_higher(self):
        shift = doppler_hz(np.array([-7000.0, 0.0, 7000.0]), 2.2e9)
        assert shift[0] == pytest.approx(51369.0, abs=1.0)
        assert shift[1] == 0.0
        assert shift[2] == -shift[0]


class TestSubpoints:
    def test_agree_with_skyfield(self, iss):
        at = [START + timedelta(minutes=minute) for minute in range(0, 200, 3)]
        scale = packaged_time_scale()
        satellite = EarthSatellite(*iss.tle_lines(), iss.name, scale)
        expected = wgs84.geographic_position_of(satellite.at(scale.from_datetimes(at)))
        points = subpoints(iss, at)
        np.testing.assert_allclose(points.latitude_deg, expected.latitude.degrees, atol=1e-6)
        np.testing.assert_allclose(points.longitude_deg, expected.longitude.degrees, atol=1e-6)
        np.testing.assert_allclose(points.height_m, expected.elevation.m, atol=0.1)

    def test_stay_within_the_inclination(self, iss):
        at = [START + timedelta(minutes=minute) for minute in range(200)]
        latitudes = subpoints(iss, at).latitude_deg
        assert 51.0 < np.abs(latitudes).max() < 51.9
