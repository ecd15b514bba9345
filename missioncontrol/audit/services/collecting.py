"""What a piece of work wrote into the log, for those who hand its receipts out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from django.db import transaction

from missioncontrol.audit.models import AuditEntry

_Collectors = ContextVar[tuple[list[AuditEntry], ...]]

_collectors: _Collectors = ContextVar("entry_collectors", default=())
_early_collectors: _Collectors = ContextVar("early_entry_collectors", default=())


@contextmanager
def collecting_entries() -> Iterator[list[AuditEntry]]:
    """Give a list that fills with the entries which the work inside commits, in order.

    An entry whose transaction, or whose savepoint, is rolled back never comes.
    The list is the work's own, also where others run at the same time; around
    it another may collect the same entries.
    """
    with _collecting(_collectors) as entries:
        yield entries


@contextmanager
def collecting_before_commit() -> Iterator[list[AuditEntry]]:
    """Give a list that fills with the entries which the work inside appends, at once.

    For who must know them inside the transaction. What was rolled back to a
    savepoint stands in it too; ``still_standing`` leaves it out.
    """
    with _collecting(_early_collectors) as entries:
        yield entries


def still_standing(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Return those of *entries*, in their order, that were not rolled back so far."""
    found = list(entries)
    rows = AuditEntry.objects.filter(pk__in=[each.pk for each in found])
    # By hash: a row that was rolled back may have left its number to another.
    there = {bytes(leaf) for leaf in rows.values_list("leaf_hash", flat=True)}
    return [each for each in found if bytes(each.leaf_hash) in there]


def collect(entry: AuditEntry) -> None:
    """Hand *entry*, just appended, to whoever collects here."""
    for entries in _early_collectors.get():
        entries.append(entry)
    for entries in _collectors.get():
        transaction.on_commit(partial(entries.append, entry))


@contextmanager
def _collecting(collectors: _Collectors) -> Iterator[list[AuditEntry]]:
    entries: list[AuditEntry] = []
    token = collectors.set((*collectors.get(), entries))
    try:
        yield entries
    finally:
        collectors.reset(token)
