from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection

from missioncontrol.audit import services
from missioncontrol.kernel import clock, live
from missioncontrol.kernel.checks import INSTALLATION

# Wall seconds: nothing here follows the mission's clock but the time stamps.
_PAUSE_S: Final = 0.1
_PAUSE_AFTER_FAULT_S: Final = 1.0
_TELL_EVERY_S: Final = 1.0

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Put audit entries into the consortium log and publish it, until stopped (SIGTERM)."
    requires_system_checks = (INSTALLATION,)

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: stop.set())
        news = _News()
        try:
            while not stop.is_set():
                stop.wait(self._step(news))
        except services.LogRefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write("The log sequencer has stopped.")

    def _step(self, news: _News) -> float:
        """Sequence one batch; return for how many wall seconds to rest."""
        try:
            count = services.sequence_entries(at=clock.now())
        except (OperationalError, InterfaceError) as error:
            # A locked or restarting database: what was done is done, the rest is
            # done again on a new connection.
            logger.warning("the log waits for the database: %s", error)
            connection.close()
            return _PAUSE_AFTER_FAULT_S
        if count:
            live.announce_publication()
        news.add(count)
        news.tell(at_s=time.monotonic())
        return 0.0 if count >= services.MAX_BATCH else _PAUSE_S


class _News:
    """Tells open consoles that the log grew, at most once in a while."""

    def __init__(self) -> None:
        self._untold = 0
        self._told_at_s = float("-inf")

    def add(self, count: int) -> None:
        self._untold += count

    def tell(self, *, at_s: float) -> None:
        if self._untold and at_s - self._told_at_s >= _TELL_EVERY_S:
            live.publish({"type": "refresh", "part": "audit"})
            self._untold, self._told_at_s = 0, at_s
