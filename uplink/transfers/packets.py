"""The space packets that carry PDUs of the file protocol, up and down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import LinkProfile
from telemetry.ccsds.space_packet import (
    SEQUENCE_COUNT_MODULUS,
    TELECOMMAND,
    PacketError,
    SpacePacket,
    decode_space_packet,
)
from uplink.commanding.services import reserve_sequence_counts

_COUNTS_AT_ONCE: Final = 256  # one row written for so many packets


class FilePackets:
    """Puts PDUs into telecommand packets, and takes them out of telemetry packets."""

    def __init__(self, spacecraft: Spacecraft) -> None:
        self._spacecraft = spacecraft
        self._link = LinkProfile.model_validate_json(json.dumps(spacecraft.link_profile))
        self._counts: Iterator[int] = iter(())

    @property
    def apid_down(self) -> int:
        """Where the spacecraft's PDUs come."""
        return self._link.apids.files_down

    def wrap(self, pdu: bytes) -> bytes:
        """Return the packet for the way up; its sequence count is never used again."""
        packet = SpacePacket(
            packet_type=TELECOMMAND,
            apid=self._link.apids.files_up,
            sequence_count=self._next_count(),
            data=pdu,
        )
        return packet.encode()

    def unwrap(self, octets: bytes) -> bytes | None:
        """Return the PDU of a packet that came down; None: it is no packet.

        Its time, where it carries one, stands before the PDU.
        """
        try:
            packet = decode_space_packet(octets)
        except PacketError:
            return None  # it is kept in the packet log like every other
        if not packet.has_secondary_header:
            return packet.data
        time = self._link.packet_time
        return packet.data[time.coarse_octets + time.fine_octets :]

    def _next_count(self) -> int:
        count = next(self._counts, None)
        if count is None:
            first = reserve_sequence_counts(
                spacecraft=self._spacecraft,
                apid=self._link.apids.files_up,
                count=_COUNTS_AT_ONCE,
            )
            self._counts = iter(range(first, first + _COUNTS_AT_ONCE))
            count = next(self._counts)
        return count % SEQUENCE_COUNT_MODULUS
