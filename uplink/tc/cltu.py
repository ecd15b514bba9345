"""Communications link transmission units: frames made ready for the radio, and read back.

Pure and sans-IO, both ends. Source: CCSDS 231.0-B-4: the BCH code, the
CLTU, and the randomiser of telecommands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from uplink.tc.bch import (
    CODE_BLOCK_OCTETS,
    INFORMATION_OCTETS,
    UncorrectableBlockError,
    decode_block,
    encode_block,
)

START_SEQUENCE: Final = bytes.fromhex("eb90")
TAIL_SEQUENCE: Final = bytes.fromhex("c5c5c5c5c5c5c579")  # no code word is one bit away
FILL: Final = b"\x55"
MAX_CLTU_BLOCKS: Final = 4096  # bounds what a receiver keeps: 28 kB of frames in one CLTU

_RANDOMISER_PERIOD: Final = 255


@dataclass(frozen=True, slots=True)
class CltuReceived:
    """The frames of one CLTU, with the fill after the last (see ``split_frames``)."""

    octets: bytes
    corrected_bits: int


@dataclass(frozen=True, slots=True)
class CltuRejected:
    reason: str


Event = CltuReceived | CltuRejected


def encode_cltu(frames: bytes, *, randomised: bool = False, tail: bytes = TAIL_SEQUENCE) -> bytes:
    """Return one CLTU around *frames*, which are one or more TC frames, one after another.

    Args:
        frames: Encoded frames.
        randomised: The mission randomises its telecommands; the fill is not.
        tail: The tail sequence; some stations want another than the standard's.

    Raises:
        ValueError: There is nothing to send.
    """
    if not frames:
        raise ValueError("a CLTU carries at least one frame")
    octets = randomise(frames) if randomised else frames
    octets += FILL * (-len(octets) % INFORMATION_OCTETS)
    blocks = (
        encode_block(octets[start : start + INFORMATION_OCTETS])
        for start in range(0, len(octets), INFORMATION_OCTETS)
    )
    return b"".join((START_SEQUENCE, *blocks, tail))


def decode_cltu(octets: bytes, *, randomised: bool = False) -> CltuReceived:
    """Return what the first CLTU in *octets* carries; it may be cut off after any block.

    Raises:
        ValueError: No start sequence, or no good code block follows it.
    """
    receiver = CltuReceiver(randomised=randomised)
    events = receiver.receive(octets) + receiver.finish()
    for event in events:
        if isinstance(event, CltuReceived):
            return event
    reasons = [event.reason for event in events if isinstance(event, CltuRejected)]
    raise ValueError(reasons[0] if reasons else f"no start sequence in {len(octets)} octets")


class CltuReceiver:
    """Finds and decodes the CLTUs in a stream fed in pieces of any length.

    The start sequence may have one wrong bit, each code block one; the first
    block that cannot be corrected, which the tail sequence is by design, ends
    the CLTU, and the search begins again behind it.
    """

    def __init__(self, *, randomised: bool = False) -> None:
        self._randomised = randomised
        self._buffer = bytearray()
        self._decoding = False
        self._information: list[bytes] = []
        self._corrected_bits = 0

    def receive(self, octets: bytes) -> list[Event]:
        """Take the next octets of the stream and return the CLTUs that ended in them."""
        self._buffer += octets
        events: list[Event] = []
        while self._decode_block(events) if self._decoding else self._find_start():
            pass
        return events

    def finish(self) -> list[Event]:
        """Return the CLTU that the loss of bit lock, or the end of a file, cut off."""
        events = self._end("cut off before the first code block was whole")
        self._buffer.clear()
        return events

    def _find_start(self) -> bool:
        found = _START_WITH_ONE_ERROR.search(self._buffer)
        if not found:
            del self._buffer[:-1]  # the start sequence may have begun in the last octet
            return False
        del self._buffer[: found.end()]
        self._decoding = True
        return True

    def _decode_block(self, events: list[Event]) -> bool:
        if len(self._buffer) < CODE_BLOCK_OCTETS:
            return False
        block = bytes(self._buffer[:CODE_BLOCK_OCTETS])
        try:
            information, corrected_bits = decode_block(block)
        except UncorrectableBlockError as error:
            # After a false start the true one may stand in these very octets;
            # after good blocks they are the tail.
            if self._information:
                del self._buffer[:CODE_BLOCK_OCTETS]
            events += self._end(str(error))
            return True
        del self._buffer[:CODE_BLOCK_OCTETS]
        self._information.append(information)
        self._corrected_bits += corrected_bits
        if len(self._information) == MAX_CLTU_BLOCKS:
            events += self._end(f"no tail within {MAX_CLTU_BLOCKS} code blocks")
        return True

    def _end(self, reason: str) -> list[Event]:
        if not self._decoding:
            return []
        octets = b"".join(self._information)
        corrected_bits = self._corrected_bits
        self._decoding = False
        self._information = []
        self._corrected_bits = 0
        if not octets:
            return [CltuRejected(reason=reason)]
        if self._randomised:
            octets = randomise(octets)
        return [CltuReceived(octets=octets, corrected_bits=corrected_bits)]


def randomise(octets: bytes) -> bytes:
    """Return *octets* exclusive-ored with the telecommand sequence; its own inverse.

    The sequence starts anew with each CLTU: h(x) = x^8 + x^6 + x^4 + x^3 + x^2
    + x + 1 from a register of all ones.
    """
    repeats = len(octets) // _RANDOMISER_PERIOD + 1
    sequence = (_RANDOMISER_SEQUENCE * repeats)[: len(octets)]
    mixed = int.from_bytes(octets, "big") ^ int.from_bytes(sequence, "big")
    return mixed.to_bytes(len(octets), "big")


def _generate_sequence(octets: int) -> bytes:
    register, bits = 0xFF, 0
    for _ in range(octets * 8):
        bits = bits << 1 | register & 1
        # Each bit is the sum of those 8, 7, 6, 5, 4 and 2 places before it.
        taps = register ^ register >> 1 ^ register >> 2 ^ register >> 3 ^ register >> 4
        register = register >> 1 | ((taps ^ register >> 6) & 1) << 7
    return bits.to_bytes(octets, "big")


def _with_one_error(sequence: bytes) -> re.Pattern[bytes]:
    """Return a pattern for *sequence*, exact or with any one of its bits turned."""
    word, length = int.from_bytes(sequence, "big"), len(sequence)
    words = [word, *(word ^ 1 << bit for bit in range(8 * length))]
    return re.compile(b"|".join(re.escape(one.to_bytes(length, "big")) for one in words))


_RANDOMISER_SEQUENCE: Final = _generate_sequence(_RANDOMISER_PERIOD)
_START_WITH_ONE_ERROR: Final = _with_one_error(START_SEQUENCE)
