"""The downlink: packets of three channels into frames, at the link's rate in mission time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.fleet.profiles import TmProfile
from telemetry.ccsds.frame_builder import VirtualChannelMultiplexer
from telemetry.ccsds.tm_frame import TmFrameFormat

# A frame goes out at least this often, so that the CLCW in it keeps coming.
_IDLE_AFTER: Final = timedelta(seconds=1)

Refill = Callable[[datetime], None]  # asked for more packets before each frame
Radiate = Callable[[bytes, datetime], None]  # a frame, and when its last bit was out


class Transmitter:
    """Sends one frame after another; each takes its length over the bit rate."""

    def __init__(self, *, spacecraft_id: int, profile: TmProfile) -> None:
        frame_format = TmFrameFormat(
            frame_length_octets=profile.frame_octets, has_ocf=profile.ocf, has_fecf=profile.fecf
        )
        self._frames = VirtualChannelMultiplexer(
            spacecraft_id=spacecraft_id, frame_format=frame_format
        )
        self._has_ocf = profile.ocf
        self._channels = (profile.vc_realtime, profile.vc_recorded, profile.vc_files)
        self._frame_time = timedelta(seconds=profile.frame_octets * 8 / profile.rate_bps)
        self._free_at: datetime | None = None
        self._last_frame_at: datetime | None = None
        self.data_field_octets: Final = frame_format.data_field_octets
        self.frames_sent = 0

    def add(self, channel: int, packet: bytes) -> None:
        """Queue a packet on a virtual channel."""
        self._frames.add_packet(channel, packet)

    def wants(self, channel: int) -> bool:
        """Return whether the channel has less queued than would fill two frames."""
        return self._frames.pending_octets(channel) < 2 * self.data_field_octets

    def rest(self) -> None:
        """The transmitter is off until the next :meth:`transmit`."""
        self._free_at = self._last_frame_at = None

    def transmit(
        self,
        *,
        begin: datetime,
        until: datetime,
        clcw: Callable[[], bytes],
        refill: Refill,
        radiate: Radiate,
    ) -> None:
        """Send the frames whose last bit is out by *until*.

        Args:
            begin: When the packets queued now could begin to go out.
            until: Now.
            clcw: Gives the operational control field of the next frame.
            refill: Called before each frame.
            radiate: Takes each frame.
        """
        start = max(begin, self._free_at or begin)
        if self._last_frame_at is None:
            self._last_frame_at = begin - _IDLE_AFTER
        while (end := start + self._frame_time) <= until:
            refill(start)
            if not self._has_packets():
                # Nothing to send: wait for the second to pass, then an idle frame.
                start = max(start, self._last_frame_at + _IDLE_AFTER)
                end = start + self._frame_time
                if end > until:
                    break
            radiate(self._frames.next_frame(clcw() if self._has_ocf else None), end)
            self.frames_sent += 1
            self._last_frame_at = start
            start = self._free_at = end

    def _has_packets(self) -> bool:
        return any(self._frames.pending_octets(channel) for channel in self._channels)
