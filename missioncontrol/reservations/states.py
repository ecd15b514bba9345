"""One reservation goes from state to state, and the log and the open pages are told."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from missioncontrol.accounts.models import Operator
from missioncontrol.audit.services import append_entry
from missioncontrol.kernel.live import publish_after_commit
from missioncontrol.reservations.models import Reservation

PROCESS: Final = "process:reservations"
STATE: Final = Reservation.State


def locked(reservation_id: int) -> Reservation:
    """Return a reservation that nobody else changes until the commit.

    Raises:
        Reservation.DoesNotExist: no such reservation.
    """
    return (
        Reservation.objects.select_for_update(of=("self",))
        .select_related("contact")
        .get(pk=reservation_id)
    )


def start_cancelling(
    row: Reservation, at: datetime, wall_at: datetime, *, actor: Operator | str = PROCESS
) -> None:
    """Have a reservation given back by the next round; the caller saves it."""
    row.attempts, row.next_attempt_at = 0, wall_at
    move(row, STATE.CANCELLING, "reservation.give_back", at, actor=actor)


def move(
    row: Reservation,
    state: Reservation.State,
    action: str,
    at: datetime,
    *,
    actor: Operator | str = PROCESS,
) -> None:
    """Put a reservation into another state; the caller saves it."""
    row.state, row.changed_at = state, at
    log(row, action, at, actor=actor)


def log(row: Reservation, action: str, at: datetime, *, actor: Operator | str = PROCESS) -> None:
    """Write down what became of a reservation."""
    append_entry(
        action=action,
        subject=f"contact:{row.contact_id}" if row.contact_id else f"reservation:{row.pk}",
        actor=actor,
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
