from __future__ import annotations

from datetime import datetime

from missioncontrol.kernel.live import publish
from missioncontrol.scheduling.models import Contact
from telemetry.models import LinkSession


def open_session(*, contact: Contact, at: datetime) -> LinkSession:
    """Note that the return service of a contact's antenna was opened.

    A session of this contact that nobody closed belongs to a process that was
    killed; it ends here.
    """
    LinkSession.objects.filter(contact=contact, closed_at=None).update(
        closed_at=at, close_reason="the receiving process ended"
    )
    session = LinkSession.objects.create(
        contact=contact, antenna=contact.antenna.name, opened_at=at
    )
    publish({"type": "refresh", "part": "now"})
    return session


def close_session(*, session: LinkSession, reason: str, at: datetime) -> None:
    """Note that it has ended, and why; closing it twice changes nothing."""
    LinkSession.objects.filter(pk=session.pk, closed_at=None).update(
        closed_at=at, close_reason=reason[:200]
    )
