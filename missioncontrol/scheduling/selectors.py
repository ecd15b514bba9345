from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from missioncontrol.accounts.models import Organisation
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.scheduling.models import (
    IN_PROGRESS,
    CalendarFeed,
    CongestionPrice,
    Contact,
    ContactRequest,
    Outage,
    Plan,
)

_FEED_PAST: Final = timedelta(days=14)
_LARGE: Final = ("document",)  # columns of a plan that lists need not read


def _contacts() -> QuerySet[Contact]:
    return Contact.objects.select_related(
        "spacecraft", "antenna", "antenna__station", "profile", "relay"
    )


def get_contact(contact_id: int) -> Contact:
    """Return one contact with its spacecraft, antenna and station.

    Raises:
        Contact.DoesNotExist: no such contact.
    """
    return _contacts().get(pk=contact_id)


def next_contact(at: datetime, *, spacecraft: Spacecraft | None = None) -> Contact | None:
    """Return the scheduled contact that begins next, or None."""
    contacts = _contacts().filter(state=Contact.State.SCHEDULED, los__gt=at)
    if spacecraft is not None:
        contacts = contacts.filter(spacecraft=spacecraft)
    return contacts.order_by("aos").first()


def contacts_between(start: datetime, end: datetime) -> list[Contact]:
    """Return the contacts that touch [start, end), by AOS."""
    return list(_contacts().filter(los__gt=start, aos__lt=end).order_by("aos"))


def upcoming_contacts(at: datetime, *, limit: int) -> list[Contact]:
    """Return the next scheduled contacts, by AOS."""
    return list(
        _contacts().filter(state=Contact.State.SCHEDULED, los__gt=at).order_by("aos")[:limit]
    )


def contacts_in_progress(at: datetime) -> list[Contact]:
    """Return the contacts being worked on, and those whose pre-pass should have begun."""
    running = list(_contacts().filter(state__in=IN_PROGRESS))
    return running + [
        contact
        for contact in _contacts().filter(
            state=Contact.State.SCHEDULED, los__gt=at, aos__lte=at + timedelta(hours=1)
        )
        if contact.aos - timedelta(seconds=contact.pre_pass_s) <= at
    ]


def due_contacts(at: datetime, *, within_s: float) -> list[Contact]:
    """Return what an executor should claim: pre-pass begins within *within_s* mission seconds.

    Contacts in progress whose lease has run out are due too: their executor died.
    """
    soon = at + timedelta(seconds=within_s)
    return [
        contact
        for contact in contacts_in_progress(soon)
        if contact.los + timedelta(seconds=contact.post_pass_s) > at
        or contact.state != Contact.State.SCHEDULED
    ]


def contact_requests(seen: Iterable[Organisation]) -> QuerySet[ContactRequest]:
    """Return the requests of organisations and those for their spacecraft, newest first."""
    seen = list(seen)
    return ContactRequest.objects.filter(
        Q(organisation__in=seen) | Q(spacecraft__organisation__in=seen)
    ).select_related("organisation", "spacecraft__organisation", "asked_by")


def outages() -> QuerySet[Outage]:
    """Return all outages, newest first, with what is out and whose it is."""
    return Outage.objects.select_related(
        "antenna__station__owner", "spacecraft__organisation", "declared_by"
    )


def outages_within(begins: datetime, ends: datetime) -> list[Outage]:
    """Return the outages that touch an interval and were not lifted, by begin."""
    return list(
        outages().filter(begins__lt=ends, ends__gt=begins, lifted_at=None).order_by("begins")
    )


def plans() -> QuerySet[Plan]:
    """Return the plans, newest first, without their documents."""
    return Plan.objects.select_related("organisation", "proposed_by", "decided_by").defer(*_LARGE)


def get_plan(plan_id: int) -> Plan:
    """Return one plan, without its document.

    Raises:
        Plan.DoesNotExist: no such plan.
    """
    return plans().get(pk=plan_id)


def plan_in_force() -> Plan | None:
    """Return the plan that was published last, whoever's it is, without its document."""
    with acting_for_everybody():
        return Plan.objects.filter(state=Plan.State.PUBLISHED).defer(*_LARGE).first()


def horizon_in_force() -> tuple[datetime, datetime] | None:
    """Return from when to when contacts are booked by the plan in force, if there is one."""
    plan = plan_in_force()
    return (plan.begins, plan.ends) if plan is not None else None


def congestion_prices(begins: datetime, ends: datetime) -> QuerySet[CongestionPrice]:
    """Return the prices of the plan in force for intervals that begin in [begins, ends)."""
    return CongestionPrice.objects.filter(begins__gte=begins, begins__lt=ends).select_related(
        "antenna__station"
    )


def calendar_feeds(organisations: Iterable[Organisation]) -> QuerySet[CalendarFeed]:
    """Return the calendars of organisations, newest first."""
    return CalendarFeed.objects.filter(organisation__in=organisations).select_related(
        "organisation", "spacecraft", "station", "made_by"
    )


def calendar_feed_in_force(secret: str) -> CalendarFeed | None:
    """Return the calendar that a secret address leads to, unless it was revoked."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    with acting_for_everybody():  # whose it is shows only when it is found
        return (
            CalendarFeed.objects.filter(secret_sha256=digest, revoked_at=None)
            .select_related("organisation", "spacecraft", "station")
            .first()
        )


def feed_contacts(feed: CalendarFeed, *, at: datetime) -> list[Contact]:
    """Return the contacts of a calendar: those of the last fortnight and all to come.

    What was cancelled is among them: readers keep what they are not told about.
    """
    contacts = _contacts().filter(los__gt=at - _FEED_PAST)
    if feed.spacecraft_id is not None:
        contacts = contacts.filter(spacecraft=feed.spacecraft_id)
    elif feed.station_id is not None:
        contacts = contacts.filter(antenna__station=feed.station_id)
    else:
        contacts = contacts.filter(
            Q(spacecraft__organisation=feed.organisation_id)
            | Q(antenna__station__owner=feed.organisation_id)
            | Q(request__organisation=feed.organisation_id)
        )
    return list(contacts.order_by("aos", "pk"))
