"""Reservations become what the contacts on leased stations are."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from missioncontrol.audit.services import append_entry
from missioncontrol.reservations.models import REASON_LENGTH, Reservation
from missioncontrol.reservations.states import PROCESS, STATE, move, start_cancelling
from missioncontrol.scheduling.models import Contact

_SHOWN: Final = 100  # contacts named in one entry


@transaction.atomic
def follow_contacts(*, at: datetime, wall_at: datetime) -> int:
    """Make reservations what the contacts are: new ones for new contacts, none for cancelled.

    Args:
        at: Mission time, UTC.
        wall_at: The machine's time, from which the new ones are to be asked for.

    Returns:
        How many changed.
    """
    made = _open(at, wall_at)
    return made + _give_up(at, wall_at) + _close_unanswered(at)


def _open(at: datetime, wall_at: datetime) -> int:
    contacts = list(
        Contact.objects.filter(
            state=Contact.State.SCHEDULED,
            aos__gt=at,
            antenna__station__leased=True,
            reservation=None,
        ).select_related("spacecraft", "relay", "antenna__station__owner")
    )
    if not contacts:
        return 0
    Reservation.objects.bulk_create(
        (
            Reservation(
                contact=contact,
                provider=contact.antenna.station.owner.slug,
                token=secrets.token_hex(20),
                satellite=(contact.relay or contact.spacecraft).name,  # whom the antenna tracks
                antenna=contact.antenna.name,
                begins=contact.aos,
                ends=contact.los,
                made_at=at,
                changed_at=at,
                next_attempt_at=wall_at,
            )
            for contact in contacts
        ),
        ignore_conflicts=True,  # another worker was quicker
    )
    append_entry(
        action="reservation.request",
        subject="reservations",
        actor=PROCESS,
        at=at,
        details={
            "contacts": [contact.pk for contact in contacts[:_SHOWN]],
            "count": len(contacts),
        },
    )
    return len(contacts)


def _give_up(at: datetime, wall_at: datetime) -> int:
    """Let what was reserved for contacts that are cancelled be cancelled too."""
    rows = Reservation.objects.select_for_update(of=("self",)).filter(
        state__in=[STATE.SCHEDULING, STATE.SCHEDULED], contact__state=Contact.State.CANCELLED
    )
    count = 0
    for row in rows:
        if row.attempts == 0:  # it was never asked for
            move(row, STATE.CANCELLED, "reservation.cancel", at)
        else:
            start_cancelling(row, at, wall_at)
        row.save()
        count += 1
    return count


def _close_unanswered(at: datetime) -> int:
    """Let go what a provider gave no answer about until it was too late."""
    rows = Reservation.objects.select_for_update(of=("self",)).filter(
        Q(state=STATE.SCHEDULING, begins__lte=at) | Q(state=STATE.CANCELLING, ends__lte=at)
    )
    count = 0
    for row in rows:
        row.reason = f"No answer in time. {row.fault}"[:REASON_LENGTH]
        asked_for = row.state == STATE.SCHEDULING
        state = STATE.FAILED_TO_SCHEDULE if asked_for else STATE.CANCELLED
        # The pass is tried all the same: the provider may hold it and have said so in vain.
        move(row, state, "reservation.unanswered", at)
        row.save()
        count += 1
    return count
