"""The timers of one transaction, which stand still while it is suspended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypedDict


class TimersSnapshot(TypedDict):
    """What is left of each timer that runs, in seconds."""

    suspended: bool
    remaining_s: dict[str, float]


class Timers:
    """Named timers with one switch that freezes and thaws them all.

    Running, each timer has a deadline; suspended, each has seconds left. A
    timer started while suspended begins to run when the transaction resumes.
    """

    __slots__ = ("_deadlines", "_left")

    def __init__(self, *, suspended: bool = False) -> None:
        self._deadlines: dict[str, datetime] = {}
        self._left: dict[str, timedelta] | None = {} if suspended else None

    @property
    def suspended(self) -> bool:
        return self._left is not None

    def start(self, name: str, at: datetime, seconds: float) -> None:
        """Start a timer anew, whether it runs or not."""
        if self._left is not None:
            self._left[name] = timedelta(seconds=seconds)
        else:
            self._deadlines[name] = at + timedelta(seconds=seconds)

    def stop(self, *names: str) -> None:
        for name in names:
            self._deadlines.pop(name, None)
            if self._left is not None:
                self._left.pop(name, None)

    def stop_all(self) -> None:
        self.stop(*self._deadlines, *(self._left or {}))

    def is_set(self, name: str) -> bool:
        return name in (self._deadlines if self._left is None else self._left)

    def take_expired(self, at: datetime) -> list[str]:
        """Return the timers whose deadline is reached, earliest first, and stop them."""
        expired = [name for name, deadline in self._deadlines.items() if deadline <= at]
        expired.sort(key=self._deadlines.__getitem__)
        self.stop(*expired)
        return expired

    def next_deadline(self) -> datetime | None:
        return min(self._deadlines.values(), default=None)

    def suspend(self, at: datetime) -> None:
        if self._left is None:
            self._left = self._left_at(at)
            self._deadlines = {}

    def resume(self, at: datetime) -> None:
        if self._left is not None:
            self._deadlines = {name: at + left for name, left in self._left.items()}
            self._left = None

    def snapshot(self, at: datetime) -> TimersSnapshot:
        left = self._left if self._left is not None else self._left_at(at)
        return {
            "suspended": self.suspended,
            "remaining_s": {name: rest.total_seconds() for name, rest in left.items()},
        }

    @classmethod
    def restore(cls, snapshot: TimersSnapshot, at: datetime) -> Timers:
        """Continue from a snapshot; the time since it was taken does not count."""
        timers = cls(suspended=snapshot["suspended"])
        remaining: Mapping[str, float] = snapshot["remaining_s"]
        for name, seconds in remaining.items():
            timers.start(name, at, seconds)
        return timers

    def _left_at(self, at: datetime) -> dict[str, timedelta]:
        return {
            name: max(deadline - at, timedelta(0)) for name, deadline in self._deadlines.items()
        }
