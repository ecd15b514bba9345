"""Mission time: what the spacecraft's clock and every row of this product mean by "now".

In flight it is UTC. In a rehearsal it starts where the mission file says and
may run faster than real time. Only edges (views, tasks, processes) read it and
pass the instant on.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError, transaction

from missioncontrol.kernel.models import ClockAnchor

MAX_FACTOR = 1000.0
_CACHE_S = 0.5  # a change of the factor reaches every process this soon


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """Mission time tied to wall time; both UTC."""

    mission_time: datetime
    wall_time: datetime
    factor: float  # mission seconds in a wall second
    frozen: bool

    def at(self, wall_time: datetime) -> datetime:
        """Return the mission time at *wall_time*."""
        if self.frozen:
            return self.mission_time
        return self.mission_time + (wall_time - self.wall_time) * self.factor


class _Cache(threading.local):
    state: ClockState | None = None
    read_at: float = 0.0


_cache = _Cache()


def state() -> ClockState:
    """Return the anchor in force; read again from the database twice a second.

    Time does not stop where the database is away for a while: the anchor that
    was read last holds.

    Raises:
        django.db.OperationalError: the database is away and no anchor was read yet.
    """
    at = time.monotonic()
    if _cache.state is None or at - _cache.read_at > _CACHE_S:
        try:
            _cache.state = _read_state()
        except (OperationalError, InterfaceError):
            if _cache.state is None:
                raise
        _cache.read_at = at
    return _cache.state


def read_again() -> ClockState:
    """Return the anchor as the database has it at this moment.

    Raises:
        django.db.DatabaseError: the database is away; the anchor read last stays in force.
    """
    _cache.state, _cache.read_at = _read_state(), time.monotonic()
    return _cache.state


def forget() -> None:
    """Drop the cached anchor (after a change in this process, and between tests)."""
    _cache.state = None


def now() -> datetime:
    """Return mission time, aware UTC."""
    return state().at(wall_now())


def wall_now() -> datetime:
    """Return the machine's time, aware UTC: for keys, sessions and what they may do.

    A rehearsal's hours are no hours of a person who signed in.
    """
    return datetime.now(UTC)  # noqa: TID251  # the one place that reads the clock


def factor() -> float:
    """Return mission seconds in a wall second: 1 in flight."""
    return state().factor


def wall_seconds(mission_s: float) -> float:
    """Return how long *mission_s* seconds of mission time take on the machine's clock."""
    return mission_s / factor()


def set_clock(*, mission_time: datetime, factor: float) -> None:
    """Run mission time from *mission_time* on at *factor*.

    Raises:
        ValueError: the factor is not above 0 and at most ``MAX_FACTOR``.
    """
    if not 0 < factor <= MAX_FACTOR:
        raise ValueError(
            f"the clock factor is {factor:g}; give more than 0, at most {MAX_FACTOR:g}"
        )
    ClockAnchor.objects.update_or_create(
        pk=1,
        defaults={
            "mission_time": mission_time,
            "wall_time": wall_now(),
            "factor": factor,
            "frozen": False,
            "last_seen": mission_time,
        },
    )
    forget()


def freeze() -> None:
    """Stop a rehearsal's clock where it is; in flight time cannot be stopped."""
    reached = read_again().at(wall_now())
    ClockAnchor.objects.filter(pk=1, frozen=False).update(
        mission_time=reached, last_seen=reached, frozen=True
    )
    forget()


def keep() -> None:
    """Note the time reached, so that a killed rehearsal goes on from about here."""
    # By an anchor that was just replaced, another time would be noted.
    reached = read_again().at(wall_now())
    ClockAnchor.objects.filter(pk=1, frozen=False).update(last_seen=reached)


def resume() -> None:
    """Let a rehearsal's clock go on from the last mission time it was seen at.

    The time during which the product was down does not pass in the rehearsal.
    """
    with transaction.atomic():
        anchor = ClockAnchor.objects.select_for_update().filter(pk=1).first()
        if anchor is None:
            return
        reached = anchor.mission_time if anchor.frozen else anchor.last_seen
    set_clock(mission_time=reached, factor=anchor.factor)


def _read_state() -> ClockState:
    anchor = ClockAnchor.objects.filter(pk=1).first()
    if anchor is None:
        epoch = datetime(2000, 1, 1, tzinfo=UTC)
        return ClockState(mission_time=epoch, wall_time=epoch, factor=1.0, frozen=False)
    return ClockState(
        mission_time=anchor.mission_time,
        wall_time=anchor.wall_time,
        factor=anchor.factor,
        frozen=anchor.frozen,
    )
