"""What is asked of providers, and what their answers make of reservations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from missioncontrol.reservations.models import REASON_LENGTH, ProviderStanding, Reservation
from missioncontrol.reservations.providers.interface import (
    GIVEN_UP,
    HELD,
    ContactStatus,
    ProviderContact,
)
from missioncontrol.reservations.states import STATE, locked, move, start_cancelling
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import withdraw_contact

# Who asks takes the reservation for so long: more than a question may last.
_IN_FLIGHT: Final = timedelta(seconds=60)
_FIRST_DELAY_S: Final = 5.0
_LONGEST_DELAY_S: Final = 60.0
_WANTED: Final = (Contact.State.SCHEDULED, Contact.State.PREPASS, Contact.State.PASS)


def claim_reservations(*, wall_at: datetime, limit: int) -> list[Reservation]:
    """Take what is to be asked for or cancelled now; for a while nobody else takes it.

    Providers that asked to be left alone until later are.
    """
    due = (
        Reservation.objects.filter(
            state__in=[STATE.SCHEDULING, STATE.CANCELLING], next_attempt_at__lte=wall_at
        )
        .exclude(
            provider__in=ProviderStanding.objects.filter(not_before__gt=wall_at).values("provider")
        )
        .select_related("contact__antenna__station", "contact__spacecraft")
    )
    claimed = []
    for one in due.order_by("next_attempt_at", "pk")[:limit]:
        taken = Reservation.objects.filter(
            pk=one.pk, state=one.state, next_attempt_at=one.next_attempt_at
        ).update(attempts=F("attempts") + 1, next_attempt_at=wall_at + _IN_FLIGHT)
        if taken == 1:
            one.attempts += 1
            claimed.append(one)
    return claimed


def note_fault(
    *, reservation: Reservation, fault: str, not_before: datetime | None, wall_at: datetime
) -> None:
    """Note that a provider gave no answer; it is asked again, each time a while later.

    Args:
        reservation: What it was asked about.
        fault: Why there is no answer.
        not_before: Until when it asked to be left alone, if it did.
        wall_at: The machine's time.
    """
    delay_s = min(_FIRST_DELAY_S * 2 ** min(reservation.attempts - 1, 8), _LONGEST_DELAY_S)
    again_at = max(wall_at + timedelta(seconds=delay_s), not_before or wall_at)
    Reservation.objects.filter(pk=reservation.pk, state=reservation.state).update(
        fault=fault[:REASON_LENGTH], next_attempt_at=again_at
    )


@transaction.atomic
def note_answer(
    *, reservation_id: int, found: ProviderContact, at: datetime, wall_at: datetime
) -> Reservation:
    """Note how a contact that was asked for stands at the provider.

    One that was refused or taken back cancels its contact, with the reason; one
    that nobody wants any more is to be cancelled.
    """
    row = locked(reservation_id)
    row.provider_contact_id, row.fault = found.contact_id, ""
    if _is_unwanted(row):
        _note_unwanted(row, found, at, wall_at)
    elif found.status in GIVEN_UP:
        _lose(row, found.status, found.reason, at)
    elif found.status in HELD and row.state != STATE.SCHEDULED:
        row.reason, row.next_attempt_at = "", wall_at
        move(row, STATE.SCHEDULED, "reservation.schedule", at)
    elif row.state == STATE.SCHEDULING:
        row.next_attempt_at = wall_at + timedelta(seconds=_FIRST_DELAY_S)  # ask how it stands
    row.save()
    return row


@transaction.atomic
def note_refusal(*, reservation_id: int, reason: str, at: datetime) -> Reservation:
    """Note that a provider refused; the contact is cancelled and its window counts as out."""
    row = locked(reservation_id)
    if row.state == STATE.SCHEDULING:
        row.fault = ""
        _lose(row, ContactStatus.FAILED_TO_SCHEDULE, reason, at)
        row.save()
    return row


@transaction.atomic
def note_cancelled(*, reservation_id: int, at: datetime) -> Reservation:
    """Note that a provider has a contact back."""
    row = locked(reservation_id)
    if row.state == STATE.CANCELLING:
        move(row, STATE.CANCELLED, "reservation.cancel", at)
        row.save()
    return row


def _is_unwanted(row: Reservation) -> bool:
    """Return whether nobody wants it any more: its contact is cancelled or over, or it has none.

    One without a contact is CANCELLED by those only who gave it back.
    """
    if row.contact is None:
        return row.state in (STATE.CANCELLING, STATE.CANCELLED)
    return row.contact.state not in _WANTED


def _note_unwanted(
    row: Reservation, found: ProviderContact, at: datetime, wall_at: datetime
) -> None:
    over = row.contact is not None and row.contact.state != Contact.State.CANCELLED
    if found.status in GIVEN_UP:
        if row.state in (STATE.SCHEDULING, STATE.SCHEDULED, STATE.CANCELLING):
            move(row, STATE.CANCELLED, "reservation.cancel", at)
    elif not over and row.state != STATE.CANCELLING:
        start_cancelling(row, at, wall_at)
    else:
        row.next_attempt_at = wall_at


def _lose(row: Reservation, status: ContactStatus, reason: str, at: datetime) -> None:
    """Note that the provider does not give the contact, and cancel it."""
    was_held = row.state == STATE.SCHEDULED
    if row.state not in (STATE.SCHEDULING, STATE.SCHEDULED):
        return
    row.reason = (reason or f"It says {status.value} and no reason.")[:REASON_LENGTH]
    if was_held:
        move(row, STATE.PROVIDER_CANCELLED, "reservation.withdraw", at)
    else:
        move(row, STATE.FAILED_TO_SCHEDULE, "reservation.refuse", at)
    if row.contact_id is not None:
        said = "took the reservation back" if was_held else "refused the reservation"
        withdraw_contact(
            contact_id=row.contact_id, reason=f"{row.provider} {said}: {row.reason}", at=at
        )
