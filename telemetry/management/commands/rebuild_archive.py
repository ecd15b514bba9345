from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from telemetry import services
from telemetry.archive import (
    ArchiveDamagedError,
    ArchiveLockedError,
    ArchiveUnavailableError,
)


class Command(BaseCommand):
    help = "Decode a spacecraft's logged packets again, by the dictionary in force."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spacecraft", help="whose, e.g. DD-1")

    def handle(self, *, spacecraft: str, **options: Any) -> None:
        try:
            packets = services.rebuild_archive(
                spacecraft=fleet.get_spacecraft(name=spacecraft),
                actor="process:command-line",
                at=clock.now(),
            )
        except Spacecraft.DoesNotExist as error:
            known = ", ".join(craft.name for craft in fleet.active_spacecraft()) or "none"
            raise CommandError(f"No spacecraft {spacecraft!r}. Known: {known}.") from error
        except ArchiveLockedError as error:
            raise CommandError(
                f"The archive of {spacecraft} is in use ({error}). Try again after the pass."
            ) from error
        except (ArchiveDamagedError, ArchiveUnavailableError) as error:
            raise CommandError(f"{error}; the columns were left as they are") from error
        self.stdout.write(f"{packets} packets of {spacecraft} decoded again")
