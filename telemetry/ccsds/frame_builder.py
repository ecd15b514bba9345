"""TM frames out of packets: the sending side of the master channel, in a spacecraft.

Pure and sans-IO: packets in, frames out, as many as the transmitter asks for.
Source: CCSDS 132.0-B-3 section 4.2 (protocol procedures at the sending end).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from telemetry.ccsds.space_packet import (
    MIN_PACKET_LENGTH,
    PacketError,
    idle_packet,
    packet_length_octets,
)
from telemetry.ccsds.tm_frame import (
    FRAME_COUNT_MODULUS,
    NO_PACKET_START,
    OCF_LENGTH,
    ONLY_IDLE_DATA,
    TmFrame,
    TmFrameFormat,
    encode_tm_frame,
)

IDLE_VIRTUAL_CHANNEL: Final = 7
_IDLE_DATA: Final = b"\x55"


class VirtualChannelMultiplexer:
    """Fills the frames of one master channel from a packet queue for each virtual channel.

    Channels with packets waiting take turns, so that none starves. A frame that
    the waiting packets do not fill ends in an idle packet; when nothing waits
    at all, the frame holds only idle data on virtual channel 7. A transmitter
    never has to wait: every call of :meth:`next_frame` gives a frame.
    """

    def __init__(self, *, spacecraft_id: int, frame_format: TmFrameFormat) -> None:
        self._spacecraft_id = spacecraft_id
        self._format = frame_format
        self._channels: dict[int, _ChannelQueue] = {}
        self._turns: deque[int] = deque()  # channels, the next to send first
        self._master_count = 0

    def add_packet(self, virtual_channel_id: int, octets: bytes) -> None:
        """Queue one Space Packet behind those that wait on its virtual channel.

        Raises:
            PacketError: The octets are not exactly one Space Packet.
            ValueError: The virtual channel is not 0 to 6; 7 is for idle frames.
        """
        if not 0 <= virtual_channel_id < IDLE_VIRTUAL_CHANNEL:
            raise ValueError(
                f"virtual channel {virtual_channel_id} carries no packets; use 0 to 6 "
                f"({IDLE_VIRTUAL_CHANNEL} is for frames of idle data)"
            )
        length = packet_length_octets(octets)
        if length != len(octets):
            raise PacketError(
                f"the packet length field says {length} octets in all, {len(octets)} are present"
            )
        self._channel(virtual_channel_id).add(octets)

    def pending_octets(self, virtual_channel_id: int) -> int:
        """Return the octets of packets on that channel which no frame has taken yet."""
        channel = self._channels.get(virtual_channel_id)
        return channel.pending_octets if channel else 0

    def next_frame(self, ocf: bytes | None = None) -> bytes:
        """Return the next frame to send.

        Args:
            ocf: The operational control field, 4 octets, where the format has one.

        Raises:
            ValueError: The field is missing, or given where the format has none.
        """
        self._check_ocf(ocf)  # before any packet is taken from its queue
        virtual_channel_id = self._take_turn()
        channel = self._channel(virtual_channel_id)
        if virtual_channel_id == IDLE_VIRTUAL_CHANNEL:
            pointer, data = ONLY_IDLE_DATA, _IDLE_DATA * self._format.data_field_octets
        else:
            pointer, data = channel.take(self._format.data_field_octets)
        octets = encode_tm_frame(
            TmFrame(
                spacecraft_id=self._spacecraft_id,
                virtual_channel_id=virtual_channel_id,
                master_channel_frame_count=self._master_count,
                virtual_channel_frame_count=channel.frame_count,
                first_header_pointer=pointer,
                data=data,
                ocf=ocf,
            ),
            self._format,
        )
        self._master_count = (self._master_count + 1) % FRAME_COUNT_MODULUS
        channel.frame_count = (channel.frame_count + 1) % FRAME_COUNT_MODULUS
        return octets

    def _check_ocf(self, ocf: bytes | None) -> None:
        wanted = OCF_LENGTH if self._format.has_ocf else 0
        given = len(ocf) if ocf is not None else 0
        if given != wanted:
            raise ValueError(
                f"an operational control field of {given} octets; this channel's has {wanted}"
            )

    def _channel(self, virtual_channel_id: int) -> _ChannelQueue:
        if virtual_channel_id not in self._channels:
            self._channels[virtual_channel_id] = _ChannelQueue()
            if virtual_channel_id != IDLE_VIRTUAL_CHANNEL:
                self._turns.append(virtual_channel_id)
        return self._channels[virtual_channel_id]

    def _take_turn(self) -> int:
        for _ in range(len(self._turns)):
            virtual_channel_id = self._turns[0]
            self._turns.rotate(-1)
            if self._channels[virtual_channel_id].pending_octets:
                return virtual_channel_id
        return IDLE_VIRTUAL_CHANNEL


class _ChannelQueue:
    """The octets that one virtual channel has still to send."""

    def __init__(self) -> None:
        self.frame_count = 0
        self.pending_octets = 0
        self._begun = b""  # what is left of a packet that an earlier frame began
        self._begun_is_idle = False
        self._packets: deque[bytes] = deque()

    def add(self, packet: bytes) -> None:
        self._packets.append(packet)
        self.pending_octets += len(packet)

    def take(self, size: int) -> tuple[int, bytes]:
        """Return a first header pointer and a data field of exactly *size* octets."""
        chunk, self._begun = self._begun[:size], self._begun[size:]
        if not self._begun_is_idle:
            self.pending_octets -= len(chunk)
        if self._begun or len(chunk) == size:
            return NO_PACKET_START, chunk
        pointer, filled, chunks = len(chunk), len(chunk), [chunk]
        while filled < size:
            packet = self._next_packet(size - filled)
            chunk, self._begun = packet[: size - filled], packet[size - filled :]
            if not self._begun_is_idle:
                self.pending_octets -= len(chunk)
            chunks.append(chunk)
            filled += len(chunk)
        return pointer, b"".join(chunks)

    def _next_packet(self, room: int) -> bytes:
        self._begun_is_idle = not self._packets
        if self._packets:
            return self._packets.popleft()
        # No packet is shorter than 7 octets; the rest of one that does not fit
        # begins the channel's next frame, like the rest of any other packet.
        return idle_packet(max(room, MIN_PACKET_LENGTH))
