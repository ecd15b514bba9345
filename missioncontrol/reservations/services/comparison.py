"""A provider's list of our contacts, held against what we know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.providers.interface import GIVEN_UP, HELD, ProviderContact
from missioncontrol.reservations.services.answers import note_answer
from missioncontrol.reservations.states import STATE, locked, log, move, start_cancelling


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
        stale = row.state == STATE.SCHEDULED and row.next_attempt_at <= asked_at
        if stale and row.provider_contact_id not in there and row.begins > at:
            changed += _note_lost(row.pk, at, wall_at)
    return changed


def _differs(row: Reservation, found: ProviderContact) -> bool:
    if row.state == STATE.SCHEDULED:
        return found.status not in HELD
    if found.status in GIVEN_UP:
        return row.state == STATE.SCHEDULING
    return row.state != STATE.CANCELLING


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
        state=STATE.SCHEDULED,
        reason=f"the same as reservation {of.pk}, once more" if of is not None else "",
        made_at=at,
        changed_at=at,
        next_attempt_at=wall_at,
    )
    log(row, "reservation.find", at)
    if of is not None:
        start_cancelling(row, at, wall_at)
        row.save()
    return 1


def _note_lost(reservation_id: int, at: datetime, wall_at: datetime) -> int:
    row = locked(reservation_id)
    if row.state != STATE.SCHEDULED:
        return 0
    if row.contact_id is None:  # what nobody here knew is gone there too
        row.reason = "It does not stand in the list any more."
        move(row, STATE.PROVIDER_CANCELLED, "reservation.withdraw", at)
    else:
        row.provider_contact_id, row.next_attempt_at = "", wall_at
        move(row, STATE.SCHEDULING, "reservation.lose", at)
    row.save()
    return 1
