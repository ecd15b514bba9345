"""A ground that a test sets by hand, and a connection that only remembers."""

from __future__ import annotations

from missioncontrol.simulator.link import Link
from telemetry.ccsds.clcw import decode_clcw
from telemetry.ccsds.packet_extractor import PacketExtracted, PacketExtractor
from telemetry.ccsds.space_packet import decode_space_packet
from telemetry.ccsds.tm_frame import TmFrameFormat, decode_tm_frame

FRAME_FORMAT = TmFrameFormat(frame_length_octets=1115, has_ocf=True, has_fecf=True)

SILENCE = Link(in_view=False, uplink_locked=False, is_heard=False)
LISTENING = Link(in_view=True, uplink_locked=False, is_heard=True, range_m=1e6)
IN_CONTACT = Link(in_view=True, uplink_locked=True, is_heard=True, range_m=1e6)
UNATTENDED = Link(in_view=True, uplink_locked=False, is_heard=False, range_m=1e6)


class FakeGround:
    """Hears everything; ``state`` is the link that the spacecraft finds."""

    def __init__(self, state=SILENCE):
        self.state = state
        self.frames = []  # (decoded frame, instant)
        self.packets = []  # (channel, octets, instant)
        self._extractors = {}

    def link(self, at):
        return self.state

    def hear(self, frame, at):
        decoded = decode_tm_frame(frame, FRAME_FORMAT)
        self.frames.append((decoded, at))
        channel = decoded.virtual_channel_id
        extractor = self._extractors.setdefault(channel, PacketExtractor())
        for event in extractor.receive_frame(
            frame_count=decoded.virtual_channel_frame_count,
            first_header_pointer=decoded.first_header_pointer,
            data=decoded.data,
        ):
            assert isinstance(event, PacketExtracted)
            if not decode_space_packet(event.octets).is_idle:
                self.packets.append((channel, event.octets, at))

    def apids(self, channel):
        return [
            decode_space_packet(octets).apid for one, octets, _ in self.packets if one == channel
        ]

    def reports(self, channel=0):
        """Return (request id, stage, success, code) of the verification reports."""
        return [
            (int.from_bytes(octets[12:16], "big"), octets[16], octets[17], octets[19])
            for one, octets, _ in self.packets
            if one == channel and decode_space_packet(octets).apid == 110
        ]

    @property
    def last_clcw(self):
        return decode_clcw(self.frames[-1][0].ocf)


class FakeConnection:
    def __init__(self):
        self.sent = []
        self.is_closed = False

    def send(self, message):
        assert not self.is_closed
        self.sent.append(message)

    def close(self):
        self.is_closed = True

    def of_type(self, kind):
        return [message for message in self.sent if isinstance(message, kind)]
