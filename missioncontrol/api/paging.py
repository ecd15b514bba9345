"""Lists, a page at a time: ``{"items": [...], "next": cursor or null}``.

A cursor names the last row that was shown, so rows that come in between
neither shift nor repeat what follows. To a client it is text without meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from ninja import Schema

from missioncontrol.api.fields import MAX_ROW, parse_instant, utc_text
from missioncontrol.api.problems import invalid

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)


class Page(Schema, Generic[Item]):
    """Some of the items; ``next`` goes into the query parameter ``cursor``."""

    items: list[Item]
    next: str | None = None


def newest_first(
    rows: QuerySet[Row], *, cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """Return a page of *rows* by primary key, the highest first, and its cursor.

    Raises:
        InvalidInputError: *cursor* was not given out.
    """
    if cursor is not None:
        rows = rows.filter(pk__lt=row_cursor(cursor))
    return _cut(list(rows.order_by("-pk")[: limit + 1]), limit, lambda row: str(row.pk))


def by_time(
    rows: QuerySet[Row], *, field: str, cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """Return a page of *rows* by the time in *field*, the earliest first, and its cursor.

    Raises:
        InvalidInputError: *cursor* was not given out.
    """
    if cursor is not None:
        instant, key = _time_cursor(cursor)
        rows = rows.filter(Q(**{f"{field}__gt": instant}) | Q(**{field: instant, "pk__gt": key}))
    found = list(rows.order_by(field, "pk")[: limit + 1])
    return _cut(found, limit, lambda row: f"{utc_text(getattr(row, field))}~{row.pk}")


def row_cursor(cursor: str) -> int:
    """Return the primary key in a cursor.

    Raises:
        InvalidInputError: *cursor* was not given out.
    """
    number = cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(MAX_ROW))
    if not number or int(cursor) > MAX_ROW:
        raise invalid("query.cursor", cursor, "what 'next' of the page before says")
    return int(cursor)


def _time_cursor(cursor: str) -> tuple[datetime, int]:
    instant, _, key = cursor.partition("~")
    try:
        return parse_instant(instant), row_cursor(key)
    except ValueError:
        raise invalid("query.cursor", cursor, "what 'next' of the page before says") from None


def _cut(
    found: list[Row], limit: int, cursor_of: Callable[[Row], str]
) -> tuple[list[Row], str | None]:
    if len(found) <= limit:
        return found, None
    return found[:limit], cursor_of(found[limit - 1])
