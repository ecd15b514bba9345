"""The entries of the log: one, or a page of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from missioncontrol.audit.merkle.canonical import read_entry
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors.log import published_size

MAX_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries of the log; what is empty takes all."""

    subject: str = ""  # exactly, e.g. ``telecommand:17``; likewise the next three
    action: str = ""
    actor: str = ""  # e.g. ``operator:alice``
    organisation: str = ""  # slug
    text: str = ""  # anywhere in one of these four, in either case
    since: datetime | None = None  # mission time of the act, from then on
    until: datetime | None = None  # and before then


ALL_ENTRIES: Final = EntryFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Entries, newest first, and where the older ones go on."""

    entries: list[AuditEntry]
    next_cursor: int | None  # give it as ``cursor``; None: there are no older ones


def get_entry(log_index: int) -> AuditEntry:
    """Return the entry at an index of the log.

    Raises:
        AuditEntry.DoesNotExist: no entry has that index (yet).
    """
    return AuditEntry.objects.get(log_index=log_index)


def entry_by_leaf_hash(leaf_hash: bytes) -> AuditEntry:
    """Return the entry whose octets have this hash; its index may still be missing.

    Raises:
        AuditEntry.DoesNotExist: nothing with that hash was ever logged here.
    """
    return AuditEntry.objects.get(leaf_hash=leaf_hash)


def entry_content(entry: AuditEntry) -> dict[str, Any]:
    """Return what was logged, read from the octets that are hashed.

    Raises:
        FormatError: The octets were changed and are no entry any more.
    """
    return read_entry(bytes(entry.entry))


def entries(
    asked: EntryFilter = ALL_ENTRIES, *, cursor: int | None = None, limit: int = 50
) -> EntryPage:
    """Return one page of the log, newest first; also entries that still wait for an index.

    Args:
        asked: Which.
        cursor: ``next_cursor`` of the page before.
        limit: Entries on a page, at most ``MAX_PAGE``.
    """
    rows = _rows(asked)
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    size = min(limit, MAX_PAGE)
    found = list(rows.order_by("-pk")[: size + 1])
    page = found[:size]
    return EntryPage(entries=page, next_cursor=page[-1].pk if len(found) > size else None)


def count_entries(asked: EntryFilter, *, most: int) -> int:
    """Return how many entries fit, counting to *most* and no further."""
    return _rows(asked)[:most].count()


def _rows(asked: EntryFilter) -> QuerySet[AuditEntry]:
    exact = {name: getattr(asked, name) for name in ("subject", "action", "actor", "organisation")}
    bounds = {"at__gte": asked.since, "at__lt": asked.until}
    conditions = {**exact, **bounds}
    rows = AuditEntry.objects.filter(
        **{name: value for name, value in conditions.items() if value not in ("", None)}
    )
    if not asked.text:
        return rows
    return rows.filter(
        Q(subject__icontains=asked.text)
        | Q(action__icontains=asked.text)
        | Q(actor__icontains=asked.text)
        | Q(organisation__icontains=asked.text)
    )


def waiting_count() -> int:
    """Return how many entries are committed and not yet published."""
    return AuditEntry.objects.filter(
        Q(log_index=None) | Q(log_index__gte=published_size())
    ).count()
