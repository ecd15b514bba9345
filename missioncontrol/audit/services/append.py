from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from django.db import transaction

from missioncontrol.audit.merkle.canonical import canonical_entry
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.models import AuditEntry

ENTRY_VERSION: Final = 1


class Actor(Protocol):
    """Anybody that the log can name."""

    @property
    def audit_name(self) -> str: ...


def append_entry(
    *,
    action: str,
    subject: str,
    actor: Actor | str,
    at: datetime,
    organisation: str = "",
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry of the consortium log beside the change that it tells of.

    Call it inside the transaction of the change: both commit or neither does.
    The sequencer puts the entry into the tree a moment later.

    Args:
        action: What was done, e.g. ``telecommand.approve``.
        subject: What it was done to, e.g. ``telecommand:17``.
        actor: Who did it; a process is named ``process:<name>``.
        at: When, UTC (mission time).
        organisation: Slug of the member whom it concerns, if one.
        details: JSON-able facts that every member may read. No secrets.

    Raises:
        RuntimeError: called outside a transaction.
        EntryError: *details* has no canonical JSON form or is too long.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{action} is logged outside a transaction; wrap the change in atomic.")
    name = actor if isinstance(actor, str) else actor.audit_name
    octets = canonical_entry(
        {
            "version": ENTRY_VERSION,
            # Two equal deeds in one instant stay two entries with two hashes.
            "nonce": secrets.token_hex(8),
            "action": action,
            "subject": subject,
            "actor": name,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "organisation": organisation,
            "details": dict(details or {}),
        }
    )
    return AuditEntry.objects.create(
        action=action,
        subject=subject,
        actor=name,
        organisation=organisation,
        at=at,
        entry=octets,
        leaf_hash=leaf_hash(octets),
    )
