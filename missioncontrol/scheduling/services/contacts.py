from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action, require
from missioncontrol.contacts.models import ContactWindow, RelayPath
from missioncontrol.contacts.selectors import windows_between
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import MissionProfile, Spacecraft
from missioncontrol.scheduling import selectors
from missioncontrol.scheduling.bookings import is_free, move_contact, put_contact
from missioncontrol.scheduling.models import TRANSITIONS, Contact
from missioncontrol.scheduling.plan_relays import path_about
from missioncontrol.scheduling.services.errors import ContactRefusedError

BOOKING_HORIZON: Final = timedelta(hours=24)
_PROCESS: Final = "process:scheduler"


def book_contacts(*, at: datetime) -> list[Contact]:
    """Book the free windows of the next day, the best first.

    The value of a window is its largest elevation, then its length. What is
    booked stays booked. Within the horizon of the plan in force nothing is
    booked but by plans, and nothing ever into an outage.

    Returns:
        The new contacts, by AOS.
    """
    booked: list[Contact] = []
    planned = selectors.horizon_in_force()
    for spacecraft in fleet.active_spacecraft():
        profiles = fleet.mission_profiles(spacecraft)
        if not profiles:
            continue
        windows = [
            window
            for window in windows_between(at, at + BOOKING_HORIZON, spacecraft=spacecraft)
            if planned is None or not planned[0] <= window.aos < planned[1]
        ]
        for window in sorted(windows, key=_value, reverse=True):
            contact = _book(window, profiles[0], at)
            if contact is not None:
                booked.append(contact)
    return sorted(booked, key=lambda contact: contact.aos)


def _value(window: ContactWindow) -> tuple[float, timedelta]:
    return window.max_elevation_deg, window.los - window.aos


@transaction.atomic
def _book(window: ContactWindow, profile: MissionProfile, at: datetime) -> Contact | None:
    begins = window.aos - timedelta(seconds=profile.pre_pass_s)
    long_enough = (window.los - window.aos).total_seconds() >= profile.minimum_contact_s
    if begins < at or not long_enough:
        return None
    for antenna in fleet.active_antennas(window.station):
        if is_free(antenna, profile, window):
            return put_contact(window, antenna, profile, actor=_PROCESS, at=at)
    return None


def note_drift(*, spacecraft: Spacecraft, at: datetime) -> int:
    """Compare the scheduled contacts with the windows as predicted now.

    A booked contact keeps its time; the seconds by which AOS moved are shown.

    Returns:
        How many contacts have another drift than before.
    """
    changed = 0
    for contact in Contact.objects.filter(
        spacecraft=spacecraft, state=Contact.State.SCHEDULED, aos__gt=at
    ).select_related("antenna__station", "relay"):
        window = _predicted(contact, spacecraft)
        if window is None:
            continue
        drift_s = round((window.aos - contact.aos).total_seconds(), 3)
        if drift_s != contact.drift_s:
            changed += Contact.objects.filter(pk=contact.pk).update(drift_s=drift_s)
    return changed


def _predicted(contact: Contact, spacecraft: Spacecraft) -> ContactWindow | RelayPath | None:
    station, aos, los = contact.antenna.station, contact.aos, contact.los
    if contact.relay is not None:
        return path_about(spacecraft.name, contact.relay, station, aos, los)
    windows = ContactWindow.objects.filter(
        spacecraft=spacecraft, station=station, aos__lt=los, los__gt=aos
    )
    return windows.order_by("aos").first()


@transaction.atomic
def advance_contact(
    *, contact_id: int, epoch: int, to: Contact.State, at: datetime, failure: str = ""
) -> Contact:
    """Move a contact to its next state, as its executor says.

    Args:
        contact_id: Primary key; the row is locked until the commit.
        epoch: Of the executor's lease; a lower one than the row's is refused.
        to: The next state (see ``TRANSITIONS``).
        at: Moment, UTC (mission time).
        failure: Why, where *to* is FAILED.

    Raises:
        Contact.DoesNotExist: no such contact.
        ContactRefusedError: the lease was lost, or the state may not follow.
    """
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("spacecraft", "antenna")
        .get(pk=contact_id)
    )
    if epoch < contact.lease_epoch:
        raise ContactRefusedError(
            f"{contact} is held under epoch {contact.lease_epoch}; epoch {epoch} has lost it."
        )
    _move(contact, to, at=at, failure=failure, actor="process:pass-executor")
    return contact


@transaction.atomic
def cancel_contact(*, contact_id: int, actor: Operator, at: datetime) -> Contact:
    """Give up a contact before it begins.

    Raises:
        Contact.DoesNotExist: no such contact.
        NotPermittedError: *actor* has no role that may.
        ContactRefusedError: it has begun already or is over.
    """
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("spacecraft", "spacecraft__organisation", "antenna")
        .get(pk=contact_id)
    )
    require(actor, Action.CONTACT_CANCEL, contact.spacecraft.organisation)
    _move(contact, Contact.State.CANCELLED, at=at, failure="", actor=actor)
    return contact


def mark_missed(*, at: datetime) -> int:
    """Close the scheduled contacts whose time went by with nobody working on them."""
    missed = Contact.objects.filter(state=Contact.State.SCHEDULED, los__lt=at)
    count = 0
    for contact_id in missed.values_list("pk", flat=True):
        with transaction.atomic():
            contact = Contact.objects.select_for_update().get(pk=contact_id)
            if contact.state == Contact.State.SCHEDULED:
                _move(
                    contact,
                    Contact.State.MISSED,
                    at=at,
                    failure="No pass executor was running during the pass.",
                    actor=_PROCESS,
                )
                count += 1
    return count


def _move(
    contact: Contact, to: Contact.State, *, at: datetime, failure: str, actor: Operator | str
) -> None:
    if to not in TRANSITIONS[contact.state]:
        allowed = ", ".join(sorted(TRANSITIONS[contact.state])) or "nothing: it is over"
        raise ContactRefusedError(
            f"{contact} is {contact.state}; {to.value} cannot follow. Allowed: {allowed}."
        )
    move_contact(contact, to, at=at, failure=failure, actor=actor)
