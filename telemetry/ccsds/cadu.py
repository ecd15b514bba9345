"""Frames in a stream of octets: the attached sync marker and the search for it.

Pure and sans-IO, for files and octet streams; a demodulator has found the bit
boundaries before. Source: CCSDS 131.0-B-4 section 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ATTACHED_SYNC_MARKER: Final = bytes.fromhex("1acffc1d")

_MARKER: Final = int.from_bytes(ATTACHED_SYNC_MARKER, "big")


@dataclass(frozen=True, slots=True)
class BlockFound:
    octets: bytes  # what follows the marker: a frame, or a codeblock; still randomised


@dataclass(frozen=True, slots=True)
class OctetsSkipped:
    count: int  # octets that belong to no block


Event = BlockFound | OctetsSkipped


def attach_marker(block: bytes) -> bytes:
    """Return the channel access data unit: the marker, then *block*."""
    return ATTACHED_SYNC_MARKER + block


class CaduSynchroniser:
    """Finds the blocks of one length in a stream fed in pieces of any length.

    While searching it wants the marker exactly; once in lock it accepts up to
    *max_bit_errors* wrong bits in a marker that stands where the next one must,
    because there a chance match is most unlikely and a lost frame certain.

    Args:
        block_octets: Octets after each marker: the frame length, and the check
            symbols where the blocks are Reed-Solomon coded.
        max_bit_errors: Wrong bits tolerated in a marker while in lock, 0 to 8.
    """

    def __init__(self, *, block_octets: int, max_bit_errors: int = 2) -> None:
        if block_octets < 1:
            raise ValueError(f"block length {block_octets} octets; it must be at least 1")
        if not 0 <= max_bit_errors <= 8:
            raise ValueError(f"max_bit_errors {max_bit_errors} is outside 0 to 8")
        self._unit_octets = len(ATTACHED_SYNC_MARKER) + block_octets
        self._max_bit_errors = max_bit_errors
        self._buffer = bytearray()
        self._skipped = 0
        self.in_lock = False

    def receive(self, octets: bytes) -> list[Event]:
        """Take the next octets of the stream and return what they completed.

        Octets skipped are reported when the next block is found.
        """
        self._buffer += octets
        events: list[Event] = []
        offset = 0
        while (start := self._find_marker(offset)) is not None:
            self._skipped += start - offset
            offset = start
            if offset + self._unit_octets > len(self._buffer):
                break
            events += self._take_skipped()
            end = offset + self._unit_octets
            events.append(
                BlockFound(octets=bytes(self._buffer[offset + len(ATTACHED_SYNC_MARKER) : end]))
            )
            offset = end
            self.in_lock = True
        else:
            # Keep three octets: the marker may have begun in them.
            keep_from = max(offset, len(self._buffer) - len(ATTACHED_SYNC_MARKER) + 1)
            self._skipped += keep_from - offset
            offset = keep_from
        del self._buffer[:offset]
        return events

    def finish(self) -> list[Event]:
        """Return what is left over at the end of a file: octets of no whole block."""
        self._skipped += len(self._buffer)
        self._buffer.clear()
        self.in_lock = False
        return self._take_skipped()

    def _find_marker(self, offset: int) -> int | None:
        if self.in_lock:
            here = self._buffer[offset : offset + len(ATTACHED_SYNC_MARKER)]
            if len(here) < len(ATTACHED_SYNC_MARKER):
                return None
            wrong_bits = (int.from_bytes(here, "big") ^ _MARKER).bit_count()
            if wrong_bits <= self._max_bit_errors:
                return offset
            self.in_lock = False
        found = self._buffer.find(ATTACHED_SYNC_MARKER, offset)
        return None if found < 0 else found

    def _take_skipped(self) -> list[Event]:
        skipped, self._skipped = self._skipped, 0
        return [OctetsSkipped(count=skipped)] if skipped else []
