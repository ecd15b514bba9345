from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.fleet import selectors, services
from missioncontrol.fleet.mission_file import MissionFileError, parse_mission
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION


class Command(BaseCommand):
    help = "Load a mission file: organisations, stations, spacecraft, clock. Safe to repeat."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="mission file (YAML)")

    def handle(self, *, file: Path, **options: object) -> None:
        try:
            text = file.read_text(encoding="utf-8")
            mission = parse_mission(
                text, lambda name: (file.parent / name).read_text(encoding="utf-8")
            )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}. Nothing was changed.") from error
        except MissionFileError as error:
            raise CommandError(f"{file}: {error}") from error
        # On an empty installation mission time has not begun: it begins with this file.
        first = selectors.mission_in_force() is None
        load = services.load_mission(
            mission=mission,
            actor="process:load_mission",
            at=mission.clock.start if first and mission.clock is not None else clock.now(),
        )
        for line in load.lines():
            self.stdout.write(line)
