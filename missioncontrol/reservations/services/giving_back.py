from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Action, require
from missioncontrol.kernel.dispatch import send_after_commit
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.states import STATE, locked, start_cancelling

_GIVEN_BACK: Final = (STATE.CANCELLING, STATE.CANCELLED)


class GiveBackRefusedError(RefusedError):
    """The reservation is not one that can be given back by itself."""


@transaction.atomic
def give_back_reservation(
    *, reservation_id: int, actor: Operator, at: datetime, wall_at: datetime
) -> Reservation:
    """Give back what a provider holds for us and nobody here asked for.

    A worker tells the provider, until it has it back. What is given back already
    stays as it is.

    Args:
        reservation_id: Primary key.
        actor: Who decides it.
        at: Mission time, UTC.
        wall_at: The machine's time, from which the provider is to be told.

    Raises:
        Reservation.DoesNotExist: no such reservation.
        NotPermittedError: no role of *actor* grants it.
        GiveBackRefusedError: it has a contact, or the provider does not hold it any more.
    """
    row = locked(reservation_id)
    require(actor, Action.RESERVATION_GIVE_BACK)
    _check(row, at)
    if row.state not in _GIVEN_BACK:
        start_cancelling(row, at, wall_at, actor=actor)
        row.save()
        send_after_commit("missioncontrol.reservations.tasks.keep_reservations")
    return row


def _check(row: Reservation, at: datetime) -> None:
    if row.contact_id is not None:
        raise GiveBackRefusedError(
            f"Reservation {row.pk} is that of pass {row.contact_id}; only one that nobody here "
            "asked for is given back by itself. Cancel the pass, and its reservation goes with it."
        )
    if row.state in _GIVEN_BACK:
        return
    if row.state != STATE.SCHEDULED:
        raise GiveBackRefusedError(
            f"Reservation {row.pk} is {row.get_state_display()}; only one that {row.provider} "
            "still holds can be given back."
        )
    if row.ends <= at:
        raise GiveBackRefusedError(
            f"Reservation {row.pk} ended at {row.ends:%Y-%m-%d %H:%M:%SZ}; only one that is still "
            "to end can be given back."
        )
