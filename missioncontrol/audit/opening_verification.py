"""Check the private parts of entries against what the entries were committed to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.hashing import abbreviate
from missioncontrol.audit.merkle.opening import COMMITMENT_FIELD
from missioncontrol.audit.merkle.opening import Opening as Octets
from missioncontrol.audit.merkle.text_fields import show, write_base64
from missioncontrol.audit.models import AuditEntry, Opening

ERASE: Final = "opening.erase"


class OpeningsBeside:
    """Gives each entry's private part while both are streamed in the same order.

    One look-up for each entry would take longer than all hashing together.
    """

    def __init__(self, openings: Iterator[Opening]) -> None:
        self._openings = openings
        self._next = next(openings, None)

    def take(self, entry: AuditEntry) -> Opening | None:
        """Return what lies beside *entry*, or None; the entries come in order."""
        if self._next is None or self._next.pk != entry.pk:
            return None
        found, self._next = self._next, next(self._openings, None)
        return found


def erasure_subject(entry: AuditEntry) -> str:
    """Return what the entry of an erasure calls the entry that it took the private part of."""
    return f"entry:{bytes(entry.leaf_hash).hex()}"


def fault_in_opening(entry: AuditEntry, logged: Mapping[str, Any], opening: Opening | None) -> str:
    """Say where a private part is not the one committed to; empty if nothing is wrong.

    Args:
        entry: The row.
        logged: The content of its octets.
        opening: What lies beside it.
    """
    committed = logged.get(COMMITMENT_FIELD)
    if committed is None:
        return "" if opening is None else "a private part was added to it."
    if opening is None:
        return "its private part is missing; one that is erased leaves its row."
    if opening.owner != entry.organisation:
        return (
            f"its private part is kept for {show(opening.owner)}, it was written for "
            f"{show(entry.organisation)}."
        )
    if opening.payload is None or opening.salt is None:
        return _fault_in_erasure(entry)
    try:
        octets = Octets(salt=bytes(opening.salt), payload=bytes(opening.payload))
    except VerificationError as fault:
        return str(fault)
    found = octets.commitment()
    if write_base64(found) != committed:
        return (
            f"its private part leads to {abbreviate(found)}, it was committed to "
            f"{show(str(committed))}; one of the two was changed."
        )
    return ""


def _fault_in_erasure(entry: AuditEntry) -> str:
    told = AuditEntry.objects.filter(action=ERASE, subject=erasure_subject(entry))
    return "" if told.exists() else "its private part is gone, and no entry tells of its erasure."
