"""Telecommands: ask for one, approve or reject another's, follow it up."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Final

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
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Instant, JsonObject, Number, Sent, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
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


_TELECOMMAND: Final = {
    "id": 4,
    "spacecraft": "DD-1",
    "name": "PAYLOAD_POWER",
    "arguments": {"UNIT": "GPU1", "STATE": "ON"},
    "hazardous": False,
    "state": "APPROVED",
    "origin": "",
    "submitted_by": "operator",
    "submitted_at": "2026-12-01T12:00:00Z",
    "approved_by": "approver",
    "approved_at": "2026-12-01T12:05:00Z",
    "approval_policy": "",
    "rejected_by": None,
    "rejected_at": None,
    "rejection_reason": "",
    "contact": None,
    "released_at": None,
    "radiated_at": None,
    "accepted_at": None,
    "started_at": None,
    "completed_at": None,
    "failure": "",
}


class EventOut(Schema):
    """Something that happened to a telecommand."""

    model_config = example(at="2026-12-01T12:05:00Z", kind="APPROVED", detail="by approver")

    at: Instant
    kind: str
    detail: str


class TelecommandOut(Schema):
    """A telecommand from the wish to the spacecraft's last report on it."""

    model_config = example(**_TELECOMMAND)

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

    model_config = example(
        **_TELECOMMAND,
        events=[{"at": "2026-12-01T12:05:00Z", "kind": "APPROVED", "detail": "by approver"}],
    )

    events: list[EventOut]


class TelecommandIn(Sent):
    """Which telecommand; arguments as its definition in the mission file says."""

    model_config = example(
        spacecraft="DD-1", name="PAYLOAD_POWER", arguments={"UNIT": "GPU1", "STATE": "ON"}
    )

    spacecraft: Text
    name: Text
    arguments: JsonObject = Field(default={})


class RejectionIn(Sent):
    """Why it is stopped."""

    model_config = example(reason="The unit is too warm.")

    reason: Annotated[Text, Field(min_length=1)]


class TelecommandQuery(PageQuery):
    """Which telecommands."""

    spacecraft: Text | None = None
    state: State | None = None
    origin: Text | None = None


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
    response={201: TelecommandDetailOut},
    summary="Submit a telecommand",
)
def submit_telecommand(
    request: HttpRequest, response: HttpResponse, asked: TelecommandIn
) -> TelecommandDetailOut:
    """Ask for a telecommand; a second person must approve it before it is sent."""
    spacecraft = spacecraft_in_field(asked.spacecraft, "body.spacecraft")
    principal = permitted(request, Action.TELECOMMAND_SUBMIT, spacecraft.organisation)
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
    return tagged(request, response, _detail(telecommand.pk))


@router.get(
    "/telecommands/{telecommand_id}",
    auth=TOKEN_OR_SESSION,
    response=TelecommandDetailOut,
    summary="One telecommand with its history",
    openapi_extra=READ,
)
def get_telecommand(
    request: HttpRequest, response: HttpResponse, telecommand_id: Number
) -> TelecommandDetailOut:
    """Return one telecommand and what happened to it."""
    _get(principal_of(request), telecommand_id)
    return tagged(request, response, _detail(telecommand_id))


@router.post(
    "/telecommands/{telecommand_id}/approve",
    auth=TOKEN,
    response=TelecommandDetailOut,
    summary="Approve a telecommand",
    openapi_extra=CHANGE,
)
def approve_telecommand(
    request: HttpRequest, response: HttpResponse, telecommand_id: Number
) -> TelecommandDetailOut:
    """Approve what another person submitted; the next contact sends it.

    With ``If-Match`` what is approved is what was read, or nothing.
    """
    telecommand = _get(principal_of(request), telecommand_id)
    principal = permitted(request, Action.TELECOMMAND_APPROVE, telecommand.spacecraft.organisation)
    with _unchanged(request, telecommand_id):
        services.approve_telecommand(
            telecommand_id=telecommand_id, approver=principal.operator, at=clock.now()
        )
    return tagged(request, response, _detail(telecommand_id))


@router.post(
    "/telecommands/{telecommand_id}/reject",
    auth=TOKEN,
    response=TelecommandDetailOut,
    summary="Reject a telecommand",
    openapi_extra=CHANGE,
)
def reject_telecommand(
    request: HttpRequest, response: HttpResponse, telecommand_id: Number, asked: RejectionIn
) -> TelecommandDetailOut:
    """Stop a telecommand that has not been released; its submitter may do so too."""
    principal = principal_of(request)
    telecommand = _get(principal, telecommand_id)
    own = telecommand.submitted_by_id == principal.operator.pk
    principal.require(
        Action.TELECOMMAND_SUBMIT if own else Action.TELECOMMAND_APPROVE,
        telecommand.spacecraft.organisation,
    )
    with _unchanged(request, telecommand_id):
        services.reject_telecommand(
            telecommand_id=telecommand_id,
            approver=principal.operator,
            reason=asked.reason,
            at=clock.now(),
        )
    return tagged(request, response, _detail(telecommand_id))


def _unchanged(request: HttpRequest, telecommand_id: int) -> AbstractContextManager[None]:
    rows = Telecommand.objects.filter(pk=telecommand_id)
    return unchanged(request, rows, lambda: _detail(telecommand_id))


def _detail(telecommand_id: int) -> TelecommandDetailOut:
    telecommand = selectors.get_telecommand(telecommand_id)
    events = selectors.telecommand_events(telecommand)
    return TelecommandDetailOut(
        **_fields(telecommand),
        events=[EventOut(at=event.at, kind=event.kind, detail=event.detail) for event in events],
    )


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
