"""What became of frames that were sent and never acknowledged.

Pure. FARM-1 accepts AD frames once each and in order, so its next expected
number, N(R) of a CLCW, tells of every frame sent since: those before it were
accepted, those from it on were not (CCSDS 232.1-B-2 section 6). A value that
the frames cannot explain (the spacecraft restarted) proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

SEQUENCE_MODULUS: Final = 256


class Fate(Enum):
    """What the evidence says of one frame."""

    ACCEPTED = auto()
    NOT_ACCEPTED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFrame:
    """An AD frame whose acceptance is undecided, and what else is known of it."""

    number: int  # N(S)
    in_journal: bool | None = None  # the station radiated it; None: no journal to be had
    reported_on_board: bool = False  # its telecommand's verification reports came


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate of one frame and the evidence for it."""

    fate: Fate
    evidence: str


def judge(frames: Sequence[OpenFrame], *, report_value: int) -> list[Verdict]:
    """Return the verdict on each of *frames*, which are in the order they were sent.

    Args:
        frames: Their numbers follow each other; the first is the oldest.
        report_value: N(R) of a CLCW that was made after all of them could have
            arrived.
    """
    if not frames:
        return []
    first = frames[0].number
    sent = (frames[-1].number - first) % SEQUENCE_MODULUS + 1
    accepted = (report_value - first) % SEQUENCE_MODULUS
    if accepted > sent:
        return [_without_clcw(frame, report_value) for frame in frames]
    return [
        _by_clcw(frame, (frame.number - first) % SEQUENCE_MODULUS < accepted, report_value)
        for frame in frames
    ]


def _by_clcw(frame: OpenFrame, is_accepted: bool, report_value: int) -> Verdict:
    about = f"N(S) {frame.number}, N(R) {report_value} of the CLCW"
    return Verdict(Fate.ACCEPTED if is_accepted else Fate.NOT_ACCEPTED, about)


def _without_clcw(frame: OpenFrame, report_value: int) -> Verdict:
    if frame.reported_on_board:
        return Verdict(Fate.ACCEPTED, "verification report of its telecommand")
    if frame.in_journal is False:
        return Verdict(Fate.NOT_ACCEPTED, "not in the station's journal")
    return Verdict(
        Fate.UNKNOWN,
        f"N(R) {report_value} of the CLCW does not fit the frames sent; "
        "no journal or report decides it",
    )
