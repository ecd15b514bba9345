"""FARM-1: the receiving end of COP-1, in a spacecraft.

Pure and sans-IO: valid frames in, events out, and a CLCW whenever one is wanted.
The comments E1 to E11 name the rows of the state table.

Source: CCSDS 232.1-B-2 section 6, table 6-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from telemetry.ccsds.clcw import Clcw
from uplink.tc.tc_frame import SetVr, TcFrame, TcFrameError, Unlock, decode_control_command

SEQUENCE_MODULUS: Final = 256


class FarmState(IntEnum):
    OPEN = 1
    WAIT = 2
    LOCKOUT = 3


@dataclass(frozen=True, slots=True)
class FrameAccepted:
    frame: TcFrame  # of type AD or BD, for the layer above


@dataclass(frozen=True, slots=True)
class ControlCommandExecuted:
    command: Unlock | SetVr


@dataclass(frozen=True, slots=True)
class FrameDiscarded:
    reason: str


Event = FrameAccepted | ControlCommandExecuted | FrameDiscarded


class Farm1:
    """Accepts the AD frames of one virtual channel once each and in order.

    Frames that fail validation never reach it (E9): decoding refuses them.

    Args:
        spacecraft_id: Frames for another are discarded.
        virtual_channel_id: Frames of another are discarded.
        window_width: W, even, 2 to 254: the positive and the negative window
            are half of it each.
        buffer_frames: AD frames that it can hold until :meth:`release_buffer`;
            None where the layer above takes each at once.
    """

    def __init__(
        self,
        *,
        spacecraft_id: int,
        virtual_channel_id: int,
        window_width: int = 64,
        buffer_frames: int | None = None,
    ) -> None:
        if window_width not in range(2, SEQUENCE_MODULUS, 2):
            raise ValueError(f"FARM window width {window_width} is not an even number, 2 to 254")
        if buffer_frames is not None and buffer_frames < 1:
            raise ValueError(f"buffer_frames {buffer_frames}; FARM-1 needs at least 1")
        self._spacecraft_id = spacecraft_id
        self._virtual_channel_id = virtual_channel_id
        self._half_window = window_width // 2
        self._buffer_frames = buffer_frames
        self._buffered = 0
        self._lockout = False
        self._wait = False
        self._retransmit = False
        self._farm_b_counter = 0
        self._expected = 0  # V(R)

    @property
    def state(self) -> FarmState:
        if self._lockout:
            return FarmState.LOCKOUT
        return FarmState.WAIT if self._wait else FarmState.OPEN

    @property
    def expected_sequence_number(self) -> int:
        """V(R)."""
        return self._expected

    def receive_frame(self, frame: TcFrame) -> Event:
        """Take one valid frame and return what became of it; never raises."""
        if (frame.spacecraft_id, frame.virtual_channel_id) != (
            self._spacecraft_id,
            self._virtual_channel_id,
        ):
            return FrameDiscarded(
                f"frame for spacecraft {frame.spacecraft_id}, virtual channel "
                f"{frame.virtual_channel_id}, expected {self._spacecraft_id}, "
                f"{self._virtual_channel_id}"
            )
        if frame.control_command:
            return self._execute(frame)
        if frame.bypass:  # E6
            self._count_type_b()
            return FrameAccepted(frame)
        return self._receive_ad(frame)

    def release_buffer(self, frames: int = 1) -> None:
        """The layer above has taken *frames* AD frames out of the buffer (E10)."""
        self._buffered = max(0, self._buffered - frames)
        self._wait = False

    def clcw(
        self, *, no_rf_available: bool = False, no_bit_lock: bool = False, status_field: int = 0
    ) -> Clcw:
        """Return the report to send down next (E11); the flags are the receiver's."""
        return Clcw(
            virtual_channel_id=self._virtual_channel_id,
            lockout=self._lockout,
            wait=self._wait,
            retransmit=self._retransmit,
            no_rf_available=no_rf_available,
            no_bit_lock=no_bit_lock,
            farm_b_counter=self._farm_b_counter,
            report_value=self._expected,
            status_field=status_field,
        )

    def _receive_ad(self, frame: TcFrame) -> Event:
        number = frame.frame_sequence_number
        ahead = (number - self._expected) % SEQUENCE_MODULUS
        about = f"N(S) {number}, V(R) {self._expected}"
        if self._half_window <= ahead < SEQUENCE_MODULUS - self._half_window:  # E5
            self._lockout = True
            return FrameDiscarded(f"{about}: outside both windows, lockout")
        if ahead > self._half_window:  # E4
            return FrameDiscarded(f"{about}: received before")
        if self.state is FarmState.LOCKOUT:
            return FrameDiscarded(f"{about}: lockout")
        if ahead:  # E3
            self._retransmit = True
            return FrameDiscarded(f"{about}: a frame before it is missing")
        return self._accept_ad(frame, about)

    def _accept_ad(self, frame: TcFrame, about: str) -> Event:
        if self._buffer_frames is not None and self._buffered >= self._buffer_frames:  # E2
            self._retransmit = True
            self._wait = True
            return FrameDiscarded(f"{about}: no buffer for it, wait")
        self._buffered += self._buffer_frames is not None  # E1
        self._expected = (self._expected + 1) % SEQUENCE_MODULUS
        self._retransmit = False
        return FrameAccepted(frame)

    def _execute(self, frame: TcFrame) -> Event:
        try:
            command = decode_control_command(frame.data)
        except TcFrameError as error:
            return FrameDiscarded(error.reason)
        self._count_type_b()
        if isinstance(command, Unlock):  # E7
            self._lockout = self._wait = self._retransmit = False
        elif not self._lockout:  # E8; in lockout it is counted, and otherwise ignored
            self._wait = self._retransmit = False
            self._expected = command.value
        return ControlCommandExecuted(command)

    def _count_type_b(self) -> None:
        self._farm_b_counter = (self._farm_b_counter + 1) % 4
