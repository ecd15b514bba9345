"""What FOP-1 tells the layers around it, and what a mission sets.

Pure. Source: CCSDS 232.1-B-2 sections 4.3 (notifications) and 5.1 (parameters).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum

from uplink.tc.fop1_table import State
from uplink.tc.tc_frame import TcFrame


class AlertKind(StrEnum):
    """Why the AD service ended (section 4.3.2); the words are the operator's."""

    SYNCH = "acknowledgements make no sense: retransmission was asked for or ended wrongly"
    CLCW = "the CLCW contradicts itself or is invalid"
    LIMIT = "a frame was refused and may be sent only once"
    NNR = "N(R) of the CLCW is outside the frames sent"
    LOCKOUT = "FARM-1 is in lockout"
    T1 = "no acknowledgement after the last transmission allowed"
    TERM = "terminated by directive"
    LLIF = "the link below failed"


class TimeoutType(IntEnum):
    """What to do when the timer runs out after the last transmission allowed."""

    ALERT = 0
    SUSPEND = 1


@dataclass(frozen=True, slots=True)
class TransmitFrame:
    frame: TcFrame
    request_id: str  # of the request, or directive, that the frame serves


@dataclass(frozen=True, slots=True)
class AcceptedResponse:
    request_id: str


@dataclass(frozen=True, slots=True)
class RejectedResponse:
    request_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PositiveConfirm:
    request_id: str


@dataclass(frozen=True, slots=True)
class NegativeConfirm:
    """The request failed; the spacecraft may or may not have accepted the frame."""

    request_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Alert:
    kind: AlertKind


@dataclass(frozen=True, slots=True)
class Suspend:
    state: State  # where a resumption goes on


Effect = (
    TransmitFrame
    | AcceptedResponse
    | RejectedResponse
    | PositiveConfirm
    | NegativeConfirm
    | Alert
    | Suspend
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FopParameters:
    """What the mission sets (section 5.1).

    Attributes:
        window_width: K: frames ahead of the last acknowledged, 1 to 255; never
            more than FARM-1's positive window.
        t1_initial: How long to wait for an acknowledgement: the way up and
            down, and the time to radiate a window full of frames.
        transmission_limit: Times that a frame may be sent, 1 to 255.
        timeout_type: Whether the service ends or is suspended at that limit.
    """

    window_width: int = 10
    t1_initial: timedelta = timedelta(seconds=30)
    transmission_limit: int = 5
    timeout_type: TimeoutType = TimeoutType.ALERT

    def __post_init__(self) -> None:
        if not 1 <= self.window_width <= 255:
            raise ValueError(f"FOP window width {self.window_width} is outside 1 to 255")
        if not 1 <= self.transmission_limit <= 255:
            raise ValueError(f"transmission limit {self.transmission_limit} is outside 1 to 255")
        if self.t1_initial <= timedelta():
            raise ValueError(f"timer of {self.t1_initial.total_seconds()} s; it must be above 0")
