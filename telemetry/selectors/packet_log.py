"""Packets for those who look at single ones: the newest, and one with all that is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from missioncontrol.fleet.models import Spacecraft
from telemetry.archive import StoredPacket
from telemetry.ccsds.space_packet import PacketError, SpacePacket, decode_space_packet
from telemetry.decoding.values import engineering_column, raw_column
from telemetry.definition import CompiledDictionary, compiled, plain
from telemetry.dictionary import DecodedBatch, Parameter
from telemetry.selectors.archives import archive_reader

__all__ = [
    "ExaminedField",
    "ExaminedPacket",
    "ListedPacket",
    "StoredPacket",
    "examine_packet",
    "newest_packets",
    "stored_packet",
]

_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPacket:
    """A packet and what it is by the dictionary in force; empty where it fits nothing."""

    packet: StoredPacket
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedField:
    """One value of a packet and where it lies; a derived one lies nowhere."""

    name: str
    description: str
    unit: str
    raw: float | int | str | None  # None: found, and not decoded, as the packet fits nothing
    value: float | int | str | None
    offset_bits: int = 0
    size_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedPacket:
    """One packet taken apart.

    Attributes:
        packet: As it was logged.
        header: Its primary header; None where the octets are no space packet.
        container: What it is; empty where it fits nothing.
        problem: Why it fits nothing.
        fields: What stands in it, by place.
        derived: What the dictionary computes of it.
    """

    packet: StoredPacket
    header: SpacePacket | None
    container: str
    problem: str
    fields: list[ExaminedField]
    derived: list[ExaminedField]


def newest_packets(
    spacecraft: Spacecraft,
    *,
    before: datetime | None = None,
    apid: int | None = None,
    limit: int,
) -> list[ListedPacket]:
    """Return the packets generated last, the newest first.

    Args:
        spacecraft: Whose.
        before: Only those generated before; without it, all.
        apid: Only those of this one.
        limit: How many at most.
    """
    with archive_reader(spacecraft) as reader:
        packets = reader.newest_packets(
            spacecraft=spacecraft.name,
            before=before or _EVER,
            apids=None if apid is None else {apid},
            limit=limit,
        )
    decoder = compiled(spacecraft.telemetry_dictionary).decoder
    containers = [""] * len(packets)
    for batch in decoder.decode([packet.octets for packet in packets]).batches:
        for index in batch.indices.tolist():
            containers[index] = batch.container
    return [
        ListedPacket(packet=packet, container=container)
        for packet, container in zip(packets, containers, strict=True)
    ]


def stored_packet(spacecraft: Spacecraft, cursor: int) -> StoredPacket | None:
    """Return the packet that *cursor* points after; ``None`` where there is none."""
    with archive_reader(spacecraft) as reader:
        return reader.packet_at(cursor, spacecraft=spacecraft.name)


def examine_packet(spacecraft: Spacecraft, packet: StoredPacket) -> ExaminedPacket:
    """Return a packet taken apart by the dictionary in force.

    Values that depend on other packets are computed as if this was the first.
    """
    what = compiled(spacecraft.telemetry_dictionary)
    layout = what.decoder.locate(packet.octets)
    decoded = what.decoder.decode([packet.octets])
    values = {name: value for batch in decoded.batches for name, value in _values(what, batch)}
    unknown = (None, None)
    fields = [
        _examined(
            field.parameter,
            values.get(field.parameter.name, unknown),
            offset_bits=field.offset_bits,
            size_bits=field.size_bits,
        )
        for field in layout.fields
    ]
    placed = {field.name for field in fields}
    derived = [
        _examined(what.dictionary.parameters[name], value)
        for name, value in values.items()
        if name not in placed
    ]
    try:
        header = decode_space_packet(packet.octets)
    except PacketError:
        header = None
    return ExaminedPacket(
        packet=packet,
        header=header,
        container=layout.container,
        problem=layout.refused,
        fields=sorted(fields, key=lambda field: field.offset_bits),
        derived=derived,
    )


_Pair = tuple[float | int | str | None, float | int | str | None]


def _values(what: CompiledDictionary, batch: DecodedBatch) -> list[tuple[str, _Pair]]:
    """Return the raw and the engineering value of each parameter of a batch of one packet."""
    parameters = [(name, what.dictionary.parameters[name]) for name in batch.columns]
    return [
        (
            name,
            (
                plain(raw_column(parameter, batch)[0]),
                plain(engineering_column(parameter, batch)[0]),
            ),
        )
        for name, parameter in parameters
    ]


def _examined(
    parameter: Parameter, pair: _Pair, *, offset_bits: int = 0, size_bits: int = 0
) -> ExaminedField:
    raw, value = pair
    return ExaminedField(
        name=parameter.name,
        description=parameter.description or parameter.type.description,
        unit=parameter.unit,
        raw=raw,
        value=value,
        offset_bits=offset_bits,
        size_bits=size_bits,
    )
