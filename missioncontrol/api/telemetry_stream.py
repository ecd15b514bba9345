"""Telemetry values as they come, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Header, Query, Router
from pydantic import Field, WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import MAX_ROW, Asked, JsonObject, Text
from missioncontrol.api.mission import spacecraft_in_path
from missioncontrol.api.problems import invalid
from missioncontrol.api.server_sent_events import (
    BEAT_S,
    described_stream,
    message,
    stream_response,
)
from missioncontrol.api.telemetry_feed import Feed, FeedListener, newest_values, samples_after
from missioncontrol.events.listeners import Listener
from missioncontrol.fleet.models import Spacecraft
from telemetry import selectors
from telemetry.archive import ArchiveError

router = Router(tags=["telemetry"])

MERGED_FOR_S: Final = 0.1  # values of one parameter within it become one

_VALUE: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "v": {"description": "the value: a number or a text", "type": ["number", "string"]},
        "s": {"description": "its state", "type": "string"},
        "t": {"description": "when it was generated", "type": "string", "format": "date-time"},
    },
    "required": ["v", "s", "t"],
}
_SAMPLES: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "t": {"type": "array", "items": {"type": "string", "format": "date-time"}},
        "v": {"type": "array", "items": {"type": ["number", "string"]}},
    },
    "required": ["t", "v"],
}
_DATA: Final[JsonObject] = {
    "type": "object",
    "description": "By parameter: the newest value, or (samples) all values in order",
    "additionalProperties": {"anyOf": [_VALUE, _SAMPLES]},
}
# A place in the spacecraft's packet log. A header field is text, whatever stands in it.
_Position = Annotated[
    int,
    Field(ge=0, le=MAX_ROW),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+$"}),
]


class StreamQuery(Asked):
    """Which parameters; none: all."""

    parameter: list[Text] = Field(default=[], max_length=200)


@router.get(
    "/spacecraft/{name}/telemetry/stream",
    auth=TOKEN_OR_SESSION,
    summary="Values as they come",
    openapi_extra={
        "responses": {
            200: {
                "description": "A stream that goes on until you close it",
                "content": described_stream(
                    id=r"^\d+$", event="^(snapshot|samples|values)$", data=_DATA
                ),
            },
        }
    },
)
def stream_telemetry(
    request: HttpRequest,
    name: Text,
    asked: Query[StreamQuery],
    last_event_id: Annotated[
        _Position | None,
        Header(None, alias="Last-Event-ID", description="As EventSource sends it."),
    ] = None,
) -> HttpResponse | StreamingHttpResponse:
    """Return the newest values as a stream of server-sent events, ten times a second at most.

    It begins with the event ``snapshot``, which has the newest value of each
    parameter; then ``values`` has what is new, of several values within a tenth
    of a second the last one. Who comes with a ``Last-Event-ID`` is told by
    ``samples`` every value that was archived since, so that a break costs
    nothing; an id that this archive never gave begins with a snapshot again.
    """
    principal = principal_of(request)
    spacecraft = spacecraft_in_path(name)
    principal.require(Action.TELEMETRY_VIEW, spacecraft.organisation)
    known = selectors.parameters_of(spacecraft)
    for parameter in asked.parameter:
        if parameter not in known:
            raise invalid("query.parameter", parameter, f"a parameter of {spacecraft}")
    names = asked.parameter or list(known)

    def may(somebody: Principal) -> bool:
        return somebody.may(Action.TELEMETRY_VIEW, spacecraft.organisation)

    def follow(listener: Listener) -> AsyncGenerator[list[str]]:
        return _values(listener, spacecraft, frozenset(names), last_event_id)

    return stream_response(request, principal, may=may, follow=follow)


async def _values(
    listener: Listener, spacecraft: Spacecraft, names: frozenset[str], position: int | None
) -> AsyncGenerator[list[str]]:
    news = FeedListener(names.__contains__, news=listener.news)
    feed = await Feed.join(spacecraft.name, news)
    news.lost_line()  # nothing has been told yet
    try:
        while True:
            if news.has_gap:
                news.has_gap = False
                async with aclosing(_past(spacecraft, news, position)) as past:
                    async for reached, text in past:
                        position = reached
                        yield [text]
            await listener.wait(BEAT_S)
            await asyncio.sleep(MERGED_FOR_S)
            if news.has_gap:
                continue  # first what came before
            values, position = news.take(), max(position or 0, news.position)
            yield [_message("values", position, values)] if values else []
    finally:
        await feed.leave(news)


async def _past(
    spacecraft: Spacecraft, news: FeedListener, position: int | None
) -> AsyncGenerator[tuple[int, str]]:
    """Yield (position after it, message) of what was archived since; without one, the newest."""
    if position is not None:
        try:
            past = samples_after(spacecraft, position, news.is_wanted)
            async with aclosing(past) as parts:
                async for reached, samples in parts:
                    yield reached, _message("samples", reached, samples)
            return
        except ArchiveError:
            pass  # it is of another archive: nobody can know what came in between
    reached, values = await newest_values(spacecraft, news.is_wanted)
    yield reached, _message("snapshot", reached, values)


def _message(event: str, position: int, data: dict[str, Any]) -> str:
    return message(id=str(position), event=event, data=json.dumps(data, separators=(",", ":")))
