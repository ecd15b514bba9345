from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.webhooks import outbox
from missioncontrol.webhooks.courier import Courier
from missioncontrol.webhooks.dispatcher import Dispatcher

# Wall seconds.
_PAUSE_S: Final = 0.1
_PAUSE_AFTER_FAULT_S: Final = 1.0
_FORGET_EVERY_S: Final = 3600.0
_FINISH_WITHIN_S: Final = 2.0

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Send the log's events to the members' webhooks, until stopped (SIGTERM)."
    requires_system_checks = (INSTALLATION,)

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: stop.set())
        courier = Courier(allowed_hosts=settings.WEBHOOK_ALLOWED_HOSTS)
        dispatcher = Dispatcher(courier)
        upkeep = _Upkeep()
        while not stop.is_set():
            self._step(dispatcher, upkeep, stop)
        dispatcher.finish(at=clock.now(), wall_at=clock.wall_now(), within_s=_FINISH_WITHIN_S)
        courier.stop()
        self.stdout.write("The webhook deliveries have stopped.")

    def _step(self, dispatcher: Dispatcher, upkeep: _Upkeep, stop: threading.Event) -> None:
        try:
            more = dispatcher.step(at=clock.now(), wall_at=clock.wall_now())
            upkeep.do(at_s=time.monotonic())
        except (OperationalError, InterfaceError) as error:
            # What came back is kept and noted on a new connection.
            logger.warning("the webhook deliveries wait for the database: %s", error)
            connection.close()
            stop.wait(_PAUSE_AFTER_FAULT_S)
            return
        if not more:
            dispatcher.wait(_PAUSE_S)


class _Upkeep:
    """Forgets deliveries that ended long ago, once in a while."""

    def __init__(self) -> None:
        self._done_at_s = float("-inf")

    def do(self, *, at_s: float) -> None:
        if at_s - self._done_at_s >= _FORGET_EVERY_S:
            outbox.forget_finished(wall_at=clock.wall_now())
            self._done_at_s = at_s
