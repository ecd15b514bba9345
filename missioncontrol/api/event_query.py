"""Which events a pipeline asks for, by whichever way they then go to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.fields import MAX_ROW, Asked, PageSize, Text
from missioncontrol.api.problems import invalid
from missioncontrol.audit.selectors import assigned_size, published_size
from missioncontrol.events.event import Event
from missioncontrol.events.event_types import EventTypes, EventTypesError
from missioncontrol.events.listeners import Listener
from missioncontrol.events.log_hub import log_hub
from missioncontrol.events.selectors import EventPage, published_events

MAX_WAIT_S: Final = 60

# -1 stands before the first event, whose number is 0.
EventNumber = Annotated[int, Field(ge=-1, le=MAX_ROW)]


class StreamQuery(Asked):
    """Which events; ``types`` as in ``job.*,contact.book``."""

    after: Annotated[
        EventNumber | None,
        Field(description="only later ones; -1: from the first on; without: those to come"),
    ] = None
    types: Annotated[str, Field(max_length=1000)] = "*"
    organisation: Annotated[Text, Field(description="slug of whom it concerns")] = ""


class EventQuery(StreamQuery):
    """Which events, and for an answer in JSON how many and how long to wait for them."""

    wait: Annotated[
        int, Field(ge=0, le=MAX_WAIT_S, description="seconds to wait for the first one (JSON)")
    ] = 0
    limit: Annotated[PageSize, Field(description="how many at most (JSON)")] = 100


class WantedEvents:
    """What was asked for, after a look at the log that it can be."""

    def __init__(self, asked: StreamQuery, *, last_event_id: int | None = None) -> None:
        """Check it.

        Args:
            asked: The query.
            last_event_id: What came last, where the client says so itself; it
                goes before the query's ``after``.

        Raises:
            InvalidInputError: there are no such events.
        """
        self._types = event_types(asked.types)
        self._organisation = asked.organisation
        after = asked.after if last_event_id is None else last_event_id
        if after is not None and after >= assigned_size():
            field = "query.after" if last_event_id is None else "header.Last-Event-ID"
            raise invalid(field, after, "the number of an event that there was; none has this one")
        self.begin = None if after is None else after + 1

    def page(self, limit: int) -> EventPage:
        """Return what there is already, *limit* events at most."""
        published = published_size()
        return published_events(
            begin=published if self.begin is None else self.begin,
            end=published,
            types=self._types,
            organisation=self._organisation,
            limit=limit,
        )

    async def follow(self, listener: Listener, *, beat_s: float) -> AsyncGenerator[list[Event]]:
        """Yield what there is and what comes; see ``LogHub.events``.

        Raises:
            StreamEndedError: the stream ends.
        """
        async with log_hub.followed_by(listener):
            following = log_hub.events(
                listener,
                begin=self.begin,
                types=self._types,
                organisation=self._organisation,
                beat_s=beat_s,
            )
            async with aclosing(following) as batches:
                async for batch in batches:
                    yield batch


def event_types(text: str) -> EventTypes:
    """Return the types that a query asks for.

    Raises:
        InvalidInputError: they are none.
    """
    try:
        return EventTypes.parse(text)
    except EventTypesError as error:
        raise invalid("query.types", text, str(error)) from error


def may_listen(principal: Principal) -> bool:
    """Return whether somebody may hear the log's events."""
    return principal.may(Action.AUDIT_VIEW)
