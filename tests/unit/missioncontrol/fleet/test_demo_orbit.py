"""The demo mission's orbit, asked of Skyfield and not of our own window search."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from skyfield.api import EarthSatellite, load, wgs84

from missioncontrol.fleet.mission_file import parse_mission
from tests.unit.missioncontrol.fleet.demo_mission import TEXT, read_attachment

MISSION = parse_mission(TEXT, read_attachment)
[DD1] = MISSION.spacecraft
TIMESCALE = load.timescale(builtin=True)
EARTH_RATE_DEG_PER_DAY = 360.0 / 365.2422


@pytest.fixture(scope="module")
def satellite():
    elements = DD1.ephemerides[0]
    return EarthSatellite(elements.line1, elements.line2, DD1.name, TIMESCALE)


@pytest.fixture(scope="module")
def first_hours(satellite):
    """Return (start, end, station, highest elevation), in time order, without azimuth masks."""
    start = MISSION.clock.start
    passes = []
    for station in MISSION.stations:
        place = wgs84.latlon(station.latitude_deg, station.longitude_deg, station.height_m)
        times, kinds = satellite.find_events(
            place,
            TIMESCALE.from_datetime(start - timedelta(minutes=20)),
            TIMESCALE.from_datetime(start + timedelta(hours=3)),
            altitude_degrees=station.mask_deg,
        )
        rise = peak = None
        for time, kind in zip(times, kinds, strict=True):
            if kind == 0:
                rise = time.utc_datetime()
            elif kind == 1:
                peak = (satellite - place).at(time).altaz()[0].degrees
            elif rise is not None:
                passes.append((rise, time.utc_datetime(), station.name, peak))
    return sorted(p for p in passes if p[1] > start)


def test_the_clock_starts_at_a_whole_minute():
    start = MISSION.clock.start
    assert (start.second, start.microsecond) == (0, 0)


def test_the_first_contact_is_high_over_kashi_21_minutes_after_the_start(first_hours):
    aos, los, station, peak = first_hours[0]
    assert station == "KASHI"
    assert abs(aos - MISSION.clock.start - timedelta(minutes=21)) < timedelta(seconds=10)
    assert los - aos > timedelta(minutes=8)
    assert peak > 60


def test_the_first_contact_leaves_time_for_its_pre_pass(first_hours):
    [profile] = DD1.mission_profiles
    aos = first_hours[0][0]
    assert aos - timedelta(seconds=profile.pre_pass_s + 60) > MISSION.clock.start


def test_the_node_crosses_the_equator_at_18_local_time():
    elements = DD1.ephemerides[0].mean_elements()
    centuries = (TIMESCALE.from_datetime(elements.epoch).tt - 2451545.0) / 36525.0
    mean_sun_deg = 280.46646 + 36000.76983 * centuries
    local_time_h = ((elements.raan_deg - mean_sun_deg) / 15.0 + 12.0) % 24.0
    assert local_time_h == pytest.approx(18.0, abs=1 / 60)


def test_the_node_follows_the_sun(satellite):
    days = np.array([0.0, 10.0])
    nodes = []
    for day in days:
        at = TIMESCALE.tt_jd(satellite.epoch.tt + day)
        position, velocity = (
            v for v in (satellite.at(at).position.km, satellite.at(at).velocity.km_per_s)
        )
        normal = np.cross(position, velocity)
        nodes.append(np.degrees(np.arctan2(normal[0], -normal[1])))
    drift = (nodes[1] - nodes[0]) / 10.0
    assert drift == pytest.approx(EARTH_RATE_DEG_PER_DAY, abs=0.02)


def test_the_height_is_750_km(satellite):
    heights = [
        wgs84.height_of(satellite.at(TIMESCALE.tt_jd(satellite.epoch.tt + step / 1000))).km
        for step in range(0, 70, 2)
    ]
    assert np.mean(heights) == pytest.approx(755, abs=15)
