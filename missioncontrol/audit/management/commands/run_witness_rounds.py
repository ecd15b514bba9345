from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from missioncontrol.audit import selectors, services
from missioncontrol.kernel import clock, live
from missioncontrol.kernel.checks import INSTALLATION

# Wall seconds: nothing here follows the mission's clock but the time stamps.
_PAUSE_S: Final = 0.1
_PAUSE_WITHOUT_WITNESSES_S: Final = 1.0  # until the first is registered
_PAUSE_AFTER_FAULT_S: Final = 1.0
_TELL_EVERY_S: Final = 1.0

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Have the witnesses cosign the newest checkpoint of the log, until stopped (SIGTERM)."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--for-s",
            type=float,
            default=None,
            help="end after so many seconds and print the witness board; default: do not end",
        )

    def handle(self, *, for_s: float | None, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_arguments: stop.set())
        until_s = float("inf") if for_s is None else time.monotonic() + for_s
        rounds, told_at_s, untold = services.WitnessRounds(), float("-inf"), 0
        while not stop.is_set() and time.monotonic() < until_s:
            untold += self._step(rounds, stop)
            if untold and time.monotonic() - told_at_s >= _TELL_EVERY_S:
                live.publish({"type": "refresh", "part": "audit"})
                untold, told_at_s = 0, time.monotonic()
        self._report()

    def _step(self, rounds: services.WitnessRounds, stop: threading.Event) -> int:
        """Go one step and wait for news; return how many cosignatures came."""
        try:
            stored = rounds.step(at=clock.now(), monotonic_s=time.monotonic())
        except (OperationalError, InterfaceError) as error:
            # What came in is kept and stored on a new connection.
            logger.warning("the witness rounds wait for the database: %s", error)
            connection.close()
            stop.wait(_PAUSE_AFTER_FAULT_S)
            return 0
        if stored:  # perhaps the cosignature that a checkpoint was short of
            live.announce_publication()
        rounds.wait(_PAUSE_S if rounds.active else _PAUSE_WITHOUT_WITNESSES_S)
        return stored

    def _report(self) -> None:
        board = selectors.witness_board()
        self.stdout.write(
            f"{len(board.witnesses)} witnesses, away: {', '.join(board.away) or 'none'}; "
            f"entries signed {board.signed_size}, published {board.published_size}, "
            f"settled {board.settled_size}"
        )
