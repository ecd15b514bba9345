"""What can be done with reservations. Nothing here asks a provider; ``rounds`` does."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.reservations.models import REASON_LENGTH, Reservation
from missioncontrol.reservations.providers.interface import (
    GIVEN_UP,
    HELD,
    ContactStatus,
    ProviderContact,
)
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import withdraw_contact

_PROCESS: Final = "process:reservations"
_STATE = Reservation.State
# Who asks takes the reservation for so long: more than a question may last.
_IN_FLIGHT: Final = timedelta(seconds=60)
_FIRST_DELAY_S: Final = 5.0
_LONGEST_DELAY_S: Final = 60.0
_SHOWN: Final = 100  # contacts named in one entry
_WANTED: Final = (Contact.State.SCHEDULED, Contact.State.PREPASS, Contact.State.PASS)


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


def claim_reservations(*, wall_at: datetime, limit: int) -> list[Reservation]:
    """Take what is to be asked for or cancelled now; for a while nobody else takes it."""
    due = Reservation.objects.filter(
        state__in=[_STATE.SCHEDULING, _STATE.CANCELLING], next_attempt_at__lte=wall_at
    ).select_related("contact__antenna__station", "contact__spacecraft")
    claimed = []
    for one in due.order_by("next_attempt_at", "pk")[:limit]:
        taken = Reservation.objects.filter(
            pk=one.pk, state=one.state, next_attempt_at=one.next_attempt_at
        ).update(attempts=F("attempts") + 1, next_attempt_at=wall_at + _IN_FLIGHT)
        if taken == 1:
            one.attempts += 1
            claimed.append(one)
    return claimed


def note_fault(*, reservation: Reservation, fault: str, wall_at: datetime) -> None:
    """Note that a provider gave no answer; it is asked again, each time a while later."""
    delay_s = min(_FIRST_DELAY_S * 2 ** min(reservation.attempts - 1, 8), _LONGEST_DELAY_S)
    Reservation.objects.filter(pk=reservation.pk, state=reservation.state).update(
        fault=fault[:REASON_LENGTH], next_attempt_at=wall_at + timedelta(seconds=delay_s)
    )


@transaction.atomic
def note_answer(
    *, reservation_id: int, found: ProviderContact, at: datetime, wall_at: datetime
) -> Reservation:
    """Note how a contact that was asked for stands at the provider.

    One that was refused or taken back cancels its contact, with the reason; one
    that nobody wants any more is to be cancelled.
    """
    row = _locked(reservation_id)
    row.provider_contact_id, row.fault = found.contact_id, ""
    if row.contact is not None and row.contact.state not in _WANTED:
        _note_unwanted(row, found, at, wall_at)
    elif found.status in GIVEN_UP:
        _lose(row, found.status, found.reason, at)
    elif found.status in HELD and row.state != _STATE.SCHEDULED:
        row.next_attempt_at = wall_at
        _move(row, _STATE.SCHEDULED, "reservation.schedule", at)
    elif row.state == _STATE.SCHEDULING:
        row.next_attempt_at = wall_at + timedelta(seconds=_FIRST_DELAY_S)  # ask how it stands
    row.save()
    return row


@transaction.atomic
def note_refusal(*, reservation_id: int, reason: str, at: datetime) -> Reservation:
    """Note that a provider refused; the contact is cancelled and its window counts as out."""
    row = _locked(reservation_id)
    if row.state == _STATE.SCHEDULING:
        row.fault = ""
        _lose(row, ContactStatus.FAILED_TO_SCHEDULE, reason, at)
        row.save()
    return row


@transaction.atomic
def note_cancelled(*, reservation_id: int, at: datetime) -> Reservation:
    """Note that a provider has a contact back."""
    row = _locked(reservation_id)
    if row.state == _STATE.CANCELLING:
        _move(row, _STATE.CANCELLED, "reservation.cancel", at)
        row.save()
    return row


@transaction.atomic
def compare_list(
    *,
    provider: str,
    listed: Iterable[ProviderContact],
    until: datetime,
    asked_at: datetime,
    at: datetime,
    wall_at: datetime,
) -> int:
    """Hold what a provider has for us, from now on, against what we know.

    What we do not know is noted; what we gave back and it still has is
    cancelled; what it took back cancels the contact; what it has lost is asked
    for again, under the same token.

    Args:
        provider: Slug of the stations' owner.
        listed: All that it has from mission time on, up to *until*.
        until: Mission time, UTC.
        asked_at: The machine's time at which it was asked: what was confirmed since
            cannot be in the list.
        at: Mission time, UTC.
        wall_at: The machine's time.

    Returns:
        How many differ.
    """
    rows = list(
        Reservation.objects.filter(provider=provider, ends__gt=at, begins__lt=until).order_by("pk")
    )
    ours = {row.token: row for row in rows if row.contact_id is not None}
    known = {row.provider_contact_id: row for row in rows}
    there = {one.contact_id: one for one in listed if one.ends > at}
    changed = 0
    for one in there.values():
        row = known.get(one.contact_id) or ours.get(one.token)
        if row is None or row.provider_contact_id not in ("", one.contact_id):
            changed += _note_unknown(provider, one, of=row, at=at, wall_at=wall_at)
        elif _differs(row, one):
            note_answer(reservation_id=row.pk, found=one, at=at, wall_at=wall_at)
            changed += 1
    for row in rows:
        stale = row.state == _STATE.SCHEDULED and row.next_attempt_at <= asked_at
        if stale and row.provider_contact_id not in there and row.begins > at:
            changed += _note_lost(row.pk, at, wall_at)
    return changed


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
        actor=_PROCESS,
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
        state__in=[_STATE.SCHEDULING, _STATE.SCHEDULED], contact__state=Contact.State.CANCELLED
    )
    count = 0
    for row in rows:
        if row.attempts == 0:  # it was never asked for
            _move(row, _STATE.CANCELLED, "reservation.cancel", at)
        else:
            _start_cancelling(row, at, wall_at)
        row.save()
        count += 1
    return count


def _close_unanswered(at: datetime) -> int:
    """Let go what a provider gave no answer about until it was too late."""
    rows = Reservation.objects.select_for_update(of=("self",)).filter(
        Q(state=_STATE.SCHEDULING, begins__lte=at) | Q(state=_STATE.CANCELLING, ends__lte=at)
    )
    count = 0
    for row in rows:
        row.reason = f"No answer in time. {row.fault}"[:REASON_LENGTH]
        asked_for = row.state == _STATE.SCHEDULING
        state = _STATE.FAILED_TO_SCHEDULE if asked_for else _STATE.CANCELLED
        # The pass is tried all the same: the provider may hold it and have said so in vain.
        _move(row, state, "reservation.unanswered", at)
        row.save()
        count += 1
    return count


def _locked(reservation_id: int) -> Reservation:
    return (
        Reservation.objects.select_for_update(of=("self",))
        .select_related("contact")
        .get(pk=reservation_id)
    )


def _note_unwanted(
    row: Reservation, found: ProviderContact, at: datetime, wall_at: datetime
) -> None:
    """Note the state of what was asked for a contact that is cancelled or over."""
    assert row.contact is not None
    over = row.contact.state != Contact.State.CANCELLED
    if found.status in GIVEN_UP:
        if row.state in (_STATE.SCHEDULING, _STATE.SCHEDULED, _STATE.CANCELLING):
            _move(row, _STATE.CANCELLED, "reservation.cancel", at)
    elif not over and row.state != _STATE.CANCELLING:
        _start_cancelling(row, at, wall_at)
    else:
        row.next_attempt_at = wall_at


def _start_cancelling(row: Reservation, at: datetime, wall_at: datetime) -> None:
    row.attempts, row.next_attempt_at = 0, wall_at
    _move(row, _STATE.CANCELLING, "reservation.give_back", at)


def _lose(row: Reservation, status: ContactStatus, reason: str, at: datetime) -> None:
    """Note that the provider does not give the contact, and cancel it."""
    was_held = row.state == _STATE.SCHEDULED
    if row.state not in (_STATE.SCHEDULING, _STATE.SCHEDULED):
        return
    row.reason = (reason or f"It says {status.value} and no reason.")[:REASON_LENGTH]
    if was_held:
        _move(row, _STATE.PROVIDER_CANCELLED, "reservation.withdraw", at)
    else:
        _move(row, _STATE.FAILED_TO_SCHEDULE, "reservation.refuse", at)
    if row.contact_id is not None:
        said = "took the reservation back" if was_held else "refused the reservation"
        withdraw_contact(
            contact_id=row.contact_id, reason=f"{row.provider} {said}: {row.reason}", at=at
        )


def _differs(row: Reservation, found: ProviderContact) -> bool:
    if row.state == _STATE.SCHEDULED:
        return found.status not in HELD
    if found.status in GIVEN_UP:
        return row.state == _STATE.SCHEDULING
    return row.state != _STATE.CANCELLING


def _note_unknown(
    provider: str,
    found: ProviderContact,
    *,
    of: Reservation | None,
    at: datetime,
    wall_at: datetime,
) -> int:
    """Note what a provider holds for us and nobody here asked for.

    With the token of a reservation that has another contact it is that one
    once more, and is given back.
    """
    if found.status in GIVEN_UP:
        return 0
    row = Reservation.objects.create(
        provider=provider,
        token=found.token,
        provider_contact_id=found.contact_id,
        satellite=found.satellite,
        antenna=found.antenna,
        begins=found.begins,
        ends=found.ends,
        state=_STATE.SCHEDULED,
        reason=f"the same as reservation {of.pk}, once more" if of is not None else "",
        made_at=at,
        changed_at=at,
        next_attempt_at=wall_at,
    )
    _log(row, "reservation.find", at)
    if of is not None:
        _start_cancelling(row, at, wall_at)
        row.save()
    return 1


def _note_lost(reservation_id: int, at: datetime, wall_at: datetime) -> int:
    row = _locked(reservation_id)
    if row.state != _STATE.SCHEDULED:
        return 0
    if row.contact_id is None:  # what nobody here knew is gone there too
        _move(row, _STATE.CANCELLED, "reservation.cancel", at)
    else:
        row.provider_contact_id, row.next_attempt_at = "", wall_at
        _move(row, _STATE.SCHEDULING, "reservation.lose", at)
    row.save()
    return 1


def _move(row: Reservation, state: Reservation.State, action: str, at: datetime) -> None:
    row.state, row.changed_at = state, at
    _log(row, action, at)


def _log(row: Reservation, action: str, at: datetime) -> None:
    append_entry(
        action=action,
        subject=f"contact:{row.contact_id}" if row.contact_id else f"reservation:{row.pk}",
        actor=_PROCESS,
        at=at,
        organisation=row.provider,
        details={
            "antenna": row.antenna,
            "begins": row.begins.isoformat(),
            "ends": row.ends.isoformat(),
            "provider_contact": row.provider_contact_id,
            "reason": row.reason,
            "satellite": row.satellite,
            "state": row.state,
        },
    )
    publish_after_commit({"type": "refresh", "part": "passes"})
