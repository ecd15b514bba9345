"""Entries to fill a log with."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.opening import verify_opening
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import append_entry, sequence_entries
from missioncontrol.kernel.organisations import acting_for_everybody
from tests.log_guards import changes_allowed

AT = datetime(2026, 12, 1, 0, 12, 34, 500_000, tzinfo=UTC)


def append(count=1, **fields):
    """Commit *count* entries, one transaction each."""
    values = {
        "action": "telecommand.approve",
        "subject": "telecommand:17",
        "actor": "operator:alice",
        "at": AT,
        **fields,
    }
    rows = []
    for _ in range(count):
        with transaction.atomic():
            rows.append(append_entry(**values))
    return rows


def publish(count=1, **fields):
    """Append entries and put everything that waits under a checkpoint."""
    rows = append(count, **fields)
    while sequence_entries(at=AT):
        pass
    return list(AuditEntry.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


def tamper(row, **columns):
    """Change a row as somebody who has dropped the triggers."""
    with changes_allowed():
        assert AuditEntry.objects.filter(pk=row.pk).update(**columns) == 1


def private_part(entry):
    """Return what an entry was committed to, after it proved to be that."""
    with acting_for_everybody():
        return verify_opening(selectors.opening(entry), entry=bytes(entry.entry))
