"""Contacts that members ask for; plans look for them."""

from __future__ import annotations

from typing import Annotated, Final

from django.db.models import QuerySet
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
    token_of,
)
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import AskedInstant, Instant, Number, Sent, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import ContactRequest

router = Router(tags=["planning"])

# Written out: two enumerations of one name would overwrite each other in the description.
Kind = Annotated[
    ContactRequest.Kind,
    WithJsonSchema({"type": "string", "enum": ContactRequest.Kind.values}),
]
State = Annotated[
    ContactRequest.State,
    WithJsonSchema({"type": "string", "enum": ContactRequest.State.values}),
]
Worth = Annotated[float, Field(ge=0, le=1e9, strict=True)]
Count = Annotated[int, Field(ge=0, le=1000, strict=True)]

_TERMS: Final = {
    "spacecraft": "DD-1",
    "kind": "DATA",
    "earliest": "2026-12-01T12:00:00Z",
    "deadline": "2026-12-02T12:00:00Z",
    "latest": None,
    "priority": 2,
    "minimum_duration_s": 240,
    "minimum_count": 2,
    "maximum_count": 3,
    "value": 100.0,
    "value_per_s": 0.5,
    "missing_cost": 1000.0,
}


class ContactRequestIn(Sent):
    """What is asked for.

    A contact begins no sooner than ``earliest``, no later than ``latest`` and ends
    no later than ``deadline``. It is worth 2^(5 - priority) times its quality times (value +
    value_per_s times its seconds); each one missing from ``minimum_count`` costs 2^(5 -
    priority) times missing_cost. Without ``maximum_count`` the least count is enough.
    """

    model_config = example(**_TERMS)

    spacecraft: Text
    kind: Kind
    earliest: AskedInstant
    deadline: AskedInstant
    latest: AskedInstant | None = None
    priority: Annotated[int, Field(ge=1, le=5, strict=True)] = 3
    minimum_duration_s: Annotated[int, Field(ge=0, le=86_400, strict=True)] = 0
    minimum_count: Count = 1
    maximum_count: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    value: Worth = 100.0
    value_per_s: Worth = 0.0
    missing_cost: Worth = 1000.0


class ContactRequestOut(Schema):
    """A request; OPEN until it is withdrawn. Past its deadline no plan looks for it."""

    model_config = example(
        **_TERMS,
        id=12,
        organisation="ai-laboratory-1",
        state="OPEN",
        contacts=[17],
        asked_by="carol",
        asked_at="2026-12-01T11:40:00Z",
        withdrawn_at=None,
    )

    id: int
    organisation: str
    spacecraft: str
    kind: Kind
    earliest: Instant
    deadline: Instant
    latest: Instant | None
    priority: int
    minimum_duration_s: int
    minimum_count: int
    maximum_count: int
    value: float
    value_per_s: float
    missing_cost: float
    state: State
    contacts: list[int] = Field(description="booked for it by plans")
    asked_by: str
    asked_at: Instant
    withdrawn_at: Instant | None


class ContactRequestQuery(PageQuery):
    """Which requests."""

    spacecraft: Text | None = None
    state: State | None = None


@router.get(
    "/contact-requests",
    auth=TOKEN_OR_SESSION,
    response=Page[ContactRequestOut],
    summary="Contact requests",
)
def list_contact_requests(
    request: HttpRequest, asked: Query[ContactRequestQuery]
) -> Page[ContactRequestOut]:
    """Return your organisation's requests and those for its spacecraft, the newest first."""
    principal = principal_of(request)
    principal.require(Action.CONTACT_REQUEST_VIEW)
    rows = _visible(principal)
    if asked.spacecraft:
        rows = rows.filter(spacecraft=spacecraft_in_field(asked.spacecraft, "query.spacecraft"))
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_out(each) for each in found], next=cursor)


@router.post(
    "/contact-requests",
    auth=TOKEN,
    response={201: ContactRequestOut},
    summary="Ask for contacts",
)
def create_contact_request(
    request: HttpRequest, response: HttpResponse, asked: ContactRequestIn
) -> ContactRequestOut:
    """Ask for contacts of a spacecraft for the token's organisation."""
    organisation = token_of(request).organisation
    principal = permitted(request, Action.CONTACT_REQUEST_MANAGE, organisation)
    terms = {name: value for name, value in dict(asked).items() if name != "spacecraft"}
    made = services.request_contact(
        organisation=organisation,
        spacecraft=spacecraft_in_field(asked.spacecraft, "body.spacecraft"),
        terms=services.RequestTerms(**terms),
        actor=principal.operator,
        at=clock.now(),
    )
    response["Location"] = f"{request.path}/{made.pk}"
    return tagged(request, response, _out(made))


@router.get(
    "/contact-requests/{request_id}",
    auth=TOKEN_OR_SESSION,
    response=ContactRequestOut,
    summary="One contact request",
    openapi_extra=READ,
)
def get_contact_request(
    request: HttpRequest, response: HttpResponse, request_id: Number
) -> ContactRequestOut:
    """Return one request and the contacts that were booked for it."""
    return tagged(request, response, _out(_get(principal_of(request), request_id)))


@router.post(
    "/contact-requests/{request_id}/withdraw",
    auth=TOKEN,
    response=ContactRequestOut,
    summary="Withdraw a contact request",
    openapi_extra=CHANGE,
)
def withdraw_contact_request(
    request: HttpRequest, response: HttpResponse, request_id: Number
) -> ContactRequestOut:
    """Ask no longer. Contacts that are booked for it stay booked."""
    found = _get(principal_of(request), request_id)
    principal = permitted(request, Action.CONTACT_REQUEST_MANAGE, found.organisation)

    def show() -> ContactRequestOut:
        return _out(_get(principal, request_id))

    rows = ContactRequest.objects.filter(pk=request_id)
    with unchanged(request, rows, show):
        services.withdraw_request(request_id=request_id, actor=principal.operator, at=clock.now())
    return tagged(request, response, show())


def _visible(principal: Principal) -> QuerySet[ContactRequest]:
    return selectors.contact_requests(principal.organisations_with(Action.CONTACT_REQUEST_VIEW))


def _get(principal: Principal, request_id: int) -> ContactRequest:
    """Return a request; another member's is answered like one that does not exist."""
    principal.require(Action.CONTACT_REQUEST_VIEW)
    found = _visible(principal).filter(pk=request_id).first()
    if found is None:
        raise NotFoundError(f"There is no contact request {request_id}, or it is another's.")
    return found


def _out(row: ContactRequest) -> ContactRequestOut:
    return ContactRequestOut(
        id=row.pk,
        organisation=row.organisation.slug,
        spacecraft=row.spacecraft.name,
        kind=ContactRequest.Kind(row.kind),
        earliest=row.earliest,
        deadline=row.deadline,
        latest=row.latest,
        priority=row.priority,
        minimum_duration_s=row.minimum_duration_s,
        minimum_count=row.minimum_count,
        maximum_count=row.maximum_count,
        value=row.value,
        value_per_s=row.value_per_s,
        missing_cost=row.missing_cost,
        state=ContactRequest.State(row.state),
        contacts=sorted(row.contacts.values_list("pk", flat=True)),
        asked_by=row.asked_by.username,
        asked_at=row.asked_at,
        withdrawn_at=row.withdrawn_at,
    )
