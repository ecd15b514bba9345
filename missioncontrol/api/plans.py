"""Plans: proposed at once, made better by a worker, approved, published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema
from pydantic import Field, WithJsonSchema

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
    token_of,
)
from missioncontrol.api.conditions import DEMANDING_CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import Flag, Instant, JsonObject, Number, Sent, Text, example
from missioncontrol.api.operations import RETRY_AFTER_S, OperationOut, operation_out
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.kernel import clock
from missioncontrol.operations.services import start_planning
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import Plan

router = Router(tags=["planning"])

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[Plan.State, WithJsonSchema({"type": "string", "enum": Plan.State.values})]
_MAX_PINS: Final = 50
Windows = Annotated[list[Text], Field(max_length=_MAX_PINS)]
_MAX_HOURS: Final = services.MAX_HORIZON / timedelta(hours=1)

_PLAN: Final[JsonObject] = {
    "id": 3,
    "organisation": "operator",
    "state": "PROPOSED",
    "begins": "2026-12-01T12:00:00Z",
    "ends": "2026-12-02T12:00:00Z",
    "repairs": False,
    "pins": [],
    "base": None,
    "method": "OPTIMISED",
    "objective": 4120.5,
    "bound": 4121.0,
    "gap": 0.00012,
    "seed": 0,
    "solver": "HiGHS 1.10.0",
    "input_digest": "sha256:9f2c…",
    "contacts": 41,
    "unserved": 1,
    "shares": [
        {
            "member": "ai-laboratory-1",
            "had_s": 5400.0,
            "entitled_s": 3600.0,
            "planned_s": 3725.5,
            "share": 0.24,
            "why": "has its share",
        },
    ],
    "changes": 2,
    "unchanged": 39,
    "left_out": [],
    "proposed_by": "operator",
    "proposed_at": "2026-12-01T12:00:00Z",
    "improved_at": "2026-12-01T12:00:20Z",
    "decided_by": None,
    "decided_at": None,
    "published_at": None,
}


class PlanIn(Sent):
    """How far ahead, and how long a worker may look for better.

    ``repairs`` keeps every contact that no outage hits and no wish is against.
    ``include`` names windows that must be booked, ``exclude`` windows in which
    nothing may be: SPACECRAFT/ANTENNA/AOS, to the second in UTC. A booked contact
    is named by its own AOS, also where its window has moved since.
    """

    model_config = example(
        hours=24,
        repairs=True,
        limit_s=20,
        include=["DD-1/KASHI-1/20261201T140300Z"],
        exclude=[],
    )

    hours: Annotated[float, Field(ge=0.5, le=_MAX_HOURS, strict=True)] = 24.0
    repairs: Flag = False
    limit_s: Annotated[float, Field(ge=1, le=120, strict=True)] = 20.0
    include: Windows = Field(default_factory=list)
    exclude: Windows = Field(default_factory=list)


class PlanOut(Schema):
    """A plan: PROPOSED, APPROVED, PUBLISHED, SUPERSEDED or REFUSED.

    No plan is worth more than ``bound``; ``gap`` is the part of it that may be
    missing. Both are null until the worker has looked for better. ``changes``
    counts the contacts that are not as they were booked when it was made.
    ``shares`` tells the seconds that each member has had in the past 7 days, is
    entitled to and is given, and its share of all that is given to members.
    ``left_out`` tells what could not be booked any more as it was published.
    ``pins`` are the windows that it had to book, each for a request, or to leave
    free (null).
    """

    model_config = example(**_PLAN)

    id: int
    organisation: str
    state: State
    begins: Instant
    ends: Instant
    repairs: bool
    pins: list[JsonObject]
    base: int | None
    method: str
    objective: float
    bound: float | None
    gap: float | None
    seed: int
    solver: str
    input_digest: str
    contacts: int
    unserved: int
    shares: list[JsonObject]
    changes: int
    unchanged: int
    left_out: list[JsonObject]
    proposed_by: str
    proposed_at: Instant
    improved_at: Instant | None
    decided_by: str | None
    decided_at: Instant | None
    published_at: Instant | None


class PlannedContactOut(Schema):
    """A contact of a plan; ``path`` is its antenna, or relays and then the antenna."""

    model_config = example(
        window="DD-1/KASHI-1/20261201T122100Z",
        request="request:12",
        spacecraft="DD-1",
        path=["KASHI-1"],
        begins="2026-12-01T12:21:00Z",
        ends="2026-12-01T12:33:06Z",
    )

    window: str
    request: str
    spacecraft: str
    path: list[str]
    begins: Instant
    ends: Instant


class ChangeOut(Schema):
    """A contact that is not as it was: ADDED, DROPPED, MOVED, TRIMMED or REASSIGNED, and why.

    A reassigned one stays where it is and serves another request.
    """

    model_config = example(
        kind="DROPPED",
        request="standing:DD-1",
        spacecraft="DD-1",
        before={
            "antenna": "KASHI-1",
            "aos": "2026-12-01T18:21:00Z",
            "los": "2026-12-01T18:33:06Z",
        },
        after=None,
        why="KASHI-1 is out 2026-12-01T18:00Z to 2026-12-02T06:00Z: drive fault",
        outage="KASHI-1",
    )

    kind: str
    request: str
    spacecraft: str
    before: JsonObject | None
    after: JsonObject | None
    why: str
    outage: str | None


class UnservedOut(Schema):
    """A request with too few contacts: NO_WINDOW, TOO_SHORT, OUTAGE or CONFLICT, in words.

    ``conflicts`` names windows that would have served, and the contacts in their way.
    """

    model_config = example(
        request="request:12",
        owner="ai-laboratory-1",
        spacecraft="DD-1",
        missing=1,
        code="NO_WINDOW",
        reason="no window of 240 s or more before the deadline",
        conflicts=[],
    )

    request: str
    owner: str
    spacecraft: str
    missing: int
    code: str
    reason: str
    conflicts: list[JsonObject]


class PlanQuery(PageQuery):
    """Which plans."""

    state: State | None = None


@router.get("/plans", auth=TOKEN_OR_SESSION, response=Page[PlanOut], summary="Plans")
def list_plans(request: HttpRequest, asked: Query[PlanQuery]) -> Page[PlanOut]:
    """Return the plans of your organisation, which operates the mission, newest first."""
    principal_of(request).require(Action.PLAN_VIEW)
    rows = selectors.plans()
    if asked.state:
        rows = rows.filter(state=asked.state)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_out(each) for each in found], next=cursor)


@router.post("/plans", auth=TOKEN, response={202: OperationOut}, summary="Propose a plan")
def propose_plan(request: HttpRequest, response: HttpResponse, asked: PlanIn) -> OperationOut:
    """Have a plan proposed from now on.

    It is there at once (``parameters.plan`` of the operation): greedy, or, where it
    repairs, moving only what must move. The operation makes it better and adds
    bound, gap and prices. What is against windows that it must book or leave free
    (an outage, a contact that stays, an antenna's set-up and tear-down) is told, 409.
    """
    organisation = token_of(request).organisation
    principal = permitted(request, Action.PLAN_PROPOSE)
    _, operation = start_planning(
        organisation=organisation,
        horizon=timedelta(hours=asked.hours),
        repairs=asked.repairs,
        limit_s=asked.limit_s,
        asked_by=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
        wish=services.Wish(include=tuple(asked.include), exclude=tuple(asked.exclude)),
    )
    response["Location"] = reverse("api:get_operation", args=[operation.pk])
    response["Retry-After"] = str(RETRY_AFTER_S)
    return tagged(request, response, operation_out(operation))


@router.get(
    "/plans/{plan_id}",
    auth=TOKEN_OR_SESSION,
    response=PlanOut,
    summary="One plan",
    openapi_extra=READ,
)
def get_plan(request: HttpRequest, response: HttpResponse, plan_id: Number) -> PlanOut:
    """Return one plan; its ETag is what a decision on it takes."""
    return tagged(request, response, _out(_get(request, plan_id)))


@router.post(
    "/plans/{plan_id}/approve",
    auth=TOKEN,
    response=PlanOut,
    summary="Approve a plan",
    openapi_extra=DEMANDING_CHANGE,
)
def approve_plan(request: HttpRequest, response: HttpResponse, plan_id: Number) -> PlanOut:
    """Let a plan be published, as you have seen it: a worker may have made it better since."""
    return _decide(request, response, plan_id, Action.PLAN_APPROVE, services.approve_plan)


@router.post(
    "/plans/{plan_id}/refuse",
    auth=TOKEN,
    response=PlanOut,
    summary="Refuse a plan",
    openapi_extra=DEMANDING_CHANGE,
)
def refuse_plan(request: HttpRequest, response: HttpResponse, plan_id: Number) -> PlanOut:
    """Turn a plan down; it stays to be read."""
    return _decide(request, response, plan_id, Action.PLAN_APPROVE, services.refuse_plan)


@router.post(
    "/plans/{plan_id}/publish",
    auth=TOKEN,
    response=PlanOut,
    summary="Publish a plan",
    openapi_extra=DEMANDING_CHANGE,
)
def publish_plan(request: HttpRequest, response: HttpResponse, plan_id: Number) -> PlanOut:
    """Put an approved plan in force: its contacts are booked, what it drops is cancelled.

    A contact that stays keeps its time; one that has begun is left alone.
    """
    return _decide(request, response, plan_id, Action.PLAN_PUBLISH, services.publish_plan)


def plan_with_document(request: HttpRequest, plan_id: int) -> Plan:
    """Return a plan and its document, if who asks may see plans.

    Raises:
        NotFoundError: there is none, or it is another organisation's.
    """
    principal_of(request).require(Action.PLAN_VIEW)
    found = Plan.objects.select_related("organisation").filter(pk=plan_id).first()
    if found is None:
        raise _missing(plan_id)
    return found


def _decide(
    request: HttpRequest,
    response: HttpResponse,
    plan_id: int,
    action: Action,
    service: Callable[..., Plan],
) -> PlanOut:
    found = _get(request, plan_id)
    principal = permitted(request, action, found.organisation)

    def show() -> PlanOut:
        return _out(_get(request, plan_id))

    rows = Plan.objects.filter(pk=plan_id).only("pk")
    with unchanged(request, rows, show, demanded=True):
        service(plan_id=plan_id, actor=principal.operator, at=clock.now())
    return tagged(request, response, show())


def _get(request: HttpRequest, plan_id: int) -> Plan:
    principal_of(request).require(Action.PLAN_VIEW)
    try:
        return selectors.get_plan(plan_id)
    except Plan.DoesNotExist:
        raise _missing(plan_id) from None


def _missing(plan_id: int) -> NotFoundError:
    return NotFoundError(f"There is no plan {plan_id}, or it is another organisation's.")


def _out(plan: Plan) -> PlanOut:
    shown: dict[str, Any] = {
        name: getattr(plan, name) for name in PlanOut.model_fields if name not in _COMPUTED
    }
    return PlanOut(
        id=plan.pk,
        organisation=plan.organisation.slug,
        base=plan.base_id,
        contacts=plan.contact_count,
        unserved=len(plan.unserved),
        changes=len(plan.changes),
        proposed_by=plan.proposed_by.username,
        decided_by=_name(plan.decided_by),
        **shown,
    )


_COMPUTED: Final = {
    "id",
    "organisation",
    "base",
    "contacts",
    "unserved",
    "changes",
    "proposed_by",
    "decided_by",
}


def _name(person: Operator | None) -> str | None:
    return person.username if person is not None else None
