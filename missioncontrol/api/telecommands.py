"""Telecommands: ask for one, approve or reject another's, follow it up."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.fields import Asked, Instant, JsonObject, Number, PageSize, Sent, Text
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, newest_first
from missioncontrol.api.problems import (
    FieldError,
    InvalidInputError,
    NotFoundError,
    invalid,
)
from missioncontrol.kernel import clock
from uplink.commanding import selectors, services
from uplink.commanding.definitions import UnknownTelecommandError
from uplink.commanding.models import Telecommand
from uplink.commanding.packets import ArgumentsError

router = Router(tags=["telecommands"])

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[
    Telecommand.State, WithJsonSchema({"type": "string", "enum": Telecommand.State.values})
]


class EventOut(Schema):
    """Something that happened to a telecommand."""

    at: Instant
    kind: str
    detail: str


class TelecommandOut(Schema):
    """A telecommand from the wish to the spacecraft's last report on it."""

    id: int
    spacecraft: str
    name: str
    arguments: JsonObject
    hazardous: bool
    state: str
    origin: str
    submitted_by: str | None
    submitted_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    approval_policy: str
    rejected_by: str | None
    rejected_at: Instant | None
    rejection_reason: str
    contact: int | None
    released_at: Instant | None
    radiated_at: Instant | None
    accepted_at: Instant | None
    started_at: Instant | None
    completed_at: Instant | None
    failure: str


class TelecommandDetailOut(TelecommandOut):
    """A telecommand and its history, oldest first."""

    events: list[EventOut]


class TelecommandIn(Sent):
    """Which telecommand; arguments as its definition in the mission file says."""

    spacecraft: Text
    name: Text
    arguments: JsonObject = Field(default={})


class RejectionIn(Sent):
    """Why it is stopped."""

    reason: Annotated[Text, Field(min_length=1)]


class TelecommandQuery(Asked):
    """Which telecommands."""

    spacecraft: Text | None = None
    state: State | None = None
    origin: Text | None = None
    cursor: Text | None = None
    limit: PageSize = 100


@router.get(
    "/telecommands", auth=TOKEN_OR_SESSION, response=Page[TelecommandOut], summary="Telecommands"
)
def list_telecommands(
    request: HttpRequest, asked: Query[TelecommandQuery]
) -> Page[TelecommandOut]:
    """Return telecommands, the newest first."""
    principal = principal_of(request)
    principal.require(Action.TELECOMMAND_VIEW)
    rows = Telecommand.objects.filter(
        spacecraft__organisation__in=principal.organisations_with(Action.TELECOMMAND_VIEW)
    ).select_related("spacecraft", "submitted_by", "approved_by", "rejected_by")
    if asked.spacecraft:
        rows = rows.filter(spacecraft=spacecraft_in_field(asked.spacecraft, "query.spacecraft"))
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.origin:
        rows = rows.filter(origin=asked.origin)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[TelecommandOut(**_fields(row)) for row in found], next=cursor)


@router.post(
    "/telecommands",
    auth=TOKEN,
    response={201: TelecommandOut},
    summary="Submit a telecommand",
)
def submit_telecommand(
    request: HttpRequest, response: HttpResponse, asked: TelecommandIn
) -> TelecommandOut:
    """Ask for a telecommand; a second person must approve it before it is sent."""
    principal = principal_of(request)
    spacecraft = spacecraft_in_field(asked.spacecraft, "body.spacecraft")
    principal.require(Action.TELECOMMAND_SUBMIT, spacecraft.organisation)
    try:
        telecommand = services.submit_telecommand(
            spacecraft=spacecraft,
            name=asked.name,
            arguments=asked.arguments,
            submitted_by=principal.operator,
            at=clock.now(),
        )
    except services.TelecommandRefusedError as refusal:
        raise _field_errors(refusal, asked) or refusal from refusal
    response["Location"] = f"{request.path}/{telecommand.pk}"
    return TelecommandOut(**_fields(telecommand))


