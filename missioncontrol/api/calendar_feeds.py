"""Contacts in calendars: secret addresses that are made, listed and revoked."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
    token_of,
)
from missioncontrol.api.fields import Instant, JsonObject, Number, Sent, Text, example
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import CalendarFeed

router = Router(tags=["planning"])

_FEED: Final[JsonObject] = {
    "id": 2,
    "organisation": "ai-laboratory-1",
    "spacecraft": "DD-1",
    "station": None,
    "made_by": "carol",
    "made_at": "2026-12-01T12:00:00Z",
    "revoked_at": None,
}


class CalendarFeedIn(Sent):
    """Which contacts: of a spacecraft, of a station, or without both of your organisation.

    Your organisation's are those for its requests, of its spacecraft and at its stations.
    """

    model_config = example(spacecraft="DD-1")

    spacecraft: Text | None = None
    station: Text | None = None


class CalendarFeedOut(Schema):
    """A calendar; its times are those of the machine, not mission time."""

    model_config = example(**_FEED)

    id: int
    organisation: str
    spacecraft: str | None
    station: str | None
    made_by: str
    made_at: Instant
    revoked_at: Instant | None


class CalendarFeedWithUrlOut(CalendarFeedOut):
    """A calendar and its secret address, which is shown only now."""

    model_config = example(**_FEED, url="https://mission.example/calendars/….ics")

    url: str


@router.get(
    "/calendar-feeds",
    auth=TOKEN_OR_SESSION,
    response=Page[CalendarFeedOut],
    summary="Calendars",
)
def list_calendar_feeds(request: HttpRequest, asked: Query[PageQuery]) -> Page[CalendarFeedOut]:
    """Return your organisation's calendars, the newest first, also those revoked."""
    principal = principal_of(request)
    principal.require(Action.CALENDAR_FEED_MANAGE)
    found, cursor = newest_first(_visible(principal), cursor=asked.cursor, limit=asked.limit)
    return Page(items=[CalendarFeedOut(**_fields(each)) for each in found], next=cursor)


@router.post(
    "/calendar-feeds",
    auth=TOKEN,
    response={201: CalendarFeedWithUrlOut},
    summary="Make a calendar",
)
def make_calendar_feed(
    request: HttpRequest, response: HttpResponse, asked: CalendarFeedIn
) -> CalendarFeedWithUrlOut:
    """Return a secret address that calendars subscribe to; whoever has it reads the contacts."""
    organisation = token_of(request).organisation
    principal = permitted(request, Action.CALENDAR_FEED_MANAGE, organisation)
    feed, secret = services.make_calendar_feed(
        organisation=organisation,
        of=_named(asked),
        actor=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    response["Location"] = f"{request.path}/{feed.pk}"
    url = request.build_absolute_uri(reverse("calendar", args=[secret]))
    return CalendarFeedWithUrlOut(**_fields(feed), url=url)


@router.get(
    "/calendar-feeds/{feed_id}",
    auth=TOKEN_OR_SESSION,
    response=CalendarFeedOut,
    summary="One calendar",
)
def get_calendar_feed(request: HttpRequest, feed_id: Number) -> CalendarFeedOut:
    """Return one calendar, without its address."""
    return CalendarFeedOut(**_fields(_get(principal_of(request), feed_id)))


@router.post(
    "/calendar-feeds/{feed_id}/revoke",
    auth=TOKEN,
    response=CalendarFeedOut,
    summary="Revoke a calendar",
)
def revoke_calendar_feed(request: HttpRequest, feed_id: Number) -> CalendarFeedOut:
    """Let its address lead nowhere from now on."""
    feed = _get(principal_of(request), feed_id)
    principal = permitted(request, Action.CALENDAR_FEED_MANAGE, feed.organisation)
    services.revoke_calendar_feed(
        feed_id=feed_id,
        actor=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    return CalendarFeedOut(**_fields(_get(principal, feed_id)))


def _named(asked: CalendarFeedIn) -> Spacecraft | GroundStation | None:
    if asked.spacecraft is not None and asked.station is not None:
        raise invalid("body.station", asked.station, "nothing, where a spacecraft is named")
    if asked.spacecraft is not None:
        return spacecraft_in_field(asked.spacecraft, "body.spacecraft")
    if asked.station is None:
        return None
    try:
        return fleet.get_station(name=asked.station)
    except GroundStation.DoesNotExist:
        raise invalid(
            "body.station", asked.station, "the name of a station; GET /stations lists them"
        ) from None


def _visible(principal: Principal) -> QuerySet[CalendarFeed]:
    return selectors.calendar_feeds(principal.organisations_with(Action.CALENDAR_FEED_MANAGE))


def _get(principal: Principal, feed_id: int) -> CalendarFeed:
    principal.require(Action.CALENDAR_FEED_MANAGE)
    found = _visible(principal).filter(pk=feed_id).first()
    if found is None:
        raise NotFoundError(f"There is no calendar {feed_id}, or it is another member's.")
    return found


def _fields(feed: CalendarFeed) -> JsonObject:
    return {
        "id": feed.pk,
        "organisation": feed.organisation.slug,
        "spacecraft": feed.spacecraft.name if feed.spacecraft is not None else None,
        "station": feed.station.name if feed.station is not None else None,
        "made_by": feed.made_by.username,
        "made_at": feed.made_at,
        "revoked_at": feed.revoked_at,
    }
