from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.audit.services import Actor, append_entry
from missioncontrol.fleet.models import Spacecraft
from telemetry.ccsds.space_packet import TrailingOctetsError, split_packets
from telemetry.pipeline import ReceivedPacket
from telemetry.services.reception import TelemetryReception

_BATCH: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What a file of packets held."""

    packets: int
    values: int
    bad: int
    lost: int


def ingest_packet_file(
    *, spacecraft: Spacecraft, octets: bytes, name: str, actor: Actor | str, at: datetime
) -> IngestReport:
    """Take a file of concatenated space packets through the same path as a pass.

    Args:
        spacecraft: Whose packets they are; its dictionary decodes them.
        octets: The file's content.
        name: What the station column and the log call it.
        actor: Who does it.
        at: Reception time, UTC.

    Returns:
        How many packets and values were archived; octets that are no packets
        are kept among the bad frames with their reason.
    """
    station = f"file:{name}"[:40]
    received = list(_packets(octets, station=station, at=at))
    packets = values = bad = lost = 0
    with TelemetryReception(spacecraft) as reception:
        for begin in range(0, len(received), _BATCH):
            result = reception.receive_packets(received[begin : begin + _BATCH])
            packets += len(result.packets)
            values += sum(len(b.columns) * len(b.sequence_counts) for b in result.batches)
            bad += len(result.bad_frames) + len(result.undecoded)
            lost += sum(result.packets_lost.values())
        reception.settle()
    report = IngestReport(packets=packets, values=values, bad=bad, lost=lost)
    with transaction.atomic():
        append_entry(
            action="telemetry.ingest",
            subject=f"spacecraft:{spacecraft.name}",
            actor=actor,
            at=at,
            details={"file": name, "packets": packets, "bad": bad},
        )
    return report


def _packets(octets: bytes, *, station: str, at: datetime) -> Iterator[ReceivedPacket]:
    """Yield the packets of a file; what follows the last whole one comes as it is, to be kept."""
    try:
        for packet in split_packets(octets):
            yield ReceivedPacket(octets=packet, received_at=at, station=station)
    except TrailingOctetsError as error:
        yield ReceivedPacket(octets=error.rubbish, received_at=at, station=station)
