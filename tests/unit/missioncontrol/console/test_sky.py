"""A pass on the plot of a station's sky, from rows that were never stored."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.console.presentation import look_angle_table, sky, sky_drawing
from missioncontrol.console.presentation.look_angle_table import Carriers
from missioncontrol.fleet.models import Antenna, Ephemeris, GroundStation, Spacecraft
from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.daylight import subsolar_point
from missioncontrol.orbits.eclipse import eclipse_intervals
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.sun_synchronous import sun_synchronous_elements
from missioncontrol.scheduling.models import Contact
from tests.unit.missioncontrol.console.test_world_map import is_inside

START = datetime(2026, 12, 1, tzinfo=UTC)
SITE = Site(
    name="MIYUN",
    latitude_deg=40.451,
    longitude_deg=116.859,
    height_m=160.0,
    horizon_mask=((0.0, 9.0), (40.0, 7.0), (75.0, 5.0), (270.0, 5.0), (310.0, 7.0)),
)
# At noon local time: every orbit goes through the shadow.
NOON = sun_synchronous_elements("NOON-1", 90001, 600.0, 12.0, START)


@pytest.fixture(scope="module")
def windows():
    """The passes of a day: two about noon, two about midnight."""
    return list(
        find_contact_windows(
            elements=[NOON], sites=[SITE], start=START, end=START + timedelta(days=1)
        )
    )


@pytest.fixture
def window(windows):
    return windows[0]


@pytest.fixture
def contact(window, monkeypatch) -> Contact:
    line1, line2 = NOON.tle_lines()
    ephemeris = Ephemeris(kind="TLE", name="NOON-1", line1=line1, line2=line2, epoch=START)
    monkeypatch.setattr(sky.fleet, "ephemeris_in_force", lambda _craft, _at: ephemeris)
    station = GroundStation(
        name="MIYUN",
        latitude_deg=SITE.latitude_deg,
        longitude_deg=SITE.longitude_deg,
        height_m=SITE.height_m,
        mask_deg=5.0,
        horizon_mask=[list(knot) for knot in SITE.horizon_mask],
    )
    return Contact(
        spacecraft=Spacecraft(name="NOON-1", link_profile={"kind": "space_packets"}),
        antenna=Antenna(name="MIYUN-1", station=station),
        aos=window.aos,
        tca=window.tca,
        los=window.los,
    )


def points_of(piece) -> list[tuple[float, float]]:
    return [tuple(map(float, point.split(","))) for point in piece.points.split()]


class TestPlaceOnSky:
    @pytest.mark.parametrize(
        ("azimuth_deg", "elevation_deg", "place"),
        [(0, 0, (0, -100)), (90, 0, (100, 0)), (180, 45, (0, 50)), (270, 30, (-66.667, 0))],
    )
    def test_has_north_above_and_east_on_the_right(self, azimuth_deg, elevation_deg, place):
        assert sky_drawing.place_on_sky(azimuth_deg, elevation_deg) == pytest.approx(
            place, abs=1e-3
        )


class TestMask:
    @given(azimuth_deg=st.floats(0.0, 360.0), elevation_deg=st.floats(0.5, 89.0))
    def test_fills_what_is_below_it(self, azimuth_deg, elevation_deg):
        [mask_deg] = SITE.mask_at_deg(np.array([azimuth_deg]))
        path = sky_drawing.mask_path(SITE).replace(",", " ")
        if abs(elevation_deg - mask_deg) > 0.3:
            place = sky_drawing.place_on_sky(azimuth_deg, elevation_deg)
            assert is_inside(path, *place) == (elevation_deg < mask_deg)


class TestSkyPlot:
    def test_leads_from_the_mask_over_the_highest_point_to_the_mask(self, contact, window):
        plot = sky.sky_plot(contact)
        marks = {mark.name: mark for mark in plot.marks}
        assert list(marks) == ["AOS", "TCA", "LOS"]
        assert marks["AOS"].azimuth_deg == pytest.approx(window.aos_azimuth_deg, abs=0.01)
        assert marks["LOS"].azimuth_deg == pytest.approx(window.los_azimuth_deg, abs=0.01)
        nearest = min(math.hypot(x, y) for piece in plot.track for x, y in points_of(piece))
        assert nearest == pytest.approx(100 * (1 - window.max_elevation_deg / 90), abs=0.2)
        track = [point for piece in plot.track for point in points_of(piece)]
        assert track[0] == pytest.approx((marks["AOS"].x, marks["AOS"].y), abs=0.01)
        assert track[-1] == pytest.approx((marks["LOS"].x, marks["LOS"].y), abs=0.01)

    def test_has_a_tick_at_every_whole_minute(self, contact, window):
        ticks = sky.sky_plot(contact).ticks
        assert len(ticks) == math.floor(window.los.timestamp() / 60) - math.floor(
            window.aos.timestamp() / 60
        )
        shown = [tick for tick in ticks if tick.label]
        assert shown
        for one, other in pairwise(shown):
            assert math.dist((one.x, one.y), (other.x, other.y)) > 8

    def test_lists_events_and_whole_steps_in_order(self, contact, window):
        rows = sky.sky_plot(contact, asked_step_s=60).rows
        assert [row.event for row in rows if row.event] == ["AOS", "TCA", "LOS"]
        assert [row.at for row in rows] == sorted(row.at for row in rows)
        assert all(row.at.second == 0 for row in rows if not row.event)
        assert rows[0].elevation_deg == pytest.approx(
            float(SITE.mask_at_deg(rows[0].azimuth_deg)), abs=0.01
        )
        approach, departure = rows[0].range_rate_km_s, rows[-1].range_rate_km_s
        assert approach < 0 < departure

    def test_tells_the_shift_where_the_carriers_are_known(self, contact, monkeypatch):
        assert sky.sky_plot(contact).rows[0].downlink_shift_khz is None
        monkeypatch.setattr(
            sky, "carriers_of", lambda _craft: Carriers(downlink_hz=8.2e9, uplink_hz=None)
        )
        row = sky.sky_plot(contact).rows[0]
        assert row.downlink_shift_khz == pytest.approx(
            -row.range_rate_km_s / 299_792.458 * 8.2e6, rel=1e-6
        )
        assert row.uplink_shift_khz is None

    def test_draws_the_shadow_apart(self, contact):
        [first, *_] = eclipse_intervals(NOON, start=START, end=START + timedelta(hours=3))
        contact.aos, contact.los = (first.entry + timedelta(minutes=part) for part in (-5, 5))
        contact.tca = first.entry
        plot = sky.sky_plot(contact, asked_step_s=5)
        assert [piece.light for piece in plot.track] == ["sunlight", "penumbra", "umbra"]
        for row in plot.rows:
            assert (row.light == "sunlight") == (row.at <= first.entry)

    def test_shows_the_sun_by_day_only(self, contact, windows):
        shown = []
        for one in windows:
            contact.aos, contact.tca, contact.los = one.aos, one.tca, one.los
            sun = sky.sky_plot(contact).sun
            below_sun = subsolar_point(one.tca)
            here, there = np.radians([SITE.latitude_deg, below_sun.latitude_deg])
            turn = np.radians(SITE.longitude_deg - below_sun.longitude_deg)
            sine = np.sin(here) * np.sin(there) + np.cos(here) * np.cos(there) * np.cos(turn)
            assert (sun is not None) == (sine > 0.0)
            shown.append(sun is not None)
            if sun is not None:
                assert sun.elevation_deg == pytest.approx(np.degrees(np.arcsin(sine)), abs=0.05)
        assert True in shown
        assert False in shown

    def test_says_why_there_is_none(self, contact, monkeypatch):
        monkeypatch.setattr(sky.fleet, "ephemeris_in_force", lambda _craft, _at: None)
        assert sky.sky_plot(contact) == ("No ephemeris of NOON-1 is in force at AOS. Load one.")
        falling = replace(NOON, mean_motion_rev_per_day=16.3, bstar_per_earth_radius=0.1)
        monkeypatch.setattr(sky.fleet, "ephemeris_in_force", lambda _craft, _at: "any")
        monkeypatch.setattr(sky.fleet, "trajectory", lambda _ephemeris: falling)
        contact.aos += timedelta(days=30)
        contact.los += timedelta(days=30)
        assert "SGP4 gives no position of NOON-1" in sky.sky_plot(contact)


class TestSteps:
    @given(seconds=st.floats(1.0, 10 * 86400.0))
    def test_keep_the_table_short(self, seconds):
        length = timedelta(seconds=seconds)
        offered = look_angle_table.steps_offered(length)
        assert offered
        assert all(seconds / step <= 300 for step in offered)
        assert look_angle_table.usual_step(length) <= 3600

    @pytest.mark.parametrize(
        ("seconds", "label"), [(5, "5 s"), (60, "1 min"), (300, "5 min"), (3600, "1 h")]
    )
    def test_have_names(self, seconds, label):
        assert look_angle_table.table_step(seconds).label == label

    def test_that_are_not_offered_are_not_taken(self, contact):
        assert sky.sky_plot(contact, asked_step_s=7).step == sky.sky_plot(contact).step
