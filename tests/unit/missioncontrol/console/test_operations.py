from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.console.templatetags import operations
from missioncontrol.pipelines.models import StepState
from missioncontrol.reservations.models import Reservation
from missioncontrol.scheduling.models import Contact
from missioncontrol.supervision.children import ChildState
from telemetry.limits.states import DisplayStatus
from uplink.commanding.models import Telecommand

AT = datetime(2026, 12, 1, 0, 12, 34, 567_000, tzinfo=UTC)


def drawn(source: str, **context: object) -> str:
    return Template("{% load operations %}" + source).render(Context(context))


class TestStatusOf:
    @pytest.mark.parametrize(
        "state",
        [
            *Contact.State,
            *Reservation.State,
            *Telecommand.State,
            *StepState,
            *ChildState,
            *DisplayStatus,
        ],
        ids=lambda state: f"{type(state).__name__}.{state.name}",
    )
    def test_knows_every_state_of_the_models(self, state):
        word = state.value.upper()
        listed = word in operations._STATUS_OF_STATE
        assert listed or state.value in operations.STATUSES, f"{state!r} has no status"

    @pytest.mark.parametrize("state", ["CANCELLED", "REJECTED", "STOPPED"])
    def test_never_draws_red_what_was_ended_on_purpose(self, state):
        assert operations.status_of(state) == "off"

    def test_calls_attention_to_a_state_that_nobody_listed(self):
        assert operations.status_of("FROBNICATED") == "caution"


class TestStatusTag:
    def test_draws_shape_colour_and_word(self):
        html = drawn("{% status state %}", state="NOT_ACCEPTED")
        assert 'data-status="serious"' in html
        assert "icons.svg#status-serious" in html
        assert "not accepted" in html

    def test_escapes_what_it_is_given(self):
        assert "<b>" not in drawn("{% status state %}", state="<b>")


class TestUtc:
    @pytest.mark.parametrize(
        ("style", "text"),
        [("full", "2026-12-01 00:12:34Z"), ("minute", "12-01 00:12Z"), ("clock", "00:12:34Z")],
    )
    def test_writes_utc_whatever_zone_the_instant_came_in(self, style, text):
        elsewhere = AT.astimezone(timezone(timedelta(hours=8)))
        html = drawn("{% utc at style %}", at=elsewhere, style=style)
        assert html == f'<time datetime="2026-12-01T00:12:34.567Z">{text}</time>'

    def test_writes_a_dash_where_there_is_no_instant(self):
        assert "—" in drawn("{% utc at %}", at=None)


class TestSigned:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (-754, "T-00:12:34"),
            (-0.5, "T-00:00:01"),
            (0, "T+00:00:00"),
            (5, "T+00:00:05"),
            (100 * 3600, "T+100:00:00"),
        ],
    )
    def test_counts_down_to_the_event_and_up_from_it(self, seconds, text):
        assert operations.signed(timedelta(seconds=seconds)) == text

    @given(st.integers(min_value=-(10**7), max_value=10**7))
    def test_loses_no_second(self, seconds):
        text = operations.signed(timedelta(seconds=seconds))
        hours, minutes, rest = (int(part) for part in text[2:].split(":"))
        assert (hours * 60 + minutes) * 60 + rest == abs(seconds)
        assert text.startswith("T-") == (seconds < 0)


class TestDuration:
    @pytest.mark.parametrize(
        ("length", "text"),
        [
            (None, "—"),
            (0.4, "0.4 s"),
            (timedelta(seconds=59), "59 s"),
            (492, "8 min 12 s"),
            (3599.7, "1 h 00 min"),
            (90_000, "1 d 01 h"),
        ],
    )
    def test_uses_two_units_at_most(self, length, text):
        assert operations.duration(length) == text


class TestOctets:
    @pytest.mark.parametrize(
        ("count", "text"),
        [
            (None, "—"),
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_300_000, "1.2 MiB"),
            (2**50, "1024.0 TiB"),
        ],
    )
    def test_uses_binary_units(self, count, text):
        assert operations.octets(count) == text


class TestShortDigest:
    def test_keeps_both_ends(self):
        assert operations.short_digest("0123456789abcdef" * 4) == "01234567…abcdef"

    def test_leaves_a_short_one_whole(self):
        assert operations.short_digest("0123456789abcdef") == "0123456789abcdef"
