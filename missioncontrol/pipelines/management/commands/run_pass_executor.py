from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.pipelines.executor.process import PassExecutor
from missioncontrol.pipelines.executor.watch import LEASE_S


class Command(BaseCommand):
    help = "Carry out passes: claim contacts that are due, uplink, follow, report."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lease",
            type=float,
            default=LEASE_S,
            metavar="S",
            help=f"how long a dead executor's pass waits for another (default: {LEASE_S:g})",
        )

    def handle(self, *, lease: float, **options: object) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        PassExecutor(stop=stop, lease_s=lease).run()
