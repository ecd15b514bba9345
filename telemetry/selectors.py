from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db.models import Max, Sum

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile, parse_link_profile
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.scheduling.models import Contact
from telemetry.archive import ArchiveReader, open_reader
from telemetry.definition import CompiledDictionary, compiled, plain
from telemetry.dictionary import Parameter, engineering, raw_values
from telemetry.limits import LimitState, definition_of, display_status
from telemetry.models import Alarm, BadFrame, LinkSession, Severity
from telemetry.pipeline import UNIX_EPOCH

MAX_SAMPLES: Final = 100_000
_REPORT_FIELDS: Final = frozenset({"VER_REQUEST_ID", "VER_STAGE", "VER_SUCCESS", "VER_CODE"})
_NORMAL: Final = "normal"
_RANK: Final = {_NORMAL: 0, Severity.CAUTION: 1, Severity.SERIOUS: 2, Severity.CRITICAL: 3}


class TelemetryRefusedError(RefusedError):
    """The question cannot be answered as it was put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentValue:
    """The newest value of one parameter; ``generated_at`` is None before the first."""

    name: str
    subsystem: str
    description: str
    unit: str
    value: float | int | str | None
    raw: float | int | str | None
    state: str  # normal, caution, serious, critical; off before the first value
    generated_at: datetime | None
    expected_period_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Values of one parameter over time; with buckets also what lies within each."""

    parameter: str
    unit: str
    times: list[datetime]
    values: list[float | int | str]  # bucket means where ``minimum`` is given
    minimum: list[float] | None = None
    maximum: list[float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPacket:
    """A space packet as it was received; ``cursor`` is where to go on after it."""

    cursor: int
    apid: int
    octets: bytes
    received_at: datetime
    generated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketPage:
    """Packets in order of arrival, and where to go on."""

    packets: list[LoggedPacket]
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """What the spacecraft said of one telecommand."""

    cursor: int
    request_id: int
    stage: str  # ACCEPTANCE, START, COMPLETION
    success: bool
    code: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Verification reports in order of arrival, and where to go on."""

    reports: list[VerificationReport]
    cursor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsystemHealth:
    """The worst state in a subsystem and how many parameters are in trouble."""

    name: str
    state: str
    parameters: int
    in_trouble: int
    newest_at: datetime | None


def archive_folder(spacecraft: Spacecraft) -> Path:
    """Return where the history of one spacecraft lives.

    A folder each, and so a writer each: a dump of one can be read in while
    another is on the air.
    """
    return Path(settings.ARCHIVE_DIR) / spacecraft.name


@contextmanager
def _reader(spacecraft: Spacecraft) -> Iterator[ArchiveReader]:
    folder = archive_folder(spacecraft)
    folder.mkdir(parents=True, exist_ok=True)
    with open_reader(folder) as reader:
        yield reader


def parameters_of(spacecraft: Spacecraft) -> dict[str, Parameter]:
    """Return the parameters of a spacecraft's dictionary, in its order."""
    return dict(compiled(spacecraft.telemetry_dictionary).dictionary.parameters)


def latest_values(
    spacecraft: Spacecraft, *, names: Collection[str] | None = None
) -> list[CurrentValue]:
    """Return the newest value of every parameter (or of *names*), in dictionary order.

    Raises:
        TelemetryRefusedError: a name is not in the dictionary.
    """
    what = compiled(spacecraft.telemetry_dictionary)
    wanted = list(what.dictionary.parameters) if names is None else list(names)
    for name in wanted:
        _parameter(spacecraft, what, name)
    with _reader(spacecraft) as reader:
        newest = reader.latest(spacecraft=spacecraft.name, parameters=wanted)
    alarms = {
        alarm.parameter: alarm.severity
        for alarm in Alarm.objects.filter(spacecraft=spacecraft, cleared_at=None)
    }
    limits = {limit.parameter: limit for limit in what.limits}
    values = []
    for name in wanted:
        parameter = what.dictionary.parameters[name]
        latest = newest.get(name)
        state = "off"
        value: Any = None
        if latest is not None:
            calibrated = engineering(parameter, latest.raw)
            value = plain(calibrated[0])
            state = _NORMAL
            limit = limits.get(name) or definition_of(parameter, what.dictionary.parameters)
            if limit is not None:
                own = LimitState(int(limit.states(calibrated)[0]))
                # The alarm in force knows of persistence; a recorded value does not clear it.
                state = alarms.get(name) or display_status(own).value
        values.append(
            CurrentValue(
                name=name,
                subsystem=parameter.subsystem,
                description=parameter.description or parameter.type.description,
                unit=parameter.unit,
                value=value,
                raw=plain(raw_values(parameter, latest.raw)[0]) if latest is not None else None,
                state=state,
                generated_at=_instant(latest.time_us) if latest is not None else None,
                expected_period_s=what.expected_period_s.get(name),
            )
        )
    return values


def history(
    spacecraft: Spacecraft,
    parameter: str,
    *,
    start: datetime,
    end: datetime,
    size: int | None = None,
) -> History:
    """Return the values generated from *start* to before *end*.

    Args:
        spacecraft: Whose.
        parameter: Which.
        start: First instant, UTC.
        end: Last instant, UTC, excluded.
        size: With it, that many equal buckets with least, greatest and mean
            value (those without a finite one are left out); without it,
            every sample, the newest 100,000 at most.

    Raises:
        TelemetryRefusedError: unknown parameter, no interval, or buckets of
            something that is no number.
    """
    what = compiled(spacecraft.telemetry_dictionary)
    known = _parameter(spacecraft, what, parameter)
    if end <= start:
        raise TelemetryRefusedError(
            f"The end {end.isoformat()} is not after the start {start.isoformat()}."
        )
    with _reader(spacecraft) as reader:
        if size is None:
            samples = reader.read(
                spacecraft=spacecraft.name,
                parameter=parameter,
                start=start,
                end=end,
                limit=MAX_SAMPLES,
            )
            return History(
                parameter=parameter,
                unit=known.unit,
                times=[_instant(time_us) for time_us in samples.times_us.tolist()],
                values=[plain(value) for value in engineering(known, samples.values)],
            )
        if not _is_number(known):
            raise TelemetryRefusedError(
                f"{parameter} is {known.type.kind.value}, and has no least and greatest value; "
                "ask for it without a size."
            )
        if not 1 <= size <= 10_000:
            raise TelemetryRefusedError(f"{size} buckets; 1 to 10,000 can be asked for.")
        buckets = reader.read_decimated(
            spacecraft=spacecraft.name,
            parameter=parameter,
            start=start,
            end=end,
            buckets=size,
            calibrate=lambda raw: engineering(known, raw),
        )
    known_buckets = np.isfinite(buckets.mean)
    return History(
        parameter=parameter,
        unit=known.unit,
        times=[_instant(time_us) for time_us in buckets.starts_us[known_buckets].tolist()],
        values=buckets.mean[known_buckets].tolist(),
        minimum=buckets.minimum[known_buckets].tolist(),
        maximum=buckets.maximum[known_buckets].tolist(),
    )


def packets_since(
    spacecraft: Spacecraft, cursor: int, *, apids: Collection[int], limit: int = 1000
) -> PacketPage:
    """Return the packets of *apids* that were logged after *cursor*, in order of arrival.

    What is returned is on the disk; a reader that keeps the page's cursor with
    its own work misses nothing and does nothing twice.
    """
    with _reader(spacecraft) as reader:
        page = reader.packets_since(
            cursor, spacecraft=spacecraft.name, apids=frozenset(apids), limit=limit
        )
    packets = [
        LoggedPacket(
            cursor=packet.cursor,
            apid=packet.apid,
            octets=packet.octets,
            received_at=packet.received_at,
            generated_at=packet.generated_at,
        )
        for packet in page.packets
    ]
    return PacketPage(packets=packets, cursor=page.cursor)


def verification_reports_since(
    spacecraft: Spacecraft, cursor: int, *, limit: int = 1000
) -> ReportPage:
    """Return the verification reports logged after *cursor*, in order of arrival.

    Keep the page's cursor: it moves on past all that are no reports too. What
    cannot be decoded was kept as bad when it was received.
    """
    profile = parse_link_profile(spacecraft.link_profile)
    if not isinstance(profile, LinkProfile):
        return ReportPage(reports=[], cursor=cursor)
    page = packets_since(spacecraft, cursor, apids={profile.apids.verification}, limit=limit)
    what = compiled(spacecraft.telemetry_dictionary)
    decoded = what.decoder.decode([packet.octets for packet in page.packets])
    reports = []
    for batch in decoded.batches:
        if not batch.columns.keys() >= _REPORT_FIELDS:
            continue  # a packet of another kind under the same APID
        columns = {
            name: engineering(what.dictionary.parameters[name], batch.columns[name])
            for name in _REPORT_FIELDS
        }
        for row, index in enumerate(batch.indices.tolist()):
            packet = page.packets[index]
            reports.append(
                VerificationReport(
                    cursor=packet.cursor,
                    request_id=int(columns["VER_REQUEST_ID"][row]),
                    stage=str(columns["VER_STAGE"][row]),
                    success=_is_true(columns["VER_SUCCESS"][row]),
                    code=int(columns["VER_CODE"][row]),
                    at=packet.generated_at,
                )
            )
    reports.sort(key=lambda report: report.cursor)
    return ReportPage(reports=reports, cursor=page.cursor)


def subsystem_health(values: Collection[CurrentValue]) -> list[SubsystemHealth]:
    """Return the health of each subsystem that has limits or values, in dictionary order."""
    by_name: dict[str, list[CurrentValue]] = {}
    for value in values:
        by_name.setdefault(value.subsystem, []).append(value)
    return [_health(name, members) for name, members in by_name.items()]


def _health(name: str, members: list[CurrentValue]) -> SubsystemHealth:
    seen = [value for value in members if value.generated_at is not None]
    worst = max((value.state for value in seen), key=lambda state: _RANK[state], default="off")
    return SubsystemHealth(
        name=name,
        state=worst,
        parameters=len(members),
        in_trouble=sum(value.state not in {_NORMAL, "off"} for value in members),
        newest_at=max((value.generated_at for value in seen if value.generated_at), default=None),
    )


def active_alarms(*, spacecraft: Spacecraft | None = None) -> list[Alarm]:
    """Return the alarms that are not cleared, or not acknowledged; the worst first."""
    alarms = Alarm.objects.select_related("spacecraft", "acknowledged_by").filter(
        cleared_at=None
    ) | Alarm.objects.select_related("spacecraft", "acknowledged_by").filter(acknowledged_at=None)
    if spacecraft is not None:
        alarms = alarms.filter(spacecraft=spacecraft)
    return sorted(
        alarms[:500], key=lambda alarm: (-_RANK[alarm.severity], -alarm.raised_at.timestamp())
    )


def bad_frames(
    *, spacecraft: Spacecraft | None = None, contact: Contact | None = None, limit: int = 100
) -> list[BadFrame]:
    """Return the newest frames and packets that could not be used."""
    frames = BadFrame.objects.select_related("spacecraft")
    if spacecraft is not None:
        frames = frames.filter(spacecraft=spacecraft)
    if contact is not None:
        frames = frames.filter(contact=contact)
    return list(frames[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCounts:
    """What came over a contact's return links, all sessions together."""

    frames_good: int = 0
    frames_bad: int = 0
    frames_lost: int = 0
    packets: int = 0
    packets_lost: int = 0
    octets: int = 0
    last_frame_at: datetime | None = None


_COUNTED: Final = ("frames_good", "frames_bad", "frames_lost", "packets", "packets_lost", "octets")


def frame_counts(contact_ids: Collection[int]) -> dict[int, FrameCounts]:
    """Return the counts of each contact; one without a session has zeros."""
    rows: Any = (
        LinkSession.objects.filter(contact_id__in=contact_ids)
        .values("contact_id")
        .annotate(**{f"{name}_sum": Sum(name) for name in _COUNTED}, newest=Max("last_frame_at"))
    )
    counts = {contact_id: FrameCounts() for contact_id in contact_ids}
    for row in rows:
        counts[row["contact_id"]] = FrameCounts(
            **{name: row[f"{name}_sum"] or 0 for name in _COUNTED}, last_frame_at=row["newest"]
        )
    return counts


def _parameter(spacecraft: Spacecraft, what: CompiledDictionary, name: str) -> Parameter:
    try:
        return what.dictionary.parameters[name]
    except KeyError:
        raise TelemetryRefusedError(
            f"{spacecraft} has no parameter {name!r}; its dictionary has "
            f"{len(what.dictionary.parameters)}, see the latest values for their names."
        ) from None


def _is_number(parameter: Parameter) -> bool:
    return parameter.type.kind.value in {"integer", "float"}


def _is_true(value: Any) -> bool:
    return str(value).upper() in {"TRUE", "SUCCESS", "1"}


def _instant(time_us: int | np.int64) -> datetime:
    return UNIX_EPOCH + timedelta(microseconds=int(time_us))
