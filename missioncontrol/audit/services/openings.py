from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.audit.models import AuditEntry, Opening
from missioncontrol.audit.opening_verification import ERASE, erasure_subject
from missioncontrol.audit.selectors.openings import erased, visible_opening
from missioncontrol.audit.services.append import Actor, append_entry
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.kernel.organisations import current_context

_REASON_LENGTH: Final = 300


class ErasureRefusedError(RefusedError):
    """The private part of this entry cannot be erased like this."""


@transaction.atomic
def erase_opening(*, entry: AuditEntry, reason: str, actor: Actor | str, at: datetime) -> None:
    """Erase payload and salt of an entry's private part, for ever.

    The entry, its commitment, the tree and every receipt stay as they are; what
    the commitment was made of, nobody can find out any more. Back-ups keep what
    they hold until they are given up themselves.

    Args:
        entry: Whose private part; the work is done for its owner.
        reason: Why; every member reads it.
        actor: Who erases.
        at: When, UTC (mission time).

    Raises:
        NoOpeningError: The entry has no private part.
        NotEntitledError: It cannot be seen here.
        OpeningErasedError: It was erased before.
        ErasureRefusedError: Only its owner may erase it; or no reason was given.
        NoOrganisationContextError: Nobody said for whom the work is done.
    """
    row = visible_opening(Opening.objects.select_for_update().filter(pk=entry.pk).first(), entry)
    if row.erased_at is not None:
        raise erased(row, entry)
    context = current_context()
    if not context.everybody and row.owner not in context.slugs:
        raise ErasureRefusedError(
            f"The private part of the entry {entry} belongs to {row.owner}, which alone can have "
            "it erased; others may only read it."
        )
    reason = reason.strip()
    if not 0 < len(reason) <= _REASON_LENGTH:
        raise ErasureRefusedError(
            f"Nothing was erased: give a reason of 1 to {_REASON_LENGTH} characters; this one "
            f"has {len(reason)}."
        )
    row.payload = row.salt = None
    row.erased_at = at
    row.erased_by = actor if isinstance(actor, str) else actor.audit_name
    row.erasure_reason = reason
    row.save(update_fields=["payload", "salt", "erased_at", "erased_by", "erasure_reason"])
    append_entry(
        action=ERASE,
        subject=erasure_subject(entry),
        actor=actor,
        at=at,
        organisation=row.owner,
        details={"subject": entry.subject, "action": entry.action, "reason": reason},
    )
