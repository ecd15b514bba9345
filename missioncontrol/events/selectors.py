from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from missioncontrol.audit.models import AuditEntry
from missioncontrol.events.event import Event, event_of
from missioncontrol.events.event_types import ALL, EventTypes

MAX_EVENTS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Some events by number, and where to go on."""

    events: list[Event]
    next_id: int  # the number of the first event that was not looked at


def published_events(
    *,
    begin: int,
    end: int,
    types: EventTypes = ALL,
    organisation: str = "",
    limit: int = MAX_EVENTS,
) -> EventPage:
    """Return the events numbered from *begin* to *end* - 1, all of which are published.

    Args:
        begin: The first number.
        end: The number after the last; at most ``audit.selectors.published_size()``.
        types: Only these.
        organisation: Only those that concern this one (slug); empty: whomever.
        limit: Return at most so many.
    """
    rows = AuditEntry.objects.filter(log_index__gte=begin, log_index__lt=end)
    if organisation:
        rows = rows.filter(organisation=organisation)
    if not types.everything:
        rows = rows.filter(_of(types))
    events = [event_of(row) for row in rows.order_by("log_index")[:limit]]
    return EventPage(
        events=events, next_id=events[-1].id + 1 if len(events) == limit else max(begin, end)
    )


def _of(types: EventTypes) -> Q:
    wanted = Q(action__in=types.exact)
    for prefix in types.prefixes:
        wanted |= Q(action__startswith=prefix)
    return wanted
