"""Times in an address, as the fields of a form give them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.http import HttpRequest

_EARLIEST: Final = datetime(1958, 1, 1, tzinfo=UTC)  # the oldest epoch of any time code
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


def utc_asked(request: HttpRequest, name: str) -> datetime | None:
    """Return the instant of a query parameter; ``None`` where it says none.

    A ``datetime-local`` field gives no zone: on these pages it is UTC.
    """
    try:
        instant = datetime.fromisoformat(request.GET.get(name, ""))
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant if _EARLIEST <= instant <= _LATEST else None


def as_field(instant: datetime | None) -> str:
    """Return an instant as a ``datetime-local`` field takes it."""
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
