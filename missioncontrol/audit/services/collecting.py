"""What a piece of work wrote into the log, for those who hand its receipts out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from missioncontrol.audit.models import AuditEntry

_collectors: ContextVar[tuple[list[AuditEntry], ...]] = ContextVar("entry_collectors", default=())


@contextmanager
def collecting_entries() -> Iterator[list[AuditEntry]]:
    """Give a list that fills with the entries which the work inside commits, in order.

    An entry whose transaction, or whose savepoint, is rolled back never comes.
    The list is the work's own, also where others run at the same time; around
    it another may collect the same entries.
    """
    entries: list[AuditEntry] = []
    token = _collectors.set((*_collectors.get(), entries))
    try:
        yield entries
    finally:
        _collectors.reset(token)


def collect_after_commit(entry: AuditEntry) -> None:
    """Hand *entry* to whoever collects here, once it is committed."""
    for entries in _collectors.get():
        transaction.on_commit(partial(entries.append, entry))
