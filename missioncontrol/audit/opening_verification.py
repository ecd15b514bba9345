"""Check the private parts of entries against what the entries were committed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery

from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.hashing import abbreviate
from missioncontrol.audit.merkle.opening import COMMITMENT_FIELD, Opening
from missioncontrol.audit.merkle.text_fields import show, write_base64
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.models import Opening as OpeningRow

ERASE: Final = "opening.erase"
_COLUMNS: Final = ("owner", "payload", "salt")


def erasure_subject(entry: AuditEntry) -> str:
    """Return what the entry of an erasure calls the entry that it took the private part of."""
    return f"entry:{bytes(entry.leaf_hash).hex()}"


def with_openings(rows: QuerySet[AuditEntry]) -> QuerySet[Any]:
    """Return *rows* with the columns of their private parts beside them.

    Call it for everybody: what cannot be seen would look like what is missing.
    """
    own = OpeningRow.objects.filter(pk=OuterRef("pk"))
    return rows.annotate(**{f"opening_{name}": Subquery(own.values(name)) for name in _COLUMNS})


def fault_in_opening(row: Any, logged: Mapping[str, Any]) -> str:
    """Say where a private part is not the one committed to; empty if nothing is wrong.

    Args:
        row: Of ``with_openings``.
        logged: The content of the row's entry.
    """
    committed = logged.get(COMMITMENT_FIELD)
    if committed is None:
        return "" if row.opening_owner is None else "a private part was added to it."
    if row.opening_owner is None:
        return "its private part is missing; one that is erased leaves its row."
    if row.opening_owner != row.organisation:
        return (
            f"its private part is kept for {show(row.opening_owner)}, it was written for "
            f"{show(row.organisation)}."
        )
    if row.opening_payload is None or row.opening_salt is None:
        return _fault_in_erasure(row)
    try:
        opening = Opening(salt=bytes(row.opening_salt), payload=bytes(row.opening_payload))
    except VerificationError as fault:
        return str(fault)
    found = opening.commitment()
    if write_base64(found) != committed:
        return (
            f"its private part leads to {abbreviate(found)}, it was committed to "
            f"{show(str(committed))}; one of the two was changed."
        )
    return ""


def _fault_in_erasure(row: AuditEntry) -> str:
    told = AuditEntry.objects.filter(action=ERASE, subject=erasure_subject(row))
    return "" if told.exists() else "its private part is gone, and no entry tells of its erasure."
