from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sgp4.api import Satrec

from missioncontrol.orbits.elements import ElementsError, MeanElements, StaleElementsError
from missioncontrol.orbits.omm import elements_from_omm
from missioncontrol.orbits.tle import elements_from_tle

LINE1 = "1 25544U 98067A   26223.14934248  .00003640  00000+0  73197-4 0  9993"
LINE2 = "2 25544  51.6325  28.0815 0007436  34.6982 325.4490 15.49408704580271"

OMM = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2026-08-11T03:35:03.190272",
    "MEAN_MOTION": 15.49408704,
    "ECCENTRICITY": 0.0007436,
    "INCLINATION": 51.6325,
    "RA_OF_ASC_NODE": 28.0815,
    "ARG_OF_PERICENTER": 34.6982,
    "MEAN_ANOMALY": 325.449,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 25544,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 58027,
    "BSTAR": 7.3197e-5,
    "MEAN_MOTION_DOT": 3.64e-5,
    "MEAN_MOTION_DDOT": 0,
}

KVN = """\
CCSDS_OMM_VERS = 3.0
CREATION_DATE = 2026-08-11T06:00:00
ORIGINATOR = FLIGHT DYNAMICS

OBJECT_NAME = ISS (ZARYA)
OBJECT_ID = 1998-067A
CENTER_NAME = EARTH
REF_FRAME = TEME
TIME_SYSTEM = UTC
MEAN_ELEMENT_THEORY = SGP4
COMMENT determined from three days of tracking = good
EPOCH = 2026-08-11T03:35:03.190272
MEAN_MOTION = 15.49408704 [rev/day]
ECCENTRICITY = 0.0007436
INCLINATION = 51.6325 [deg]
RA_OF_ASC_NODE = 28.0815 [deg]
ARG_OF_PERICENTER = 34.6982 [deg]
MEAN_ANOMALY = 325.4490 [deg]
EPHEMERIS_TYPE = 0
CLASSIFICATION_TYPE = U
NORAD_CAT_ID = 25544
ELEMENT_SET_NO = 999
REV_AT_EPOCH = 58027
BSTAR = 0.000073197 [1/ER]
MEAN_MOTION_DOT = 0.00003640 [rev/day**2]
MEAN_MOTION_DDOT = 0 [rev/day**3]
"""


def position(elements: MeanElements) -> np.ndarray:
    code, position_km, _ = elements.satrec().sgp4(2461264.5, 0.25)
    assert code == 0
    return np.array(position_km)


def with_checksum(line: str) -> str:
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
    return line[:68] + str(total % 10)


class TestTle:
    def test_reads_every_field(self):
        elements = elements_from_tle("ISS (ZARYA)", LINE1, LINE2)
        assert elements == MeanElements(
            name="ISS (ZARYA)",
            catalogue_number=25544,
            object_id="1998-067A",
            epoch=datetime(2026, 8, 11, 3, 35, 3, 190272, tzinfo=UTC),
            mean_motion_rev_per_day=15.49408704,
            eccentricity=0.0007436,
            inclination_deg=51.6325,
            raan_deg=28.0815,
            argument_of_perigee_deg=34.6982,
            mean_anomaly_deg=325.449,
            bstar_per_earth_radius=0.73197e-4,
            mean_motion_dot_rev_per_day2=0.0000364,
            element_set_number=999,
            revolution_at_epoch=58027,
        )

    def test_propagates_as_the_sgp4_package_reads_it(self, reference):
        for elements in reference.elements.values():
            line1, line2 = elements.tle_lines()
            code, expected_km, _ = Satrec.twoline2rv(line1, line2).sgp4(2461264.5, 0.25)
            assert code == 0
            np.testing.assert_allclose(position(elements), expected_km, atol=1e-6)

    def test_writes_what_it_read(self):
        line1, line2 = elements_from_tle("ISS", LINE1, LINE2).tle_lines()
        assert line2 == LINE2
        # A zero may be written with either sign of its exponent.
        assert line1[:44] == LINE1[:44]
        assert elements_from_tle("ISS", line1, line2) == elements_from_tle("ISS", LINE1, LINE2)

    @pytest.mark.parametrize("column", [n for n in range(69) if LINE1[n].isdigit()])
    def test_refuses_a_digit_that_changed(self, column):
        digit = str((int(LINE1[column]) + 1) % 10)
        with pytest.raises(ElementsError):
            elements_from_tle("ISS", LINE1[:column] + digit + LINE1[column + 1 :], LINE2)

    def test_says_which_checksum_is_wrong(self):
        with pytest.raises(
            ElementsError,
            match="line 2 of ISS ends with checksum '2', but its characters sum to 1",
        ):
            elements_from_tle("ISS", LINE1, LINE2[:-1] + "2")

    @pytest.mark.parametrize(
        ("line1", "line2", "message"),
        [
            (LINE1[:-1], LINE2, "line 1 of ISS has 68 characters"),
            (LINE1, LINE1, "line 2 of ISS begins with '1 '"),
            (LINE1, with_checksum(LINE2.replace("25544", "25545")), "different objects"),
            (
                with_checksum(LINE1.replace("26223.14934248", "26223x14934248")),
                LINE2,
                r"columns 19-32: '26223x14934248' is no epoch",
            ),
            (
                with_checksum(LINE1.replace("26223", "26399")),
                LINE2,
                "columns 19-32: '26399.14934248' is no epoch",
            ),
            (LINE1, with_checksum(LINE2.replace("0007436", "00x7436")), "no eccentricity"),
            (LINE1, with_checksum(LINE2.replace(" 51.6325", "251.6325")), "0 to 180"),
            (LINE1, with_checksum(LINE2.replace("15.49408704", " 0.00000000")), "mean motion"),
            (LINE1.replace("U", "Ü"), LINE2, "ASCII"),
        ],
    )
    def test_says_what_is_wrong(self, line1, line2, message):
        with pytest.raises(ElementsError, match=message):
            elements_from_tle("ISS", line1, line2)

    def test_reads_catalogue_numbers_in_alpha_5(self):
        line1 = with_checksum(LINE1.replace("25544", "T0001"))
        line2 = with_checksum(LINE2.replace("25544", "T0001"))
        elements = elements_from_tle("NEW", line1, line2)
        assert elements.catalogue_number == 270001
        assert elements.tle_lines()[1] == line2

    def test_trailing_white_space_does_not_matter(self):
        assert elements_from_tle("ISS", LINE1 + " \r\n", LINE2 + "\n") == elements_from_tle(
            "ISS", LINE1, LINE2
        )

    def test_an_epoch_of_the_last_century_is_read(self):
        line1 = with_checksum(LINE1.replace("26223", "99365"))
        assert elements_from_tle("OLD", line1, LINE2).epoch.date().isoformat() == "1999-12-31"


