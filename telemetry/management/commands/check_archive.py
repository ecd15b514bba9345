from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.checks import INSTALLATION
from telemetry.archive import ArchiveError, ColumnPlace, check
from telemetry.selectors import archive_folder


class Command(BaseCommand):
    help = "Read a whole archive, or all of them, and say what is damaged."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("spacecraft", nargs="?", help="whose, e.g. DD-1; default: all")

    def handle(self, *, spacecraft: str | None, **options: Any) -> None:
        checked = fleet.active_spacecraft()
        if spacecraft is not None:
            checked = [craft for craft in checked if craft.name == spacecraft]
            if not checked:
                known = ", ".join(craft.name for craft in fleet.active_spacecraft()) or "none"
                raise CommandError(f"No spacecraft {spacecraft!r}. Known: {known}.")
        damaged = [craft.name for craft in checked if not self._is_whole(craft)]
        if damaged:
            raise CommandError(
                f"damaged: {', '.join(damaged)}. Restore damaged files of the packet log from a "
                "copy; columns are made again from it by manage.py rebuild_archive."
            )

    def _is_whole(self, craft: Spacecraft) -> bool:
        folder = archive_folder(craft)
        if not folder.is_dir():
            self.stdout.write(f"{craft}: nothing was archived yet")
            return True
        try:
            report = check(folder)
        except ArchiveError as error:
            self.stdout.write(f"{craft}: {error}")
            return False
        columns = f"{report.rows} rows in {report.segments} segments"
        if report.columns_in is ColumnPlace.CLICKHOUSE:
            columns = "columns in ClickHouse, which checks them itself"
        self.stdout.write(
            f"{craft}: {report.packets} packets in {report.blocks} blocks, {columns}; "
            f"{len(report.faults) or 'no'} faults"
        )
        for fault in report.faults:
            self.stdout.write(f"  {fault}")
        return not report.faults
