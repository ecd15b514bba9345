"""Contact windows as text: JSON and CSV, written part by part.

No Django and no database: what is written comes straight from the computation.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from missioncontrol.orbits.contact_windows import ContactWindows
from missioncontrol.orbits.eclipse import Shadow, eclipse_intervals
from missioncontrol.orbits.element_files import Unreadable
from missioncontrol.orbits.look_angles import doppler_hz, look_angles
from missioncontrol.orbits.orbit_ephemeris import AnyTrajectory
from missioncontrol.orbits.sites import Site
from missioncontrol.orbits.trajectory import PropagationError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Row = dict[str, Any]

_DEGREE_DECIMALS: Final = 6
_PASS_COLUMNS: Final = (
    "satellite",
    "station",
    "aos",
    "tca",
    "los",
    "max_elevation_deg",
    "aos_azimuth_deg",
    "los_azimuth_deg",
    "clipped_start",
    "clipped_end",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is to be written besides the passes."""

    fleet: Sequence[AnyTrajectory]
    sites: Sequence[Site]
    start: datetime
    end: datetime
    unreadable: Sequence[Unreadable] = ()
    look_angles_every_s: float | None = None
    carrier_hz: float | None = None
    eclipses: bool = False

    def write_json(self, parts: Iterable[ContactWindows], stream: SupportsWrite[str]) -> None:
        """Write one JSON object: passes, eclipses if wanted, refused."""
        refused: list[Row] = []
        stream.write('{"passes": [')
        _write_items(chain.from_iterable(self._passes(part, refused) for part in parts), stream)
        if self.eclipses:
            stream.write('],\n "eclipses": [')
            _write_items(self._eclipses(), stream)
        stream.write('],\n "refused": [')
        _write_items(self._refused(refused), stream)
        stream.write("]}\n")

    def write_csv(
        self,
        parts: Iterable[ContactWindows],
        stream: SupportsWrite[str],
        refusals: SupportsWrite[str],
    ) -> None:
        """Write a table of passes; then, after an empty line each, what else is wanted.

        Who was refused goes to *refusals*, one line each.
        """
        refused: list[Row] = []
        passes = csv.writer(stream, lineterminator="\n")
        passes.writerow(_PASS_COLUMNS)
        angles: list[Row] = []
        for part in parts:
            for row in self._passes(part, refused):
                passes.writerow([_csv(row[column]) for column in _PASS_COLUMNS])
                angles += [
                    {"satellite": row["satellite"], "station": row["station"], **angle}
                    for angle in row.get("look_angles", ())
                ]
        _write_table(angles, stream)
        if self.eclipses:
            _write_table(list(self._eclipses()), stream)
        for one in self._refused(refused):
            refusals.write(f"{one['satellite']}: {one['reason']}\n")

    def _passes(self, part: ContactWindows, refused: list[Row]) -> Iterator[Row]:
        aos, tca, los = (
            _iso(self.start, seconds) for seconds in (part.aos_s, part.tca_s, part.los_s)
        )
        degrees = [
            np.round(column, _DEGREE_DECIMALS).tolist()
            for column in (part.max_elevation_deg, part.aos_azimuth_deg, part.los_azimuth_deg)
        ]
        for number, values in enumerate(
            zip(
                part.satellite_index.tolist(),
                part.site_index.tolist(),
                aos,
                tca,
                los,
                *degrees,
                part.clipped_start.tolist(),
                part.clipped_end.tolist(),
                strict=True,
            )
        ):
            satellite, site, *rest = values
            row = dict(
                zip(
                    _PASS_COLUMNS,
                    [self.fleet[satellite].designation, self.sites[site].name, *rest],
                    strict=True,
                )
            )
            if self.look_angles_every_s:
                seconds = float(part.aos_s[number]), float(part.los_s[number])
                row["look_angles"] = self._look_angles(
                    self.fleet[satellite], self.sites[site], *seconds
                )
            yield row
        refused += [
            {"satellite": self.fleet[one.satellite_index].designation, "reason": one.reason}
            for one in part.refused
        ]

    def _look_angles(
        self, trajectory: AnyTrajectory, site: Site, aos_s: float, los_s: float
    ) -> list[Row]:
        """Return where to point from AOS to LOS, every few seconds and at LOS."""
        seconds = np.append(np.arange(aos_s, los_s, self.look_angles_every_s), los_s)
        instants = [self.start + timedelta(seconds=float(one)) for one in seconds]
        angles = look_angles(trajectory, site, instants)
        columns = {
            "at": _iso(self.start, seconds),
            "azimuth_deg": np.round(angles.azimuth_deg, _DEGREE_DECIMALS).tolist(),
            "elevation_deg": np.round(angles.elevation_deg, _DEGREE_DECIMALS).tolist(),
            "range_m": np.round(angles.range_m, 3).tolist(),
            "range_rate_m_s": np.round(angles.range_rate_m_s, 6).tolist(),
        }
        if self.carrier_hz is not None:
            shift = doppler_hz(angles.range_rate_m_s, self.carrier_hz)
            columns["doppler_hz"] = np.round(shift, 3).tolist()
        return [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]

    def _eclipses(self) -> Iterator[Row]:
        for trajectory in self.fleet:
            try:
                for shadow in (Shadow.PENUMBRA, Shadow.UMBRA):
                    for one in eclipse_intervals(
                        trajectory, start=self.start, end=self.end, shadow=shadow
                    ):
                        yield {
                            "satellite": trajectory.designation,
                            "shadow": shadow.value,
                            "entry": utc_text(one.entry),
                            "exit": utc_text(one.exit),
                            "clipped_start": one.clipped_start,
                            "clipped_end": one.clipped_end,
                        }
            except PropagationError:
                continue  # it stands among the refused

    def _refused(self, refused: list[Row]) -> Iterator[Row]:
        yield from refused
        for one in self.unreadable:
            yield {"satellite": one.satellite, "reason": one.reason}


def utc_text(at: datetime) -> str:
    """Return a time as ``2026-08-12T01:30:20.954863Z``."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _iso(start: datetime, seconds: Any) -> list[str]:
    """Return times *seconds* after *start* as text, many at once."""
    base = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    after = np.round(np.asarray(seconds) * 1e6).astype("timedelta64[us]")
    texts: list[str] = np.datetime_as_string(base + after, unit="us").tolist()
    return [f"{text}Z" for text in texts]


def _write_items(items: Iterable[Row], stream: SupportsWrite[str]) -> None:
    separator = "\n  "
    for item in items:
        stream.write(f"{separator}{json.dumps(item)}")
        separator = ",\n  "


def _write_table(rows: Sequence[Row], stream: SupportsWrite[str]) -> None:
    if rows:
        stream.write("\n")
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(rows[0])
        table.writerows([_csv(value) for value in row.values()] for row in rows)


def _csv(value: Any) -> Any:
    """Return a value as CSV has it: truth as in JSON."""
    return str(value).lower() if isinstance(value, bool) else value
