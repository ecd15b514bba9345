"""The on-board recorder: packets made out of contact, kept for the next one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from typing import Final

from telemetry.ccsds.space_packet import split_packets

CAPACITY_OCTETS: Final = 1 << 20


class Recorder:
    """A store of packets, oldest out first; when it is full the oldest are overwritten."""

    def __init__(self, *, capacity_octets: int = CAPACITY_OCTETS) -> None:
        self._capacity_octets = capacity_octets
        self._packets: deque[bytes] = deque()
        self.stored_octets = 0

    def __len__(self) -> int:
        return len(self._packets)

    def record(self, packet: bytes) -> None:
        """Keep a packet."""
        self._packets.append(packet)
        self.stored_octets += len(packet)
        while self.stored_octets > self._capacity_octets:
            self.take()

    def take(self) -> bytes | None:
        """Return the oldest packet and forget it; None when there is none."""
        if not self._packets:
            return None
        packet = self._packets.popleft()
        self.stored_octets -= len(packet)
        return packet

    def snapshot(self) -> str:
        return b64encode(b"".join(self._packets)).decode()

    def restore(self, snapshot: str) -> None:
        """Continue with the packets of a snapshot."""
        self._packets.clear()
        self.stored_octets = 0
        for packet in split_packets(b64decode(snapshot)):
            self.record(packet)
