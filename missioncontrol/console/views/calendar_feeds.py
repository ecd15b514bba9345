"""Calendars: the secret addresses of one's organisations, made and revoked."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.scheduling import selectors, services

_BACK: Final = "console:calendar_feeds"
_PAGE: Final = 50


@page(Action.CALENDAR_FEED_MANAGE)
def calendar_feeds(request: HttpRequest) -> HttpResponse:
    """Show the calendars of one's organisations, and the form that makes one."""
    organisations = viewer_of(request).organisations_with(Action.CALENDAR_FEED_MANAGE)
    number = page_number(request)
    begin = (number - 1) * _PAGE
    rows = list(selectors.calendar_feeds(organisations)[begin : begin + _PAGE + 1])
    context = {
        "section": "passes",
        "feeds": rows[:_PAGE],
        "organisations": organisations,
        "spacecraft_names": [craft.name for craft in fleet.active_spacecraft()],
        "station_names": [station.name for station in fleet.stations_in_service()],
        "page": page_links(request, number=number, has_older=len(rows) > _PAGE),
    }
    return render(request, "console/calendar_feeds.html", context)


@deed(Action.CALENDAR_FEED_MANAGE, back=_BACK)
def make_calendar_feed(request: HttpRequest) -> HttpResponse:
    """Make a calendar; its address is shown once, in the answer itself."""
    viewer = viewer_of(request)
    organisations = viewer.organisations_with(Action.CALENDAR_FEED_MANAGE)
    wanted = request.POST.get("organisation", "")
    feed, secret = services.make_calendar_feed(
        organisation=next(
            (each for each in organisations if each.slug == wanted), organisations[0]
        ),
        of=_subject(request.POST.get("of", "")),
        actor=viewer.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    context = {
        "section": "passes",
        "feed": feed,
        "address": request.build_absolute_uri(reverse("calendar", args=[secret])),
        "page_url": reverse(_BACK),
    }
    answer = render(request, "console/calendar_feed_made.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@deed(Action.CALENDAR_FEED_MANAGE, back=_BACK)
def revoke_calendar_feed(request: HttpRequest, feed_id: int) -> HttpResponse:
    """Let an address lead nowhere from now on."""
    principal = viewer_of(request).principal
    seen = selectors.calendar_feeds(principal.organisations_with(Action.CALENDAR_FEED_MANAGE))
    feed = services.revoke_calendar_feed(
        feed_id=seen.get(pk=feed_id).pk,  # another member's is not there
        actor=principal.operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(request, f"Calendar {feed.pk} of {feed.subject} is revoked.")
    return go_back(request, _BACK)


def _subject(name: str) -> Spacecraft | GroundStation | None:
    """Return whose contacts are meant; None for those that concern the organisation."""
    if not name:
        return None
    named: list[Spacecraft | GroundStation] = [
        *fleet.active_spacecraft(),
        *fleet.stations_in_service(),
    ]
    found = next((each for each in named if each.name == name), None)
    if found is None:
        raise RefusedError(f"{name!r} is no spacecraft and no station; choose one.")
    return found
