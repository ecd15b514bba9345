from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile, parse_link_profile
from telemetry.definition import compiled
from telemetry.dictionary import engineering
from telemetry.selectors.archives import archive_reader

_REPORT_FIELDS: Final = frozenset({"VER_REQUEST_ID", "VER_STAGE", "VER_SUCCESS", "VER_CODE"})


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


def packets_since(
    spacecraft: Spacecraft, cursor: int, *, apids: Collection[int], limit: int = 1000
) -> PacketPage:
    """Return the packets of *apids* that were logged after *cursor*, in order of arrival.

    What is returned is on the disk; a reader that keeps the page's cursor with
    its own work misses nothing and does nothing twice.
    """
    with archive_reader(spacecraft) as reader:
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


def _is_true(value: Any) -> bool:
    return str(value).upper() in {"TRUE", "SUCCESS", "1"}