@router.get(
    "/telecommands/{telecommand_id}",
    auth=TOKEN_OR_SESSION,
    response=TelecommandDetailOut,
    summary="One telecommand with its history",
)
def get_telecommand(request: HttpRequest, telecommand_id: Number) -> TelecommandDetailOut:
    """Return one telecommand and what happened to it."""
    telecommand = _get(principal_of(request), telecommand_id)
    events = selectors.telecommand_events(telecommand)
    return TelecommandDetailOut(
        **_fields(telecommand),
        events=[EventOut(at=event.at, kind=event.kind, detail=event.detail) for event in events],
    )


@router.post(
    "/telecommands/{telecommand_id}/approve",
    auth=TOKEN,
    response=TelecommandOut,
    summary="Approve a telecommand",
)
def approve_telecommand(request: HttpRequest, telecommand_id: Number) -> TelecommandOut:
    """Approve what another person submitted; the next contact sends it."""
    telecommand = _get(principal_of(request), telecommand_id)
    principal = permitted(request, Action.TELECOMMAND_APPROVE, telecommand.spacecraft.organisation)
    services.approve_telecommand(
        telecommand_id=telecommand_id, approver=principal.operator, at=clock.now()
    )
    return TelecommandOut(**_fields(selectors.get_telecommand(telecommand_id)))


@router.post(
    "/telecommands/{telecommand_id}/reject",
    auth=TOKEN,
    response=TelecommandOut,
    summary="Reject a telecommand",
)
def reject_telecommand(
    request: HttpRequest, telecommand_id: Number, asked: RejectionIn
) -> TelecommandOut:
    """Stop a telecommand that has not been released; its submitter may do so too."""
    principal = principal_of(request)
    _get(principal, telecommand_id)
    services.reject_telecommand(
        telecommand_id=telecommand_id,
        approver=principal.operator,
        reason=asked.reason,
        at=clock.now(),
    )
    return TelecommandOut(**_fields(selectors.get_telecommand(telecommand_id)))


def _get(principal: Principal, telecommand_id: int) -> Telecommand:
    try:
        telecommand = selectors.get_telecommand(telecommand_id)
    except Telecommand.DoesNotExist:
        raise NotFoundError(f"There is no telecommand {telecommand_id}.") from None
    principal.require(Action.TELECOMMAND_VIEW, telecommand.spacecraft.organisation)
    return telecommand


def _field_errors(
    refusal: services.TelecommandRefusedError, asked: TelecommandIn
) -> InvalidInputError | None:
    """Return which fields the refusal is about; None: it is about something else."""
    cause = refusal.__cause__
    if isinstance(cause, UnknownTelecommandError):
        return invalid("body.name", asked.name, str(cause))
    if isinstance(cause, ArgumentsError):
        return InvalidInputError(
            [
                FieldError(
                    field=f"body.arguments.{wrong.argument}",
                    value=wrong.value,
                    allowed=wrong.allowed,
                )
                for wrong in cause.problems
            ]
        )
    return None


def _fields(row: Telecommand) -> JsonObject:
    people = {
        name: person.username if person is not None else None
        for name, person in (
            ("submitted_by", row.submitted_by),
            ("approved_by", row.approved_by),
            ("rejected_by", row.rejected_by),
        )
    }
    return {
        "id": row.pk,
        "spacecraft": row.spacecraft.name,
        "name": row.name,
        "arguments": row.arguments,
        "hazardous": row.hazardous,
        "state": row.state,
        "origin": row.origin,
        "submitted_at": row.submitted_at,
        "approved_at": row.approved_at,
        "approval_policy": row.approval_policy,
        "rejected_at": row.rejected_at,
        "rejection_reason": row.rejection_reason,
        "contact": row.contact_id,
        "released_at": row.released_at,
        "radiated_at": row.radiated_at,
        "accepted_at": row.accepted_at,
        "started_at": row.started_at,
        "completed_at": row.completed_at,
        "failure": row.failure,
        **people,
    }
