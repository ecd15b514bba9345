"""Mission time: followed over HTTP, or run from a given start."""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_POLL_S: Final = 1.0
_TIMEOUT_S: Final = 3.0
_LEAP_WALL_S: Final = 0.2  # what is off by more is a change of the clock, not jitter
_SLEW: Final = 0.3  # share of a small error that one reading takes away

logger = logging.getLogger(__name__)


class MissionClock(Protocol):
    """Tells mission time."""

    def now(self) -> datetime | None:
        """Return mission time, UTC; None while it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """What mission control says of its clock."""

    mission_time: datetime
    factor: float  # mission seconds in a wall second
    frozen: bool

    @property
    def rate(self) -> float:
        return 0.0 if self.frozen else self.factor


class SteadyClock:
    """Runs from a start at a constant factor."""

    def __init__(
        self,
        start: datetime,
        factor: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._factor = factor
        self._monotonic = monotonic
        self._began_s = monotonic()

    def now(self) -> datetime | None:
        elapsed_s = self._monotonic() - self._began_s
        return self._start + timedelta(seconds=elapsed_s * self._factor)


class FollowedClock:
    """Goes on between readings; small errors are smoothed out, large ones jumped."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._anchor: ClockReading | None = None
        self._anchored_s = 0.0

    def now(self) -> datetime | None:
        with self._lock:
            return self._at(self._monotonic())

    def observe(self, reading: ClockReading, *, at_s: float) -> None:
        """Take a reading that held at *at_s* of the monotonic clock."""
        with self._lock:
            expected = self._at(at_s)
            anchor = self._anchor
            if expected is not None and anchor is not None and anchor.rate == reading.rate:
                error = reading.mission_time - expected
                if abs(error) <= timedelta(seconds=_LEAP_WALL_S * max(1.0, reading.factor)):
                    reading = ClockReading(
                        mission_time=expected + error * _SLEW,
                        factor=reading.factor,
                        frozen=reading.frozen,
                    )
            self._anchor, self._anchored_s = reading, at_s

    def _at(self, at_s: float) -> datetime | None:
        if self._anchor is None:
            return None
        elapsed_s = (at_s - self._anchored_s) * self._anchor.rate
        return self._anchor.mission_time + timedelta(seconds=elapsed_s)


def parse_reading(octets: bytes) -> ClockReading:
    """Return the clock in a health document.

    Raises:
        ValueError: It is no such document.
    """
    try:
        clock = json.loads(octets)["clock"]
        mission_time = datetime.fromisoformat(clock["mission_time"])
        factor = float(clock["factor"])
        frozen = bool(clock["frozen"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"no health document with a clock: {octets[:80]!r}") from error
    if mission_time.tzinfo is None or factor <= 0:
        raise ValueError(f"a clock without zone or with the factor {factor}")
    return ClockReading(mission_time=mission_time.astimezone(UTC), factor=factor, frozen=frozen)


class ClockFollower:
    """Asks the health URL once a second, in a thread of its own, until :meth:`stop`."""

    def __init__(self, url: str, clock: FollowedClock, *, poll_s: float = _POLL_S) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the clock's URL {url!r} is not http:// or https://")
        self._url = url
        self._clock = clock
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._answered = True  # whether the last reading came, to tell of changes only
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout=_TIMEOUT_S + 1)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._ask()
            self._stop.wait(self._poll_s)

    def _ask(self) -> None:
        asked_s = time.monotonic()
        try:
            with urllib.request.urlopen(self._url, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # nosec B310
                reading = parse_reading(answer.read(65_536))
        except (OSError, ValueError) as error:
            if self._answered:
                logger.warning("no mission time from %s yet: %s", self._url, error)
            self._answered = False
            return
        answered_s = time.monotonic()
        if not self._answered:
            logger.info("mission time is %s", reading.mission_time.isoformat())
        self._answered = True
        self._clock.observe(reading, at_s=(asked_s + answered_s) / 2)
