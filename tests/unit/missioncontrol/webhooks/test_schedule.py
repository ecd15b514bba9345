from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.webhooks.schedule import (
    DELAYS_S,
    JITTER,
    LONGEST_RETRY_AFTER_S,
    MAX_ATTEMPTS,
    delay_s,
    read_retry_after,
    rest_s,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CHANCES = st.floats(0, 1)


class TestDelay:
    def test_begins_as_the_standard_recommends(self):
        """The table "Example retry schedule": 5 s, 5 min, 30 min, 2 h, 5 h."""
        begin = [delay_s(attempts, chance=0, retry_after_s=None) for attempts in range(1, 6)]
        assert begin == [5, 300, 1800, 7200, 18000]

    def test_gives_up_after_about_a_day(self):
        waits = [
            delay_s(attempts, chance=0, retry_after_s=None) for attempts in range(1, MAX_ATTEMPTS)
        ]
        assert timedelta(hours=23) < timedelta(seconds=sum(waits)) < timedelta(hours=25)
        assert delay_s(MAX_ATTEMPTS, chance=0, retry_after_s=None) is None

    @given(st.integers(1, MAX_ATTEMPTS - 1), CHANCES)
    def test_is_spread_but_never_shorter_than_the_table(self, attempts, chance):
        waited = delay_s(attempts, chance=chance, retry_after_s=None)
        assert DELAYS_S[attempts - 1] <= waited <= DELAYS_S[attempts - 1] * (1 + JITTER)

    @given(st.integers(1, MAX_ATTEMPTS - 1), CHANCES, st.floats(0, 1e9))
    def test_is_as_long_as_the_endpoint_asks_within_reason(self, attempts, chance, asked):
        waited = delay_s(attempts, chance=chance, retry_after_s=asked)
        assert waited >= min(asked, LONGEST_RETRY_AFTER_S)
        assert waited <= max(DELAYS_S[-1] * (1 + JITTER), LONGEST_RETRY_AFTER_S)


class TestRest:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_is_given_to_who_is_overloaded(self, status):
        assert rest_s(status, retry_after_s=None) == 30
        assert rest_s(status, retry_after_s=7) == 7
        assert rest_s(status, retry_after_s=0) == 0
        assert rest_s(status, retry_after_s=1e9) == 3600

    @pytest.mark.parametrize("status", [None, 400, 404, 500])
    def test_is_given_to_nobody_else(self, status):
        assert rest_s(status, retry_after_s=60) is None


class TestRetryAfter:
    @given(st.integers(0, 999_999_999))
    def test_is_read_as_seconds(self, seconds):
        assert read_retry_after(str(seconds), now=NOW) == seconds

    @given(st.integers(-10_000, 10_000))
    def test_is_read_as_a_date(self, seconds):
        at = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
        assert read_retry_after(at, now=NOW) == max(0, seconds)

    @given(st.text(max_size=30))
    def test_never_raises_on_what_an_endpoint_writes(self, value):
        found = read_retry_after(value, now=NOW)
        assert found is None or found >= 0

    @pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "9" * 12])
    def test_that_says_nothing_usable_is_none(self, value):
        assert read_retry_after(value, now=NOW) is None
