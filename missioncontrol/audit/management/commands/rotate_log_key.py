from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.audit import selectors, services
from missioncontrol.audit.merkle.succession import KeyChange
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.kernel.errors import RefusedError

_ACTOR: Final = "process:command-line"
_ASK_EVERY_S: Final = 0.5


class Command(BaseCommand):
    help = (
        "Change the log's signing key. Without --finish: make a new key, announce it under the "
        "old one, and sign with both from then on. With --finish: sign with the new one alone, "
        "and destroy the old one. Both can be run again after an interruption."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--finish", action="store_true", help="retire the old key, which cannot come back"
        )
        parser.add_argument(
            "--wait-s",
            type=float,
            default=60.0,
            help="how long to wait for the witnesses' quorum; default: %(default)s",
        )

    def handle(self, *, finish: bool, wait_s: float, **options: Any) -> None:
        step = services.retire_log_key if finish else services.announce_log_key
        until_s = time.monotonic() + wait_s
        while True:
            try:
                change = step(actor=_ACTOR, at=clock.now())
                break
            except selectors.NotPublishedError as wait:
                if time.monotonic() > until_s:
                    raise CommandError(f"{wait} Run the command again.") from wait
                time.sleep(_ASK_EVERY_S)
            except RefusedError as refusal:
                raise CommandError(str(refusal)) from refusal
        self._tell(change, finished=finish)

    def _tell(self, change: KeyChange, *, finished: bool) -> None:
        old, new = change.old.to_vkey(), change.new.to_vkey()
        if finished:
            self.stdout.write(f"in force: {new}\nretired: {old}")
            self.stdout.write(
                "Members who know the old key alone are led to the new one by the log. Make a "
                "backup of LOG_DIR now."
            )
            return
        self.stdout.write(f"in force: {old}\nannounced, and signing beside it: {new}")
        self.stdout.write(
            "Give the members the new key and let their witnesses take it over; then run "
            "rotate_log_key --finish. Make a backup of LOG_DIR now."
        )
