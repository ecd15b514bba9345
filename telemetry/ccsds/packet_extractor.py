"""Space Packets out of the data fields of one virtual channel.

Pure and sans-IO: frames in, events out. It owns no socket, no clock and no
database, so a test can feed it one frame, a day of frames or noise.

Source: CCSDS 132.0-B-3 sections 4.1.2.7.6 (first header pointer) and 4.3
(packet extraction), 732.0-B-5 section 4.1.4.2 (the same in AOS frames), 133.0-B-2
section 4.1.3 (packet primary header).
"""

from __future__ import annotations

from dataclasses import dataclass

from telemetry.ccsds.frame_fault import FrameFault
from telemetry.ccsds.space_packet import IDLE_APID, PRIMARY_HEADER_LENGTH
from telemetry.ccsds.tm_frame import FRAME_COUNT_MODULUS, NO_PACKET_START, ONLY_IDLE_DATA


@dataclass(slots=True)  # not frozen: a hundred thousand are made in a second
class PacketExtracted:
    octets: bytes  # primary header included


@dataclass(frozen=True, slots=True)
class FramesLost:
    count: int  # modulo that of the frame count: a loss of just so many cannot be seen


@dataclass(frozen=True, slots=True)
class PartialPacketDropped:
    octets: bytes  # what had come of it


@dataclass(frozen=True, slots=True)
class FrameRejected:
    fault: FrameFault
    reason: str  # for the archive of bad frames


Event = PacketExtracted | FramesLost | PartialPacketDropped | FrameRejected


class PacketExtractor:
    """Reassembles the Space Packets of one virtual channel; keep one for each channel.

    Call :meth:`receive_frame` for every frame, in order of arrival, and act on
    the events it returns. It never raises on what the link sends: a bad frame
    is an event, because on a downlink it is an everyday fact and there is no
    peer to complain to. The state between calls is the unfinished packet at
    the end of the last frame (never more than one packet of 65542 octets), the
    count expected next, and the last frame's data, by which a frame that two
    antennas delivered is told from the loss of all others.

    Args:
        count_modulus: Of the virtual channel's frame count: 256 in TM frames, 2^24 or,
            with a cycle, 2^28 in AOS frames.
    """

    def __init__(self, *, count_modulus: int = FRAME_COUNT_MODULUS) -> None:
        self._modulus = count_modulus
        self._partial = b""
        self._expected_count: int | None = None
        self._last_data = b""

    def receive_frame(
        self, *, frame_count: int, first_header_pointer: int, data: bytes
    ) -> list[Event]:
        """Take one frame's data field and return what it completed.

        Args:
            frame_count: Virtual channel frame count.
            first_header_pointer: Octet index of the first packet header in
                *data*, or ``NO_PACKET_START``, or ``ONLY_IDLE_DATA``.
            data: Transfer frame data field, without any header or trailer.

        Returns:
            Zero or more events, in the order the octets were received. Idle
            packets are dropped without an event.
        """
        if self._is_repeat(frame_count, data):
            reason = f"frame count {frame_count} repeats the frame before it"
            return [FrameRejected(FrameFault.REPEATED, reason)]
        events = self._note_losses(frame_count)
        self._last_data = data
        if first_header_pointer == ONLY_IDLE_DATA:
            return events
        if first_header_pointer == NO_PACKET_START:
            self._continue_packet(data, events, ends_here=False)
            return events
        if first_header_pointer >= len(data):
            self._drop_partial(events)
            reason = (
                f"first header pointer {first_header_pointer} is outside the "
                f"data field of {len(data)} octets"
            )
            return [*events, FrameRejected(FrameFault.FIRST_HEADER_POINTER, reason)]
        self._continue_packet(data[:first_header_pointer], events, ends_here=True)
        self._take_packets(data, first_header_pointer, events)
        return events

    def note_frame(self, *, frame_count: int, data: bytes) -> list[Event]:
        """Take a frame that carries no packets: only its count says something."""
        return self.receive_frame(
            frame_count=frame_count, first_header_pointer=ONLY_IDLE_DATA, data=data
        )

    def _is_repeat(self, frame_count: int, data: bytes) -> bool:
        if self._expected_count is None:
            return False
        gap = (frame_count - self._expected_count) % self._modulus
        return gap == self._modulus - 1 and data == self._last_data

    def _note_losses(self, frame_count: int) -> list[Event]:
        events: list[Event] = []
        expected = self._expected_count
        self._expected_count = frame_count + 1
        lost = 0 if expected is None else (frame_count - expected) % self._modulus
        if lost:
            events.append(FramesLost(count=lost))
            self._drop_partial(events)
        return events

    def _continue_packet(self, octets: bytes, events: list[Event], *, ends_here: bool) -> None:
        """Add *octets* to the unfinished packet; by the pointer, no other begins in them."""
        if not self._partial:
            # The beginning was lost, or this is the first frame heard.
            return
        self._partial += octets
        length = _packet_length(self._partial)
        if length is not None and length <= len(self._partial):
            _append_packet(self._partial[:length], events)
            self._partial = self._partial[length:]
            ends_here = True
        if ends_here:
            self._drop_partial(events)  # what is left disagrees with the pointer

    def _take_packets(self, data: bytes, offset: int, events: list[Event]) -> None:
        end = len(data)
        while offset < end:
            first = data[offset]
            if first >> 5:
                self._partial = data[offset:]
                self._drop_partial(events)
                reason = (
                    f"packet version number {first >> 5} at octet {offset} of the "
                    f"data field; only Space Packets (0) are extracted"
                )
                events.append(FrameRejected(FrameFault.PACKET_VERSION, reason))
                return
            # The length field holds one less than the octets that follow it.
            following = (
                offset + PRIMARY_HEADER_LENGTH + 1 + (data[offset + 4] << 8 | data[offset + 5])
                if offset + PRIMARY_HEADER_LENGTH <= end
                else end + 1
            )
            if following > end:
                self._partial = data[offset:]
                return
            if (first & 7) << 8 | data[offset + 1] != IDLE_APID:
                events.append(PacketExtracted(data[offset:following]))
            offset = following

    def _drop_partial(self, events: list[Event]) -> None:
        if self._partial:
            events.append(PartialPacketDropped(octets=self._partial))
            self._partial = b""


def _packet_length(octets: bytes) -> int | None:
    """Return the length the header announces, or None while the header is incomplete."""
    if len(octets) < PRIMARY_HEADER_LENGTH:
        return None
    return PRIMARY_HEADER_LENGTH + 1 + (octets[4] << 8 | octets[5])


def _append_packet(octets: bytes, events: list[Event]) -> None:
    if (octets[0] & 7) << 8 | octets[1] != IDLE_APID:
        events.append(PacketExtracted(octets))
