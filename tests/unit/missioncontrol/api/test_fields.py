from __future__ import annotations

import base64
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.api.fields import (
    decode_base64,
    finite,
    parse_asked_instant,
    parse_instant,
    utc_text,
)
from missioncontrol.api.paging import row_cursor
from missioncontrol.api.problems import InvalidInputError, shown

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Not the first and the last day that there are: those may leave the calendar in UTC.
INSTANTS = st.datetimes(timezones=ZONES).filter(lambda instant: 1 < instant.year < 9999)


class TestTimes:
    @given(INSTANTS)
    def test_what_is_written_reads_back_to_the_microsecond(self, instant):
        text = utc_text(instant)
        assert text.endswith("Z")
        assert parse_instant(text) == instant
        assert parse_instant(text).tzinfo is UTC

    @given(INSTANTS)
    def test_an_offset_is_understood(self, instant):
        assert parse_instant(instant.isoformat()) == instant

    @given(st.datetimes())
    def test_a_time_without_zone_is_refused_with_what_to_give(self, instant):
        with pytest.raises(ValueError, match=f"for UTC give {instant.isoformat()}Z"):
            parse_instant(instant.isoformat())

    @pytest.mark.parametrize(
        "text", ["", "noon", "2026-13-01T00:00:00Z", "1764547200", "0001-01-01T00:00:00+14:00"]
    )
    def test_what_is_no_time_is_refused_with_an_example(self, text):
        with pytest.raises(ValueError, match="ISO 8601 with its zone"):
            parse_instant(text)


class TestAskedTimes:
    @given(INSTANTS)
    def test_lie_where_a_month_can_be_added(self, instant):
        in_utc = instant.astimezone(UTC)
        if 1970 <= in_utc.year <= 9998:
            assert parse_asked_instant(instant.isoformat()) == instant
            _ = in_utc + timedelta(days=31)
        else:
            with pytest.raises(ValueError, match="in the years 1970 to 9998"):
                parse_asked_instant(instant.isoformat())


class TestOctets:
    @given(st.binary())
    def test_base64_reads_back(self, octets):
        assert decode_base64(base64.b64encode(octets).decode()) == octets

    @pytest.mark.parametrize("value", ["a", "ab=", "a b=", "äöüß", 5, None, "YQ==\n"])
    def test_anything_else_is_refused(self, value):
        with pytest.raises(ValueError, match="RFC 4648"):
            decode_base64(value)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (3, 3),
        ("ON", "ON"),
        (None, None),
    ],
)
def test_numbers_that_json_lacks_become_text(value, sent):
    assert finite(value) == sent


class TestRowCursor:
    @given(st.integers(0, 2**63 - 1))
    def test_reads_back(self, key):
        assert row_cursor(str(key)) == key

    @pytest.mark.parametrize("cursor", ["", "x", "-1", str(2**63), "1" * 400, "²", "1 "])
    def test_refuses_what_was_not_given_out(self, cursor):
        with pytest.raises(InvalidInputError, match="'next' of the page before"):
            row_cursor(cursor)


@given(st.recursive(st.none() | st.text() | st.floats(), st.lists))
def test_a_shown_value_is_short(value):
    assert len(shown(value)) < 160
