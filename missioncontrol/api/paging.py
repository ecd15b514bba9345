"""Lists, a page at a time: ``{"items": [...], "next": cursor or null}``.

A cursor names the last row that was shown, so rows that come in between
neither shift nor repeat what follows. To a client it is text without meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from ninja import Schema
from pydantic import Field

from missioncontrol.api.fields import MAX_ROW, Asked, PageSize, Text, parse_instant, utc_text
from missioncontrol.api.problems import invalid

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)
_ALLOWED: Final = "what 'next' of the page before says"


class Page(Schema, Generic[Item]):
    """Some of the items; ``next`` goes into the query parameter ``cursor``."""

    items: list[Item]
    next: str | None = None


class PageQuery(Asked):
    """Which page of a list."""

    cursor: Annotated[Text | None, Field(description="what `next` of the page before says")] = None
    limit: Annotated[PageSize, Field(description="items on a page")] = 100


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


def oldest_first(
    rows: QuerySet[Row], *, cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """Return a page of *rows* by primary key, the lowest first, and its cursor.

    Raises:
        InvalidInputError: *cursor* was not given out.
    """
    if cursor is not None:
        rows = rows.filter(pk__gt=row_cursor(cursor))
    return _cut(list(rows.order_by("pk")[: limit + 1]), limit, lambda row: str(row.pk))


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


def by_name(
    rows: QuerySet[Row], *, field: str, cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """Return a page of *rows* by the name in *field*, which is unique, and its cursor."""
    if cursor is not None:
        rows = rows.filter(**{f"{field}__gt": cursor})
    found = list(rows.order_by(field)[: limit + 1])
    return _cut(found, limit, lambda row: str(getattr(row, field)))


def in_order(
    items: Sequence[Item], *, name_of: Callable[[Item], str], cursor: str | None, limit: int
) -> tuple[list[Item], str | None]:
    """Return a page of *items*, which have an order of their own, and its cursor.

    Raises:
        InvalidInputError: *cursor* was not given out.
    """
    begin = 0
    if cursor is not None:
        names = [name_of(item) for item in items]
        if cursor not in names:
            raise invalid("query.cursor", cursor, _ALLOWED)
        begin = names.index(cursor) + 1
    return _cut(list(items[begin : begin + limit + 1]), limit, name_of)


def row_cursor(cursor: str) -> int:
    """Return the primary key in a cursor.

    Raises:
        InvalidInputError: *cursor* was not given out.
    """
    number = cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(MAX_ROW))
    if not number or int(cursor) > MAX_ROW:
        raise invalid("query.cursor", cursor, _ALLOWED)
    return int(cursor)


def _time_cursor(cursor: str) -> tuple[datetime, int]:
    instant, _, key = cursor.partition("~")
    try:
        return parse_instant(instant), row_cursor(key)
    except ValueError:
        raise invalid("query.cursor", cursor, _ALLOWED) from None


def _cut(
    found: list[Item], limit: int, cursor_of: Callable[[Item], str]
) -> tuple[list[Item], str | None]:
    if len(found) <= limit:
        return found, None
    return found[:limit], cursor_of(found[limit - 1])
