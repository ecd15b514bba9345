"""Long work: asked for here, carried out by a worker, followed at its own address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema
from pydantic import Field, WithJsonSchema

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
    token_of,
)
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import (
    AskedInstant,
    Instant,
    JsonObject,
    Number,
    Sent,
    Text,
    example,
    utc_text,
)
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.operations import selectors, services
from missioncontrol.operations.models import Operation

router = Router(tags=["operations"])

# When to look again at one that is not over.
RETRY_AFTER_S: Final = 2
# The operation that shows what came of it, by kind, and the parameter that its address takes.
_RESULTS: Final = {
    Operation.Kind.CONTACT_WINDOW_RECOMPUTE: ("api:list_contact_windows", None),
    Operation.Kind.LOG_VERIFY: ("api:get_checkpoint", None),
    Operation.Kind.PLAN_PROPOSE: ("api:get_plan", "plan"),
}

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[
    Operation.State, WithJsonSchema({"type": "string", "enum": Operation.State.values})
]
Kind = Annotated[Operation.Kind, WithJsonSchema({"type": "string", "enum": Operation.Kind.values})]


class OperationOut(Schema):
    """Work that takes longer than a request. Its times are those of the machine's clock.

    ``progress`` goes from 0 to 1. It is over when it is SUCCEEDED (``result`` and
    ``result_url`` tell), FAILED (``error`` tells) or CANCELLED.
    """

    model_config = example(
        id=9,
        kind="contact_window.recompute",
        parameters={"spacecraft": ["DD-1"], "start": "2026-12-01T12:00:00Z", "hours": 48},
        state="SUCCEEDED",
        progress=1.0,
        organisation="operator",
        asked_by="operator",
        asked_at="2026-12-01T12:00:00Z",
        started_at="2026-12-01T12:00:00.2Z",
        ended_at="2026-12-01T12:00:01.9Z",
        result={"windows": {"DD-1": 93}},
        result_url="/api/v1/contact-windows",
        error="",
    )

    id: int
    kind: Kind
    parameters: JsonObject
    state: State
    progress: float
    organisation: str
    asked_by: str
    asked_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    result: JsonObject | None
    result_url: str | None
    error: str


class RecomputationIn(Sent):
    """Which windows; without ``spacecraft`` those of all that your organisation operates.

    Without ``start`` from now on. Windows outside the interval stay as they are.
    """

    model_config = example(spacecraft="DD-1", start="2026-12-01T12:00:00Z", hours=48)

    spacecraft: Text | None = None
    start: AskedInstant | None = None
    hours: Annotated[int, Field(ge=1, le=31 * 24, strict=True)] = 48


class OperationQuery(PageQuery):
    """Which operations."""

    kind: Kind | None = None
    state: State | None = None


@router.post(
    "/contact-windows/recompute",
    auth=TOKEN,
    response={202: OperationOut},
    summary="Compute contact windows anew",
)
def recompute_contact_windows(
    request: HttpRequest, response: HttpResponse, asked: RecomputationIn
) -> OperationOut:
    """Have the contact windows predicted anew from the orbital elements in force.

    It is done without asking whenever windows run out or elements change.
    """
    organisation = token_of(request).organisation
    spacecraft = _operated(organisation)
    if asked.spacecraft is not None:
        spacecraft = [spacecraft_in_field(asked.spacecraft, "body.spacecraft")]
        organisation = spacecraft[0].organisation
    principal = permitted(request, Action.CONTACT_WINDOW_RECOMPUTE, organisation)
    parameters = {
        "spacecraft": [each.name for each in spacecraft],
        "start": utc_text(asked.start or clock.now()),
        "hours": asked.hours,
    }
    return _start(
        request,
        response,
        principal,
        organisation,
        Operation.Kind.CONTACT_WINDOW_RECOMPUTE,
        parameters,
    )


@router.post(
    "/log-verifications",
    auth=TOKEN,
    response={202: OperationOut},
    summary="Verify the consortium log",
)
def verify_log(request: HttpRequest, response: HttpResponse) -> OperationOut:
    """Have every entry of the log checked against its signed checkpoint, here.

    This is the operator's own look at its database and files. A member trusts
    nobody and checks with ``mc log verify``.
    """
    organisation = token_of(request).organisation
    principal = permitted(request, Action.LOG_VERIFY, organisation)
    return _start(request, response, principal, organisation, Operation.Kind.LOG_VERIFY, {})


@router.get(
    "/operations", auth=TOKEN_OR_SESSION, response=Page[OperationOut], summary="Operations"
)
def list_operations(request: HttpRequest, asked: Query[OperationQuery]) -> Page[OperationOut]:
    """Return what was asked for by your organisation and you may ask for, the newest first."""
    principal = principal_of(request)
    visible = Q(pk=None)  # nothing
    for kind in Operation.Kind:
        organisations = principal.organisations_with(Action(kind.value))
        visible |= Q(kind=kind, organisation__in=organisations)
    rows = selectors.operations().filter(visible)
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[operation_out(each) for each in found], next=cursor)


@router.get(
    "/operations/{operation_id}",
    auth=TOKEN_OR_SESSION,
    response=OperationOut,
    summary="One operation",
    openapi_extra={
        **READ,
        "responses": {
            200: {
                "headers": {
                    "Retry-After": {
                        "description": "While it is not over: after so many seconds look again",
                        "schema": {"type": "integer", "minimum": 1, "examples": [RETRY_AFTER_S]},
                    }
                }
            }
        },
    },
)
def get_operation(
    request: HttpRequest, response: HttpResponse, operation_id: Number
) -> OperationOut:
    """Return how far it is; ``Retry-After`` says when to look again, while it is not over."""
    operation = _get(principal_of(request), operation_id)
    if operation.state in selectors.OPEN_STATES:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return tagged(request, response, operation_out(operation))


@router.post(
    "/operations/{operation_id}/cancel",
    auth=TOKEN,
    response=OperationOut,
    summary="Cancel an operation",
    openapi_extra=CHANGE,
)
def cancel_operation(
    request: HttpRequest, response: HttpResponse, operation_id: Number
) -> OperationOut:
    """Give up an operation that no worker has begun."""
    operation = _get(principal_of(request), operation_id)
    principal = permitted(request, operation.action, operation.organisation)

    def show() -> OperationOut:
        return operation_out(_get(principal, operation_id))

    with unchanged(request, Operation.objects.filter(pk=operation_id), show):
        services.cancel_operation(
            operation_id=operation_id,
            actor=principal.operator,
            at=clock.now(),
            wall_at=clock.wall_now(),
        )
    return tagged(request, response, show())


def _operated(organisation: Organisation) -> list[Spacecraft]:
    rows = Spacecraft.objects.filter(organisation=organisation, active=True)
    return list(rows.select_related("organisation").order_by("name"))


def _start(
    request: HttpRequest,
    response: HttpResponse,
    principal: Principal,
    organisation: Organisation,
    kind: Operation.Kind,
    parameters: Mapping[str, Any],
) -> OperationOut:
    operation = services.start_operation(
        kind=kind,
        parameters=parameters,
        organisation=organisation,
        asked_by=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    response["Location"] = reverse("api:get_operation", args=[operation.pk])
    response["Retry-After"] = str(RETRY_AFTER_S)
    return tagged(request, response, operation_out(operation))


def _get(principal: Principal, operation_id: int) -> Operation:
    """Return an operation; another organisation's is answered like one that does not exist."""
    operation = selectors.operations().filter(pk=operation_id).first()
    if operation is None or not principal.may(operation.action, operation.organisation):
        raise NotFoundError(f"There is no operation {operation_id}, or it is another's.")
    return operation


def operation_out(operation: Operation) -> OperationOut:
    """Return an operation as the API shows it."""
    kind = Operation.Kind(operation.kind)
    done = operation.state == Operation.State.SUCCEEDED
    return OperationOut(
        id=operation.pk,
        kind=kind,
        parameters=operation.parameters,
        state=Operation.State(operation.state),
        progress=operation.progress,
        organisation=operation.organisation.slug,
        asked_by=operation.asked_by.username,
        asked_at=operation.asked_at,
        started_at=operation.started_at,
        ended_at=operation.ended_at,
        result=operation.result,
        result_url=_result_url(kind, operation.parameters) if done else None,
        error=operation.error,
    )


def _result_url(kind: Operation.Kind, parameters: Mapping[str, Any]) -> str:
    name, parameter = _RESULTS[kind]
    return reverse(name, args=[parameters[parameter]] if parameter is not None else [])
