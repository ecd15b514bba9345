from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.contacts.window_report import Report
from missioncontrol.kernel.progress import ProgressBar
from missioncontrol.orbits.contact_windows import ContactWindows, contact_windows_in_parts
from missioncontrol.orbits.element_files import Unreadable, read_elements
from missioncontrol.orbits.elements import DEFAULT_ELEMENTS_AGE_LIMIT, ElementsError
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.site_files import SitesError, read_sites


class Command(BaseCommand):
    help = (
        "Compute when stations can see spacecraft, from files alone: no database is read or "
        "made. Elements: TLE, OMM (KVN, XML, JSON), OEM (KVN, XML). Times are UTC."
    )
    requires_system_checks = ()  # they look at an installation's database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--elements", type=Path, required=True, metavar="FILE")
        parser.add_argument(
            "--stations",
            type=Path,
            required=True,
            metavar="FILE",
            help="JSON list of name, lat_deg, lon_deg, alt_m, mask_deg or horizon_mask",
        )
        parser.add_argument("--start", type=_instant, required=True, metavar="ISO")
        parser.add_argument("--end", type=_instant, required=True, metavar="ISO")
        parser.add_argument(
            "--mask",
            type=float,
            metavar="DEG",
            help="for all stations, instead of what the file says; default: the file, else 5",
        )
        parser.add_argument("--format", choices=["json", "csv"], default="json")
        parser.add_argument(
            "--look-angles",
            type=_positive,
            metavar="SECONDS",
            help="print azimuth, elevation, range and range rate this often in each pass",
        )
        parser.add_argument(
            "--carrier", type=_positive, metavar="HZ", help="with look angles: print the Doppler"
        )
        parser.add_argument(
            "--eclipses", action="store_true", help="print when spacecraft are in shadow"
        )
        parser.add_argument(
            "--max-age",
            type=_positive,
            default=DEFAULT_ELEMENTS_AGE_LIMIT / timedelta(days=1),
            metavar="DAYS",
            help="how far the interval may reach from the epoch of elements; default: %(default)g",
        )

    def handle(self, **options: Any) -> None:
        fleet, unreadable = _read_fleet(options["elements"])
        report = Report(
            fleet=fleet,
            sites=_read_sites(options["stations"], options["mask"]),
            start=options["start"],
            end=options["end"],
            unreadable=unreadable,
            look_angles_every_s=options["look_angles"],
            carrier_hz=options["carrier"],
            eclipses=options["eclipses"],
        )
        try:
            parts = contact_windows_in_parts(
                elements=fleet,
                sites=report.sites,
                start=report.start,
                end=report.end,
                elements_age_limit=timedelta(days=options["max_age"]),
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        # Text goes out as it is written: no line ends and no colours of Django's own.
        for stream in (self.stdout, self.stderr):
            stream.ending, stream.style_func = "", None
        shown = self._showing_progress(parts, len(fleet))
        try:
            if options["format"] == "json":
                report.write_json(shown, self.stdout)
            else:
                report.write_csv(shown, self.stdout, self.stderr)
        except BrokenPipeError:  # whoever read had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _showing_progress(
        self, parts: Iterable[ContactWindows], total: int
    ) -> Iterator[ContactWindows]:
        bar = ProgressBar(self.stderr, total=total, unit="spacecraft")
        for part in parts:
            bar.show(part.computed.stop)
            yield part
        bar.close()


def _read_fleet(file: Path) -> tuple[list[AnyTrajectory], list[Unreadable]]:
    fleet: list[AnyTrajectory] = []
    unreadable: list[Unreadable] = []
    try:
        for one in read_elements(_read(file)):
            if isinstance(one, Unreadable):
                unreadable.append(one)
            else:
                fleet.append(one)
    except ElementsError as error:
        raise CommandError(f"{file}: {error}") from error
    if not fleet and not unreadable:
        raise CommandError(f"{file} holds no elements; give TLE, OMM or OEM.")
    return fleet, unreadable


def _read_sites(file: Path, mask_deg: float | None) -> Any:
    try:
        return read_sites(_read(file), mask_deg=mask_deg)
    except SitesError as error:
        raise CommandError(f"{file}: {error}") from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error


def _instant(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no ISO 8601 time; give one like 2026-08-12T00:00:00Z"
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0.0:
        raise ArgumentTypeError(f"{text} is not more than zero")
    return number