class TestOmm:
    @pytest.mark.parametrize("document", [OMM, json.dumps(OMM), json.dumps([OMM]), KVN])
    def test_says_the_same_as_the_tle(self, document):
        assert elements_from_omm(document) == elements_from_tle("ISS (ZARYA)", LINE1, LINE2)

    def test_numbers_may_be_strings(self):
        as_text = {key: str(value) for key, value in OMM.items()}
        assert elements_from_omm(as_text) == elements_from_omm(OMM)

    @pytest.mark.parametrize("number", [100_000, 339_999, 340_000, 799_501_234])
    def test_catalogue_numbers_beyond_five_digits_propagate(self, number):
        elements = elements_from_omm({**OMM, "NORAD_CAT_ID": number})
        assert elements.catalogue_number == number
        np.testing.assert_allclose(position(elements), position(elements_from_omm(OMM)))

    def test_a_number_too_large_for_a_tle_says_so(self):
        with pytest.raises(ElementsError, match=r"340000 .* the limit is 339999"):
            elements_from_omm({**OMM, "NORAD_CAT_ID": 340_000}).tle_lines()

    def test_an_epoch_by_day_of_year_is_read(self):
        assert (
            elements_from_omm({**OMM, "EPOCH": "2026-223T03:35:03.190272Z"}).epoch
            == elements_from_omm(OMM).epoch
        )

    @pytest.mark.parametrize("keyword", ["EPOCH", "MEAN_MOTION", "ECCENTRICITY", "MEAN_ANOMALY"])
    def test_says_which_keyword_is_missing(self, keyword):
        short = {key: value for key, value in OMM.items() if key != keyword}
        with pytest.raises(ElementsError, match=f"keyword {keyword} is missing"):
            elements_from_omm(short)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"MEAN_ELEMENT_THEORY": "SGP4-XP"}, "MEAN_ELEMENT_THEORY is 'SGP4-XP'; only SGP4"),
            ({"REF_FRAME": "ICRF"}, "only TEME"),
            ({"TIME_SYSTEM": "GPS"}, "only UTC"),
            ({"CENTER_NAME": "MOON"}, "only EARTH"),
            ({"ECCENTRICITY": "round"}, "ECCENTRICITY = 'round' cannot be read"),
            ({"ECCENTRICITY": 1.0}, "eccentricity of ISS .* is 1.0; it must lie in"),
            ({"MEAN_MOTION": "nan"}, "mean motion"),
            ({"EPOCH": "2026-08-11T03:35:03+08:00"}, "EPOCH = .* cannot be read"),
        ],
    )
    def test_says_what_cannot_be_used(self, changes, message):
        with pytest.raises(ElementsError, match=message):
            elements_from_omm({**OMM, **changes})

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "is no JSON"),
            ("[1]", "not an object"),
            (json.dumps([OMM, OMM]), "holds 2 sets"),
            ("OBJECT_NAME ISS", "line 1: 'OBJECT_NAME ISS' is not 'keyword = value'"),
        ],
    )
    def test_says_what_is_no_omm(self, text, message):
        with pytest.raises(ElementsError, match=message):
            elements_from_omm(text)


class TestAge:
    ELEMENTS = elements_from_tle("ISS", LINE1, LINE2)

    def check(self, start: timedelta, end: timedelta) -> None:
        epoch = self.ELEMENTS.epoch
        self.ELEMENTS.check_age(start=epoch + start, end=epoch + end, limit=timedelta(days=14))

    @given(st.floats(-14.0, 13.9), st.floats(0.0, 1.0))
    def test_accepts_an_interval_within_the_limit(self, first, part):
        start = timedelta(days=first)
        self.check(start, start + part * (timedelta(days=14) - start))

    def test_names_days_and_limit_of_old_elements(self):
        with pytest.raises(StaleElementsError) as caught:
            self.check(timedelta(days=18), timedelta(days=19))
        assert str(caught.value) == (
            "Orbital elements of ISS date from 2026-08-11 03:35Z, 19 days before the end "
            "of the interval; the limit is 14 days. Load newer elements."
        )
        assert caught.value.name == "ISS"

    def test_refuses_an_interval_long_before_the_epoch(self):
        with pytest.raises(StaleElementsError, match=r"20\.5 days after the start .* that time"):
            self.check(timedelta(days=-20.5), timedelta(days=-20))

    def test_an_epoch_without_a_zone_is_refused(self):
        with pytest.raises(ElementsError, match="no time zone"):
            replace(self.ELEMENTS, epoch=datetime(2026, 8, 11))  # noqa: DTZ001
