"""Contacts as an iCalendar feed.

An event keeps its UID for ever. A reader replaces what it has by an event of the same
UID and a higher SEQUENCE; a contact that will not take place stays in the feed as
CANCELLED, or readers would keep it.

Source: RFC 5545, sections 3.1 (folding), 3.3.11 (escaping), 3.6.1 and 3.8; RFC 7986 for
NAME and REFRESH-INTERVAL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_LINE_OCTETS: Final = 75
_PRODUCT: Final = "-//orbital-mission-control//contacts//EN"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """One contact in a feed. ``sequence`` grows with each change of time or status."""

    uid: str
    sequence: int
    begins: datetime
    ends: datetime
    changed: datetime
    summary: str
    description: str = ""
    location: str = ""
    categories: tuple[str, ...] = ()
    cancelled: bool = False


def write_calendar(name: str, events: Iterable[CalendarEvent], *, refresh_s: int = 900) -> str:
    """Return a feed, with the line ends that the RFC wants.

    Args:
        name: Shown by readers.
        events: In the order in which they are written.
        refresh_s: How often a reader should ask again.

    Raises:
        ValueError: A UID twice, a time without a zone, or an event that ends before it begins.
    """
    events = list(events)
    _check(events)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:PT{refresh_s}S",
    ]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _check(events: list[CalendarEvent]) -> None:
    seen: set[str] = set()
    for event in events:
        if event.uid in seen:
            raise ValueError(f"Two events have the UID {event.uid}; give each its own.")
        seen.add(event.uid)
        if None in (event.begins.tzinfo, event.ends.tzinfo, event.changed.tzinfo):
            raise ValueError(f"Event {event.uid} has a time without a zone; give UTC.")
        if event.ends <= event.begins:
            raise ValueError(
                f"Event {event.uid} ends at {event.ends.isoformat()}, "
                f"not after its begin {event.begins.isoformat()}."
            )


def _event(event: CalendarEvent) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"DTSTAMP:{_time(event.changed)}"
    yield f"LAST-MODIFIED:{_time(event.changed)}"
    yield f"DTSTART:{_time(event.begins)}"
    yield f"DTEND:{_time(event.ends)}"
    yield f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}"
    yield f"SUMMARY:{_text(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{_text(event.description)}"
    if event.location:
        yield f"LOCATION:{_text(event.location)}"
    if event.categories:
        yield f"CATEGORIES:{','.join(map(_text, event.categories))}"
    yield "END:VEVENT"


def _time(at: datetime) -> str:
    """Return UTC with whole seconds: the format has no fractions (3.3.5)."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    # Other control characters have no place in the format (3.1).
    return "".join(sign for sign in escaped if (sign >= " " and sign != "\x7f") or sign == "\t")


def _folded(line: str) -> str:
    """Fold at 75 octets, never within a character of UTF-8."""
    parts, octets = [""], 0
    for sign in line:
        size = len(sign.encode())
        if octets + size > _LINE_OCTETS:
            parts.append("")
            octets = 1  # the space that begins a continuation
        parts[-1] += sign
        octets += size
    return "\r\n ".join(parts)
