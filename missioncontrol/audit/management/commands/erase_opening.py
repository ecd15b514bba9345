from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.audit import selectors, services
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.kernel.errors import RefusedError

_ACTOR: Final = "process:command-line"


class Command(BaseCommand):
    help = (
        "Erase the private part of an entry, at its owner's request: payload and salt are gone "
        "for ever, the entry and the tree stay. The erasure has an entry of its own."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("log_index", type=int, help="index of the entry")
        parser.add_argument("--reason", required=True, help="why; every member reads it")

    def handle(self, *, log_index: int, reason: str, **options: Any) -> None:
        try:
            entry = selectors.get_entry(log_index)
        except AuditEntry.DoesNotExist as error:
            raise CommandError(f"The log has no entry {log_index} (yet).") from error
        try:
            services.erase_opening(entry=entry, reason=reason, actor=_ACTOR, at=clock.now())
        except RefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"The private part of entry {log_index} ({entry}) is erased.")
