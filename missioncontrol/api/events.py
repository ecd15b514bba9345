"""What happens, as it happens: the published entries of the consortium log as events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Header, Query, Router, Schema
from pydantic import WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.accounts.tickets import LIFETIME_S, TicketRefusedError, issue_ticket
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, principal_of
from missioncontrol.api.event_query import EventNumber, EventQuery, WantedEvents, may_listen
from missioncontrol.api.fields import example
from missioncontrol.api.problems import problem
from missioncontrol.api.server_sent_events import (
    BEAT_S,
    credential_at,
    described_stream,
    message,
    no_room,
    stream_response,
    wants_stream,
)
from missioncontrol.events.event import Event
from missioncontrol.events.listeners import Listener, StreamEndedError, listeners
from missioncontrol.events.reading import release_connection

router = Router(tags=["events"])

_EVENT: Final[dict[str, Any]] = {
    "id": 4711,
    "type": "job.complete",
    "timestamp": "2026-12-01T12:00:00.000000Z",
    "data": {"subject": "job:17", "organisation": "ai-laboratory-1"},
}
# A header field is text, whatever stands in it.
_LastEventId = Annotated[
    EventNumber, WithJsonSchema({"type": "string", "pattern": "^(-1|[0-9]+)$"})
]


class LogEventOut(Schema):
    """One entry of the log; ``id`` is its index there, ``type`` its action."""

    model_config = example(**_EVENT)

    id: int
    type: str
    timestamp: str
    data: dict[str, Any]


class EventsOut(Schema):
    """Events in order; give ``after`` back to go on behind them."""

    model_config = example(items=[_EVENT], after=4711)

    items: list[LogEventOut]
    after: int


class TicketOut(Schema):
    """What opens one websocket, once: ``/ws/events/?ticket=…`` within ``expires_in_s``."""

    model_config = example(ticket="6cX1m0Jq2vVn3Wk8oTtZsQ", expires_in_s=LIFETIME_S)

    ticket: str
    expires_in_s: int


@router.get(
    "/events",
    auth=TOKEN_OR_SESSION,
    response=EventsOut,
    summary="Events, as a stream or in pages",
    openapi_extra={
        "responses": {
            200: {
                "content": described_stream(
                    id="^[0-9]+$",
                    event=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+$",
                    data={"$ref": "#/components/schemas/LogEventOut"},
                )
            },
        },
    },
)
def get_events(
    request: HttpRequest,
    asked: Query[EventQuery],
    last_event_id: Annotated[
        _LastEventId | None,
        Header(
            None,
            alias="Last-Event-ID",
            description="As EventSource sends it when it connects again; goes before 'after'.",
        ),
    ] = None,
) -> HttpResponse | StreamingHttpResponse:
    """Return events after a number, each once and none left out, however often you connect.

    With ``Accept: text/event-stream`` the answer is a stream that goes on:
    ``id`` is the event's number, ``event`` its type, ``data`` the event. A line
    that begins with a colon is a sign of life, or says why the stream ends.
    Otherwise the answer is a page; with ``wait`` it comes when there is an event.
    """
    principal = principal_of(request)
    principal.require(Action.AUDIT_VIEW)
    wanted = WantedEvents(asked, last_event_id=last_event_id)
    if not wants_stream(request):
        return _page_response(request, principal, wanted, asked)

    async def follow(listener: Listener) -> AsyncGenerator[list[str]]:
        async with aclosing(wanted.follow(listener, beat_s=BEAT_S)) as batches:
            async for batch in batches:
                yield [
                    message(id=str(event.id), event=event.type, data=event.text) for event in batch
                ]

    return stream_response(request, principal, may=may_listen, follow=follow)


@router.post(
    "/tickets",
    auth=TOKEN,
    response=TicketOut,
    summary="A ticket for one websocket",
)
def make_ticket(request: HttpRequest) -> TicketOut | HttpResponse:
    """Return what opens ``/ws/events/`` once: a websocket's address cannot carry a token."""
    principal = principal_of(request)
    principal.require(Action.AUDIT_VIEW)
    try:
        ticket = issue_ticket(principal, session_key="")
    except TicketRefusedError as refusal:
        return problem(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "broker-away",
            str(refusal),
            headers={"Retry-After": "5"},
        )
    return TicketOut(ticket=ticket, expires_in_s=LIFETIME_S)


def _page_response(
    request: HttpRequest, principal: Principal, wanted: WantedEvents, asked: EventQuery
) -> HttpResponse | StreamingHttpResponse:
    page = wanted.page(asked.limit)
    if page.events or not asked.wait:
        return HttpResponse(_page_text(page.events, page.next_id), content_type="application/json")
    wanted.begin = page.next_id
    credential = credential_at(request, principal)
    try:
        listeners.require_room(credential)
    except StreamEndedError as error:
        return no_room(request, error)

    async def awaited() -> AsyncIterator[str]:
        await release_connection()
        found: list[Event] = []
        try:
            async with (
                listeners.listening(credential, may_listen) as listener,
                aclosing(wanted.follow(listener, beat_s=asked.wait)) as batches,
            ):
                found = await anext(batches)
        except StreamEndedError:
            pass  # nothing came for those who may no longer hear it
        found = found[: asked.limit]
        yield _page_text(found, found[-1].id + 1 if found else page.next_id)

    return StreamingHttpResponse(awaited(), content_type="application/json")


def _page_text(events: list[Event], next_id: int) -> str:
    items = ",".join(event.text for event in events)
    return f'{{"items":[{items}],"after":{next_id - 1}}}'
