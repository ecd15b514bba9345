from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.checks import INSTALLATION
from telemetry import selectors
from telemetry.archive import ArchiveUnavailableError
from telemetry.services import export_samples


class Command(BaseCommand):
    help = "Write samples of any span to a Parquet or CSV file."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spacecraft", help="whose, e.g. DD-1")
        parser.add_argument("file", type=Path, help="NAME.parquet or NAME.csv")
        parser.add_argument("--start", required=True, help="UTC, ISO 8601")
        parser.add_argument("--end", required=True, help="UTC, ISO 8601, excluded")
        parser.add_argument(
            "--parameter", action="append", help="may be given several times; default: all"
        )

    def handle(
        self,
        *,
        spacecraft: str,
        file: Path,
        start: str,
        end: str,
        parameter: list[str] | None,
        **options: Any,
    ) -> None:
        try:
            craft = fleet.get_spacecraft(name=spacecraft)
            count = export_samples(
                spacecraft=craft,
                parameters=parameter or list(selectors.parameters_of(craft)),
                start=_instant(start),
                end=_instant(end),
                file=file,
            )
        except Spacecraft.DoesNotExist as error:
            known = ", ".join(own.name for own in fleet.active_spacecraft()) or "none"
            raise CommandError(f"No spacecraft {spacecraft!r}. Known: {known}.") from error
        except (selectors.TelemetryRefusedError, ArchiveUnavailableError) as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{count} samples of {spacecraft} in {file}")


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no time in ISO 8601, e.g. 2026-12-01T00:00Z.") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
