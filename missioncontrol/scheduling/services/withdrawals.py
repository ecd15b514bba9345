from __future__ import annotations

from datetime import datetime

from django.db import transaction

from missioncontrol.scheduling.bookings import move_contact, occupied_by
from missioncontrol.scheduling.models import Contact, Outage
from missioncontrol.scheduling.outage_entries import log_outage

_PROCESS = "process:reservations"
_REASON_LENGTH = 300


@transaction.atomic
def withdraw_contact(*, contact_id: int, reason: str, at: datetime) -> Outage | None:
    """Give up a contact whose antenna its provider does not give us.

    The antenna then counts as out while the contact would have occupied it: a
    plan that repairs finds another window, and none that is this one.

    Args:
        contact_id: Primary key.
        reason: The provider's; it stands with the contact and the outage.
        at: Mission time, UTC.

    Returns:
        The outage; None where the contact has begun or is over, and is left alone.

    Raises:
        Contact.DoesNotExist: no such contact.
    """
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("spacecraft", "antenna__station__owner")
        .get(pk=contact_id)
    )
    if contact.state != Contact.State.SCHEDULED:
        return None
    move_contact(contact, Contact.State.CANCELLED, at=at, failure=reason, actor=_PROCESS)
    begins, ends = occupied_by(contact)
    outage = Outage.objects.create(
        antenna=contact.antenna,
        begins=begins,
        ends=ends,
        planned=False,
        reason=f"pass {contact.pk}: {reason}"[:_REASON_LENGTH],
        declared_at=at,
    )
    log_outage(
        "outage.declare", outage, _PROCESS, at, planned=outage.planned, reason=outage.reason
    )
    return outage
