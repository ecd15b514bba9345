"""How the console writes times, durations, sizes and states.

One place, so that every page says the same thing the same way: UTC with a
``Z``, signed countdowns, binary sizes, and for each state of the product one
of the six statuses that have a colour and a shape.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

Status = Literal["critical", "serious", "caution", "normal", "standby", "off"]

# Worst first: where states merge, the highest severity wins.
STATUSES: Final[tuple[Status, ...]] = (
    "critical",
    "serious",
    "caution",
    "normal",
    "standby",
    "off",
)

# Every state that a page shows, by the word its model uses. "off" is for what
# was ended on purpose: red never means "off".
_STATUS_OF_STATE: Final[dict[str, Status]] = {
    # contacts
    "SCHEDULED": "standby",
    "PREPASS": "standby",
    "PASS": "normal",
    "POSTPASS": "normal",
    "COMPLETED": "normal",
    "DRIFTED": "caution",
    "FAILED": "critical",
    "MISSED": "serious",
    "CANCELLED": "off",
    # reservations at station providers
    "SCHEDULING": "standby",
    "FAILED_TO_SCHEDULE": "serious",
    "CANCELLING": "standby",
    "PROVIDER_CANCELLED": "serious",
    # steps of a pass and what it radiates
    "RUNNING": "normal",
    "DONE": "normal",
    "INTERRUPTED": "caution",
    "INTENDED": "standby",
    "RADIATED": "standby",
    "REFUSED": "serious",
    "NOT_RADIATED": "serious",
    "OPEN": "standby",
    "NOT_ACCEPTED": "serious",
    "UNKNOWN": "caution",
    # entries of the log
    "PENDING": "standby",
    "PUBLISHED": "normal",
    "SETTLED": "normal",
    # webhooks and what is sent to them
    "ENABLED": "normal",
    "PAUSED": "off",
    "FAILING": "caution",
    "DISABLED": "serious",
    "DELIVERED": "normal",
    # contact requests; plans, and what they do to contacts
    "WITHDRAWN": "off",
    "PROPOSED": "caution",
    "SUPERSEDED": "off",
    "ADDED": "standby",
    "MOVED": "caution",
    "TRIMMED": "caution",
    "DROPPED": "serious",
    "REASSIGNED": "off",
    # telecommands
    "SUBMITTED": "caution",
    "APPROVED": "standby",
    "REJECTED": "off",
    "RELEASED": "standby",
    "ACCEPTED": "normal",
    "STARTED": "normal",
    "EXPIRED": "serious",
    # jobs and transfers
    "UPLINKING": "standby",
    "COMMANDED": "standby",
    "DOWNLINKING": "standby",
    "WAITING": "standby",
    "ACTIVE": "normal",
    "SUSPENDED": "caution",
    # supervised processes
    "STARTING": "standby",
    "RESTARTING": "serious",
    "STOPPED": "off",
}

_OCTET_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_UTC_FORMATS: Final = {
    "full": "%Y-%m-%d %H:%M:%SZ",
    "minute": "%m-%d %H:%MZ",
    "clock": "%H:%M:%SZ",
    "day": "%Y-%m-%d",
}


@register.filter
def status_of(state: object) -> Status:
    """Return the status that *state* is drawn with; "caution" for a word nobody listed."""
    word = str(state)
    if word in STATUSES:
        return word
    return _STATUS_OF_STATE.get(word.upper().replace(" ", "_"), "caution")


@register.filter
def words(state: object) -> str:
    """Return a state as a reader says it: ``ON_BOARD`` becomes ``on board``."""
    return str(state).replace("_", " ").lower()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one symbol of the sprite; decoration only, the words stand beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("console/icons.svg"),
        name,
    )


@register.simple_tag
def status(state: object, label: str = "") -> SafeString:
    """Draw *state* as shape, colour and word; *label* replaces the word."""
    drawn = status_of(state)
    return format_html(
        '<span class="status" data-status="{}">{}<span class="status-label">{}</span></span>',
        drawn,
        icon(f"status-{drawn}"),
        label or words(state),
    )


@register.simple_tag
def utc(at: datetime | None, style: str = "full") -> SafeString:
    """Write an instant in UTC: "full", "minute", "clock" or "day"; a dash where there is none.

    Local time is shown by the browser on hover (``clock.js``).
    """
    if at is None:
        return format_html('<span class="none" aria-label="none">{}</span>', "—")
    instant = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>',
        iso(instant),
        instant.strftime(_UTC_FORMATS[style]),
    )


@register.simple_tag
def countdown(at: datetime, now: datetime) -> SafeString:
    """Write the signed time to *at*; the browser goes on counting."""
    return format_html(
        '<span class="countdown" role="timer" data-countdown="{}">{}</span>',
        iso(at),
        signed(now - at),
    )


@register.filter
def iso(at: datetime | None) -> str:
    """Return an instant as ISO 8601 in UTC, for attributes; empty for None."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if at else ""


@register.filter
def day_of_year(at: datetime) -> str:
    """Return the day of the year as controllers write it: ``DOY 335``."""
    return f"DOY {at.astimezone(UTC):%j}"


def signed(since: timedelta) -> str:
    """Return ``T-00:12:34`` before the event and ``T+00:00:05`` from it on."""
    seconds = int(since.total_seconds() // 1)
    sign, seconds = ("+", seconds) if seconds >= 0 else ("-", -seconds)
    hours, rest = divmod(seconds, 3600)
    return f"T{sign}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


@register.filter
def duration(length: timedelta | float | None) -> str:
    """Return a length of time in two units at most: ``8 min 12 s``."""
    if length is None:
        return "—"
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


@register.filter
def octets(count: int | None) -> str:
    """Return a size in binary units: ``1.2 MiB``."""
    if count is None:
        return "—"
    size = float(count)
    for unit in _OCTET_UNITS:
        if size < 1024 or unit == _OCTET_UNITS[-1]:
            break
        size /= 1024
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


@register.filter
def short_digest(digest: str) -> str:
    """Return the first and last digits of a digest; the whole one belongs in a title."""
    return digest if len(digest) <= 16 else f"{digest[:8]}…{digest[-6:]}"
