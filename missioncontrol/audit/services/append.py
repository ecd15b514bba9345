from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from django.db import transaction

from missioncontrol.audit.merkle.canonical import canonical_entry
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.opening import COMMITMENT_FIELD, SALT_OCTETS, Opening
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.models import Opening as OpeningRow
from missioncontrol.audit.services.collecting import collect

ENTRY_VERSION: Final = 1


class Actor(Protocol):
    """Anybody that the log can name."""

    @property
    def audit_name(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFact:
    """What one of many entries tells; the words are those of ``append_entry``."""

    action: str
    subject: str
    organisation: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def append_entry(
    *,
    action: str,
    subject: str,
    actor: Actor | str,
    at: datetime,
    organisation: str = "",
    details: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    readers: Iterable[str] = (),
) -> AuditEntry:
    """Write one entry of the consortium log beside the change that it tells of.

    Call it inside the transaction of the change: both commit or neither does.
    The sequencer puts the entry into the tree a moment later.

    Public is what every member needs to see that the rules were kept: who did
    what to which object, and when, its state, digests that others verify by.
    The content of a member's business is private.

    Args:
        action: What was done, e.g. ``telecommand.approve``.
        subject: What it was done to, e.g. ``telecommand:17``.
        actor: Who did it; a process is named ``process:<name>``.
        at: When, UTC (mission time).
        organisation: Slug of the member whom it concerns, if one.
        details: JSON-able facts that every member may read. No secrets.
        private: JSON-able facts for *organisation* and *readers* only; in the
            entry stands a salted commitment to them.
        readers: Slugs of further organisations that may read *private*.

    Raises:
        RuntimeError: called outside a transaction.
        EntryError: *details* or *private* has no canonical JSON form or is too long.
        ValueError: *private* belongs to no organisation.
    """
    _require_transaction(action)
    opening = _sealed(action, private, organisation)
    fact = PublicFact(
        action=action, subject=subject, organisation=organisation, details=details or {}
    )
    entry = _row(fact, actor, at, opening)
    entry.save(force_insert=True)
    if opening is not None:
        OpeningRow.objects.record(
            entry=entry, owner=organisation, readers=readers, opening=opening
        )
    collect(entry)
    return entry


def append_entries(
    facts: Iterable[PublicFact], *, actor: Actor | str, at: datetime
) -> list[AuditEntry]:
    """Write many entries at once, each as ``append_entry`` would, in the order given.

    For a deed that changes thousands of objects in one transaction: an entry for
    each of them stays, a round trip to the database for each does not.

    Raises:
        RuntimeError: called outside a transaction.
        EntryError: some details have no canonical JSON form or are too long.
    """
    rows = [_row(fact, actor, at) for fact in facts]
    if rows:
        _require_transaction(rows[0].action)
    entries = AuditEntry.objects.bulk_create(rows)
    for entry in entries:
        collect(entry)
    return entries


def _require_transaction(action: str) -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{action} is logged outside a transaction; wrap the change in atomic.")


def _row(
    fact: PublicFact, actor: Actor | str, at: datetime, opening: Opening | None = None
) -> AuditEntry:
    name = actor if isinstance(actor, str) else actor.audit_name
    octets = canonical_entry(
        {
            "version": ENTRY_VERSION,
            # Two equal deeds in one instant stay two entries with two hashes.
            "nonce": secrets.token_hex(8),
            "action": fact.action,
            "subject": fact.subject,
            "actor": name,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "organisation": fact.organisation,
            "details": dict(fact.details),
            **({COMMITMENT_FIELD: write_base64(opening.commitment())} if opening else {}),
        }
    )
    return AuditEntry(
        action=fact.action,
        subject=fact.subject,
        actor=name,
        organisation=fact.organisation,
        at=at,
        entry=octets,
        leaf_hash=leaf_hash(octets),
    )


def _sealed(action: str, private: Mapping[str, Any] | None, organisation: str) -> Opening | None:
    if private is None:
        return None
    if not organisation:
        raise ValueError(f"{action} has a private part and no organisation that it belongs to.")
    return Opening(
        salt=secrets.token_bytes(SALT_OCTETS),
        payload=canonical_entry(dict(private), what="The private payload"),
    )
