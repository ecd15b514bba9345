"""Calendars at their secret addresses: whoever has one reads it, and nothing else."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.plan_exchange import contacts_as_calendar


def _content(secret: str) -> str | None:
    feed = selectors.calendar_feed_in_force(secret)
    if feed is None:
        return None
    with acting_for([(feed.organisation_id, feed.organisation.slug)]):
        contacts = selectors.feed_contacts(feed, at=clock.now())
    return contacts_as_calendar(f"Contacts of {feed.subject}", contacts)


@require_safe
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """Return a calendar (RFC 5545); what is unknown or revoked is not there."""
    content = _content(secret)
    if content is None:
        return HttpResponse(
            "There is no calendar at this address, or it was revoked.\n",
            status=404,
            content_type="text/plain; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )
    etag = f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'

    @condition(etag_func=lambda *_: etag)
    def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            content,
            content_type="text/calendar; charset=utf-8",
            headers={
                "Cache-Control": "private, no-cache",
                "Content-Disposition": 'inline; filename="contacts.ics"',
            },
        )

    shown: HttpResponse = answer(request)
    return shown
