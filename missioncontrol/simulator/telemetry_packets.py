"""Space packets of one spacecraft: headers, times and counts around their user data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from missioncontrol.fleet.profiles import LinkProfile
from missioncontrol.simulator.models.situation import Value
from missioncontrol.simulator.packet_encoder import container_encoders
from telemetry.ccsds.space_packet import (
    PRIMARY_HEADER_LENGTH,
    SEQUENCE_COUNT_MODULUS,
    TELEMETRY,
    SpacePacket,
)
from telemetry.ccsds.time_codes import CucFormat
from telemetry.dictionary import Dictionary


class TelemetryPackets:
    """Makes packets; keeps a sequence count for each virtual channel and APID.

    Counts are kept by channel because recorded packets come out of a store of
    their own: in their order they have no gaps either.
    """

    def __init__(self, dictionary: Dictionary, profile: LinkProfile) -> None:
        time = profile.packet_time
        self._time = CucFormat(
            coarse_octets=time.coarse_octets, fine_octets=time.fine_octets, epoch=time.epoch
        )
        start = PRIMARY_HEADER_LENGTH + self._time.length_octets
        self._encoders = container_encoders(dictionary, start_octets=start)
        self._verification_apid: Final = profile.apids.verification
        self._counts: dict[str, int] = {}

    @property
    def housekeeping_apids(self) -> tuple[int, ...]:
        return tuple(apid for apid in self._encoders if apid != self._verification_apid)

    def check_parameters(self, known: Mapping[str, Value]) -> None:
        """Refuse a dictionary whose housekeeping has parameters without a model.

        Raises:
            ValueError: Lists them.
        """
        missing = [
            name
            for apid in self.housekeeping_apids
            for name in self._encoders[apid].parameters
            if name not in known
        ]
        if missing:
            raise ValueError(
                f"The telemetry dictionary has parameters that the simulator has no model for: "
                f"{', '.join(missing)}. Fly it with the dictionary of the demo mission."
            )

    def housekeeping(
        self, values: Mapping[str, Value], *, channel: int, at: datetime
    ) -> list[bytes]:
        """Return one packet of each kind, for a virtual channel."""
        return [self._packet(apid, values, channel, at) for apid in self.housekeeping_apids]

    def verification(
        self,
        *,
        request_id: int,
        stage: str,
        success: bool,
        code: int,
        channel: int,
        at: datetime,
    ) -> bytes:
        """Return a telecommand verification report."""
        values: dict[str, Value] = {
            "VER_REQUEST_ID": request_id,
            "VER_STAGE": stage,
            "VER_SUCCESS": success,
            "VER_CODE": code,
        }
        return self._packet(self._verification_apid, values, channel, at)

    def file_data_unit(self, pdu: bytes, *, apid: int, channel: int) -> bytes:
        """Return the packet around one CFDP PDU: no secondary header, the PDU is its data."""
        return SpacePacket(
            packet_type=TELEMETRY,
            apid=apid,
            sequence_count=self._next_count(channel, apid),
            data=pdu,
        ).encode()

    def _packet(self, apid: int, values: Mapping[str, Value], channel: int, at: datetime) -> bytes:
        return SpacePacket(
            packet_type=TELEMETRY,
            apid=apid,
            sequence_count=self._next_count(channel, apid),
            has_secondary_header=True,
            data=self._time.encode(at) + self._encoders[apid].encode(values),
        ).encode()

    def _next_count(self, channel: int, apid: int) -> int:
        key = f"{channel}/{apid}"
        count = self._counts.get(key, 0)
        self._counts[key] = (count + 1) % SEQUENCE_COUNT_MODULUS
        return count

    def snapshot(self) -> dict[str, int]:
        return dict(self._counts)

    def restore(self, counts: Mapping[str, int]) -> None:
        """Continue counting from a snapshot."""
        self._counts = dict(counts)
