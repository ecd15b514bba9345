from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missioncontrol.orbits.contact_windows import find_contact_windows
from missioncontrol.orbits.eclipse import eclipse_intervals
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.orbits.oem import ephemeris_from_oem
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.trajectory import PropagationError
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of, xml

START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SITES = [
    Site(name="SVALBARD", latitude_deg=78.2297, longitude_deg=15.3975, height_m=500.0),
    Site(name="LA-PAZ", latitude_deg=-16.5, longitude_deg=-68.15, height_m=3650.0),
    Site(
        name="VALLEY",
        latitude_deg=47.88,
        longitude_deg=11.08,
        height_m=605.0,
        horizon_mask=((0.0, 3.0), (90.0, 12.0), (200.0, 8.0)),
    ),
]


def find(trajectory, start=START, end=START + DAY):
    return find_contact_windows(elements=[trajectory], sites=SITES, start=start, end=end)


def assert_same_windows(ours, expected, *, within_s):
    assert len(ours) == len(expected) > 10
    np.testing.assert_array_equal(ours.site_index, expected.site_index)
    for column in ("aos_s", "tca_s", "los_s"):
        np.testing.assert_allclose(getattr(ours, column), getattr(expected, column), atol=within_s)
    np.testing.assert_allclose(ours.max_elevation_deg, expected.max_elevation_deg, atol=1e-4)
    np.testing.assert_array_equal(ours.clipped_start, expected.clipped_start)
    np.testing.assert_array_equal(ours.clipped_end, expected.clipped_end)


@pytest.fixture(scope="module")
def expected(sentinel):
    return find(sentinel)


@pytest.fixture(scope="module")
def table(sentinel):
    return table_of(sentinel, START, START + DAY)


class TestWindows:
    @pytest.mark.parametrize("write", [kvn, xml])
    @pytest.mark.parametrize("frame", ["EME2000", "ICRF", "ITRF2000"])
    def test_of_an_ephemeris_are_those_of_the_orbit_it_was_made_from(
        self, sentinel, expected, write, frame
    ):
        table = table_of(sentinel, START, START + DAY, frame=frame)
        windows = find(ephemeris_from_oem(write(table)))
        assert windows.refused == []
        assert_same_windows(windows, expected, within_s=0.001)

    @pytest.mark.parametrize("system", ["TAI", "GPS", "TT"])
    def test_do_not_depend_on_the_clock_of_the_message(self, sentinel, expected, system):
        table = table_of(sentinel, START, START + DAY, system=system)
        assert_same_windows(find(ephemeris_from_oem(kvn(table))), expected, within_s=0.001)

    def test_are_those_of_lagrange_too(self, sentinel, expected):
        table = table_of(sentinel, START, START + DAY, interpolation="LAGRANGE", degree=9)
        assert_same_windows(find(ephemeris_from_oem(kvn(table))), expected, within_s=0.001)

    def test_end_with_the_ephemeris_and_the_rest_is_refused(self, sentinel, expected):
        cut = START + timedelta(seconds=float(expected.aos_s[3]) + 60.0)
        table = table_of(sentinel, START, cut, step_s=20.0)
        windows = find(ephemeris_from_oem(kvn(table)))
        [refusal] = windows.refused
        assert "not all of 2026-08-12 00:00:00Z to 2026-08-13 00:00:00Z" in refusal.reason
        assert "Load one that covers it" in refusal.reason
        last = max(windows, key=lambda one: one.los)
        assert last.clipped_end
        assert abs(last.los - cut) < timedelta(seconds=20)
        svalbard = [one for one in windows if one.site == "SVALBARD"]
        assert len(svalbard) == 4

    def test_do_not_break_where_two_segments_meet(self, sentinel, expected):
        """The seam lies within a pass."""
        seam = START + timedelta(seconds=10 * round(float(expected.tca_s[2]) / 10))
        overlap = timedelta(minutes=10)
        tables = [
            table_of(sentinel, START, seam + overlap, step_s=10.0),
            table_of(sentinel, seam, START + DAY, step_s=10.0),
        ]
        text = kvn(*tables)
        first = text.index("INTERPOLATION =")
        usable = f"USEABLE_STOP_TIME = {seam:%Y-%m-%dT%H:%M:%S}\n"
        windows = find(ephemeris_from_oem(text[:first] + usable + text[first:]))
        assert windows.refused == []
        assert_same_windows(windows, expected, within_s=0.001)

    def test_of_a_fleet_stand_in_its_order(self, sentinel, iss, table):
        fleet = [iss, ephemeris_from_oem(kvn(table)), sentinel]
        windows = find_contact_windows(elements=fleet, sites=SITES, start=START, end=START + DAY)
        assert windows.satellites == ("ISS (ZARYA)", "SENTINEL-2A", "SENTINEL-2A")
        assert (np.diff(windows.satellite_index) >= 0).all()
        second, third = (windows.aos_s[windows.satellite_index == one] for one in (1, 2))
        np.testing.assert_allclose(second, third, atol=0.001)


