"""What members ask for, as the page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import Viewer
from missioncontrol.scheduling.models import Contact, ContactRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request and what is booked for it."""

    pk: int
    organisation: str
    spacecraft: str
    kind: str
    state: str
    priority: int
    earliest: datetime
    latest: datetime | None
    deadline: datetime
    minimum_duration_s: int
    wanted: str  # "2" or "2 to 5"
    contacts: list[int]
    asked_by: str
    asked_at: datetime
    may_withdraw: bool


def request_rows(
    requests: Iterable[ContactRequest], viewer: Viewer, *, at: datetime
) -> list[RequestRow]:
    """Return requests in the order given; their contacts should be prefetched."""
    return [_row(request, viewer, at) for request in requests]


def _row(request: ContactRequest, viewer: Viewer, at: datetime) -> RequestRow:
    is_open = request.state == ContactRequest.State.OPEN
    return RequestRow(
        pk=request.pk,
        organisation=request.organisation.name,
        spacecraft=request.spacecraft.name,
        kind=request.get_kind_display(),
        state="EXPIRED" if is_open and request.deadline <= at else request.state,
        priority=request.priority,
        earliest=request.earliest,
        latest=request.latest,
        deadline=request.deadline,
        minimum_duration_s=request.minimum_duration_s,
        wanted=_wanted(request),
        contacts=sorted(
            contact.pk
            for contact in request.contacts.all()
            if contact.state != Contact.State.CANCELLED
        ),
        asked_by=request.asked_by.username,
        asked_at=request.asked_at,
        may_withdraw=is_open and viewer.may(Action.CONTACT_REQUEST_MANAGE, request.organisation),
    )


def _wanted(request: ContactRequest) -> str:
    least, most = request.minimum_count, request.maximum_count
    return str(least) if least == most else f"{least} to {most}"
