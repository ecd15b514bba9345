from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.scheduling.models import IN_PROGRESS, Contact


def _contacts() -> QuerySet[Contact]:
    return Contact.objects.select_related("spacecraft", "antenna", "antenna__station", "profile")


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
