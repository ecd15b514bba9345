from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.fleet import services
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION


class Command(BaseCommand):
    help = (
        "Load newer elements (TLE, OMM) or an ephemeris (OEM) of one spacecraft; its contact "
        "windows are recomputed, those of the others stay."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spacecraft", help="name, e.g. DD-1")
        parser.add_argument("file", type=Path, help="one set: TLE, OMM or OEM")
        parser.add_argument(
            "--priority", type=int, default=0, help="the highest is in force; default: 0"
        )
        parser.add_argument("--expires", metavar="ISO", help="not used from then on; UTC")

    def handle(
        self,
        *,
        spacecraft: str,
        file: Path,
        priority: int,
        expires: str | None,
        **options: object,
    ) -> None:
        try:
            ephemeris = services.load_ephemeris(
                spacecraft=spacecraft,
                text=file.read_text(encoding="utf-8"),
                actor="process:load_ephemeris",
                at=clock.now(),
                priority=priority,
                expires_at=_instant(expires),
            )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}. Nothing was loaded.") from error
        except Spacecraft.DoesNotExist as error:
            raise CommandError(f"There is no spacecraft {spacecraft}.") from error
        except services.EphemerisRefusedError as refusal:
            raise CommandError(f"{file}: {refusal}") from refusal
        self.stdout.write(f"Loaded the {ephemeris}, priority {ephemeris.priority}.")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--expires {text!r} is no ISO 8601 time.") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
