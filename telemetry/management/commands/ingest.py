from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from telemetry import services
from telemetry.archive import ArchiveLockedError


class Command(BaseCommand):
    help = "Take in a file of space packets, through the same path as a pass."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="space packets, one after the other")
        parser.add_argument("--spacecraft", required=True, help="whose, e.g. DD-1")

    def handle(self, *, file: Path, spacecraft: str, **options: Any) -> None:
        try:
            report = services.ingest_packet_file(
                spacecraft=fleet.get_spacecraft(name=spacecraft),
                octets=file.read_bytes(),
                name=file.name,
                actor="process:command-line",
                at=clock.now(),
            )
        except Spacecraft.DoesNotExist as error:
            known = ", ".join(craft.name for craft in fleet.active_spacecraft()) or "none"
            raise CommandError(f"No spacecraft {spacecraft!r}. Known: {known}.") from error
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except ArchiveLockedError as error:
            raise CommandError(
                f"{spacecraft} is being received now ({error}). Try again after the pass."
            ) from error
        self.stdout.write(
            f"{report.packets} packets, {report.values} values archived; "
            f"{report.bad} kept as bad, {report.lost} missing by their counts"
        )
