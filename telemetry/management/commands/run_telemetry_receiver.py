from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from missioncontrol.fleet import selectors as fleet
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.kernel.clock import ClockState
from telemetry.links.plans import receiver_plans
from telemetry.links.receiver import Receiver, ReceiverPlan
from telemetry.pipeline import unix_us

_LOOK_EVERY_S: Final = 2.0
_CLOCK_EVERY_S: Final = 0.5

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Listen at the inputs of every spacecraft, and put what comes on the spool."
    requires_system_checks = (INSTALLATION,)

    def handle(self, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        mission_clock = MissionClock()
        receivers: dict[str, Receiver] = {}
        looked_s = 0.0
        while not stopping.is_set():
            try:
                close_old_connections()
                mission_clock.set(clock.state())
                if time.monotonic() - looked_s >= _LOOK_EVERY_S:
                    looked_s = time.monotonic()
                    look(receivers, mission_clock.now_us)
            except DatabaseError as error:
                # What is listened to goes on; what is new is found when the database is back.
                logger.warning("the inputs cannot be read: %s", error)
            stopping.wait(_CLOCK_EVERY_S)
        for receiver in receivers.values():
            receiver.stop()


def look(receivers: dict[str, Receiver], now_us: Callable[[], int]) -> None:
    """Start a receiver for every input, and stop those whose input is gone or changed."""
    plans = {
        plan.name: plan for craft in fleet.active_spacecraft() for plan in receiver_plans(craft)
    }
    for name in list(receivers):
        if name not in plans or _differs(plans[name], receivers[name].plan):
            receivers.pop(name).stop()
    for name, plan in plans.items():
        if name not in receivers:
            try:
                receivers[name] = Receiver(plan, now_us=now_us)
            except OSError as error:
                address = f"{plan.address[0]}:{plan.address[1]}"
                logger.warning("%s cannot listen at %s: %s", name, address, error)
            else:
                logger.info("%s receives", name)


def _differs(plan: ReceiverPlan, other: ReceiverPlan) -> bool:
    """Say whether two plans are different ones; what finds the units cannot be compared."""
    return (plan.protocol, plan.address, plan.connects, plan.limit_octets) != (
        other.protocol,
        other.address,
        other.connects,
        other.limit_octets,
    )


class MissionClock:
    """Mission time for threads that must not wait for the database."""

    def __init__(self) -> None:
        self._anchor = (0, 0, 1.0)

    def set(self, state: ClockState) -> None:
        """Go by another anchor from now on."""
        factor = 0.0 if state.frozen else state.factor
        self._anchor = (unix_us(state.mission_time), unix_us(state.wall_time), factor)

    def now_us(self) -> int:
        """Return mission time in microseconds since 1970."""
        mission_us, wall_us, factor = self._anchor
        return mission_us + int((time.time_ns() // 1000 - wall_us) * factor)
