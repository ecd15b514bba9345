from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.scheduling.interchange.icalendar import CalendarEvent, write_calendar

EVENT = CalendarEvent(
    uid="contact-17@ground.example",
    sequence=2,
    begins=datetime(2026, 12, 1, 10, 0, 0, 700_000, tzinfo=UTC),
    ends=datetime(2026, 12, 1, 10, 9, tzinfo=UTC),
    changed=datetime(2026, 11, 30, 8, tzinfo=UTC),
    summary="DD-1 over KIRUNA-1",
    description="DATA; 540 s, for alpha\nhttps://ground.example/contacts/17",
    location="KIRUNA",
    categories=("DATA", "a,b"),
)


def unfolded(feed):
    return feed.replace("\r\n ", "").split("\r\n")


def unescaped(value):
    return re.sub(r"\\([\\;,nN])", lambda found: "\n" if found[1] in "nN" else found[1], value)


class TestWriteCalendar:
    def test_writes_one_event_as_the_rfc_has_it(self):
        assert write_calendar("alpha", [EVENT]) == (
            "BEGIN:VCALENDAR\r\n"
            "VERSION:2.0\r\n"
            "PRODID:-//orbital-mission-control//contacts//EN\r\n"
            "CALSCALE:GREGORIAN\r\n"
            "METHOD:PUBLISH\r\n"
            "NAME:alpha\r\n"
            "X-WR-CALNAME:alpha\r\n"
            "REFRESH-INTERVAL;VALUE=DURATION:PT900S\r\n"
            "BEGIN:VEVENT\r\n"
            "UID:contact-17@ground.example\r\n"
            "SEQUENCE:2\r\n"
            "DTSTAMP:20261130T080000Z\r\n"
            "LAST-MODIFIED:20261130T080000Z\r\n"
            "DTSTART:20261201T100000Z\r\n"
            "DTEND:20261201T100900Z\r\n"
            "STATUS:CONFIRMED\r\n"
            "SUMMARY:DD-1 over KIRUNA-1\r\n"
            "DESCRIPTION:DATA\\; 540 s\\, for alpha\\nhttps://ground.example/contacts/17\r\n"
            "LOCATION:KIRUNA\r\n"
            "CATEGORIES:DATA,a\\,b\r\n"
            "END:VEVENT\r\n"
            "END:VCALENDAR\r\n"
        )

    def test_keeps_a_cancelled_event_in_the_feed(self):
        lines = unfolded(write_calendar("alpha", [replace(EVENT, sequence=3, cancelled=True)]))
        assert {"UID:contact-17@ground.example", "SEQUENCE:3", "STATUS:CANCELLED"} <= set(lines)

    def test_writes_utc_whatever_the_zone(self):
        east = timezone(timedelta(hours=8))
        event = replace(EVENT, begins=EVENT.begins.astimezone(east), ends=EVENT.ends)
        assert "DTSTART:20261201T100000Z" in unfolded(write_calendar("alpha", [event]))

    @given(text=st.text(min_size=1, max_size=200))
    def test_folds_at_75_octets_and_loses_nothing(self, text):
        feed = write_calendar("alpha", [replace(EVENT, summary=text)])
        for line in feed.removesuffix("\r\n").split("\r\n"):
            assert len(line.encode("utf-8", "surrogatepass")) <= 75
        [summary] = [line for line in unfolded(feed) if line.startswith("SUMMARY:")]
        kept = text.replace("\r\n", "\n").replace("\r", "\n")
        kept = "".join(sign for sign in kept if (sign >= " " and sign != "\x7f") or sign in "\t\n")
        assert unescaped(summary.removeprefix("SUMMARY:")) == kept

    @pytest.mark.parametrize(
        ("events", "message"),
        [
            ([EVENT, EVENT], "Two events have the UID contact-17@ground.example"),
            ([replace(EVENT, ends=EVENT.begins)], "not after its begin"),
            ([replace(EVENT, changed=datetime(2026, 12, 1))], "without a zone"),  # noqa: DTZ001
        ],
    )
    def test_refuses(self, events, message):
        with pytest.raises(ValueError, match=message):
            write_calendar("alpha", events)
