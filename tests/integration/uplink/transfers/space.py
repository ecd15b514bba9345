"""The other end: a spacecraft's CFDP entity in memory, and the link between the two.

What the ground gets goes through the telemetry archive, as in flight.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from missioncontrol.fleet.models import Spacecraft
from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket, decode_space_packet
from telemetry.pipeline import ReceivedPacket
from telemetry.services import TelemetryReception
from tests.integration.telemetry.craft import AT
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import encode_pdu
from uplink.cfdp.effects import FileComplete, VerifyChecksum, WriteSegment
from uplink.cfdp.entity import CfdpEntity
from uplink.cfdp.profile import CfdpProfile
from uplink.cfdp.request import PutRequest
from uplink.transfers.profile import ground_profile

STEP = timedelta(seconds=2)
APID_DOWN, APID_UP = 120, 121


def onboard_profile(spacecraft: Spacecraft, **changes) -> CfdpProfile:
    ground = ground_profile(spacecraft)
    values = {
        "local_entity_id": ground.remote_entity_id,
        "remote_entity_id": ground.local_entity_id,
        "segment_octets": ground.segment_octets,
        "ack_timer_s": 20,
        "nak_timer_s": 20,
        "ack_limit": 1000,
        "nak_limit": 1000,
        "inactivity_s": 1e6,
        "retention_s": 1e6,
        **changes,
    }
    return CfdpProfile(**values)


class Onboard:
    """The spacecraft's entity with its files; it never crashes."""

    def __init__(self, spacecraft: Spacecraft, **changes) -> None:
        self.entity = CfdpEntity(onboard_profile(spacecraft, **changes))
        self.delivered: list[tuple[str, bytes]] = []
        self._outgoing: dict = {}
        self._stored: dict = {}
        self._numbers = count(1)

    def send_file(self, name: str, content: bytes, at, *, number: int | None = None):
        source = self.entity.put(
            PutRequest(
                source_file_name=name, destination_file_name=name, size_octets=len(content)
            ),
            sequence_number=next(self._numbers) if number is None else number,
            at=at,
        )
        self._outgoing[source.transaction_id] = content
        return source

    def receive(self, pdu: bytes, at) -> None:
        self._apply(self.entity.receive(pdu, at), at)

    def pull(self, at) -> list[bytes]:
        self._apply(self.entity.on_time(at), at)

        def read(one, offset, length):
            return self._outgoing[one][offset : offset + length]

        return [encode_pdu(pdu) for pdu in self.entity.next_pdus(read, at=at, max_octets=1000)]

    def _apply(self, effects, at) -> None:
        for effect in effects:
            match effect:
                case WriteSegment(one, offset, data):
                    octets = self._stored.setdefault(one, bytearray())
                    octets.extend(bytes(max(0, offset + len(data) - len(octets))))
                    octets[offset : offset + len(data)] = data
                case VerifyChecksum(one, checksum_type, size):
                    stored = bytes(self._stored.setdefault(one, bytearray()))
                    checksum = file_checksum(
                        checksum_type, lambda o, n, stored=stored: stored[o : o + n], size
                    )
                    self._apply(self.entity.checksum_computed(one, checksum, at), at)
                case FileComplete(one, metadata):
                    content = bytes(self._stored.pop(one, b""))
                    self.delivered.append((metadata.destination_file_name, content))


class Link:
    """Carries packets both ways, some not; time goes on with every exchange."""

    def __init__(self, spacecraft: Spacecraft, onboard: Onboard, *, loses=lambda: False) -> None:
        self.at = AT
        self.onboard = onboard
        self.up: list[SpacePacket] = []  # everything that the ground ever sent
        self.loses = loses
        self._spacecraft = spacecraft
        self._counts = count()

    def downlink(self, pdus: list[bytes]) -> None:
        packets = [
            ReceivedPacket(
                octets=SpacePacket(
                    packet_type=TELEMETRY,
                    apid=APID_DOWN,
                    sequence_count=next(self._counts) % 16384,
                    data=pdu,
                ).encode(),
                received_at=self.at,
                station="KASHI",
            )
            for pdu in pdus
            if not self.loses()
        ]
        with TelemetryReception(self._spacecraft) as reception:
            reception.receive_packets(packets)

    def uplink(self, packets: list[bytes]) -> None:
        for octets in packets:
            packet = decode_space_packet(octets)
            self.up.append(packet)
            if not self.loses():
                self.onboard.receive(packet.data, self.at)

    def exchange(self, runtime, *, max_octets: int = 4000) -> None:
        """One turn of a pass."""
        self.downlink(self.onboard.pull(self.at))
        runtime.receive(self.at)
        self.uplink(runtime.next_packets(self.at, max_octets))
        self.at += STEP

    def until(self, runtime, over, *, turns: int = 400, **options) -> None:
        for _ in range(turns):
            self.exchange(runtime, **options)
            if over():
                return
        raise AssertionError(f"not over after {turns} turns")
