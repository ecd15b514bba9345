"""Live streams as server-sent events (HTML, section 9.2): responses that go on and on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from missioncontrol.accounts.credentials import Credential, credential_of
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.fields import JsonObject
from missioncontrol.api.problems import problem
from missioncontrol.events.listeners import Listener, StreamEndedError, listeners
from missioncontrol.events.reading import release_connection

MEDIA_TYPE: Final = "text/event-stream"
BEAT_S: Final = 15.0  # proxies give up a connection that is silent for a minute
_RETRY_MS: Final = 1000
_BEAT: Final = ": beat\n\n"
_HEADERS: Final = {
    # no-transform: a proxy that compresses would hold events back until it has enough of them.
    "Cache-Control": "private, no-store, no-transform",
    "X-Accel-Buffering": "no",
}

# The messages of a stream, a batch at a time; an empty one where there was none for a while.
Follow = Callable[[Listener], AsyncGenerator[list[str]]]
May = Callable[[Principal], bool]


def described_stream(*, id: str, event: str, data: JsonObject) -> JsonObject:  # noqa: A002
    """Return the content of a response, for the description: its schema is that of each message.

    Args:
        id: Pattern of what names a message.
        event: Pattern of the kinds of message.
        data: Schema of the JSON that a message has.
    """
    message_schema = {
        "type": "object",
        "description": "One message of the stream; the values are the text of its fields",
        "properties": {
            "id": {"type": "string", "pattern": id},
            "event": {"type": "string", "pattern": event},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": data,
            },
        },
        "required": ["id", "event", "data"],
    }
    return {MEDIA_TYPE: {"schema": message_schema}}


def wants_stream(request: HttpRequest) -> bool:
    """Return whether the client asks for a stream, as ``EventSource`` does, and not for JSON."""
    return request.get_preferred_type(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


def message(*, event: str, data: str, id: str) -> str:  # noqa: A002  # the format's word
    """Return one message; *data* has no line breaks."""
    return f"id: {id}\nevent: {event}\ndata: {data}\n\n"


def credential_at(request: HttpRequest, principal: Principal) -> Credential:
    """Return what *principal* came in with."""
    session_key = "" if principal.token is not None else request.session.session_key or ""
    return credential_of(principal, session_key=session_key)


def stream_response(
    request: HttpRequest, principal: Principal, *, may: May, follow: Follow
) -> HttpResponse | StreamingHttpResponse:
    """Answer with a stream that goes on while *may* holds for who opened it.

    Args:
        request: What was asked.
        principal: Who asks.
        may: Looked at again every second.
        follow: Gives what is sent.
    """
    credential = credential_at(request, principal)
    try:
        listeners.require_room(credential)
    except StreamEndedError as error:
        return no_room(request, error)
    return StreamingHttpResponse(
        _sent(credential, may, follow), content_type=MEDIA_TYPE, headers=_HEADERS
    )


def no_room(request: HttpRequest, error: StreamEndedError) -> HttpResponse:
    """Answer that too many streams are open."""
    return problem(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too-many-streams",
        str(error),
        headers={"Retry-After": "5"},
    )


async def _sent(credential: Credential, may: May, follow: Follow) -> AsyncIterator[str]:
    await release_connection()
    yield f"retry: {_RETRY_MS}\n\n"
    try:
        async with (
            listeners.listening(credential, may) as listener,
            aclosing(follow(listener)) as batches,
        ):
            async for batch in batches:
                with listener.sending():
                    yield "".join(batch) or _BEAT
    except StreamEndedError as end:
        yield f": {end}\n\n"
