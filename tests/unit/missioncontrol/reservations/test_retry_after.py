"""How long a provider asks to be left alone."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.reservations.providers.retry_after import LONGEST_S, retry_after_s

SENT = "Tue, 01 Dec 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("86400", 3600.0),
        ("Tue, 01 Dec 2026 12:02:00 GMT", 120.0),
        ("Tuesday, 01-Dec-26 12:02:00 GMT", 120.0),  # RFC 850, which is to be read too
        ("Wed, 02 Dec 2026 12:00:00 GMT", 3600.0),
        ("Tue, 01 Dec 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("\u0663", None),  # a digit, but none of ASCII
        ("9" * 13, None),
        ("soon", None),
        ("", None),
    ],
)
def test_is_read_as_seconds_and_as_a_date(said, seconds):
    assert retry_after_s({"Retry-After": said, "Date": SENT}) == seconds


def test_as_a_date_says_nothing_without_the_date_of_the_answer():
    assert retry_after_s({"Retry-After": "Tue, 01 Dec 2026 12:02:00 GMT"}) is None


def test_is_found_however_its_name_is_written():
    assert retry_after_s(httpx.Headers({"retry-after": "7"})) == 7


@given(said=st.text(max_size=40), sent=st.text(max_size=40) | st.just(SENT))
def test_is_never_too_long_and_never_an_error(said, sent):
    found = retry_after_s({"Retry-After": said, "Date": sent})
    assert found is None or 0 <= found <= LONGEST_S