class TestEverythingElse:
    def test_look_angles_are_those_of_the_orbit(self, sentinel, table):
        ephemeris = ephemeris_from_oem(kvn(table))
        at = [START + timedelta(seconds=seconds) for seconds in (0.0, 5631.4, 43_211.7, 86_400.0)]
        ours, expected = (look_angles(one, SITES[0], at) for one in (ephemeris, sentinel))
        np.testing.assert_allclose(ours.elevation_deg, expected.elevation_deg, atol=1e-5)
        np.testing.assert_allclose(ours.azimuth_deg, expected.azimuth_deg, atol=1e-5)
        np.testing.assert_allclose(ours.range_rate_m_s, expected.range_rate_m_s, atol=0.05)

    def test_eclipses_are_those_of_the_orbit(self, sentinel, table):
        ours, expected = (
            eclipse_intervals(one, start=START, end=START + DAY)
            for one in (ephemeris_from_oem(kvn(table)), sentinel)
        )
        assert len(ours) == len(expected) > 10
        for one, other in zip(ours, expected, strict=True):
            assert abs(one.entry - other.entry) < timedelta(milliseconds=1)

    def test_outside_the_ephemeris_there_is_no_position(self, table):
        ephemeris = ephemeris_from_oem(kvn(table))
        with pytest.raises(PropagationError, match="does not cover 2026-08-14 00:00:00Z; it cov"):
            look_angles(ephemeris, SITES[0], [START, START + 2 * DAY])

    def test_a_number_as_identifier_is_the_designation_else_the_name(self, table):
        assert ephemeris_from_oem(kvn(table)).designation == "SENTINEL-2A"
        assert ephemeris_from_oem(kvn(table, object_id="40697")).designation == "40697"


class TestRefusals:
    @pytest.mark.parametrize(
        ("written", "instead", "message"),
        [
            ("CENTER_NAME = EARTH", "CENTER_NAME = MARS", "CENTER_NAME is 'MARS'; only EARTH"),
            ("REF_FRAME = EME2000", "REF_FRAME = TOD", "REF_FRAME is 'TOD'; only TEME, ICRF"),
            ("TIME_SYSTEM = UTC", "TIME_SYSTEM = MET", "TIME_SYSTEM is 'MET'; only UTC, TAI"),
            ("TIME_SYSTEM = UTC", "", "the keyword TIME_SYSTEM is missing"),
            ("INTERPOLATION = HERMITE", "INTERPOLATION = SPLINE", "'SPLINE' cannot be read"),
            ("DEGREE = 7", "DEGREE = 0", "INTERPOLATION_DEGREE = '0' cannot be read"),
            ("DEGREE = 7", "DEGREE = 25", "degree 25 needs 13 states; a segment holds 11"),
            ("2026-08-12T00:02:00", "2026-08-12T00:00:30", "state 3: .* not after the state bef"),
            ("2026-08-12T00:02:00", "noon", "state 3: 'noon.000000 .*' cannot be read"),
            ("META_STOP", "META_STOP\n2026-08-11T00:00:00 1 2 3", "holds no position and velo"),
        ],
    )
    def test_a_message_that_cannot_be_used_says_why(self, sentinel, written, instead, message):
        text = kvn(table_of(sentinel, START, START + timedelta(minutes=10)))
        assert written in text
        with pytest.raises(ElementsError, match=message):
            ephemeris_from_oem(text.replace(written, instead))

    def test_segments_that_may_both_be_used_are_refused(self, sentinel):
        table = table_of(sentinel, START, START + timedelta(minutes=10))
        later = replace(table, clock=[one + timedelta(minutes=5) for one in table.clock])
        with pytest.raises(ElementsError, match="USEABLE_START_TIME and USEABLE_STOP_TIME that"):
            ephemeris_from_oem(kvn(table, later))

    def test_a_message_without_a_segment_is_refused(self):
        with pytest.raises(ElementsError, match="holds no segment"):
            ephemeris_from_oem("CCSDS_OEM_VERS = 2.0\nORIGINATOR = FDS\n")

    def test_two_messages_where_one_is_wanted_are_refused(self, table):
        with pytest.raises(ElementsError, match="holds 2 OEMs"):
            ephemeris_from_oem(kvn(table) + kvn(table))

    @pytest.mark.parametrize("text", ["<oem", "<!DOCTYPE a [<!ENTITY b 'c'>]><oem>&b;</oem>"])
    def test_broken_xml_and_one_with_a_document_type_are_refused(self, text):
        with pytest.raises(ElementsError, match=r"is no XML|document type declaration"):
            ephemeris_from_oem(text)
