"""Telemetry values as they come, for pipelines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Header, Query, Router
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Asked, JsonObject, Text, finite
from missioncontrol.api.mission import spacecraft_in_path
from missioncontrol.api.problems import invalid
from missioncontrol.api.server_sent_events import (
    BEAT_S,
    described_stream,
    message,
    stream_response,
)
from missioncontrol.api.telemetry_hub import Values, telemetry_hub
from missioncontrol.events.listeners import Listener
from missioncontrol.events.reading import read
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.organisations import acting_for
from telemetry import selectors
from telemetry.streams import iso

router = Router(tags=["telemetry"])

MERGED_FOR_S: Final = 0.1  # values of one parameter within it become one

_VALUE: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "value": {"description": "a number, a text, or null if there is none"},
        "state": {"type": "string"},
        "generated_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["value", "state", "generated_at"],
}
_DATA: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "spacecraft": {"type": "string"},
        "missed": {"type": "boolean", "description": "of a snapshot only"},
        "values": {
            "type": "object",
            "description": "by parameter",
            "additionalProperties": _VALUE,
        },
    },
    "required": ["spacecraft", "values"],
}


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
                "content": described_stream(id="^.+$", event="^(snapshot|values)$", data=_DATA),
            },
        }
    },
)
def stream_telemetry(
    request: HttpRequest,
    name: Text,
    asked: Query[StreamQuery],
    last_event_id: Annotated[
        Text | None,
        Header(None, alias="Last-Event-ID", description="As EventSource sends it."),
    ] = None,
) -> HttpResponse | StreamingHttpResponse:
    """Return the newest values as a stream of server-sent events, ten times a second at most.

    It begins with the event ``snapshot``, which has the newest value of each
    parameter; ``missed`` says whether others came since the ``Last-Event-ID``
    (the history has them). Then ``values`` has what is new. It is for watching:
    of several values within a tenth of a second the last one comes.
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
        return _values(listener, spacecraft, names, last_event_id)

    return stream_response(request, principal, may=may, follow=follow)


async def _values(
    listener: Listener, spacecraft: Spacecraft, names: list[str], last_event_id: str | None
) -> AsyncGenerator[list[str]]:
    async with telemetry_hub.watched_by(
        listener, spacecraft=spacecraft.name, parameters=names
    ) as watch:
        known_place = last_event_id
        while True:
            if watch.must_begin():
                watch.begins_anew = False
                place = telemetry_hub.place
                missed = known_place is not None and known_place != place
                known_place = place
                newest = await read(_snapshot, spacecraft, names)
                yield [_message("snapshot", spacecraft, newest, place, missed=missed)]
                continue
            await listener.wait(BEAT_S)
            await asyncio.sleep(MERGED_FOR_S)
            if watch.must_begin():
                continue
            new, known_place = watch.take(), telemetry_hub.place
            values = {
                each: _value(value["v"], value["s"], value["t"]) for each, value in new.items()
            }
            yield [_message("values", spacecraft, values, known_place)] if values else []


def _snapshot(spacecraft: Spacecraft, names: list[str]) -> Values:
    """Return the newest values; read for the organisation whose spacecraft it is."""
    organisation = spacecraft.organisation
    with acting_for([(organisation.pk, organisation.slug)]):
        return {
            each.name: _value(
                each.value, each.state, iso(each.generated_at) if each.generated_at else None
            )
            for each in selectors.latest_values(spacecraft, names=names)
        }


def _value(value: Any, state: str, generated_at: str | None) -> dict[str, Any]:
    return {"value": finite(value), "state": state, "generated_at": generated_at}


def _message(event: str, spacecraft: Spacecraft, values: Values, place: str, **more: bool) -> str:
    data = {"spacecraft": spacecraft.name, **more, "values": values}
    return message(id=place, event=event, data=json.dumps(data, separators=(",", ":")))
