"""What a plan consists of, whole or in pages, and what it makes antenna time worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import AskedInstant, Instant, JsonObject, Number, Text, example
from missioncontrol.api.paging import Page, PageQuery, by_time, row_cursor
from missioncontrol.api.plans import (
    ChangeOut,
    PlannedContactOut,
    UnservedOut,
    plan_with_document,
)
from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.models import CongestionPrice
from missioncontrol.scheduling.plan_exchange import plan_as_schedule

router = Router(tags=["planning"], auth=TOKEN_OR_SESSION)

_DAY: Final = timedelta(days=1)
_XML: Final = "application/xml"
_Part = TypeVar("_Part", bound=Schema)


class PriceOut(Schema):
    """What an antenna's time is worth to those that compete for it in an interval.

    A contact that covers any part of it keeps others out that would bring this much.
    """

    model_config = example(
        antenna="KASHI-1",
        begins="2026-12-01T12:21:00Z",
        ends="2026-12-01T12:24:10Z",
        price=118.4,
    )

    antenna: str
    begins: Instant
    ends: Instant
    price: float


class PriceQuery(PageQuery):
    """Which prices; without an interval those of the next day."""

    antenna: Text | None = None
    start: AskedInstant | None = None
    end: AskedInstant | None = None


@router.get(
    "/plans/{plan_id}/contacts", response=Page[PlannedContactOut], summary="Contacts of a plan"
)
def list_planned_contacts(
    request: HttpRequest, plan_id: Number, asked: Query[PageQuery]
) -> Page[PlannedContactOut]:
    """Return who is served when, by time."""
    contacts = plan_with_document(request, plan_id).document["plan"]["contacts"]
    renamed = [{**one, "window": one["id"]} for one in contacts]
    return _page(PlannedContactOut, renamed, asked)


@router.get(
    "/plans/{plan_id}/difference",
    response=Page[ChangeOut],
    summary="What a plan changes",
)
def list_plan_changes(
    request: HttpRequest, plan_id: Number, asked: Query[PageQuery]
) -> Page[ChangeOut]:
    """Return every contact that is not as it was booked when the plan was made, and why."""
    return _page(ChangeOut, plan_with_document(request, plan_id).changes, asked)


@router.get(
    "/plans/{plan_id}/unserved",
    response=Page[UnservedOut],
    summary="Requests that a plan does not serve",
)
def list_unserved_requests(
    request: HttpRequest, plan_id: Number, asked: Query[PageQuery]
) -> Page[UnservedOut]:
    """Return the requests with too few contacts, and why."""
    return _page(UnservedOut, plan_with_document(request, plan_id).unserved, asked)


@router.get(
    "/plans/{plan_id}/prices", response=Page[PriceOut], summary="Congestion prices of a plan"
)
def list_plan_prices(
    request: HttpRequest, plan_id: Number, asked: Query[PageQuery]
) -> Page[PriceOut]:
    """Return what the plan makes antenna time worth; none before a worker has solved it."""
    return _page(PriceOut, plan_with_document(request, plan_id).document["plan"]["prices"], asked)


@router.get(
    "/plans/{plan_id}/document", response=JsonObject, summary="A plan's document, to be verified"
)
def get_plan_document(request: HttpRequest, plan_id: Number) -> JsonObject:
    """Return problem and plan, all that ``manage.py verify_plan`` needs (docs/planning.md)."""
    document: JsonObject = plan_with_document(request, plan_id).document
    return document


@router.get(
    "/plans/{plan_id}/simple-schedule",
    summary="A plan as a simple schedule",
    openapi_extra={
        "responses": {200: {"content": {_XML: {"schema": {"type": "string"}}}}},
    },
)
def get_simple_schedule(request: HttpRequest, plan_id: Number) -> HttpResponse:
    """Return the contacts in the simple schedule format (CCSDS 902.1-B-1), XML.

    TENTATIVE until the plan is published, then COMMITTED.
    """
    return HttpResponse(
        plan_as_schedule(plan_with_document(request, plan_id)),
        content_type=_XML,
        headers={"Content-Disposition": f'attachment; filename="plan-{plan_id}.xml"'},
    )


@router.get("/congestion-prices", response=Page[PriceOut], summary="Congestion prices")
def list_congestion_prices(request: HttpRequest, asked: Query[PriceQuery]) -> Page[PriceOut]:
    """Return the prices of the plan in force, by begin: when antenna time is dear."""
    principal_of(request).require(Action.CONTACT_VIEW)
    start = asked.start or clock.now()
    rows = selectors.congestion_prices(start, asked.end or start + _DAY)
    if asked.antenna:
        rows = rows.filter(antenna__name=asked.antenna)
    found, cursor = by_time(rows, field="begins", cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_price_out(each) for each in found], next=cursor)


def _page(model: type[_Part], parts: Sequence[Mapping[str, Any]], asked: PageQuery) -> Page[_Part]:
    """Return some of a list that never changes its order; the cursor counts."""
    begin = row_cursor(asked.cursor) if asked.cursor is not None else 0
    end = begin + asked.limit
    items = [model.model_validate(one) for one in parts[begin:end]]
    return Page(items=items, next=str(end) if end < len(parts) else None)


def _price_out(row: CongestionPrice) -> PriceOut:
    return PriceOut(antenna=row.antenna.name, begins=row.begins, ends=row.ends, price=row.price)
